"""What a hook is given."""

from pointsman.model.budget import Budget
from pointsman.model.hook import HookContext


def test_pieces_of_context_are_kept_in_order_and_apart() -> None:
    first, second = HookContext(Budget.of(1)), HookContext(Budget.of(1))
    first.inject("one")
    first.inject("two")
    assert first.pieces == ["one", "two"]
    assert second.pieces == []


def test_a_hook_that_is_called_by_itself_may_log() -> None:
    context = HookContext(Budget.of(1))
    context.log("seen", path="a.py")
    assert context.settings == {}

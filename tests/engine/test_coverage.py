"""Which calls ran unguarded, and why, from what the host and the ledger say."""

from dataclasses import replace

import pytest

from pointsman.engine.coverage import reconcile, without_copies
from pointsman.model.coverage import Call, Coverage, Fate, Heard, HostHook


def call(number: int, *hooks: HostHook, **more: object) -> Call:
    given: dict[str, object] = {"tool": "Bash", "session": "s", "ran": True, "cwd": "/p", **more}
    return Call(id=f"t{number}", at_ns=number, hooks=hooks, **given)  # type: ignore[arg-type]


def ours(fate: Fate, **more: object) -> HostHook:
    given: dict[str, object] = {"event": "PreToolUse", "command": "pointsman-hook", **more}
    return HostHook(fate=fate, **given)  # type: ignore[arg-type]


def found(
    *calls: Call, answered: str = "", heard: bool = True, trusted: bool | None = None, **judged: int
) -> Coverage:
    known = Heard(answered=answered.split(), judged=judged, any=heard)
    return reconcile(calls, lambda _session: known, lambda _folder: trusted)


def causes(coverage: Coverage) -> list[tuple[str, str]]:
    return [(each.call.id, each.cause) for each in coverage.unguarded]


def test_every_call_that_ran_is_answered_for() -> None:
    coverage = found(call(1), call(2), answered="t1 t2")
    assert (coverage.ran, coverage.guarded, coverage.share, coverage.unguarded) == (2, 2, 1.0, ())


def test_nothing_ran() -> None:
    coverage = found(call(1, ran=False), answered="")
    assert (coverage.ran, coverage.refused, coverage.share) == (0, 1, None)


def test_a_refused_call_needs_no_record() -> None:
    coverage = found(call(1), call(2, ran=False), answered="t1")
    assert (coverage.share, coverage.refused) == (1.0, 1)


def test_settings_gone_is_what_follows_the_last_record() -> None:
    assert causes(found(*map(call, range(1, 6)), answered="t1 t2 t3")) == [
        ("t4", "settings gone"), ("t5", "settings gone"),
    ]  # fmt: skip
    assert causes(found(*map(call, range(1, 4)), answered="t1 t3")) == [("t2", "no record")]


def test_order_is_by_time_not_by_file() -> None:
    assert causes(found(call(3), call(1), call(2), answered="t1")) == [
        ("t2", "settings gone"), ("t3", "settings gone"),
    ]  # fmt: skip


def test_a_subagent_whose_hooks_do_not_run() -> None:
    calls = [call(1), call(2, agent_id="a"), call(3, agent_id="a"), call(4)]
    assert causes(found(*calls, answered="t1 t4")) == [("t2", "subagent"), ("t3", "subagent")]
    # Of one whose other calls are answered for it is not the agent.
    assert causes(found(*calls, answered="t1 t2 t4")) == [("t3", "no record")]


@pytest.mark.parametrize(
    ("hook", "cause"),
    [
        (ours(Fate.CANCELLED, timed_out=True, ms=1095), "hook cancelled: timed out after 1095 ms"),
        (ours(Fate.CANCELLED, ms=7), "hook cancelled: after 7 ms"),
        (ours(Fate.FAILED, detail="exit code 127"), "hook failed: exit code 127"),
        (ours(Fate.FAILED), "hook failed"),
    ],
)
def test_a_record_does_not_answer_for_a_hook_that_the_host_gave_up(
    hook: HostHook, cause: str
) -> None:
    assert causes(found(call(1, hook), call(2), answered="t1 t2")) == [("t1", cause)]


@pytest.mark.parametrize(
    "hook",
    [
        ours(Fate.ANSWERED),
        ours(Fate.CANCELLED, command="lint.sh"),
        ours(Fate.FAILED, event="PostToolUse"),
    ],
)
def test_other_hooks_are_not_our_answer(hook: HostHook) -> None:
    assert found(call(1, hook), answered="t1").share == 1.0


def test_a_session_that_nobody_has_heard_of() -> None:
    assert causes(found(call(1), heard=False)) == [("t1", "no hook ran in this session")]
    assert causes(found(call(1), heard=False, trusted=True)) == [
        ("t1", "no hook ran in this session")
    ]
    there = call(1, terminal=True)
    assert causes(found(there, heard=False, trusted=False)) == [("t1", "untrusted folder")]
    # Headless the host asks nobody, and runs hooks all the same.
    alone = causes(found(call(1), heard=False, trusted=False))
    assert alone == [("t1", "no hook ran in this session")]


def test_what_the_second_gate_has_judged_counts_once() -> None:
    calls = [call(1, command="ls"), call(2, command="ls"), call(3, command="id"), call(4)]
    coverage = found(*calls, heard=False, ls=1)
    assert [each.judged for each in coverage.unguarded] == [True, False, False, False]


def test_of_a_fork_s_copies_the_one_counts_that_has_a_record() -> None:
    copies = [call(1, session="fork"), call(1), call(2), call(2, session="fork"), call(3)]
    known = {"s": Heard(answered=["t1", "t2"]), "fork": Heard(answered=["t3"])}
    kept = without_copies(copies, lambda name: known[name])
    assert [(each.id, each.session) for each in kept] == [("t1", "s"), ("t2", "s"), ("t3", "s")]


def test_the_same_id_at_another_time_is_another_call() -> None:
    again = replace(call(1, session="other"), at_ns=99)
    unknown = replace(call(1, session="third"), at_ns=0)
    calls = [call(1), again, unknown, replace(unknown, session="fourth")]
    assert without_copies(calls, lambda _name: Heard()) == calls

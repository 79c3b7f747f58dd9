"""What a person says to an approval that waits: yes, no, or yes to something else."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pointsman.model.approval import Approval, State
from pointsman.model.errors import ApprovalError
from pointsman.store.approval_rows import MOST_INPUT
from pointsman.store.approvals import Approvals

_ABOUT = ("command", "file_path", "notebook_path", "content", "subagent_type", "prompt", "url")
"""What a call is about, where its input has it: without it there is nothing to say yes to."""


def approve(
    store: Approvals,
    name: str,
    by: str,
    note: str = "",
    *,
    modified: Mapping[str, Any] | None = None,
    any_session: bool = False,
) -> Approval:
    """Say yes to one call of exactly this; with ``modified``, to one with that input instead.

    ``any_session`` lets a later session of the same agent in the same directory make the call.

    Raises:
        ApprovalError: there is no such approval, or it does not wait any more.
    """
    approval = _waiting(store, name)
    more: dict[str, Any] = {}
    said = "yes"
    if modified is not None:
        _check_whole(approval, modified)
        text = json.dumps(dict(modified))
        if len(text) > MOST_INPUT:
            raise ApprovalError(
                f"the input has {len(text)} characters; at most {MOST_INPUT} are taken",
                fix="put what is long into a file and name that",
            )
        more["modified"] = text
        said = "yes, with another input"
    if any_session:
        bound = replace(approval.binding, session="")
        more |= {"session": "", "key": bound.key}
        said += ", in any session"
    return _decided(store, approval, State.APPROVED, by=by, note=note, said=said, more=more)


def refuse(store: Approvals, name: str, by: str, reason: str = "") -> Approval:
    """Say no; the same question is answered so for as long as it would have waited.

    Raises:
        ApprovalError: there is no such approval, or it does not wait any more.
    """
    approval = _waiting(store, name)
    return _decided(store, approval, State.REFUSED, by=by, note=reason, said="no", more={})


def _check_whole(approval: Approval, modified: Mapping[str, Any]) -> None:
    """Refuse an input that lacks what the call is about: it takes the place of the whole one."""
    asked = approval.input
    lacking = [key for key in _ABOUT if key in asked and type(modified.get(key)) is not
               type(asked[key])]  # fmt: skip
    if not modified or lacking:
        what = f"it lacks {', '.join(lacking)}" if lacking else "it is empty"
        raise ApprovalError(
            f"the new input takes the place of the whole one, and {what}",
            fix=f"pointsman approvals show {approval.id} shows the whole one",
        )


def _waiting(store: Approvals, name: str) -> Approval:
    approval = store.get(name)
    if approval.is_over(store.clock().wall_ns):
        store.move(approval.id, State.WAITING, State.LAPSED, by="time", text="nobody answered")
        approval = store.get(approval.id)
    if approval.state is not State.WAITING:
        raise _settled(approval)
    return approval


def _decided(
    store: Approvals,
    approval: Approval,
    after: State,
    *,
    by: str,
    note: str,
    said: str,
    more: Mapping[str, Any],
) -> Approval:
    now = store.clock()
    done = store.move(
        approval.id, State.WAITING, after, by=by, text=f"{said}: {note}" if note else said,
        decided_ns=now.wall_ns, decided_boot_ns=now.boot_ns, decided_boot=now.boot,
        decided_by=by, note=note, **more,
    )  # fmt: skip
    after_all = store.get(approval.id)
    if not done:
        raise _settled(after_all)
    return after_all


def _settled(approval: Approval) -> ApprovalError:
    by = f" by {approval.decided_by}" if approval.decided_by else ""
    return ApprovalError(
        f"approval {approval.id} does not wait for an answer: it is {approval.state.value}{by}",
        fix=f"pointsman approvals show {approval.id}",
    )

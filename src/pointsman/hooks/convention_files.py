"""The enricher that says at a session's start what is wrong with a project's own instructions.

What is missing is the person's matter; what contradicts itself the model has to know as well.
"""

import asyncio

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.events import SessionStart
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy

NAME = "convention-files"
_MOST = 5
_HEAD = (
    "This project's instructions contradict one another. Where your work touches one of these, ask "
    "which holds:"
)


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the enricher for the files of this policy's repository."""
    del policy

    async def run(event: Event, context: HookContext) -> Decision | None:
        root = event.identity.repository
        if not isinstance(event, SessionStart) or event.source != "startup" or not root:
            return None
        remarks = await asyncio.to_thread(kit.conventions.remarks, root)
        if not remarks:
            return None
        for each in remarks:
            context.log("remark", matter=each.matter, where=each.where)
        lines = [f"conventions: {each}" for each in remarks[:_MOST]]
        if len(remarks) > _MOST:
            lines.append(f"conventions: {len(remarks) - _MOST} more: pointsman conventions")
        opposed = [f"- {each.where}: {each.text}" for each in remarks
                   if each.matter == "contradiction"][:_MOST]  # fmt: skip
        text = "\n".join([_HEAD, *opposed]) if opposed else ""
        return Decision(action=None, context=text, rule="convention.files", notice="\n".join(lines))

    return Hook(name=NAME, role=Role.ENRICHER, run=run, events=frozenset({"SessionStart"}))

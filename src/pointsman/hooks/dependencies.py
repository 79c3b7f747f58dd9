"""The enricher that tells an agent what a file hangs on, before it changes it.

It adds text and decides nothing. What the index says is there in milliseconds; language servers
have the time the settings give them, and what they do not answer stays as the index has it. A run
that ends too early loses its text and nothing else.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from pointsman.hooks.kit import Kit
from pointsman.model.bundle import DEFAULT_TOKENS, SERVER_MS, Change
from pointsman.model.decision import Decision, inject
from pointsman.model.event import Event
from pointsman.model.events import PreEdit
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.paths.repository import repository_root

NAME = "dependencies"
RULE = "context.dependencies"
_MOST_FILES = 4
"""Files of one call that are told of."""
_MOST_WRITTEN = 64 * 1024
_SPARED = 0.2
"""Seconds of the budget that are kept for what comes after the servers."""
_TEXTS = ("old_string", "new_string", "new_source", "content", "body", "command")
_WHOLE = frozenset({"Write"})


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the enricher; ``context.enabled = false`` turns it off."""
    settings = policy.context
    on = bool(settings.get("enabled", True))
    most = int(settings.get("tokens", DEFAULT_TOKENS))
    server_seconds = float(settings.get("server_ms", SERVER_MS)) / 1000
    compared = bool(settings.get("compare", False))

    async def run(event: Event, context: HookContext) -> Decision | None:
        if not isinstance(event, PreEdit):
            return None
        arm = arm_of(event.identity.session) if compared else "with"
        if compared:
            context.log("arm", arm=arm)
        if arm == "without":
            return None
        texts: list[str] = []
        changes = [each for each in _changes(event) if kit.told.knows(each.path)][:_MOST_FILES]
        for change in changes:
            left = max(0.0, context.budget.remaining() - _SPARED) / len(changes)
            bundle = await kit.told.tell(
                listener_of(event), change, min(server_seconds, left), most // len(changes)
            )
            for note in bundle.notes:
                context.log("not known", file=change.path, why=note)
            if bundle.text:
                told = {each.kind.value: each.source.value for each in bundle.sections}
                context.log("told", file=change.path, tokens=bundle.tokens, sections=told)
                texts.append(bundle.text)
        return inject("\n\n".join(texts), rule=RULE) if texts else None

    def is_asked(event: Event) -> bool:
        return on and any(kit.told.knows(path) for path in event.paths)

    return Hook(
        name=NAME, role=Role.ENRICHER, run=run, events=frozenset({PreEdit.KIND}), when=is_asked
    )


def listener_of(event: Event) -> str:
    """Return who hears what is told at an event: each agent of a session for itself."""
    return f"{event.identity.session}/{event.identity.agent_id or ''}"


def arm_of(session: str) -> str:
    """Return on which side of the comparison a session is, by the hash of its id."""
    return "without" if sha256(session.encode()).digest()[0] % 2 else "with"


def _changes(event: PreEdit) -> Iterator[Change]:
    written = written_by(event.tool_input)
    whole = event.tool_name in _WHOLE
    for file in event.files:
        root = repository_root(file.rpartition("/")[0]) or event.identity.repository
        if root and file.startswith(f"{root}/"):
            yield Change(root, file[len(root) + 1 :], written, whole)


def written_by(given: Mapping[str, Any]) -> str:
    """Return the texts in a tool's input that an edit takes away or puts in."""
    found = [value for name in _TEXTS if isinstance(value := given.get(name), str)]
    edits = given.get("edits")
    for each in edits if isinstance(edits, list) else ():
        if isinstance(each, Mapping):
            found += [value for name in _TEXTS if isinstance(value := each.get(name), str)]
    return "\n".join(found)[:_MOST_WRITTEN]

"""The hook that covers secrets in what a tool gave, before the model sees it.

Measured with client 2.1.330: what ``updatedToolOutput`` holds takes the place of the tool's output
in the next request to the model; it must have the shape of the tool's own.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pointsman.hooks.kit import Kit
from pointsman.model.decision import Decision
from pointsman.model.event import Event
from pointsman.model.events import PostToolUse
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.secret import Secrets

NAME = "secret-output"
RULE = "secret.in-output"
_MOST_VALUES = 256


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the hook; what it cannot cover it leaves as it is, and the record says why."""
    del policy

    def run(event: Event, context: HookContext) -> Decision | None:
        del context
        return covered(event, kit.secrets) if isinstance(event, PostToolUse) else None

    return Hook(name=NAME, role=Role.ENRICHER, run=run, events=frozenset({"PostToolUse"}))


def covered(event: PostToolUse, secrets: Secrets) -> Decision | None:
    """Return the output with the secrets covered that have a form of their own, if it has any.

    What only its surroundings call secret stays: an agent could not work on the code it stands in.
    """
    text = "\n".join(_strings(event.tool_response))
    found = [each for each in secrets.find(text) if each.sure and not each.placeholder]
    if not found:
        return None
    values = {text[each.start : each.end]: each.mark for each in found[:_MOST_VALUES]}
    kinds = ", ".join(dict.fromkeys(each.kind for each in found))
    said = (
        f"Pointsman has covered what looks like a secret in this output ({kinds}): "
        f"{found[0].mark} stands for one. Use it by the name of its variable or file; written "
        "back, a mark would take the secret's place."
    )
    return Decision(
        action=None,
        rule=RULE,
        context=said,
        updated_output=_replaced(event.tool_response, values),
    )


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield str(key)
            yield from _strings(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _strings(inner)


def _replaced(value: Any, values: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        for secret, mark in values.items():
            value = value.replace(secret, mark)
        return value
    if isinstance(value, Mapping):
        return {_replaced(key, values): _replaced(inner, values) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(inner, values) for inner in value]
    return value

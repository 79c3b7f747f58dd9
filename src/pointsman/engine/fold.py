"""Many answers, one decision: deny > ask > modify > allow > no opinion."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from pointsman.model.decision import NO_OPINION, Action, Decision, unverified

_RANK = {Action.DENY: 4, Action.ASK: 3, Action.MODIFY: 2, Action.ALLOW: 1, None: 0}
_MOST_CONTEXT = 9_000
"""Characters of context handed to the model for one event, all hooks together.

Claude Code 2.1.330 hands on 9,000 whole; of 10,500 the model sees the first 2 KB and the name of a
file (measured).
"""
_LEFT_OUT = " … ({} characters more were left out: too much was said at once)"


def fold(decisions: Iterable[Decision], original: Mapping[str, Any] | None = None) -> Decision:
    """Return the strictest of these decisions, with everybody's context.

    The first of the strictest kind gives rule, hook and cause; further reasons of that kind are
    appended. Changes to the input (``original``) are merged key by key; two hooks that want
    different values for one key are not ours to reconcile: a person is asked.
    """
    given = [decision for decision in decisions if decision is not NO_OPINION]
    if not given:
        return NO_OPINION
    updated, clash = _merge_inputs(given, original or {})
    if clash is not None:
        # A question among the others: where somebody denies, that is still the stricter one.
        given.append(clash)
    strictest = max(given, key=lambda decision: _RANK[decision.action])
    same = [decision for decision in given if decision.action is strictest.action]
    return replace(
        strictest,
        reason="\n".join(_unique(decision.reason for decision in same)),
        context=_join_context(given),
        notice="\n".join(_unique(decision.notice for decision in given)),
        ends=any(decision.ends for decision in same),
        # The first one's: shipped hooks are asked first, and what they cover stays covered.
        updated_output=next((each.updated_output for each in given if each.updated_output), None),
        # A question keeps the change: what a person then says yes to is the changed call.
        updated_input=None if strictest.action is Action.DENY else updated,
    )


def _merge_inputs(
    given: list[Decision], original: Mapping[str, Any]
) -> tuple[Mapping[str, Any] | None, Decision | None]:
    wanted = [decision for decision in given if decision.updated_input is not None]
    if not wanted:
        return None, None
    changes: dict[str, Any] = {}
    for decision in wanted:
        for key, value in _changes(original, decision.updated_input or {}).items():
            if key in changes and changes[key] != value:
                return None, _clash(key, wanted)
            changes[key] = value
    merged = {**original, **changes}
    return {key: value for key, value in merged.items() if value is not _GONE}, None


class _Gone:
    """Marks a key that a hook took out of the input."""


_GONE = _Gone()


def _changes(original: Mapping[str, Any], updated: Mapping[str, Any]) -> dict[str, Any]:
    gone: dict[str, Any] = {key: _GONE for key in original if key not in updated}
    return gone | {
        key: value
        for key, value in updated.items()
        if key not in original or original[key] != value
    }


def _clash(key: str, wanted: list[Decision]) -> Decision:
    names = ", ".join(decision.hook or "a hook" for decision in wanted)
    reason = f"{names} want different values for the input {key!r}; a person has to choose."
    return unverified(reason, rule="engine.input-clash").by("engine")


def _join_context(given: list[Decision]) -> str:
    texts = _unique(decision.context for decision in given)
    room = _MOST_CONTEXT - 2 * len(texts)
    if sum(map(len, texts)) > room:
        share = _share([len(text) for text in texts], room)
        texts = [_shortened(text, share) for text in texts]
    return "\n\n".join(texts)[:_MOST_CONTEXT]


def _share(lengths: list[int], room: int) -> int:
    """Return how long each may be, so that together they fit: what is short stays whole."""
    for number, length in enumerate(sorted(lengths)):
        share = room // (len(lengths) - number)
        if length > share:
            return share
        room -= length
    return max(lengths, default=0)


def _shortened(text: str, most: int) -> str:
    if len(text) <= most:
        return text
    kept = text[: max(0, most - len(_LEFT_OUT) - 4)]
    # Whole lines, where there are any: half of one may say the opposite.
    kept = kept[: kept.rfind("\n")] if "\n" in kept else kept
    return kept + _LEFT_OUT.format(len(text) - len(kept))


def _unique(texts: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(text for text in texts if text))

"""A brief in words, within its tokens: each part has its first line before any has a second."""

from pointsman.model.handoff import PARTS, TOKENS, Brief
from pointsman.model.tokens import tokens_of, within

_HEAD = (
    "Hand-off from session {session}, by Pointsman, from the record and the agent's own last "
    "words. Start from this alone, and look up what it does not say. If something else is asked "
    "for, drop it."
)
_MOST_PER_LINE = 180
"""Tokens of a line; what is longer is cut."""


def words(brief: Brief, tokens: int = TOKENS) -> str:
    """Return a brief as text."""
    lines = {name: [f"- {within(line, _MOST_PER_LINE)}" for line in getattr(brief, name)]
             for name in PARTS}  # fmt: skip
    head = "\n".join([_HEAD.format(session=brief.session), *_state(brief)])
    spent = tokens_of(f"{head}\n")
    chosen: dict[str, list[str]] = {}
    for turn in range(max(map(len, lines.values()), default=0)):
        for name, title in PARTS.items():
            if turn >= len(lines[name]) or len(chosen.get(name, ())) < turn:
                continue
            new = f"{lines[name][turn]}\n" if turn else f"{title}:\n{lines[name][turn]}\n"
            if spent + tokens_of(new) <= tokens:
                chosen.setdefault(name, []).append(lines[name][turn])
                spent += tokens_of(new)
    parts = [f"{title}:\n" + "\n".join(chosen[name]) for name, title in PARTS.items()
             if name in chosen]  # fmt: skip
    return within("\n".join([head, *parts]), tokens)


def _state(brief: Brief) -> list[str]:
    state = brief.condition
    if not state.reasons:
        return []
    return [f"Why it was ended: {'; '.join(state.reasons)}."]

"""The questions that an agent may ask, in one table: what a client is told of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pointsman.mcp import schemas

MOST_ROWS = 100
ROWS = 20


@dataclass(frozen=True, slots=True)
class Tool:
    """One question: what it is called, and what it tells."""

    title: str
    description: str
    fields: Mapping[str, Any]
    """The schema of each field of the answer."""
    rows: bool = False
    """Whether it takes how many rows are wanted, and whose."""


TOOLS: dict[str, Tool] = {
    "spent": Tool(
        "What have I used?",
        "Tokens, money, tool calls and minutes that you and your whole session have used so far.",
        schemas.SPENT,
    ),
    "limits": Tool(
        "What remains of my limits?",
        "Each limit that holds for you: how much is used, what remains, what happens at it.",
        schemas.LIMITS,
    ),
    "denials": Tool(
        "What was I denied, and why?",
        "Calls that were denied, put to a person or changed: the rule, the reason, what to do "
        "instead.",
        schemas.DENIALS,
        rows=True,
    ),
    "hooks": Tool(
        "Which of my hooks fail?",
        "The hooks of your session: how often each ran, and which crash, run out of time or are "
        "skipped.",
        schemas.HOOKS,
    ),
    "looping": Tool(
        "Am I looping?",
        "What the detectors have found wrong with your run: repetition, cycles, the same error, "
        "no progress and others.",
        schemas.LOOPING,
        rows=True,
    ),
    "contract": Tool(
        "What does my contract allow?",
        "Which files you may change, which tools you may use, what is checked when you end.",
        schemas.CONTRACT,
    ),
    "subagents": Tool(
        "What did my subagents do?",
        "Each agent that you have started, and what they have started: calls, denials, tokens, "
        "money, whether it is over.",
        schemas.SUBAGENTS,
    ),
}
"""A new question is one row here and one in ``answers.py``."""

_LIMIT = {"type": "integer", "minimum": 1, "maximum": MOST_ROWS, "default": ROWS,
          "description": "How many, the newest first."}  # fmt: skip
_MINE = {"type": "boolean", "default": False,
         "description": "Only your own, not those of other agents of the session."}  # fmt: skip


def listed() -> Iterator[dict[str, Any]]:
    """Yield the tools as ``tools/list`` gives them."""
    for name, tool in TOOLS.items():
        given = {"limit": _LIMIT, "mine": _MINE} if tool.rows else {}
        yield {
            "name": name,
            "title": tool.title,
            "description": f"{tool.description} Of your own session only; changes nothing.",
            "inputSchema": {"type": "object", "properties": given, "additionalProperties": False},
            "outputSchema": schemas.answer(tool.fields),
            "annotations": {
                "title": tool.title, "readOnlyHint": True, "destructiveHint": False,
                "idempotentHint": True, "openWorldHint": False,
            },
        }  # fmt: skip

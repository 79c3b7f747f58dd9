"""``pointsman handoff``: what a fresh session needs to know of one that is full or has ended."""

from dataclasses import asdict
from typing import Any

import click

from pointsman.cli.approval_text import harmless
from pointsman.cli.covered import covered, echo_json
from pointsman.cli.places import here, places
from pointsman.config.policy_loader import PolicyLoader
from pointsman.handing import Handing
from pointsman.handoff.words import words
from pointsman.model.errors import LedgerError
from pointsman.model.handoff import PARTS, TOKENS, Brief
from pointsman.model.tokens import tokens_of
from pointsman.model.watching import context_limits
from pointsman.paths.repository import repository_root
from pointsman.store.session_names import named


@click.command()
@click.argument("session")
@click.option(
    "--tokens", type=click.IntRange(200, TOKENS), default=TOKENS, show_default=True,
    help="At most so many.",
)  # fmt: skip
@click.option("--json", "printed", is_flag=True, help="Print JSON.")
def command(session: str, tokens: int, printed: bool) -> None:
    """Print the brief of SESSION, from the record and the agent's own last words.

    It is what a fresh session should start from, and all of it. It needs no running daemon. The
    beginning of the name is enough where one session alone has it.
    """
    policy = PolicyLoader(places()).policy_for(repository_root(here()))
    session = _whole(session)
    brief = Handing(places().ledger).brief(session, context_limits(policy.watch))
    if brief is None:
        raise LedgerError(
            f"nothing is on record of the session {session!r}",
            fix="pointsman ledger query --event SessionStart",
        )
    text = covered(words(brief, tokens))
    if printed:
        echo_json(_row(brief, text))
    else:
        click.echo(harmless(text))


def _whole(session: str) -> str:
    found = named(places().ledger, session) if session else []
    if len(found) > 1:
        raise LedgerError(
            f"{session!r} is the beginning of several sessions: {', '.join(found)}",
            fix="type more of the name",
        )
    return found[0] if found else session


def _row(brief: Brief, text: str) -> dict[str, Any]:
    state = brief.condition
    return {
        "session": brief.session,
        "text": text,
        "tokens": tokens_of(text),
        **{name: list(getattr(brief, name)) for name in PARTS},
        "context": {**asdict(state), "percent": state.percent, "past": bool(state.reasons)},
    }

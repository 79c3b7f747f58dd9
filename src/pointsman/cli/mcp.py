"""``pointsman mcp``: what an agent asks about itself, over stdio."""

import os
import sys
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import click

from pointsman.cli.places import places
from pointsman.mcp.server import Refused, Server
from pointsman.mcp.tools import listed


@click.command()
def command() -> None:
    """Serve an agent that asks about its own session (Model Context Protocol over stdio).

    A coding agent starts this; `pointsman init` registers it. It reads the record and changes
    nothing.
    """
    Server(listed(), _call).serve(sys.stdin.buffer, sys.stdout.buffer)


def _call(name: str, given: Mapping[str, Any], meta: object) -> dict[str, Any]:
    try:
        return _answers()(name, given, meta)
    except (Refused, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - the process edge: the next question is another one
        text = f"Pointsman itself failed: {type(error).__name__}: {error}"
        step = "next step: a person types: pointsman doctor"
        return {"content": [{"type": "text", "text": f"{text}\n{step}"}], "isError": True}


@cache
def _answers() -> Callable[[str, Mapping[str, Any], object], dict[str, Any]]:
    # With the first question, not with the start: a host waits for its servers when it begins.
    from pointsman.mcp.answers import Answers  # noqa: PLC0415

    return Answers(places(), os.environ).call

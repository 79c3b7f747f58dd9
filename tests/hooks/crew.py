"""A repository with agents, and a session of the host in it, by the daemon's own steps."""

import asyncio
import itertools
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pointsman.assembly import Setups
from pointsman.case import Delivery, Handled
from pointsman.config.policy_loader import PolicyLoader
from pointsman.model.decision import Action
from pointsman.model.places import Places
from pointsman.runtime import Runtime

_IDS = itertools.count()


class Crew:
    """A machine with one repository; calls go through the runtime, one after the other."""

    def __init__(self, path: Path) -> None:
        self.root = Path(os.path.realpath(path)) / "repository"
        (self.root / ".pointsman").mkdir(parents=True)
        self.places = Places(state=path / "state", config=path / "config")
        self.places.state.mkdir()
        self.loader = PolicyLoader(self.places)

    def __enter__(self) -> Self:
        self._setups = Setups(self.loader, self.places)
        self._runtime = Runtime(self._setups, None)
        self._loop = asyncio.new_event_loop()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._loop.run_until_complete(self._setups.close())
        self._loop.close()

    def file(self, name: str, text: str = "x\n") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def agent(self, name: str, frontmatter: str = "") -> Path:
        text = f"---\nname: {name}\n{frontmatter}\n---\nYou work.\n"
        return self.file(f".claude/agents/{name}.md", text)

    def settings(self, text: str) -> Path:
        return self.file(".pointsman/config.toml", text)

    def user(self, text: str) -> None:
        self.places.config.mkdir(exist_ok=True)
        self.places.user_config.write_text(text)

    def trust(self) -> None:
        root = str(self.root)
        checks = self.loader.repository_checks(root)
        self.loader.trust.trust(self.root, self.loader.repository_hooks(root), checks)

    def git(self, *words: str) -> None:
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *words], cwd=self.root, check=True, capture_output=True)

    def say(self, event: str, agent: str = "", **native: Any) -> Handled:
        """Deliver an event, of the main thread or of an agent (``type`` or ``type/id``)."""
        kind, _, key = agent.partition("/")
        payload = {"hook_event_name": event, "session_id": "s", "cwd": str(self.root), **native}
        if kind:
            payload |= {"agent_type": kind, "agent_id": key or f"{kind}-1"}
        data = json.dumps(payload).encode()
        delivery = Delivery(
            host="claude-code", event=event, payload=data, cwd=str(self.root),
            project=str(self.root),
        )  # fmt: skip
        return self._loop.run_until_complete(self._runtime.handle(delivery))

    def call(self, tool: str, agent: str = "", **given: Any) -> Handled:
        return self.say(
            "PreToolUse", agent, tool_name=tool, tool_input=given, tool_use_id=f"t{next(_IDS)}"
        )

    def start(self, agent: str, prompt: str = "Do it.", by: str = "", **more: Any) -> Handled:
        given = {"subagent_type": agent, "prompt": prompt, "description": "d", **more}
        return self.call("Agent", by, **given)

    def ends(self, agent: str, message: str = "Done.") -> Handled:
        return self.say(
            "SubagentStop", agent, stop_hook_active=False, last_assistant_message=message
        )

    def runs(self, agent: str, prompt: str = "Do it.") -> Handled:
        """Start an agent and let it show itself."""
        handled = self.start(agent, prompt)
        self.say("SubagentStart", agent)
        return handled


def rule(handled: Handled) -> str:
    """Return the rule that stopped or asked, or the empty string where the call passes."""
    decision = handled.decision
    return decision.rule if decision.action in {Action.DENY, Action.ASK} else ""


def crew(tmp_path: Path) -> Iterator[Crew]:
    with Crew(tmp_path) as one:
        yield one

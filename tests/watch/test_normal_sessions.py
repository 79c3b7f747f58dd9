"""Sessions in which nothing is wrong give no finding: recorded ones, and made-up long ones.

The recorded ones are the demo's session with a real client, and every payload that was recorded of
one, session by session.
"""

import json
import random
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from pointsman.agents.claude_code import read
from pointsman.model.alert import Finding
from pointsman.model.decision import NO_OPINION
from pointsman.model.events import SubagentStop, UserPromptSubmit
from pointsman.watch.watch import Watch

from .run import MINUTE, SECOND, START, Session

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/watching.md").read_text(encoding="utf-8")
_LENGTHS = 100


def recorded() -> dict[str, list[dict[str, Any]]]:
    """Return the recorded sessions by their id."""
    lines = (ROOT / "demo/session.jsonl").read_text(encoding="utf-8").splitlines()
    payloads = [json.loads(line) for line in lines]
    fixtures = sorted((ROOT / "tests/agents/fixtures/claude-code").glob("*.json"))
    payloads += [json.loads(file.read_text(encoding="utf-8")) for file in fixtures]
    sessions: dict[str, list[dict[str, Any]]] = {}
    for payload in payloads:
        sessions.setdefault(payload["session_id"], []).append(payload)
    return sessions


def replayed(payloads: Iterable[dict[str, Any]], pace: int = SECOND) -> list[Finding]:
    """Return what is found in a session whose events come at this pace."""
    faults: list[object] = []
    watch = Watch(lambda *fault: faults.append(fault))
    found: list[Finding] = []
    for number, payload in enumerate(payloads):
        at = START + number * pace
        event = read(json.dumps(payload).encode(), payload["hook_event_name"], "/", at)
        found += watch.event(event, NO_OPINION, (), number + 1, {})
        found += watch.tick(at)
    assert faults == []
    return found


SESSIONS = recorded()


@pytest.mark.parametrize("session", SESSIONS)
@pytest.mark.parametrize("pace", [SECOND // 100, SECOND, MINUTE])
def test_a_recorded_session_gives_none(session: str, pace: int) -> None:
    assert replayed(SESSIONS[session], pace) == []


def worked(seed: int) -> list[Finding]:
    """Return what is found in a made-up session of a hundred rounds of work."""
    chance = random.Random(seed)
    session = Session()
    context = 15_000.0
    for step in range(_LENGTHS):
        if step % 25 == 0:
            session.event(UserPromptSubmit, prompt=f"the next thing: {step}")
        agent = chance.choice(["", "", "", "explorer", "builder"])
        for act in _acts(session, chance, step, agent):
            act()
            new = int(chance.lognormvariate(6.5, 0.9))
            context = min(context + new, 120_000)
            session.usage(
                200, 0.00001 * context, agent=agent, input_tokens=new,
                cache_read_tokens=int(context),
            )  # fmt: skip
        if agent:
            session.event(SubagentStop, agent)
        session.wait(chance.uniform(0.1, 2))
    return session.found


def _acts(session: Session, chance: random.Random, step: int, agent: str) -> Iterator[Any]:
    file = f"/repo/{chance.randint(0, 30)}.py"
    text = {"file": {"filePath": file, "content": f"{file} at {step // 20}"}}
    yield lambda: session.call("Read", text, agent=agent, file_path=file)
    yield lambda: session.bash(f"grep -rn word{step} src", f"{step} lines", agent=agent)
    if agent != "explorer":
        yield lambda: session.write(file, f"{file}, version {step}", agent=agent)
        wrong = f"Exit code 1\n{chance.randint(1, 9)} failed, test_{step // 3}"
        broken = chance.random() < 0.3
        yield lambda: session.bash("pytest -q", f"{step} passed", agent=agent,
                                   error=wrong if broken else "")  # fmt: skip
    yield lambda: session.bash("git status --short", f"M {file} {step}", agent=agent)


def test_made_up_sessions_of_ordinary_work_give_none() -> None:
    found = [one for seed in range(40) for one in worked(seed)]
    assert found == []


def test_the_page_names_the_figures() -> None:
    events = sum(len(each) for each in SESSIONS.values())
    said = f"{len(SESSIONS)} recorded sessions with {events} events, at three paces: 0 findings"
    assert said in re.sub(r"\s+", " ", PAGE)


def test_the_replay_would_find_something() -> None:
    looping: Sequence[dict[str, Any]] = [
        {"session_id": "s", "hook_event_name": "PreToolUse", "tool_name": "Bash",
         "tool_input": {"command": "ls"}}
    ] * 6  # fmt: skip
    assert {each.detector for each in replayed(looping)} == {"repetition", "cycle"}

"""Each detector's fault, put into a session of ordinary work: found before it ends.

The table of the page is held to what comes out here.
"""

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from pointsman.model.decision import Action, Decision
from pointsman.model.events import PreToolUse, SessionEnd
from pointsman.model.hook import Outcome
from pointsman.model.watching import DETECTORS, UNGUARDED
from pointsman.watch.all_detectors import ALL

from .run import Session, run
from .test_gone import CASES, SETUP, Step
from .test_normal_sessions import SESSIONS, replayed, worked

PAGE = (Path(__file__).parents[2] / "docs/watching.md").read_text(encoding="utf-8")
ROWS = {
    found[0]: found[1:]
    for found in re.findall(
        r"^\| `([\w-]+)` \| (\d+) of (\d+) \| (\d+) of (\d+) \| (.+?) \|$", PAGE, re.MULTILINE
    )
}
ROUNDS = 12


def reached(session: Session) -> None:
    said = Decision(action=Action.DENY, reason="it is reached", rule="limit.session-usd")
    hook = run("limits", Outcome.DECIDED, decision=said)
    session.event(PreToolUse, runs=[hook], decision=said)


FAULTS: dict[str, Step] = {case[0]: case[1] for case in CASES} | {"limit-reached": reached}


def ordinary(session: Session, seed: int) -> None:
    """Let a session work for a while: nothing in it is wrong."""
    chance = random.Random(seed)
    for step in range(ROUNDS):
        file = f"/repo/{chance.randint(0, 30)}.py"
        session.call("Read", {"file": {"filePath": file, "content": f"{step}"}}, file_path=file)
        session.bash(f"grep -rn word{step} src", f"{step} lines")
        session.write(file, f"{file}, version {step}")
        session.bash("pytest -q", f"{step} passed")
        session.usage(int(chance.lognormvariate(6.5, 0.5)), 0.01)
        session.wait(1)


@pytest.mark.parametrize("name", list(FAULTS))
def test_a_fault_in_the_middle_of_work_is_found_before_the_session_ends(name: str) -> None:
    session = Session()
    ordinary(session, seed=7)
    assert session.found == [], "ordinary work is no fault"
    if name in SETUP:
        SETUP[name](session)
    FAULTS[name](session)
    assert name in {each.detector for each in session.found}
    before = len(session.found)
    session.event(SessionEnd)
    assert len(session.found) == before, "it was found before the end"
    assert session.faults == []


def test_every_detector_has_its_fault() -> None:
    assert set(FAULTS) == {row.name for row in ALL} == set(DETECTORS) - {UNGUARDED}


@pytest.fixture(scope="module")
def false_alarms() -> tuple[Counter[str], Counter[str], int]:
    """Return what is found where nothing is wrong: in recorded sessions, in made-up ones."""
    paces = (10**7, 10**9, 60 * 10**9)
    recorded = Counter(
        each.detector
        for payloads in SESSIONS.values()
        for pace in paces
        for each in replayed(payloads, pace)
    )
    made_up = Counter(each.detector for seed in range(40) for each in worked(seed))
    return recorded, made_up, len(SESSIONS) * len(paces)


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != UNGUARDED])
def test_the_page_names_the_false_alarms_of_each(
    name: str, false_alarms: tuple[Counter[str], Counter[str], int]
) -> None:
    recorded, made_up, replays = false_alarms
    found = tuple(map(int, ROWS[name][:4]))
    assert found == (recorded[name], replays, made_up[name], 40)
    assert ROWS[name][4].strip()

"""The host's fail-open table, caused with our installed hook: the tool did not run.

The rows are those by which a PreToolUse hook of the real client (2.1.330) lets the call run. Each
is caused in one session per client, one row after another: the scripted model's turn breaks one
thing, makes a harmless call, and the next turn puts it right. The call would run if nothing
guarded it, as the first and the last row show.

Rows that an installed hook of ours cannot produce, and why:

- ``http`` and ``mcp_tool`` hooks: ``init`` registers programs in exec form only;
- ``async: true``, ``asyncRewake``: never on an event that we guard; a settings file that turns
  ours into one is refused by the ConfigChange guard (``test_tampering.py``) or told by
  ``doctor``;
- ``{"async": true}`` first, ``continue: false``, ``defer``, legacy ``decision``, a wrong word, a
  wrong or missing ``hookEventName``, an unknown key, an array, text around the JSON, two objects,
  plain text: a denial of ours is exit code 2 with stderr,
  whatever stdout says, and the other answers are written by one function
  (``claude_code.write``). They can come from a guard *behind* us, and are caused there
  (``test_failing_guards.py``);
- exit 0 empty, also with a denial on stderr: silence is no opinion, from a guard behind us too;
  its stderr is its log;
- JSON that is not closed: our client writes the answer whole or ends with exit code 2
  (``tests/client``); from a guard behind us it is a row below;
- a matcher, an ``if`` or a hook entry that the client does not understand, a settings file with a
  schema error: ``init`` writes none, and live the ConfigChange guard keeps the old settings.

What takes our program's place and ends with exit code 0 is not our hook any more: see
``test_another_program_in_our_place_is_found_by_doctor``.
"""

import json
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from client.fake_daemon import answer
from pointsman.agents.claude_events import OPEN_ON_EVERY_VERSION

from . import faults
from .conftest import unavailable
from .faults import Fault, OneAfterAnother, Place
from .messages_api import MessagesApi, bash
from .own_install import OwnInstall
from .pointsman_session import Guarded, guarded
from .session import Claude, Result, Session
from .unavailable import HostUnavailable

pytestmark = pytest.mark.host

BLOCKED = 'failed; blocking because onFailure is "block"'
TIMED_OUT = 'timed out; blocking because onFailure is "block"'
SILENT = "the daemon did not answer within the deadline"
GARBLED = "the daemon's answer is garbled or cut short"
NOT_STARTED = ("the daemon could not be started: exit code", "no daemon answered within")
"""On a machine under load the client's deadline may come first."""
DEADLINE_MS = "2500"
"""For the client, so that what hangs does not take the 25 seconds it may."""

CONTROL = "nothing is broken"
ROWS = (
    Fault("exit 1", faults.replaced("exit 1"), BLOCKED, recorded=False),
    Fault("exit 3", faults.replaced("exit 3"), BLOCKED, recorded=False),
    Fault("exit 126", faults.replaced("exit 126"), BLOCKED, recorded=False),
    Fault("exit 127", faults.replaced("no-such-program"), BLOCKED, recorded=False),
    Fault("exit 126: not executable", faults.replaced("exit 0", 0o644), BLOCKED, recorded=False),
    Fault("argv ENOENT: program deleted", faults.deleted, BLOCKED, recorded=False),
    Fault("program is a directory", faults.a_directory, BLOCKED, recorded=False),
    Fault("program cut off", faults.cut_off, BLOCKED, recorded=False),
    Fault("program emptied", faults.emptied, BLOCKED, recorded=False),
    Fault("killed by SIGKILL", faults.replaced("kill -KILL $$"), BLOCKED, recorded=False),
    Fault("killed by SIGTERM", faults.replaced("kill -TERM $$"), BLOCKED, recorded=False),
    Fault("killed by SIGSEGV", faults.replaced("kill -SEGV $$"), BLOCKED, recorded=False),
    Fault(
        "killed by SIGKILL while it waits for us",
        faults.signals_client(signal.SIGKILL),
        BLOCKED,
        recorded=False,
    ),
    Fault(
        "killed by SIGSEGV while it waits for us",
        faults.signals_client(signal.SIGSEGV),
        BLOCKED,
        recorded=False,
    ),
    Fault(
        "killed by SIGTERM while it waits for us",
        faults.signals_client(signal.SIGTERM),
        "the client was ended before the answer came",
    ),
    Fault("timeout: the daemon is stopped", faults.stopped, SILENT),
    Fault("timeout: something silent on the socket", faults.silent, SILENT),
    Fault("answer empty", faults.sends(b""), "closed the connection 21 times without an answer"),
    Fault("answer is text", faults.sends(b"looks fine to me, go on\n"), GARBLED),
    Fault("answer truncated", faults.sends(answer(0, b'{"hook')[:-7]), GARBLED),
    Fault("answer with exit 1", faults.sends(answer(1, b"", b"x")), "has the exit code 1"),
    Fault("answer: exit 2, silent", faults.sends(answer(2)), "exit code 2 and 0 bytes of reason"),
    Fault("another version", faults.sends(b"PMS1\0\0\0\x09speaks v9"), "version skew: speaks v9"),
    Fault("daemon absent, half an upgrade", faults.package_broken, NOT_STARTED),
    Fault("socket is a file", faults.socket_is(Path.touch), "daemon.sock is not a socket"),
    Fault("state directory is a file", faults.state_is_a_file, "Not a directory", recorded=False),
    Fault(
        "state directory of somebody else",
        faults.state_of_a_stranger,
        "belongs to user 54321, not to you",
        recorded=False,
        needs_root=True,
    ),
    Fault(
        "state directory for everybody",
        faults.state_for_everybody,
        "can be written by others",
        recorded=False,
    ),
    Fault("ledger locked", faults.ledger_locked, "could not be put on record"),
    Fault("ledger full", faults.ledger_full, "could not be put on record"),
    Fault("ledger cannot be opened", faults.ledger_is_a_directory, NOT_STARTED),
)
NATIVE_ROWS = (
    Fault("daemon absent, command missing", faults.command_missing, "no daemon runs and"),
    Fault("daemon absent, command fails", faults.command_broken, NOT_STARTED),
    Fault("daemon absent, interpreter missing", faults.interpreter_missing, NOT_STARTED),
)
PYTHON_ROWS = (
    Fault("exit 1: syntax error", faults.twin_says("def ("), BLOCKED, recorded=False),
    Fault("exit 7", faults.twin_says("raise SystemExit(7)"), BLOCKED, recorded=False),
)


def _session(*rows: Fault) -> tuple[Fault, ...]:
    return (
        Fault(CONTROL, faults.nothing, ""),
        *rows,
        Fault(f"{CONTROL} any more", faults.nothing, ""),
    )


SESSIONS = {
    "native": _session(*ROWS, *NATIVE_ROWS),
    "python": _session(*ROWS, *PYTHON_ROWS),
}


@dataclass(frozen=True)
class Outcome:
    """What became of one row's call."""

    ran: bool
    told: str
    decisions: tuple[str, ...]


@contextmanager
def installed(root: Path, binary: Path, *, native: bool) -> Iterator[Place]:
    """Give a project with an installation of its own, and a scripted model."""
    try:
        install = OwnInstall(root / "own", native=native)
    except HostUnavailable as error:
        unavailable(error)
    more = {"POINTSMAN_DEADLINE_MS": DEADLINE_MS}
    with (
        MessagesApi() as api,
        Claude(root / "project", root / "home", api, binary) as claude,
        guarded(claude, install.command, more) as under,
    ):
        under.init()
        yield Place(install, under)


def _id(number: int) -> str:
    return f"toolu_main_{number}_0"


def _run_all(place: Place, rows: tuple[Fault, ...]) -> dict[str, Outcome]:
    under = place.under
    project = under.project
    rows = tuple(row for row in rows if row.possible)
    turns = OneAfterAnother(place, rows, lambda number: bash(f"touch {project}/ran-{number}"))
    under.claude.api.script("main", *[turns.turn] * (len(rows) + 1))
    under.command("up")
    try:
        result = under.claude.run("Begin. SCRIPT=main", env=under.env, timeout=200)
    finally:
        turns.close()
    _wait_for_spool(under)
    decisions: dict[str, list[str]] = {}
    for row in under.rows("--event", "PreToolUse"):
        decisions.setdefault(row["tool_use_id"], []).append(row["decision"])
    return {
        fault.row: Outcome(
            (project / f"ran-{number}").exists(),
            result.tool_results[_id(number)].text,
            tuple(decisions.get(_id(number), ())),
        )
        for number, fault in enumerate(rows)
    }


def _wait_for_spool(under: Guarded) -> None:
    end = time.monotonic() + 30
    while json.loads(under.command("up", "--json"))["spooled"]:
        assert time.monotonic() < end, "the daemon does not take in its spool"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def outcomes(
    tmp_path_factory: pytest.TempPathFactory, claude_binary: Path
) -> Mapping[str, Mapping[str, Outcome]]:
    """What became of every row, by client; each session runs when it is first asked for."""

    class Sessions(dict[str, Mapping[str, Outcome]]):
        def __missing__(self, client: str) -> Mapping[str, Outcome]:
            root = tmp_path_factory.mktemp(client)
            with installed(root, claude_binary, native=client == "native") as place:
                self[client] = _run_all(place, SESSIONS[client])
            return self[client]

    return Sessions()


@pytest.mark.parametrize("client", SESSIONS)
@pytest.mark.parametrize("which", [0, -1], ids=["before", "after"])
def test_the_call_runs_where_nothing_is_broken(
    outcomes: Mapping[str, Mapping[str, Outcome]], client: str, which: int
) -> None:
    outcome = outcomes[client][SESSIONS[client][which].row]
    assert (outcome.ran, outcome.decisions) == (True, ("none",))


@pytest.mark.parametrize(
    ("client", "fault"),
    [
        pytest.param(client, fault, id=f"{client}: {fault.row}")
        for client, rows in SESSIONS.items()
        for fault in rows[1:-1]
    ],
)
def test_the_tool_did_not_run(
    outcomes: Mapping[str, Mapping[str, Outcome]], client: str, fault: Fault
) -> None:
    if not fault.possible:
        unavailable(HostUnavailable("only root can cause this"))
    outcome = outcomes[client][fault.row]
    assert not outcome.ran
    told = (fault.told,) if isinstance(fault.told, str) else fault.told
    assert any(text in outcome.told for text in told)
    assert ("deny" in outcome.decisions) is fault.recorded


def test_our_own_failure_is_told_apart_and_names_the_next_command(
    outcomes: Mapping[str, Mapping[str, Outcome]],
) -> None:
    told = [
        outcome.told for outcome in outcomes["native"].values() if "Pointsman could" in outcome.told
    ]
    assert len(told) > 15
    for text in told:
        assert "not a policy violation" in text
        assert "A person can get it going again with: " in text


# --- another program in our place -----------------------------------------------------------------

STRANGERS = {
    "exit 0 empty": "exit 0",
    "exit 0 plain text": "echo looks fine",
    "JSON not closed": """printf '{"hookSpecificOutput":'""",
    "JSON array": "echo '[]'",
    "unknown keys": """echo '{"permissionDecision": "deny"}'""",
}


def test_another_program_in_our_place_is_found_by_doctor(
    tmp_path: Path, claude_binary: Path
) -> None:
    """The host takes its silence for consent, so it is told beforehand and found afterwards."""
    assert any("replaced by one that ends with 0" in way for way in OPEN_ON_EVERY_VERSION)
    with installed(tmp_path, claude_binary, native=True) as place:
        assert json.loads(place.under.command("doctor", "--json"))["ok"]
        for row, body in STRANGERS.items():
            with faults.replaced(body)(place):
                told = json.loads(place.under.command("doctor", "--json", check=False))
                wrong = [each["check"] for each in told["findings"] if each["ok"] is False]
                assert not told["ok"], row
                assert "canary" in wrong, row


# --- longer than the host waits -------------------------------------------------------------------


@dataclass(frozen=True)
class Waiting:
    """A session whose hook stands still until the host's own timeout."""

    under: Guarded
    session: Session

    def finish(self) -> Result:
        """Wait until the host has had enough."""
        return self.session.finish(120)


@pytest.fixture(scope="module", autouse=True)
def standing_still(
    tmp_path_factory: pytest.TempPathFactory, claude_binary: Path
) -> Iterator[Mapping[str, Waiting]]:
    """Begin the sessions that take the host's 30 seconds beside everything else of this file."""
    with ExitStack() as stack:
        begun = {}
        for client in SESSIONS:
            root = tmp_path_factory.mktemp(f"still-{client}")
            place = stack.enter_context(installed(root, claude_binary, native=client == "native"))
            under = place.under
            under.command("up")
            stack.enter_context(faults.signals_client(signal.SIGSTOP)(place))
            under.claude.api.script("main", bash("touch ran"))
            session = under.claude.start("Begin. SCRIPT=main", env=under.env)
            begun[client] = Waiting(under, stack.enter_context(session))
        yield begun


@pytest.mark.parametrize("client", SESSIONS)
def test_timeout_of_the_host(standing_still: Mapping[str, Waiting], client: str) -> None:
    waiting = standing_still[client]
    result = waiting.finish()
    assert not (waiting.under.project / "ran").exists()
    assert TIMED_OUT in result.tool_results[_id(0)].text

"""The daemon's side of ``pointsman-exec``: a frame about a command that is about to run.

Its body is the text that the host gives to a shell. The answer is code 0 with the words to put
before the shell (none: it runs as it is), or code 2 with what to say; every failure is a stop.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from pointsman.case import Case, Delivery
from pointsman.model.answer import Answer
from pointsman.model.places import Places
from pointsman.runtime import Runtime
from pointsman.second_gate import FIRST_RUN, Passage, Run, Services, undelivered
from pointsman.serve.holding import Holding
from pointsman.store.lookback import lookback
from pointsman.store.recorder import Journal

HOST = "pointsman-exec"
"""The host name under which it speaks."""


def services(places: Places, holding: Holding, beside: Callable[[str, str, int], None]) -> Services:
    """Return what the gate needs of this daemon."""
    past = partial(lookback, places.ledger)
    return Services(sandbox=holding, past=past, home=str(Path.home()), beside=beside)


def opened(
    runtime: Runtime, journal: Journal, header: Mapping[str, str], body: bytes
) -> Case | Answer:
    """Return the case that is to be judged, or the answer of a command that was judged already.

    Raises:
        LedgerError: how the command is held could not be put on record.
    """
    found = runtime.open_exec(_run(header, body))
    if isinstance(found, Passage):
        if found.runs and found.seq:
            journal.append_runs(found.seq, FIRST_RUN, found.runs)
        return found.answer
    return found


def delivery(header: Mapping[str, str], body: bytes, reason: str) -> Delivery:
    """Return what is put on record of a frame that the client could not deliver."""
    return undelivered(_run(header, body), reason)


def _run(header: Mapping[str, str], body: bytes) -> Run:
    variables = {
        key.removeprefix("env."): value for key, value in header.items() if key.startswith("env.")
    }
    return Run(
        agent=header.get("agent", ""),
        session=header.get("session", ""),
        text=body,
        cwd=header.get("cwd", ""),
        project=variables.get("CLAUDE_PROJECT_DIR", ""),
        begun_in=_directory_of(header.get("ppid", "")),
        pid=int(pid) if (pid := header.get("pid", "")).isdecimal() and len(pid) < 10 else 0,
        host_config=variables.get("CLAUDE_CONFIG_DIR", ""),
        environ=variables,
        client=header.get("client", ""),
        client_version=header.get("version", ""),
    )


def _directory_of(pid: str) -> str:
    """Return the working directory of the process that starts the command: the host itself.

    A host goes where its session began and stays there. Where the system does not tell, nothing.
    """
    try:
        return str(Path(f"/proc/{int(pid)}/cwd").readlink())
    except (OSError, ValueError):
        return ""

"""The program listens where its platform does not look."""

import re
from collections.abc import Iterator

from pointsman.model.audit import Level
from pointsman.model.preflight import Check, Target
from pointsman.preflight.environments_habits import Habit, Kind
from pointsman.preflight.environments_model import Difference, Environment, Rank
from pointsman.preflight.environments_program import Program, fault, on_deployed

_SERVES = frozenset({Target.CLOUD_RUN, Target.KUBERNETES, None})
_SERVER = re.compile(
    r"\b(?:uvicorn|gunicorn|hypercorn|fastapi|flask|granian|daphne|waitress-serve)\b"
)
_BOUND = re.compile(r"(?:--bind|-b)[= ](?:([\w.\[\]:-]*):)?(\$?\{?\w[^\s\"']*)")
_HOST = re.compile(r"--host[= ](\S+)")
_PORT = re.compile(r"(?:--port|-p)[= ][\"']?(\$?\{?\w[^\s\"']*)")
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})
_DEFAULTS = {"uvicorn": 8000, "hypercorn": 8000, "fastapi": 8000, "flask": 5000}


def faults(environment: Environment, program: Program) -> Iterator[Difference]:
    """Yield where the program listens on this machine alone, or on another port."""
    kind = environment.label.partition("(")[2].partition(" ")[0]
    if environment.target not in _SERVES or kind in {"Job", "CronJob"}:
        return
    if environment.target is Target.KUBERNETES and "port" not in environment.facts:
        return  # it serves nobody
    command = environment.fact("command")
    if _SERVER.search(command):
        heard = list(_of_command(command))
        place = environment.place("command")
        for host, port in heard:
            yield from _judged(environment, host, port, place)
        return
    known = [each for each in program.habits if each.kind is Kind.LISTEN]
    for habit in known:
        if _runs(command, habit):
            yield from _judged(environment, habit.host, habit.port, (habit.file, habit.line))


def _of_command(command: str) -> Iterator[tuple[str, int]]:
    bound = _BOUND.search(command)
    if "gunicorn" in command:
        # Without --bind it takes the port from PORT, and listens everywhere.
        if bound is not None:
            yield bound.group(1) or "", int(bound.group(2)) if bound.group(2).isdecimal() else 0
        return
    host, port = _HOST.search(command), _PORT.search(command)
    server = _SERVER.search(command)
    word = server.group() if server else ""
    # `fastapi run` listens everywhere; `fastapi dev` and uvicorn do not.
    default = "" if "fastapi run" in command else "127.0.0.1"
    text = port.group(1) if port else ""
    fixed = int(text) if text.isdecimal() else 0
    yield host.group(1) if host else default, fixed if port else _DEFAULTS.get(word, 0)


def _runs(command: str, habit: Habit) -> bool:
    """Whether a listener is reached: what is below ``__main__`` only where that file is run."""
    script = re.search(r"([\w/.-]+\.py)\b", command)
    if script is None or not habit.main:
        return True
    return habit.file.endswith(script.group(1).removeprefix("./").rpartition("/")[2])


def _judged(
    environment: Environment, host: str, port: int, place: tuple[str, int]
) -> Iterator[Difference]:
    said = environment.fact("port")
    wanted = int(said) if said.isdecimal() else 8080
    if host.strip("[]") in _LOCAL:
        yield fault(CHECK, Rank.START, place,
                    f"it listens on {host}, which {environment.label} does not reach",
                    "listen on 0.0.0.0")  # fmt: skip
    if port and port != wanted:
        default = "" if said.isdecimal() else ", the port where none is said"
        yield fault(CHECK, Rank.START, place,
                    f"it listens on port {port}, and {environment.label} asks {wanted}{default}",
                    "listen on the port that PORT says, or name this one as containerPort"
                    )  # fmt: skip
    elif port and environment.target is Target.CLOUD_RUN:
        yield fault(CHECK, Rank.DIFFERS, place,
                    f"it listens on port {port} whatever PORT says; that is the same now",
                    "listen on the port that PORT says")  # fmt: skip


CHECK = Check(
    id="cloud-port",
    level=Level.ERROR,
    why="A revision that does not answer on the port that it was given, on every address, is never "
    "called ready.",
    source="container contract of Cloud Run: listen on 0.0.0.0 and on PORT; uvicorn and "
    "Flask listen on 127.0.0.1 where they are not told otherwise",
    fix="listen on 0.0.0.0 and on the port that PORT says",
    run=on_deployed(faults),
)

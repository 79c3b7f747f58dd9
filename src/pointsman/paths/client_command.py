"""Which client the hosts should start: the native one where it was compiled."""

import os
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache

_NATIVE_MAGIC = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")


@dataclass(frozen=True, slots=True)
class ClientCommand:
    """The words to start the client with, before host and event."""

    argv: tuple[str, ...]
    native: bool


def client_command() -> ClientCommand:
    """Return the native client of this environment, or the one in Python."""
    return _command("pointsman-hook", "hook.py")


def exec_command() -> ClientCommand:
    """Return the same for the program that stands before every shell command."""
    return _command("pointsman-exec", "exec.py")


def own_command(*words: str) -> tuple[str, ...]:
    """Return the words that start our own command line, for a host to start it."""
    program = os.path.join(_scripts(), "pointsman")
    if os.access(program, os.X_OK):
        return (program, *words)
    return (sys.executable, "-I", "-m", "pointsman", *words)


@cache
def _scripts() -> str:
    # A millisecond each time, and the same as long as this process lives.
    return sysconfig.get_path("scripts")


def _command(native: str, python: str) -> ClientCommand:
    program = os.path.join(_scripts(), native)
    # Built without a compiler, a script has that name: then hosts start the twin itself.
    if _is_native(program):
        return ClientCommand((program,), native=True)
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    twin = os.path.join(here, "client", python)
    # Isolated: neither the agent's directory nor its environment slips modules under it.
    return ClientCommand((sys.executable, "-I", "-S", twin), native=False)


def _is_native(program: str) -> bool:
    try:
        with open(program, "rb") as file:
            return file.read(4) in _NATIVE_MAGIC and os.access(program, os.X_OK)
    except OSError:
        return False

"""What goes back to the host's process: an exit code and two texts."""

from dataclasses import dataclass

PASS = 0
STOP = 2
"""The only exit codes we give. Every other one leaves the call running on some host."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The bytes for stdout and stderr, and the exit code, ``PASS`` or ``STOP``."""

    code: int = PASS
    stdout: bytes = b""
    stderr: bytes = b""

"""The shells really complete: the script that is printed is loaded by the shell it is for."""

import os
import pty
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from .conftest import COMMAND, Machine

BASH = """
eval "$(pointsman completion bash)"
COMP_WORDS=(%s)
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_pointsman_completion pointsman
printf '%%s\\n' "${COMPREPLY[@]}"
"""
FISH = "pointsman completion fish | source; complete --do-complete 'pointsman %s'"


def shell(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        if os.environ.get("POINTSMAN_REQUIRE_HOSTS") == "1":
            pytest.fail(f"there is no {name}", pytrace=False)
        pytest.skip(f"there is no {name} here")
    return found


def completed(machine: Machine, name: str, script: str) -> set[str]:
    environment = dict(machine.environment())
    environment["PATH"] = f"{Path(COMMAND).parent}:{environment['PATH']}"
    done = subprocess.run(
        [shell(name), "-c", script],
        env=environment, cwd=machine.repository, capture_output=True, check=True,
    )  # fmt: skip
    assert done.stderr == b""
    return {line.split(":")[0].split("\t")[0] for line in done.stdout.decode().splitlines()}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("pointsman led", {"ledger"}),
        (
            "pointsman ledger ''",
            {"tail", "show", "query", "export", "verify", "key", "who", "purge"},
        ),
        ("pointsman ledger query --sin", {"--since"}),
        ("pointsman ledger query --decision d", {"deny"}),
        ("pointsman dae", set()),
    ],
)
def test_bash(machine: Machine, words: str, expected: set[str]) -> None:
    assert completed(machine, "bash", BASH % words) - {""} == expected


def test_fish(machine: Machine) -> None:
    assert completed(machine, "fish", FISH % "led") == {"ledger"}
    assert completed(machine, "fish", FISH % "ledger query --sin") == {"--since"}


def test_zsh(machine: Machine) -> None:
    """Typed at a prompt: its completion works nowhere else."""
    program = shell("zsh")
    environment = dict(machine.environment())
    environment |= {"PATH": f"{Path(COMMAND).parent}:{environment['PATH']}", "TERM": "dumb"}
    child, terminal = pty.fork()
    if child == 0:  # pragma: no cover - another process
        os.chdir(machine.repository)
        os.execve(program, [program, "-f", "-i"], environment)
    try:
        os.write(terminal, b"autoload -Uz compinit && compinit -D; PS1=rea''dy:\n")
        until(terminal, b"ready:")
        os.write(terminal, b"eval \"$(pointsman completion zsh)\"; print load''ed\n")
        until(terminal, b"loaded")
        os.write(terminal, b"pointsman led\t")
        until(terminal, b"ger ")  # "led" is echoed, the rest is what zsh adds
    finally:
        os.close(terminal)
        os.kill(child, 9)
        os.waitpid(child, 0)


def until(terminal: int, wanted: bytes) -> None:
    """Read until a text has come."""
    seen = b""
    deadline = time.monotonic() + 60
    while wanted not in seen:
        # Not select(): it knows no descriptor past 1023, and many tests run in one process.
        ready = select.poll()
        ready.register(terminal, select.POLLIN)
        assert ready.poll((deadline - time.monotonic()) * 1000), seen
        seen += os.read(terminal, 4096)


def test_every_shell_has_a_script(machine: Machine) -> None:
    for name in ("bash", "zsh", "fish"):
        ended = machine.run("completion", name)
        assert (ended.code, ended.err) == (0, "")
        assert "_POINTSMAN_COMPLETE" in ended.out
    assert machine.run("completion", "tcsh").code == 2

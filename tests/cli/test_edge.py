"""Every way to end has its exit code, from one place, and never a traceback."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from pointsman.cli import edge
from pointsman.model.errors import ConfigError

from .conftest import COMMAND, Machine


def end(raised: BaseException) -> int:
    with pytest.raises(SystemExit) as ended, edge.exit_codes():
        raise raised
    code = ended.value.code
    assert isinstance(code, int)
    return code


def test_an_expected_error_names_the_next_step(capsys: pytest.CaptureFixture[str]) -> None:
    assert end(ConfigError("it is wrong", fix="pointsman doctor")) == edge.EXPECTED == 1
    assert capsys.readouterr().err == "pointsman: it is wrong\nnext step: pointsman doctor\n"


def test_a_command_line_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert end(click.UsageError("no such thing")) == edge.USAGE == 2
    assert "Error: no such thing" in capsys.readouterr().err


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt(raised: BaseException) -> None:
    assert end(raised) == edge.INTERRUPTED == 130


def test_a_bug_leaves_a_log(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert end(ZeroDivisionError("lone \ud800")) == edge.BUG == 3
    said = capsys.readouterr().err
    (log,) = tmp_path.glob("pointsman-*.log")
    assert str(log) in said
    assert "Traceback" not in said
    assert "Traceback" in log.read_text()
    assert "test_edge.py" in log.read_text()


def test_a_bug_without_a_place_for_a_log_is_shown(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    assert end(ZeroDivisionError("x")) == edge.BUG
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["nope"], 2, "No such command 'nope'"),
        (["status", "--jsn"], 2, "Did you mean '--json'?"),
        (["decide", "--host", "nope"], 2, "'nope' is not 'claude-code'"),
        (["explain", "/nowhere/payload"], 2, "No such file"),
        (["ledger", "query", "--limit", "-1"], 2, "-1 is not in the range"),
        (["ledger", "query", "--decision", "no"], 2, "'deny', 'ask', 'modify', 'allow', 'none'"),
        (["ledger", "query"], 1, "there is no ledger at"),
        (["ledger", "tail"], 1, "next step: pointsman up"),
        (["ledger", "export"], 1, "there is no ledger at"),
        (["ledger", "show", "1"], 1, "there is no ledger at"),
        (["ledger", "query", "--since", "yesterday"], 1, "write it as 2026-01-31T12:00:00 or 15m"),
        (["replay"], 1, "there is no ledger at"),
        (["trust", "/"], 1, "next step: git init, or mkdir .pointsman"),
        ([], 2, "Usage: pointsman"),
    ],
)
def test_what_a_newcomer_gets_wrong(
    machine: Machine, words: list[str], code: int, said: str
) -> None:
    ended = machine.run(*words)
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.parametrize(
    "words", [["status"], ["decide"], ["explain", "--command", "ls"], ["trust"], ["init"]]
)
def test_a_directory_that_is_gone_is_no_bug(machine: Machine, words: list[str]) -> None:
    gone = machine.base / "gone"
    gone.mkdir()
    script = f'rmdir "$PWD" && exec {COMMAND} "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *words],
        cwd=gone, env=machine.environment(), input=b"{}\n", capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode in {0, 1}, done.stderr
    assert b"bug" not in done.stderr
    if words[0] in {"trust", "init"}:
        assert b"does not exist any more\nnext step: cd into" in done.stderr


def test_a_user_without_a_home_is_told_so() -> None:
    from pointsman.cli import places

    def nobody(_uid: int) -> None:
        raise KeyError

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", "relative")
        patch.setattr("pwd.getpwuid", nobody)
        with pytest.raises(ConfigError, match="HOME is 'relative' and user") as caught:
            places.home()
    assert caught.value.fix.startswith("export HOME=")


def many(machine: Machine) -> bytes:
    return (json.dumps(machine.shell("ls")) + "\n").encode() * 400


@pytest.mark.parametrize("words", [["decide"], ["completion", "bash"]])
def test_a_reader_that_goes_away_is_no_error(machine: Machine, words: list[str]) -> None:
    read, write = os.pipe()
    with machine.start(*words, stdout=write) as process:
        os.close(write)
        os.close(read)
        _, err = process.communicate(many(machine), timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_the_first_lines_of_many(machine: Machine) -> None:
    with machine.start("decide") as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdin.write(many(machine)[: 4 * 1024])
        process.stdin.flush()
        assert json.loads(process.stdout.readline())["decision"] == "none"
        process.stdout.close()
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_full_disk_is_no_bug(machine: Machine) -> None:
    with Path("/dev/full").open("wb") as full, machine.start("status", stdout=full) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == b"pointsman: No space left on device\nnext step: pointsman doctor\n"


def reads_a_line(machine: Machine) -> "subprocess.Popen[bytes]":
    process = machine.start("decide")
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(b"{}\n")
    process.stdin.flush()
    assert process.stdout.readline()
    return process


def follows(machine: Machine) -> "subprocess.Popen[bytes]":
    machine.up()
    assert machine.decide(machine.shell("ls"), words=("--record",)).code == 0
    process = machine.start("ledger", "tail", "--follow")
    assert process.stdout is not None
    assert b"Bash" in process.stdout.readline()
    return process


@pytest.mark.parametrize("waiting", [reads_a_line, follows])
def test_control_c(
    machine: Machine, waiting: Callable[[Machine], "subprocess.Popen[bytes]"]
) -> None:
    process = waiting(machine)
    process.send_signal(signal.SIGINT)
    with process:
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, b"")


def test_a_terminal_that_cannot_show_it_gets_it_escaped(machine: Machine) -> None:
    machine.more["PYTHONIOENCODING"] = "ascii"
    ended = machine.process("explain", "--command", "echo caf\u00e9 > /etc/passwd")
    assert ended.code == 0
    assert "decision: " in ended.out


def test_bytes_that_are_no_text_end_no_command(machine: Machine) -> None:
    name = os.fsdecode(b"rm -rf / \xff")
    ended = machine.process("explain", "--command", name)
    assert (ended.code, "decision: deny" in ended.out) == (0, True)
    machine.up()
    assert machine.process("ledger", "query", "--path", name).code == 0

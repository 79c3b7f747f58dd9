"""One suite for both ``pointsman-exec``: what they send, what becomes of a command, failures."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from pointsman import __version__
from pointsman.serve import protocol
from pointsman.store.spool import read_spool

from .fake_daemon import FakeDaemon, Serve, answer, closes_first, hangs, read_request, sends
from .started import OUR_OWN_FAILURE, SHORT, Started


class Run(Started):
    """Carries out commands."""

    def __call__(
        self, text: str, env: Mapping[str, str] | None = None, **more: object
    ) -> subprocess.CompletedProcess[bytes]:
        return self.start(text, env=env, **more)

    def failed(
        self,
        reason: str,
        command: str,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Insist that nothing was run, in words, and that the command is kept for the record."""
        mark = self.folder / "was-run"
        done = self(f"touch {mark}", env, cwd=cwd)
        assert done.returncode == 126, done
        text = done.stderr.decode()
        assert reason in text
        assert "could not check this shell command" in text
        assert OUR_OWN_FAILURE in text
        assert text.endswith(f"with: {command}\n")
        assert done.stdout == b""
        assert not mark.exists()

    def spooled(self) -> list[tuple[str, bytes]]:
        return [
            (protocol.read_header(each.header)["event"], each.body)
            for each in read_spool(self.state / "spool")
        ]


@pytest.fixture
def run(executor: list[str], tmp_path: Path) -> Run:
    return Run(executor, tmp_path)


def words(*each: str) -> bytes:
    return b"".join(os.fsencode(word) + b"\0" for word in each)


PASSES = sends(answer(0))


def test_what_is_sent(run: Run, serve: Serve) -> None:
    seen: list[tuple[dict[str, str], bytes]] = []

    def script(connection: socket.socket, _number: int) -> None:
        header, body, _ = read_request(connection)
        seen.append((header, body))
        connection.sendall(answer(0))

    serve(script)
    text = "echo 'a\nb\t' \"$0\" # é"
    environ = {"CLAUDE_CODE_SESSION_ID": "s\t1", "HOME": "/h", "TMPDIR": "/t", "SECRET": "no"}
    assert run(text, environ, cwd=run.folder).returncode == 0
    header, body = seen[0]
    assert body == text.encode()
    assert (header["host"], header["event"]) == ("pointsman-exec", "exec")
    assert (header["session"], header["agent"]) == ("s\\t1", "claude-code")
    assert header["version"] == __version__
    assert header["cwd"] == str(run.folder)
    assert header["client"] == ("python" if "exec.py" in run.program[-1] else "native")
    assert (header["env.HOME"], header["env.TMPDIR"]) == ("/h", "/t")
    assert int(header["ppid"]) == os.getpid()
    assert not any("SECRET" in name for name in header)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("true", 0), ("exit 3", 3), ("no-such-program-here", 127), ("kill -TERM $$", -15),
        ("kill -KILL $$", -9), ("exit 126", 126),
    ],
)  # fmt: skip
def test_the_command_ends_as_it_ends_without_us(
    run: Run, serve: Serve, text: str, code: int
) -> None:
    serve(PASSES)
    assert run(text).returncode == code


def test_nothing_of_ours_stays_in_between(run: Run, serve: Serve) -> None:
    serve(PASSES)
    child = subprocess.Popen(
        [*run.program, "echo $$ $PPID; exec sleep 0"], env=run.environ(), stdout=subprocess.PIPE
    )
    out, _ = child.communicate(timeout=60)
    assert out.split() == [str(child.pid).encode(), str(os.getpid()).encode()]


def test_the_surroundings_are_as_before(run: Run, serve: Serve) -> None:
    serve(PASSES)
    read, write = os.pipe()
    os.set_inheritable(write, True)
    text = f"pwd; umask; cat; env | sort; echo kept >&{write}; ps -o pgid= -p $$"
    done = run(
        text, {"ODD": "a b\nc"}, cwd=run.folder, input=b"in\n", pass_fds=[write], umask=0o27,
        process_group=0, capture_output=False, stdout=subprocess.PIPE,
    )  # fmt: skip
    os.close(write)
    assert os.read(read, 16) == b"kept\n"
    os.close(read)
    lines = done.stdout.decode().splitlines()
    assert lines[:3] == [str(run.folder), "0027", "in"]
    assert {"ODD=a b", "c", f"POINTSMAN_STATE_DIR={run.state}"} <= set(lines)


def test_signals_that_the_host_ignores_stay_ignored(executor: list[str], tmp_path: Path) -> None:
    run = Run(executor, tmp_path)
    with FakeDaemon(run.state, PASSES):
        text = "kill -HUP $$; echo alive"
        done = subprocess.run(
            ["sh", "-c", 'trap "" HUP; exec "$@"', "sh", *executor, text],
            env=run.environ(), capture_output=True, check=False,
        )  # fmt: skip
    assert done.stdout == b"alive\n"


def test_a_pipe_that_breaks_ends_the_command(run: Run, serve: Serve) -> None:
    serve(PASSES)
    assert run("yes | head -1; echo ${PIPESTATUS[0]}").stdout == b"y\n141\n"


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "0<&- 1>&- 2>&-"])
def test_closed_descriptors_stay_closed(run: Run, serve: Serve, closed: str) -> None:
    serve(PASSES)
    seen = run.folder / "seen"
    text = f"for n in 0 1 2; do [ -e /proc/$$/fd/$n ] && printf $n; done > {seen}"
    quoted = " ".join(f"'{word}'" for word in run.program)
    done = subprocess.run(
        ["sh", "-c", f"{quoted} '{text}' {closed}"], env=run.environ(), check=False, timeout=60
    )
    # What the loop itself writes to stands at 1 while it runs.
    open_ones = {number for number in "012" if f"{number}<&-" not in closed} - {
        number for number in "012" if f"{number}>&-" in closed
    }
    assert set(seen.read_text()) == open_ones | {"1"}
    assert done.returncode in (0, 1)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_the_shell_is_the_one_that_the_host_means(run: Run, serve: Serve, shell: str) -> None:
    path = shutil.which(shell)
    if path is None:
        pytest.skip(f"there is no {shell}")
    serve(PASSES)
    text = 'echo "$0 ${BASH_VERSION:+bash}${ZSH_VERSION:+zsh}"'
    assert run(text, {"SHELL": path}).stdout.decode() == f"{path} {shell}\n"


@pytest.mark.parametrize("named", ["relative/bash", "/bin/cat", "/no/such/bash", "/bin/dash", ""])
def test_another_program_is_no_shell_of_the_host(run: Run, serve: Serve, named: str) -> None:
    serve(PASSES)
    assert run("echo ${BASH_VERSION:+bash}", {"SHELL": named}).stdout == b"bash\n"


def test_a_refusal_is_said_and_nothing_is_run(run: Run, serve: Serve) -> None:
    serve(sends(answer(2, b"", b"agent 'a' may not write tests/\n")))
    done = run(f"touch {run.folder / 'was-run'}")
    assert done.returncode == 126
    assert (done.stdout, done.stderr) == (b"", b"agent 'a' may not write tests/\n")
    assert not (run.folder / "was-run").exists()


def test_a_prefix_stands_before_the_shell(run: Run, serve: Serve) -> None:
    serve(sends(answer(0, words("/usr/bin/env", "HELD=1"), b"a note\n")))
    done = run('echo "$HELD" "$1"')
    assert (done.stdout, done.stderr) == (b"1 \n", b"a note\n")


def test_an_answer_may_come_byte_by_byte(run: Run, serve: Serve) -> None:
    serve(sends(answer(0, words("/usr/bin/env", "HELD=1")), slowly=True))
    assert run("echo $HELD").stdout == b"1\n"


WHOLE = answer(2, b"", b"no")


@pytest.mark.parametrize(
    "data",
    [
        WHOLE[:1], WHOLE[:15], WHOLE[:-1], WHOLE[:-4] + b"DONG", WHOLE + b"x", b"x" * 64,
        b"PMA2" + WHOLE[4:], b"PMA1" + b"\xff" * 40, answer(7, b"", b"no"), answer(126, b"", b"no"),
        b"HTTP/1.1 200 OK\r\n\r\n{}", answer(0, b"/bin/true"), answer(0, words("true")),
        answer(0, b"\0"), answer(0, b"\0" * 200_000), answer(2),
    ],
)  # fmt: skip
def test_garbage_is_no_answer(run: Run, serve: Serve, data: bytes) -> None:
    serve(sends(data))
    run.failed("the daemon's answer", "pointsman up --restart")
    assert [event for event, _ in run.spooled()] == ["exec"]


@pytest.mark.parametrize(
    ("prefix", "reason"),
    [
        (("/no/such/program",), "cannot be started"),
        (("/etc/passwd",), "cannot be started"),
        (("{own}", "--join", "+/tmp"), "cut short"),
        (("{own}", "--join", "+/tmp", "--", "/bin/true"), "cut short"),
        (("{own}", "--join", "--", "bwrap", "--"), "no program to build a view"),
        (("{own}", "--join", "--", "/no/bwrap", "--"), "bubblewrap: /no/bwrap"),
        (("{own}", "--join", "--", "/bin/echo", "no", "--"), "bubblewrap: no"),
        (("{own}", "--join", "--", "/bin/true", "--"), "bubblewrap: it said nothing"),
        (("{own}", "--landlock", "+relative", "--"), "is no rule"),
        (("{own}", "--landlock", "-/tmp", "--"), "is no rule"),
        (("{own}", "--landlock", "--", "/no/such/program"), "cannot be started"),
    ],
)
def test_what_cannot_be_held_is_not_run(
    run: Run, serve: Serve, prefix: tuple[str, ...], reason: str
) -> None:
    own = run.program if prefix[0] == "{own}" else [prefix[0]]
    serve(sends(answer(0, words(*own, *prefix[1:]))))
    run.failed(reason, "pointsman doctor", cwd=run.folder)
    assert not (run.folder / "spool").exists()
    # Under Landlock already, nothing can be written to the spool any more.
    kept = [] if "--landlock" in prefix and reason != "is no rule" else ["exec"]
    assert [event for event, _ in run.spooled()] == kept


def test_a_holder_that_claims_to_be_ready_and_is_not(run: Run, serve: Serve) -> None:
    view = run.folder / "view"
    view.write_text("#!/bin/sh\necho PMH1 $$\nread line\n")
    view.chmod(0o755)
    serve(sends(answer(0, words(*run.program, "--join", "--", str(view), "--"))))
    run.failed("bubblewrap built no view", "pointsman doctor")


def test_version_skew_is_named(run: Run, serve: Serve) -> None:
    serve(sends(b"PMS1\0\0\0\x0bspeaks PMQ9"))
    run.failed("version skew: speaks PMQ9", "pointsman up --restart")


def test_a_daemon_that_hangs_is_not_waited_for(run: Run, serve: Serve) -> None:
    serve(hangs)
    run.failed("did not answer within the deadline", "pointsman up --restart", SHORT)


def test_a_daemon_that_restarts_is_asked_again(run: Run, serve: Serve) -> None:
    serve(closes_first(3, PASSES))
    assert run("echo after all").stdout == b"after all\n"


def test_a_daemon_that_always_closes_is_a_failure(run: Run, serve: Serve) -> None:
    serve(closes_first(10**9, hangs))
    run.failed("closed the connection 21 times", "pointsman up --restart")


def test_no_daemon_and_none_to_start(run: Run) -> None:
    run.failed("no daemon runs", "pointsman doctor")
    assert [body[:5] for _, body in run.spooled()] == [b"touch"]


def test_a_daemon_that_cannot_start_is_known_at_once(run: Run) -> None:
    program = run.folder / "daemon"
    program.write_text(f"#!{sys.executable}\nimport sys; sys.exit(9)")
    program.chmod(0o755)
    env = {"POINTSMAN_DAEMON": str(program)}
    run.failed("could not be started: exit code 9", "pointsman up", env)


def test_a_state_directory_that_others_can_write(run: Run, serve: Serve) -> None:
    serve(PASSES)
    run.state.chmod(0o777)
    run.failed("can be written by others", "pointsman doctor")


@pytest.mark.parametrize(
    "given", [[], ["a", "b"], ["--pinned", "/s", "x"], ["--pinned", "s", "/c", "x"]]
)
def test_other_words_are_refused(run: Run, serve: Serve, given: list[str]) -> None:
    serve(PASSES)
    done = subprocess.run(
        [*run.program, *given], env=run.environ(), capture_output=True, check=False
    )
    assert done.returncode == 126
    assert b"usage: pointsman-exec" in done.stderr
    assert done.stderr.endswith(b"with: pointsman init\n")


def test_pinned_directories_beat_the_environment(run: Run, serve: Serve) -> None:
    serve(PASSES)
    pinned = [*run.program, "--pinned", str(run.state), str(run.folder / "config")]
    done = subprocess.run(
        [*pinned, "echo $POINTSMAN_STATE_DIR"],
        env={**run.environ(), "POINTSMAN_STATE_DIR": "/nowhere", "HOME": "/nowhere"},
        capture_output=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"/nowhere\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_before_the_answer_ends_it(run: Run, serve: Serve, number: int) -> None:
    daemon = serve(hangs)
    mark = run.folder / "was-run"
    # Whoever runs the tests may ignore hang-ups, and what is ignored is inherited.
    words = ["env", "--default-signal=HUP,INT,TERM", *run.program]
    child = subprocess.Popen([*words, f"touch {mark}"], env=run.environ())
    while not daemon._threads:
        assert child.poll() is None
        time.sleep(0.01)
    child.send_signal(number)
    assert child.wait(60) == -number
    assert not mark.exists()


def test_a_long_command_fits(run: Run, serve: Serve) -> None:
    serve(PASSES)
    # One argument holds 128 KiB on Linux.
    assert run(f"echo {'x' * 120_000} | wc -c").stdout == b"120001\n"

"""One suite for both clients: what they send, what they do with an answer, how they fail."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pointsman import __version__
from pointsman.serve import protocol
from pointsman.store.spool import read_spool

from .fake_daemon import Serve, answer, closes_first, hangs, read_request, sends
from .started import OUR_OWN_FAILURE, SHORT, Started

GUARD, OTHER = "PreToolUse", "PostToolUse"
PAYLOAD = b'{"hook_event_name": "PreToolUse"}'


class Run(Started):
    """Starts a client, as the host would for an event."""

    def __init__(self, client: list[str], folder: Path) -> None:
        super().__init__(client, folder)
        self.client_tail: list[str] = []

    def __call__(
        self,
        event: str = GUARD,
        *,
        stdin: bytes = PAYLOAD,
        env: Mapping[str, str] | None = None,
        **more: object,
    ) -> subprocess.CompletedProcess[bytes]:
        words = ("claude-code", event, *self.client_tail)
        return self.start(*words, env=env, **{"input": stdin, **more})

    def failed(self, reason: str, command: str, env: Mapping[str, str] | None = None) -> None:
        """Insist that a guard event stops and another passes, both in words, both kept."""
        guard = self(GUARD, env=env)
        assert guard.returncode == 2, guard
        text = guard.stderr.decode()
        assert reason in text
        assert OUR_OWN_FAILURE in text
        assert text.endswith(f"with: {command}\n")
        other = self(OTHER, env=env)
        assert other.returncode == 0, other
        assert other.stdout == b""
        assert reason in other.stderr.decode()

    def spooled(self) -> list[tuple[str, str, bytes]]:
        found = []
        for each in read_spool(self.state / "spool"):
            assert not each.broken
            found.append((each.reason, protocol.read_header(each.header)["event"], each.body))
        return found


@pytest.fixture
def run(client: list[str], tmp_path: Path) -> Run:
    return Run(client, tmp_path)


def test_what_is_sent(run: Run, serve: Serve, tmp_path: Path) -> None:
    seen = []

    def script(connection: socket.socket, _number: int) -> None:
        header, body, _ = read_request(connection)
        seen.append((header, body))
        connection.sendall(answer(0))

    serve(script)
    cwd = tmp_path / "a\tb\\n"
    cwd.mkdir()
    env = {"CLAUDE_PROJECT_DIR": "/x\ny", "CLAUDE_PID": "7", "GITHUB_TOKEN": "s3cret", "EMPTY": ""}
    done = run(env=env, cwd=cwd)
    assert done.returncode == 0
    header, body = seen[0]
    assert body == PAYLOAD
    assert header["version"] == __version__
    assert (header["host"], header["event"]) == ("claude-code", GUARD)
    assert header["size"] == str(len(PAYLOAD))
    assert header["cwd"] == str(cwd).replace("\\", "\\\\").replace("\t", "\\t")
    assert header["env.CLAUDE_PROJECT_DIR"] == "/x\\ny"
    assert header["env.CLAUDE_PID"] == "7"
    assert {"CLAUDE_PID", "GITHUB_TOKEN"} <= set(header["env_names"].split(","))
    assert "EMPTY" not in header["env_names"]
    assert "s3cret" not in repr(header)
    assert int(header["ppid"]) == os.getpid()
    assert 0 < int(header["deadline_ms"]) <= 25_000


@pytest.mark.parametrize("event", [GUARD, OTHER])
@pytest.mark.parametrize(
    ("code", "stdout", "stderr"),
    [(0, b"", b""), (0, b'{"a": 1}', b""), (2, b"", b"no"), (2, b"x" * 300_000, b"y" * 200_000)],
)
def test_an_answer_is_passed_on(
    run: Run, serve: Serve, event: str, code: int, stdout: bytes, stderr: bytes
) -> None:
    serve(sends(answer(code, stdout, stderr)))
    done = run(event)
    assert (done.returncode, done.stdout, done.stderr) == (code, stdout, stderr)


def test_an_answer_may_come_byte_by_byte(run: Run, serve: Serve) -> None:
    serve(sends(answer(2, b"out", b"err"), slowly=True))
    done = run()
    assert (done.returncode, done.stdout, done.stderr) == (2, b"out", b"err")


WHOLE = answer(2, b"out", b"no")


@pytest.mark.parametrize(
    "data",
    [
        WHOLE[:1], WHOLE[:15], WHOLE[:20], WHOLE[:-1], WHOLE[:-4] + b"DONG", b"x" * 64,
        b"PMA2" + WHOLE[4:], b"PMA1" + b"\xff" * 40, answer(7, b"", b"no"), answer(1, b"", b"no"),
        b"HTTP/1.1 200 OK\r\n\r\n{}",
    ],
)  # fmt: skip
def test_garbage_is_no_answer(run: Run, serve: Serve, data: bytes) -> None:
    serve(sends(data))
    run.failed("the daemon's answer", "pointsman up --restart")
    assert len(run.spooled()) == 2


def test_a_stop_needs_a_reason(run: Run, serve: Serve) -> None:
    serve(sends(answer(2)))
    done = run(GUARD)
    assert done.returncode == 2
    assert b"0 bytes of reason" in done.stderr


def test_version_skew_is_named(run: Run, serve: Serve) -> None:
    serve(sends(b"PMS1\0\0\0\x0bspeaks PMQ9"))
    run.failed("version skew: speaks PMQ9", "pointsman up --restart")


def test_a_daemon_that_hangs_is_not_waited_for(run: Run, serve: Serve) -> None:
    serve(hangs)
    run.failed("did not answer within the deadline", "pointsman up --restart", SHORT)


def test_a_daemon_that_restarts_is_asked_again(run: Run, serve: Serve) -> None:
    serve(closes_first(3, sends(answer(0, b"after all"))))
    assert run().stdout == b"after all"


def test_a_daemon_that_always_closes_is_a_failure(run: Run, serve: Serve) -> None:
    serve(closes_first(10**9, hangs))
    run.failed("closed the connection 21 times", "pointsman up --restart")


def test_no_daemon_and_none_to_start(run: Run) -> None:
    run.failed("no daemon runs", "pointsman doctor")
    assert [event for _, event, _ in run.spooled()] == [GUARD, OTHER]
    assert (run.state.stat().st_mode & 0o777) == 0o700


def daemon_program(run: Run, text: str) -> dict[str, str]:
    program = run.folder / "daemon"
    program.write_text(f"#!{sys.executable}\n{textwrap.dedent(text)}")
    program.chmod(0o755)
    return {"POINTSMAN_DAEMON": str(program)}


def test_a_daemon_that_cannot_start_is_known_at_once(run: Run) -> None:
    env = daemon_program(run, "import sys; sys.exit(9)")
    run.failed("could not be started: exit code 9", "pointsman up", env)


DIES = """
    import os, signal, sys
    from pathlib import Path
    starts = Path("starts")
    seen = int(starts.read_text()) if starts.exists() else 0
    starts.write_text(str(seen + 1))
    if seen < {times}:
        {how}
    sys.path[:0] = {paths!r}
    from client.fake_daemon import FakeDaemon, answer, sends
    import time
    Path("pid").write_text(str(os.getpid()))
    with FakeDaemon(Path("."), sends(answer(0, b"started"))):
        time.sleep(60)
"""


@pytest.mark.parametrize("how", ["os.kill(os.getpid(), signal.SIGKILL)", "sys.exit(0)"])
def test_a_daemon_that_is_gone_before_it_listens_is_started_again(run: Run, how: str) -> None:
    paths = [str(Path(__file__).parents[1])]
    env = daemon_program(run, DIES.format(times=3, how=how, paths=paths))
    done = run(env=env)
    os.kill(int((run.state / "pid").read_text()), signal.SIGKILL)
    assert (done.returncode, done.stdout) == (0, b"started")
    assert (run.state / "starts").read_text() == "4"


@pytest.mark.parametrize("what", ["directory", "file"])
def test_something_else_in_the_sockets_place(run: Run, what: str) -> None:
    run.state.mkdir(mode=0o700)
    path = run.state / "daemon.sock"
    path.mkdir() if what == "directory" else path.write_text("mine")
    run.failed(f"{path} is not a socket", f"mv '{path}' '{path}.aside'")
    assert len(run.spooled()) == 2
    assert path.exists()


def test_a_stale_socket_is_no_obstacle(run: Run) -> None:
    run.state.mkdir(mode=0o700)
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(str(run.state / "daemon.sock"))
    stale.close()
    run.failed("no daemon runs", "pointsman doctor")


def test_a_payload_that_does_not_end(run: Run, serve: Serve) -> None:
    serve(sends(answer(0)))
    for event, code in ((GUARD, 2), (OTHER, 0)):
        child = subprocess.Popen(
            [*run.program, "claude-code", event],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=run.environ(SHORT),
        )
        assert child.stdin is not None
        assert child.stderr is not None
        child.stdin.write(b'{"half')
        child.stdin.flush()
        with child.stderr:
            text = child.stderr.read()
        child.stdin.close()
        assert child.wait(60) == code
        assert b"the payload did not end within the deadline" in text
    assert [(event, body) for _, event, body in run.spooled()] == [
        (GUARD, b'{"half'),
        (OTHER, b'{"half'),
    ]


def test_a_large_header_is_cut_not_refused(run: Run, serve: Serve) -> None:
    seen: list[dict[str, str]] = []
    sizes: list[int] = []

    def script(connection: socket.socket, _number: int) -> None:
        header, body, frame = read_request(connection)
        seen.append(header)
        sizes.append(len(frame) - len(body) - protocol.PREFIX.size)
        connection.sendall(answer(0))

    serve(script)
    assert run(env={"CLAUDE_PROJECT_DIR": "/" + "é\\" * 30_000, "CLAUDE_PID": "7"}).returncode == 0
    assert sizes[0] <= protocol.MOST_HEADER
    assert seen[0]["event"] == GUARD
    assert seen[0]["env.CLAUDE_PROJECT_DIR"].startswith("/é\\\\é")


def test_a_reason_of_two_lines_is_one_in_the_spool(run: Run, serve: Serve) -> None:
    serve(sends(b"PMS1\0\0\0\x09one\ntwo\n!"))
    assert run().returncode == 2
    assert [reason for reason, _, _ in run.spooled()] == ["version skew: one two !"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_a_daemon_of_somebody_else_is_not_believed(run: Run) -> None:
    run.state.mkdir(mode=0o700)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(run.state / "daemon.sock"))
    # The credentials that a client sees are those at the moment of listen().
    os.seteuid(65534)
    try:
        listener.listen(8)
    finally:
        os.seteuid(0)
    run.failed("daemon.sock is not yours", "pointsman doctor")
    listener.close()
    assert len(run.spooled()) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("event", [GUARD, OTHER])
@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_stop_survives_a_stream_that_is_broken(
    run: Run, serve: Serve, event: str, stream: str
) -> None:
    serve(sends(answer(2, b'{"decision": "block"}', b"no")))
    with Path("/dev/full").open("wb") as full:
        streams: dict[str, Any] = {
            "stdout": subprocess.PIPE,
            "stderr": subprocess.PIPE,
            stream: full,
        }
        done = run(event, capture_output=False, **streams)
    assert done.returncode == 2
    assert stream == "stderr" or done.stderr == b"no"


@pytest.mark.parametrize(("event", "code"), [(GUARD, 2), (OTHER, 2)])
def test_a_stop_survives_a_reader_that_has_gone(
    run: Run, serve: Serve, event: str, code: int
) -> None:
    serve(sends(answer(2, b"x" * 200_000, b"y" * 200_000)))
    child = subprocess.Popen(
        [*run.program, "claude-code", event],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=run.environ(),
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stderr is not None
    child.stdout.close()
    child.stderr.close()
    child.stdin.close()
    assert child.wait(60) == code


def test_a_daemon_that_lost_the_race_is_waited_past(run: Run) -> None:
    env = {**daemon_program(run, "import sys; sys.exit(0)"), **SHORT}
    run.failed("no daemon answered within the deadline", "pointsman up", env)


STARTS = """
    import os, sys
    sys.path[:0] = {paths!r}
    from pathlib import Path
    from client.fake_daemon import FakeDaemon, answer, sends
    import fcntl, time
    lock = os.open("lock", os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        sys.exit(0)
    Path("pid").write_text(str(os.getpid()))
    with FakeDaemon(Path("."), sends(answer(0, b"started"))):
        time.sleep(60)
"""


def test_many_clients_start_one_daemon(run: Run) -> None:
    env = daemon_program(run, STARTS.format(paths=[str(Path(__file__).parents[1])]))
    with ThreadPoolExecutor(20) as pool:
        done = list(pool.map(lambda _: run(env=env), range(20)))
    os.kill(int((run.state / "pid").read_text()), signal.SIGKILL)
    assert {(each.returncode, each.stdout) for each in done} == {(0, b"started")}


def test_secrets_of_the_host_do_not_reach_the_daemon(run: Run) -> None:
    env = daemon_program(
        run,
        """
        import os, pathlib, sys
        pathlib.Path("seen").write_text(" ".join(sorted(os.environ)))
        sys.exit(9)
        """,
    )
    run(env={**env, "ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_MESSAGING_TOKEN": "t", "KEPT": "1"})
    seen = (run.state / "seen").read_text().split()
    assert "KEPT" in seen
    assert "ANTHROPIC_API_KEY" not in seen
    assert "CLAUDE_CODE_MESSAGING_TOKEN" not in seen


@pytest.mark.parametrize("size", [0, 1, 3_000_000, 4_194_303, 4_194_304])
def test_payloads_arrive_whole(run: Run, serve: Serve, size: int) -> None:
    got = []

    def script(connection: socket.socket, _number: int) -> None:
        header, body, _ = read_request(connection)
        got.append((header["size"], body))
        connection.sendall(answer(0))

    serve(script)
    payload = os.urandom(size)
    assert run(stdin=payload).returncode == 0
    assert got == [(str(size), payload)]


@pytest.mark.parametrize("size", [4_194_305, 9_000_000])
def test_a_payload_that_is_too_large_is_sent_in_part(run: Run, serve: Serve, size: int) -> None:
    got = []

    def script(connection: socket.socket, _number: int) -> None:
        header, body, _ = read_request(connection)
        got.append((header["size"], len(body)))
        connection.sendall(answer(0))

    serve(script)
    assert run(stdin=b"z" * size).returncode == 0
    assert got == [(str(size), 4_194_304)]


def test_a_payload_that_never_ends(run: Run, serve: Serve) -> None:
    serve(sends(answer(0)))
    read, write = os.pipe()
    try:
        done = subprocess.run(
            [*run.program, "claude-code", GUARD],
            stdin=read,
            capture_output=True,
            env=run.environ(SHORT),
            check=False,
            timeout=60,
        )
    finally:
        os.close(read)
        os.close(write)
    assert done.returncode == 2
    assert b"did not end within the deadline" in done.stderr


def test_a_state_directory_that_is_a_file(run: Run) -> None:
    run.state.write_text("")
    run.failed("the state directory", "pointsman doctor")


def test_a_state_directory_that_others_can_write(run: Run, serve: Serve) -> None:
    serve(sends(answer(0)))
    run.state.chmod(0o777)
    run.failed("can be written by others", "pointsman doctor")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_state_directory_of_somebody_else(run: Run, serve: Serve) -> None:
    serve(sends(answer(0)))
    os.chown(run.state, 12345, -1)
    run.failed("belongs to user 12345", "pointsman doctor")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"XDG_STATE_HOME": "{0}/xdg"}, "xdg/pointsman"),
        ({"HOME": "{0}/home"}, "home/.local/state/pointsman"),
        ({"XDG_STATE_HOME": "relative", "HOME": "{0}/home"}, "home/.local/state/pointsman"),
        ({"POINTSMAN_STATE_DIR": "relative", "HOME": "{0}/home"}, "home/.local/state/pointsman"),
    ],
)
def test_where_the_state_directory_is(run: Run, variables: dict[str, str], expected: str) -> None:
    env = run.environ({name: value.format(run.folder) for name, value in variables.items()})
    if "POINTSMAN_STATE_DIR" not in variables:
        del env["POINTSMAN_STATE_DIR"]
    words = [*run.program, "claude-code", GUARD]
    done = subprocess.run(words, input=b"{}", capture_output=True, env=env, check=False)
    assert done.returncode == 2
    assert list((run.folder / expected / "spool").iterdir())


def test_a_state_directory_with_a_long_path(run: Run) -> None:
    run.state = run.folder / ("long" * 30) / ("path" * 30)
    run.failed("no daemon runs", "pointsman doctor")
    assert len(run.spooled()) == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(("event", "code"), [(GUARD, 2), (OTHER, 0)])
def test_an_answer_that_cannot_be_written(run: Run, serve: Serve, event: str, code: int) -> None:
    serve(sends(answer(0, b'{"permissionDecision": "ask"}')))
    with Path("/dev/full").open("wb") as full:
        done = run(event, stdout=full, stderr=subprocess.PIPE, capture_output=False)
    assert done.returncode == code
    assert b"could not be written" in done.stderr


@pytest.mark.parametrize("closed", ["0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"])
@pytest.mark.parametrize("event", [GUARD, OTHER])
def test_closed_descriptors_do_no_harm(run: Run, serve: Serve, closed: str, event: str) -> None:
    serve(sends(answer(2, b"out", b"err")))
    words = " ".join(f"'{word}'" for word in [*run.program, "claude-code", event])
    done = subprocess.run(
        ["sh", "-c", f"{words} {closed}"],
        input=PAYLOAD,
        capture_output=True,
        env=run.environ(),
        check=False,
        timeout=60,
    )
    assert done.returncode == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize(("event", "code"), [(GUARD, 2), (OTHER, 0)])
def test_a_signal_before_the_answer(
    run: Run, serve: Serve, number: signal.Signals, event: str, code: int
) -> None:
    reached: list[int] = []

    def script(connection: socket.socket, _number: int) -> None:
        read_request(connection)
        reached.append(1)
        while connection.recv(1):
            pass

    serve(script)
    child = subprocess.Popen(
        [*run.program, "claude-code", event],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=run.environ(),
    )
    assert child.stdin is not None
    child.stdin.write(PAYLOAD)
    child.stdin.close()
    child.stdin = None
    while not reached:
        time.sleep(0.01)
    child.send_signal(number)
    _, stderr = child.communicate(timeout=60)
    assert child.returncode == code
    assert b"was ended before the answer came" in stderr
    assert [(kept, body) for _, kept, body in run.spooled()] == [(event, PAYLOAD)]


@pytest.mark.parametrize("words", [[], ["claude-code"], ["PostToolUse"]])
def test_without_an_event_it_stops(client: list[str], words: list[str]) -> None:
    done = subprocess.run(
        [*client, *words], capture_output=True, stdin=subprocess.DEVNULL, check=False
    )
    assert done.returncode == 2
    assert b"usage: pointsman-hook HOST EVENT" in done.stderr
    assert b"not a policy violation" in done.stderr
    assert done.stderr.endswith(b"with: pointsman init\n")


def test_one_word_too_many_stops_only_a_guard_event(run: Run) -> None:
    run.client_tail = ["surplus"]
    run.failed("called with 3 words; usage: pointsman-hook HOST EVENT", "pointsman init")
    assert [event for _, event, _ in run.spooled()] == [GUARD, OTHER]


@pytest.mark.parametrize("event", ["Unheard", "", "Pre\tTool\nUse", "é" * 400, "%s%n"])
def test_an_unknown_event_passes_and_is_kept(run: Run, event: str) -> None:
    done = run(event)
    assert done.returncode == 0
    (reason, kept, body) = run.spooled()[0]
    assert reason.startswith("no daemon runs")
    assert kept == event
    assert body == PAYLOAD

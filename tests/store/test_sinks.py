"""Checkpoints leave: to a file, a commit's notes, a system log, a web server; or say why not."""

import http.server
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from pointsman.store.anchors import Anchor, Anchors
from pointsman.store.checkpoints import FIRST, Checkpoint, parse_line, read_lines
from pointsman.store.signing import Keys, is_signed
from pointsman.store.sinks import SENDERS, send

SINKS = tuple(SENDERS)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys/ledger-private-key.pem")


def made(keys: Keys, count: int = 3) -> list[Checkpoint]:
    return [
        Checkpoint(n, "log", 10 * n, bytes([n] * 32), FIRST, 10**18 + n, 9 * n).signed(
            keys.signer()
        )
        for n in range(1, count + 1)
    ]


def test_a_file_is_appended_to(tmp_path: Path, keys: Keys) -> None:
    file = tmp_path / "sent.jsonl"
    file.write_text("")
    batch = made(keys)
    sink = {"kind": "file", "to": str(file)}
    assert send(sink, batch[:1], keys.signer()) == ""
    assert send(sink, batch[1:], keys.signer()) == ""
    assert list(read_lines(file)) == batch
    assert all(each.is_sound() for each in read_lines(file))


def test_the_newest_is_a_note_of_the_commit(tmp_path: Path, keys: Keys) -> None:
    far, near = tmp_path / "far.git", tmp_path / "near"
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@localhost"]
    subprocess.run(["git", "init", "-q", "--bare", str(far)], check=True)
    subprocess.run(["git", "init", "-q", str(near)], check=True)
    (near / "f").write_text("x")
    for words in (["add", "f"], ["commit", "-qm", "one"], ["remote", "add", "far", str(far)]):
        subprocess.run([*git, "-C", str(near), *words], check=True)
    batch = made(keys)
    sink = {"kind": "git-note", "to": str(near), "push": "far"}
    for upto in (1, 3):
        assert send(sink, batch[:upto], keys.signer()) == ""
    show = ["notes", "--ref=pointsman", "show", "HEAD"]
    told = subprocess.run(
        [*git, "-C", str(near), *show], check=True, capture_output=True, text=True
    ).stdout
    assert parse_line(told.strip()) == batch[-1]
    log = ["log", "--reverse", "--format=", "-p", "refs/notes/pointsman"]
    history = subprocess.run(
        [*git, "-C", str(far), *log], check=True, capture_output=True, text=True
    ).stdout
    lines = [line for line in history.splitlines() if line.startswith("+{")]
    kept = tmp_path / "kept"
    kept.write_text("\n".join(lines) + "\n")
    assert [each.seq for each in read_lines(kept)] == [1, 3]


@pytest.mark.parametrize("family", [socket.AF_UNIX, socket.AF_INET])
def test_a_system_log_gets_a_message_each(
    tmp_path: Path, keys: Keys, family: socket.AddressFamily
) -> None:
    with socket.socket(family, socket.SOCK_DGRAM) as log:
        log.settimeout(10)
        log.bind(str(tmp_path / "log") if family == socket.AF_UNIX else ("127.0.0.1", 0))
        name = log.getsockname()
        to = name if isinstance(name, str) else f"{name[0]}:{name[1]}"
        batch = made(keys, 2)
        assert send({"kind": "syslog", "to": to}, batch, keys.signer()) == ""
        got = [log.recv(8192).decode() for _ in batch]
    assert got[0].startswith("<133>1 2001-09-09T01:46:40+00:00 ")
    kept = tmp_path / "messages"
    kept.write_text("\n".join(got) + "\n")
    assert list(read_lines(kept)) == batch, "what stands before them is read over"


class Web(http.server.BaseHTTPRequestHandler):
    """A server that keeps what it was sent, and answers what it was told to."""

    got: list[tuple[dict[str, str], bytes]]
    code = 200

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((dict(self.headers), body))
        self.send_response(self.code)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def web() -> Iterator[tuple[str, type[Web]]]:
    kind = type("OwnWeb", (Web,), {"got": []})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/c", kind
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_web_server_gets_a_signed_body(web: tuple[str, type[Web]], keys: Keys) -> None:
    address, server = web
    batch = made(keys)
    assert send({"kind": "http", "to": address}, batch, keys.signer()) == ""
    ((headers, body),) = server.got
    assert [parse_line(line) for line in body.decode().splitlines()] == batch
    key = bytes.fromhex(headers["X-Pointsman-Key"])
    assert key == keys.signer().public
    assert is_signed(key, bytes.fromhex(headers["X-Pointsman-Signature"]), body)
    assert not is_signed(key, bytes.fromhex(headers["X-Pointsman-Signature"]), body + b" ")


@pytest.mark.parametrize(
    ("kind", "to", "said"),
    [
        ("file", "/nowhere/at/all", "No such file"),
        ("git-note", "/nowhere/at/all", "nowhere"),
        ("syslog", "/nowhere/at/all", "No such file"),
        ("syslog", "nonsense", "invalid literal"),
        ("http", "file:///etc/passwd", "no http or https URL"),
        ("http", "http://127.0.0.1:1/", "refused"),
    ],
)
def test_what_goes_wrong_is_said(keys: Keys, kind: str, to: str, said: str) -> None:
    assert said in send({"kind": kind, "to": to}, made(keys), keys.signer())


def test_a_failing_sink_keeps_what_waits_and_says_so_once(
    web: tuple[str, type[Web]], keys: Keys
) -> None:
    address, server = web
    server.code = 503
    tried = threading.Event()
    anchor = Anchor({"kind": "http", "to": address}, keys, tried.set)
    first, *rest = made(keys)
    anchor.give(first)
    assert tried.wait(10)
    for checkpoint in rest:
        anchor.give(checkpoint)
    anchor.close(10)
    status = anchor.status()
    assert status["waiting"] == 3
    assert "503" in status["fault"]
    assert [kind for kind, _ in anchor.drain()] == ["checkpoints not sent"]
    server.code, server.got = 200, []
    again = Anchor({"kind": "http", "to": address}, keys, tried.set)
    for checkpoint in (first, *rest):
        again.give(checkpoint)
    again.close(10)
    assert (again.status()["waiting"], again.status()["sent"]) == (0, 3)
    sent = b"".join(body for _, body in server.got).decode().splitlines()
    assert [parse_line(line) for line in sent] == [first, *rest]


def test_how_far_each_sink_is_outlives_the_process(tmp_path: Path, keys: Keys) -> None:
    file = tmp_path / "sent.jsonl"
    sinks = [{"kind": "file", "to": str(file)}]
    batch = made(keys, 5)
    one = Anchors(tmp_path / "sinks.json", keys, tmp_path / "ledger.db")
    assert one.tend(sinks, lambda seq: batch[1:2] if not seq else []) == []
    one.give(batch[2])
    one.close(10)
    two = Anchors(tmp_path / "sinks.json", keys, tmp_path / "ledger.db")
    two.tend(sinks, lambda seq: [each for each in batch if each.seq > seq])
    two.close(10)
    assert [each.seq for each in read_lines(file)] == [2, 3, 4, 5]
    assert two.status()[0]["sent"] == 5


def test_every_sink_that_can_be_set_can_be_sent_to() -> None:
    from pointsman.config.ledger_settings import SINKS as SETTABLE

    assert set(SETTABLE) == set(SENDERS)


def test_the_key_is_made_once_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "keys/ledger-private-key.pem"
    one, two = Keys(path), Keys(path)
    assert one.signer().public == two.signer().public
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    path.unlink()
    assert one.put_back()
    assert not one.put_back()
    assert Keys(path).signer().public == one.signer().public
    path.chmod(0o644)
    with pytest.raises(Exception, match="can be read by others"):
        Keys(path).signer()

"""Where checkpoints are sent so that who holds this machine's files cannot change them too.

A sink is one function and one line in ``SENDERS``: it takes what the settings say of it and some
checkpoints, the oldest first, and returns when they are there. It runs in a thread of its own.
"""

import os
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pointsman.model.errors import LedgerError
from pointsman.store.checkpoints import Checkpoint
from pointsman.store.signing import Signer

NOTES = "refs/notes/pointsman"
"""Where git keeps the notes."""

_WITHIN = 20.0
_NOTICE = 16 * 8 + 5
"""Facility local0, severity notice (RFC 5424 section 6.2.1)."""

Send = Callable[[Mapping[str, str], Sequence[Checkpoint], Signer], None]


def to_file(sink: Mapping[str, str], batch: Sequence[Checkpoint], signer: Signer) -> None:
    """Append lines to a file; it may be another user's that we may only append to.

    Raises:
        OSError: it cannot be written.
    """
    del signer
    data = _lines(batch)
    descriptor = os.open(sink["to"], os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        # In one piece: others may append to the same file.
        if os.write(descriptor, data) != len(data):
            raise OSError(f"{sink['to']} took a part of the lines only")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def to_git_note(sink: Mapping[str, str], batch: Sequence[Checkpoint], signer: Signer) -> None:
    """Put the newest on the commit that a repository stands at, and push the notes if told to.

    Raises:
        OSError, subprocess.SubprocessError: git is not there, or refuses.
    """
    del signer
    newest = batch[-1].line()
    _git(sink["to"], "notes", f"--ref={NOTES}", "add", "-f", "-m", newest, "HEAD")
    if sink.get("push"):
        _git(sink["to"], "push", "--quiet", sink["push"], NOTES)


def to_syslog(sink: Mapping[str, str], batch: Sequence[Checkpoint], signer: Signer) -> None:
    """Send each as a message (RFC 5424) to a socket's path, or to ``host:port`` by UDP.

    Raises:
        OSError: nobody takes it.
    """
    del signer
    to = sink["to"]
    host, _, port = to.rpartition(":")
    family, address = (
        (socket.AF_UNIX, to) if to.startswith("/") else (socket.AF_INET, (host, int(port)))
    )
    with socket.socket(family, socket.SOCK_DGRAM) as connection:
        connection.settimeout(_WITHIN)
        connection.connect(address)
        for checkpoint in batch:
            stamp = datetime.fromtimestamp(checkpoint.ns // 10**9, UTC).isoformat()
            head = f"<{_NOTICE}>1 {stamp} {socket.gethostname()} pointsman {os.getpid()}"
            connection.send(f"{head} checkpoint - {checkpoint.line()}".encode())


def to_http(sink: Mapping[str, str], batch: Sequence[Checkpoint], signer: Signer) -> None:
    """Post them as JSON lines; the body's own signature and the key go along as headers.

    Raises:
        OSError: nobody answers, or not with success.
        LedgerError: it is no address of the web.
    """
    if urlsplit(sink["to"]).scheme not in {"http", "https"}:
        raise LedgerError(f"{sink['to']!r} is no http or https URL", fix="pointsman status")
    data = _lines(batch)
    import urllib.request  # noqa: PLC0415 - who sends nothing there need not load it

    request = urllib.request.Request(  # noqa: S310 - checked above
        sink["to"],
        data=data,
        method="POST",
        headers={
            "Content-Type": "application/jsonl",
            "X-Pointsman-Key": signer.public.hex(),
            "X-Pointsman-Signature": signer.sign(data).hex(),
        },
    )
    with urllib.request.urlopen(request, timeout=_WITHIN) as answer:  # noqa: S310
        answer.read(1024)


SENDERS: dict[str, Send] = {
    "file": to_file,
    "git-note": to_git_note,
    "syslog": to_syslog,
    "http": to_http,
}


def send(sink: Mapping[str, str], batch: Sequence[Checkpoint], signer: Signer) -> str:
    """Send some checkpoints; return why they are not there, the empty string when they are."""
    try:
        SENDERS[sink["kind"]](sink, batch, signer)
    except subprocess.CalledProcessError as error:
        return (error.stderr or b"").decode("utf-8", "replace").strip()[:300] or str(error)
    except (OSError, ValueError, LedgerError, subprocess.SubprocessError) as error:
        return str(error) or type(error).__name__
    return ""


def _git(repository: str, *words: str) -> None:
    # Neither its hooks nor what the environment says of another repository.
    given = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    who = ("-c", "user.name=pointsman", "-c", "user.email=pointsman@localhost")
    subprocess.run(
        ["git", "-C", str(Path(repository)), "-c", "core.hooksPath=/dev/null", *who, *words],
        env={**given, "GIT_TERMINAL_PROMPT": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_WITHIN,
        check=True,
    )


def _lines(batch: Sequence[Checkpoint]) -> bytes:
    return "".join(checkpoint.line() + "\n" for checkpoint in batch).encode()

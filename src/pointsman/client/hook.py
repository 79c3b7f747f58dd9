"""The hook client in pure Python: ``python -I -S hook.py HOST EVENT``, twin of pointsman_hook.c.

On a guard event every way to fail ends in exit code 2 with words on stderr; on any other event in
exit code 0, with the event in the spool. It needs neither ``json`` nor ``socket.py`` nor this
package: what it imports is what it costs, for every tool call.
"""

import _signal as signal  # type: ignore[import-not-found]  # signal.py would load enum and re
import _socket
import os
import select
import sys
import time

if False:  # The names that only a type checker needs.
    from collections.abc import Callable

VERSION = "0.1.0"
PASS, STOP = 0, 2
MAX_PAYLOAD = 4 * 1024 * 1024
MAX_PART = 16 * 1024 * 1024
MAX_HEADER = 60 * 1024
MAX_SPOOLED = 10_000
GUARD_DEADLINE = 25.0
OTHER_DEADLINE = 22.0
MAX_RESENDS = 20
MAX_STARTS = 20
KILLED = 125
GUARD_EVENTS = (
    "PreToolUse", "PermissionRequest", "UserPromptSubmit", "UserPromptExpansion", "ConfigChange",
    "BeforeTool", "beforeShellExecution", "beforeMCPExecution", "beforeReadFile",
)  # fmt: skip
PASSED_ON = (
    "CLAUDE_PROJECT_DIR",
    "CLAUDE_CODE_SESSION_ID",
    "CLAUDE_PID",
    "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CONFIG_DIR",
)
UP, RESTART = "pointsman up", "pointsman up --restart"
DOCTOR, INIT = "pointsman doctor", "pointsman init"
GUARDED = "This is Pointsman's own failure, not a policy violation; the call was stopped."
KEPT = "This is Pointsman's own failure; the event was let through and is on record."
LOST = "This is Pointsman's own failure; the event was let through and could not be recorded."
USAGE = "usage: pointsman-hook HOST EVENT [STATE CONFIG] < payload"
MISLEADING = ("LD_", "DYLD_", "PYTHON", "POINTSMAN_", "XDG_")


class Failure(Exception):
    """Why the event could not be delivered, and what a person types."""

    def __init__(self, command: str, reason: str) -> None:
        super().__init__(reason)
        self.command = command


class Client:
    """One event on its way to the daemon."""

    passed_on: tuple[str, ...] = PASSED_ON
    more: tuple[tuple[str, str], ...] = ()
    """Further lines of the header."""

    def __init__(self, host: str, event: str, *more: str) -> None:
        self.host = host
        self.event = event
        self.guarding = event in GUARD_EVENTS
        self.started_ns = time.time_ns()
        self.deadline = time.monotonic() + self._limit()
        self.state = ""
        self.in_state = False
        self.frame = b""
        self.watch = -1
        self.starts = 0
        self.late = False
        self.failing = False
        # Where a repository's settings set variables for every hook, these are not asked.
        self.pinned = more if len(more) == 2 and more[0][:1] == more[1][:1] == "/" else ()
        wrong = more and not self.pinned
        self.misused = f"it was called with {len(more) + 2} words; {USAGE}" if wrong else ""

    def _limit(self) -> float:
        limit = GUARD_DEADLINE if self.guarding else OTHER_DEADLINE
        shorter = os.environ.get("POINTSMAN_DEADLINE_MS", "")
        if shorter.isdecimal() and 0 < int(shorter) < limit * 1000:
            limit = int(shorter) / 1000
        signal.setitimer(signal.ITIMER_REAL, limit + 1.0)
        return limit

    def left(self) -> float:
        """Return the seconds until the deadline."""
        return max(0.0, self.deadline - time.monotonic())

    def run(self) -> int:
        """Deliver the event and return the exit code."""
        try:
            cwd = _cwd()
            payload, size = self._read_payload()
            self.frame = self._build_frame(cwd, payload, size)
            self._enter_state()
            if self.misused:
                return self.fail(INIT, self.misused)
            if self.late:
                return self.fail(UP, "the payload did not end within the deadline")
            return self._deliver(self._ask())
        except Failure as failure:
            return self.fail(failure.command, str(failure))
        except (OSError, MemoryError, ValueError) as error:
            return self.fail(DOCTOR, f"{type(error).__name__}: {error}")

    def fail(self, command: str, reason: str) -> int:
        """Say what went wrong, keep the event, and return the exit code."""
        self.failing = True
        kept = self._spool(reason)
        what = GUARDED if self.guarding else KEPT if kept else LOST
        if self.guarding and not kept:
            reason += "; it could not be spooled either"
        text = (
            f"Pointsman could not check this {self.event[:100]} ({reason}). {what} "
            f"A person can get it going again with: {command}\n"
        )
        try:
            _write_all(2, text.encode("utf-8", "backslashreplace"))
        except OSError:
            pass
        return STOP if self.guarding else PASS

    # --- the request ------------------------------------------------------------------------

    def _read_payload(self) -> tuple[bytes, int]:
        parts: list[bytes] = []
        kept = total = 0
        while True:
            self.late = not select.select([0], [], [], self.left())[0]
            try:
                data = b"" if self.late else os.read(0, 65536)
            except BlockingIOError:
                continue
            except OSError:
                data = b""  # A stdin that is closed or broken is an empty payload.
            if not data:
                return b"".join(parts), total
            total += len(data)
            if kept < MAX_PAYLOAD:
                parts.append(data[: MAX_PAYLOAD - kept])
                kept += len(parts[-1])

    def _build_frame(self, cwd: str, payload: bytes, size: int) -> bytes:
        values = [
            ("version", VERSION),
            ("client", "python"),
            ("host", self.host),
            ("event", self.event),
            ("pid", str(os.getpid())),
            ("ppid", str(os.getppid())),
            ("cwd", cwd),
            ("size", str(size)),
            ("started_ns", str(self.started_ns)),
            ("deadline_ms", str(int(self.left() * 1000))),
        ]
        values.extend(self.more)
        values += [
            ("env." + name, os.environ[name]) for name in self.passed_on if name in os.environ
        ]
        names = [key for key, held in os.environ.items() if held and key.isidentifier()]
        values.append(("env_names", ",".join(names)[: MAX_HEADER // 4]))  # Never what they hold.
        head = b""
        for key, value in values:
            line = f"{key}\t".encode()
            room = max(0, MAX_HEADER - len(head) - len(line))
            head += line + _escaped(value).encode("utf-8", "surrogateescape")[:room] + b"\n"
        lengths = len(head).to_bytes(4, "big") + len(payload).to_bytes(4, "big")
        return b"PMQ1" + lengths + head + payload

    # --- the state directory ------------------------------------------------------------------

    def _enter_state(self) -> None:
        self.state = self.pinned[0] if self.pinned else _state_dir()
        try:
            try:
                os.chdir(self.state)
            except FileNotFoundError:
                os.makedirs(self.state, 0o700, exist_ok=True)
                os.chdir(self.state)
            found = os.stat(".")
        except OSError as error:
            raise Failure(DOCTOR, f"the state directory {self.state}: {error.strerror}") from None
        if found.st_uid != os.geteuid():
            raise Failure(
                DOCTOR,
                f"the state directory {self.state} belongs to user {found.st_uid}, not to you",
            )
        if found.st_mode & 0o022:
            raise Failure(DOCTOR, f"the state directory {self.state} can be written by others")
        self.in_state = True

    def _spool(self, reason: str) -> bool:
        if not self.in_state or not self.frame:
            return False
        temporary = f"spool/.{self.started_ns}-{os.getpid()}.tmp"
        try:
            if not os.path.isdir("spool"):
                os.mkdir("spool", 0o700)
            if os.stat("spool").st_size > MAX_SPOOLED * 64:
                return False
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(temporary, flags, 0o600)
            try:
                line = f"PMF1\t{reason}\n".replace("\n", " ", reason.count("\n"))
                _write_all(descriptor, line.encode("utf-8", "backslashreplace"))
                _write_all(descriptor, self.frame)
            finally:
                os.close(descriptor)
            os.rename(temporary, f"spool/{self.started_ns}-{os.getpid()}.frame")
        except OSError:
            try:
                os.unlink(temporary)
            except OSError:
                pass
            return False
        return True

    # --- the daemon ----------------------------------------------------------------------------

    def _ask(self) -> bytes:
        for attempt in range(MAX_RESENDS + 1):
            connection = self._reach_daemon()
            try:
                answer = self._exchange(connection)
            finally:
                connection.close()
            if answer:
                return answer
            # It went away before it answered (a restart): the next one has not seen this yet.
            self.watch = -1
            if attempt:
                time.sleep(0.02)
        raise Failure(
            RESTART,
            f"the daemon closed the connection {MAX_RESENDS + 1} times without an answer",
        )

    def _reach_daemon(self) -> _socket.socket:
        pause = 0.005
        while True:
            connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
            connection.setblocking(False)
            try:
                connection.connect("daemon.sock")
            except (FileNotFoundError, ConnectionRefusedError):
                connection.close()
                self._check_socket()
                if self.watch < 0 and self.starts <= MAX_STARTS:
                    self.starts += 1
                    self.watch = self._start_daemon()
            except (BlockingIOError, InterruptedError):
                # Its queue is full: somebody listens, and is asked again.
                connection.close()
            except OSError as error:
                raise Failure(DOCTOR, f"{self.state}/daemon.sock: {error.strerror}") from None
            else:
                if _peer_uid(connection) != os.geteuid():
                    raise Failure(DOCTOR, f"{self.state}/daemon.sock is not yours")
                return connection
            self._check_started()
            if not self.left():
                raise Failure(UP, "no daemon answered within the deadline")
            time.sleep(min(pause, self.left()))
            pause = min(pause * 2, 0.05)

    def _check_socket(self) -> None:
        """Make sure that nothing but a socket is in the socket's place: no daemon could listen."""
        try:
            kind = os.lstat("daemon.sock").st_mode & 0o170000
        except OSError:
            return
        if kind not in (0o140000, 0o120000):
            path = f"{self.state}/daemon.sock"
            raise Failure(f"mv '{path}' '{path}.aside'", f"{path} is not a socket")

    def _check_started(self) -> None:
        try:
            code = os.read(self.watch, 1) if self.watch >= 0 else b""
        except BlockingIOError:
            return
        if not code:
            return
        # One that lost the race, or was killed: should nobody listen, it is started once more.
        os.close(self.watch)
        self.watch = -1
        if code[0] not in (0, KILLED):
            raise Failure(
                UP,
                f"the daemon could not be started: exit code {code[0]}, see "
                f"{self.state}/daemon.log",
            )

    def _start_daemon(self) -> int:
        """Start it through a middleman that tells by a pipe how it ended, if it does at once."""
        given = "" if self.pinned else os.environ.get("POINTSMAN_DAEMON", "")
        own = [sys.executable, "-m", "pointsman", "daemon"]
        command = [given, "daemon"] if given.startswith("/") else own
        if not os.access(command[0], os.X_OK):
            raise Failure(DOCTOR, f"no daemon runs and {command[0]} cannot be started")
        read, write = os.pipe()
        os.set_blocking(read, False)
        middleman = os.fork()
        if middleman == 0:
            if os.fork() == 0:
                _become_daemon(command, write, self._daemon_environ())
            os._exit(0)
        os.close(write)
        os.waitpid(middleman, 0)
        return read

    def _daemon_environ(self) -> dict[str, str]:
        dropped = ("CLAUDE_CODE_MESSAGING_", "ANTHROPIC_", *(MISLEADING if self.pinned else ()))
        keep = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
        if self.pinned:
            keep["POINTSMAN_STATE_DIR"], keep["POINTSMAN_CONFIG_DIR"] = self.pinned
        return keep

    def _exchange(self, connection: _socket.socket) -> bytes:
        """Send the request and return the answer, empty if the daemon went away before it."""
        descriptor = connection.fileno()
        parts: list[bytes] = []
        received = sent = 0
        while True:
            sending = [descriptor] if sent < len(self.frame) else []
            readable, writable, _ = select.select([descriptor], sending, [], self.left())
            if not readable and not writable:
                raise Failure(RESTART, "the daemon did not answer within the deadline")
            if writable:
                try:
                    sent += connection.send(self.frame[sent : sent + 1_048_576])
                except (BlockingIOError, InterruptedError):
                    pass
                except OSError:
                    sent = len(self.frame)  # What it said before it went counts.
            if readable:
                try:
                    data = connection.recv(65536)
                except (BlockingIOError, InterruptedError):
                    continue
                except OSError:
                    data = b""
                parts.append(data)
                received += len(data)
                if not data or received > 2 * MAX_PART + 64:
                    return b"".join(parts)

    def _deliver(self, answer: bytes) -> int:
        if answer[:4] == b"PMS1" and len(answer) >= 8:
            size = min(int.from_bytes(answer[4:8], "big"), 300)
            text = answer[8 : 8 + size].decode("utf-8", "replace")
            raise Failure(RESTART, f"version skew: {text}")
        garbled = Failure(RESTART, "the daemon's answer is garbled or cut short")
        if answer[:4] != b"PMA1" or len(answer) < 16:
            raise garbled
        code, out, err = (int.from_bytes(answer[at : at + 4], "big") for at in (4, 8, 12))
        end = 16 + out + err
        if out > MAX_PART or err > MAX_PART or answer[end : end + 4] != b"DONE":
            raise garbled
        if code not in (PASS, STOP) or (self.guarding and code == STOP and not err):
            raise Failure(
                RESTART,
                f"the daemon's answer has the exit code {code} and {err} bytes of reason",
            )
        try:
            _write_all(2, answer[16 + out : end])
        except OSError:
            if code == STOP:
                return STOP
        try:
            _write_all(1, answer[16 : 16 + out])
        except OSError as error:
            if code == STOP:
                return STOP  # The reason is out, and exit code 2 says the rest.
            raise Failure(DOCTOR, f"the answer could not be written: {error.strerror}") from None
        return code


def _state_dir() -> str:
    own = os.environ.get("POINTSMAN_STATE_DIR", "")
    if own.startswith("/"):
        return own
    base = os.environ.get("XDG_STATE_HOME", "")
    if base.startswith("/"):
        return base + "/pointsman"
    home = os.environ.get("HOME", "")
    if not home.startswith("/"):
        import pwd

        try:
            home = pwd.getpwuid(os.geteuid()).pw_dir
        except KeyError:
            raise Failure(DOCTOR, f"HOME is not set and user {os.geteuid()} is unknown") from None
    return home + "/.local/state/pointsman"


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            select.select([], [descriptor], [], 1.0)


def _peer_uid(connection: _socket.socket) -> int:
    if sys.platform == "darwin":
        return int.from_bytes(connection.getsockopt(0, 1, 76)[4:8], sys.byteorder)
    data = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
    return int.from_bytes(data[4:8], sys.byteorder)


def _become_daemon(command: list[str], write: int, environ: dict[str, str]) -> None:
    """Run the daemon and report how it ended; the client does not wait for this process."""
    os.setsid()
    signal.setitimer(signal.ITIMER_REAL, 0)
    null = os.open("/dev/null", os.O_RDWR)
    try:
        log = os.open("daemon.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError:
        log = null
    os.dup2(null, 0)
    os.dup2(null, 1)
    os.dup2(log, 2)
    child = os.fork()
    if child == 0:
        _exec_daemon(command, environ)
    status = os.waitpid(child, 0)[1]
    code = os.waitstatus_to_exitcode(status)
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # The client may be gone: nobody is to be told.
    os.write(write, bytes([code if 0 <= code < 256 else KILLED]))
    os._exit(0)


def _exec_daemon(command: list[str], environ: dict[str, str]) -> None:
    os.setsid()
    for number in (signal.SIGPIPE, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execve(command[0], command, environ)
    except OSError as error:
        os.write(2, f"hook.py: {command[0]}: {error}\n".encode())
    os._exit(127)


def _hold_standard_descriptors() -> None:
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open("/dev/null", os.O_RDWR if descriptor else os.O_RDONLY)


def _on_signal(client: Client) -> "Callable[[int, object], None]":
    def handle(number: int, _frame: object) -> None:
        if not client.failing:
            os._exit(client.fail(UP, "the client was ended before the answer came"))
        if number == signal.SIGALRM:
            os._exit(STOP if client.guarding else PASS)

    return handle


def main(arguments: list[str]) -> int:
    """Deliver one event and return the exit code."""
    _hold_standard_descriptors()
    if len(arguments) < 2:
        text = f"Pointsman could not check this event ({USAGE}). {GUARDED} "
        os.write(2, f"{text}A person can get it going again with: {INIT}\n".encode())
        return STOP
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    client = Client(*arguments)
    for number in (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, _on_signal(client))
    return client.run()


if __name__ == "__main__":
    code = STOP
    try:
        code = main(sys.argv[1:])
    except BaseException as error:
        # Whatever it is: silence or another code would leave the call running.
        os.write(2, f"Pointsman could not check this ({error!r}). {GUARDED}\n".encode())
    os._exit(code)

"""What carries out a shell command, in pure Python: ``python -I -S exec.py TEXT``.

Twin of pointsman_exec.c: the same words, the same answers. Every way to fail ends in exit code
126 with words on stderr, and nothing is run. It imports what hook.py does; held.py imports ctypes
where a command has to be held.
"""

import _signal as signal  # type: ignore[import-not-found]  # signal.py would load enum and re
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

    from pointsman.client import held, hook
else:
    # -I leaves the program's own directory out of the path.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import held
    import hook

STOP, REFUSED = 126, 2
MOST_WORDS = 100_000
PASSED_ON = (
    "CLAUDE_PROJECT_DIR", "CLAUDE_CODE_SESSION_ID", "CLAUDE_PID", "CLAUDE_CODE_ENTRYPOINT",
    "CLAUDE_CONFIG_DIR", "HOME", "TMPDIR", "SHELL", "XDG_CACHE_HOME", "XDG_RUNTIME_DIR",
    "CARGO_HOME", "GOCACHE", "GOMODCACHE", "GOPATH", "GRADLE_USER_HOME", "PIP_CACHE_DIR",
    "UV_CACHE_DIR", "npm_config_cache", "TMUX", "TMUX_TMPDIR", "DOCKER_HOST",
)  # fmt: skip
USAGE = "usage: pointsman-exec [--pinned STATE CONFIG] TEXT"
HOLDING = ("--join", "--landlock")
SHELLS = ("/bin/bash", "/usr/bin/bash", "/usr/local/bin/bash", "/bin/sh")
SIGNALS = (signal.SIGALRM, signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE)


class Before:
    """How the host left signals and descriptors."""

    def __init__(self) -> None:
        self.closed = [number for number in range(3) if not _is_open(number)]
        self.signals = [(number, signal.getsignal(number)) for number in SIGNALS]

    def restore(self) -> None:
        """Put everything back, right before the command takes over."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self.signals:
            # Python ignores SIGPIPE for itself; the host's own word is not known any more.
            known = signal.SIG_DFL if number == signal.SIGPIPE else handler
            signal.signal(number, known if known is not None else signal.SIG_DFL)
        for number in (*self.closed,):
            os.close(number)


class Exec(hook.Client):
    """One shell command on its way."""

    passed_on = PASSED_ON

    def __init__(self, text: str, before: Before, *pinned: str) -> None:
        super().__init__("pointsman-exec", "exec", *pinned)
        session = os.environ.get("CLAUDE_CODE_SESSION_ID", "")
        self.more = (("session", session), ("agent", "claude-code"))
        self.text = text
        self.before = before
        self.here = -1
        self.state_here = -1

    def _limit(self) -> float:
        self.guarding = True
        return super()._limit()

    def carry_out(self) -> int:
        """Ask, and become the command; returns where nothing is run."""
        try:
            self.here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
            body = os.fsencode(self.text)
            self.frame = self._build_frame(hook._cwd(), body, len(body))
            self._enter_state()
            if len(body) > hook.MAX_PAYLOAD:
                return self.fail(hook.INIT, f"it has {len(body)} bytes, more than can be checked")
            return self._obey(self._ask())
        except hook.Failure as failure:
            return self.fail(failure.command, str(failure))
        except held.NotHeld as error:
            return self.fail(hook.DOCTOR, f"the command cannot be held to its contract: {error}")
        except (OSError, MemoryError, ValueError) as error:
            return self.fail(hook.DOCTOR, f"{type(error).__name__}: {error}")

    def fail(self, command: str, reason: str) -> int:
        """Say what went wrong, keep the command, and return the exit code."""
        self.event = "shell command"
        if self.state_here >= 0:
            # The command's own directory is no place for the spool.
            os.fchdir(self.state_here)
        super().fail(command, reason)
        return STOP

    def _obey(self, answer: bytes) -> int:  # noqa: RET503 - the last line never returns
        code, out, err = _parts(answer)
        if code not in (hook.PASS, REFUSED) or (code == REFUSED and not err):
            reason = f"the daemon's answer has the exit code {code} and {len(err)} bytes of reason"
            raise hook.Failure(hook.RESTART, reason)
        try:
            hook._write_all(2, err)
        except OSError:
            pass
        if code == REFUSED:
            return STOP
        words = [*_words(out), host_shell(), "-c", self.text]
        self.state_here = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
        os.fchdir(self.here)
        become_held(words, self.before)


def _parts(answer: bytes) -> tuple[int, bytes, bytes]:
    if answer[:4] == b"PMS1" and len(answer) >= 8:
        size = min(int.from_bytes(answer[4:8], "big"), 300)
        text = answer[8 : 8 + size].decode("utf-8", "replace")
        raise hook.Failure(hook.RESTART, f"version skew: {text}")
    garbled = hook.Failure(hook.RESTART, "the daemon's answer is garbled or cut short")
    if answer[:4] != b"PMA1" or len(answer) < 16:
        raise garbled
    code, out, err = (int.from_bytes(answer[at : at + 4], "big") for at in (4, 8, 12))
    end = 16 + out + err
    if max(out, err) > hook.MAX_PART or answer[end:] != b"DONE":
        raise garbled
    return code, answer[16 : 16 + out], answer[16 + out : end]


def _words(data: bytes) -> list[str]:
    if data and not data.endswith(b"\0"):
        raise hook.Failure(hook.RESTART, "the daemon's answer has an unfinished word")
    words = data.split(b"\0")[:-1]
    if len(words) > MOST_WORDS:
        raise hook.Failure(hook.RESTART, f"the daemon's answer has {len(words)} words")
    if words and not words[0].startswith(b"/"):
        raise hook.Failure(hook.RESTART, "the daemon's answer begins with no program")
    return [os.fsdecode(word) for word in words]


def host_shell() -> str:
    """Return the shell that the host means; another program of that variable's is none."""
    named = os.environ.get("SHELL", "")
    is_shell = named.startswith("/") and os.path.basename(named) in ("bash", "zsh")
    if is_shell and os.access(named, os.X_OK):
        return named
    for each in SHELLS:
        if os.access(each, os.X_OK):
            return each
    raise hook.Failure(hook.DOCTOR, "there is neither bash nor sh")


def become_held(words: list[str], before: Before) -> "NoReturn":
    """Carry out what is our own of the words, and become the rest.

    Raises:
        held.NotHeld: nothing is run.
    """
    while True:
        at = next((i for i, word in enumerate(words[:8]) if word in HOLDING), -1)
        if at < 0 or (at and not words[at - 1].endswith("exec.py")):
            break
        words = held.hold(words[at:])
    if not words:
        raise held.NotHeld("there is no command")
    before.restore()
    try:
        os.execvp(words[0], words)
    except (OSError, ValueError) as error:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        raise held.NotHeld(f"{words[0]} cannot be started: {error}") from None


# --- putting it together -------------------------------------------------------------------------


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def main(words: list[str]) -> int:
    """Carry out a command; returns the exit code where nothing is run."""
    before = Before()
    hook._hold_standard_descriptors()
    pinned = len(words) == 4 and words[0] == "--pinned" and words[1][:1] == words[2][:1] == "/"
    client = Exec(words[-1] if words else "", before, *(words[1:3] if pinned else ()))
    if words[:1] and words[0] in HOLDING:
        try:
            become_held(words, before)
        except held.NotHeld as error:
            reason = f"the command cannot be held to its contract: {error}"
            return client.fail(hook.DOCTOR, reason)
    if not pinned and len(words) != 1:
        return client.fail(hook.INIT, f"it was called with {len(words)} words; {USAGE}")
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    signal.signal(signal.SIGALRM, hook._on_signal(client))
    return client.carry_out()


if __name__ == "__main__":
    code = STOP
    try:
        code = main(sys.argv[1:])
    except BaseException as error:
        os.write(2, f"Pointsman could not check this ({error!r}). {hook.GUARDED}\n".encode())
    os._exit(code)

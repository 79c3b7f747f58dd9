"""The interactive client in a tmux server of its own.

The client's first-start dialogs are answered in ``.claude.json`` beforehand. Text is looked for
on the visible screen, as a person would see it.
"""

import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from .processes import MARK, end_marked
from .session import KEY, Claude
from .unavailable import HostUnavailable, RigError

_COLUMNS, _ROWS = 130, 50
_POLL_S = 0.1
_DIALOG_S = 0.5


class Terminal:
    """An interactive session of a client; use it as a context manager.

    Args:
        claude: where to start it, and with which API.
        mode: the permission mode.
        settings: written to the project's ``.claude/settings.json`` first.
        env: more environment.
        extra_args: more arguments of the client.

    Raises:
        HostUnavailable: where there is no tmux.
    """

    def __init__(
        self,
        claude: Claude,
        *,
        mode: str = "default",
        settings: Mapping[str, Any] | None = None,
        env: Mapping[str, str] | None = None,
        extra_args: Sequence[str] = (),
    ) -> None:
        if shutil.which("tmux") is None:
            raise HostUnavailable("tmux is not installed")
        if settings is not None:
            claude.write_settings(settings)
        _seed(claude)
        # A directory of its own, because a socket's path may have 107 bytes only.
        self._sockets = tempfile.mkdtemp(prefix="pointsman-tmux-")
        self._argv = [str(claude.binary), "--permission-mode", mode, *extra_args]
        self._env = claude.environment(env)
        self._env |= {"TERM": "xterm-256color", "TMUX_TMPDIR": self._sockets}
        self._workdir = claude.workdir

    def __enter__(self) -> Self:
        size = ("-x", str(_COLUMNS), "-y", str(_ROWS))
        try:
            self._tmux("new-session", "-d", *size, "--", *self._argv)
            self._tmux("set-option", "-g", "remain-on-exit", "on")
            self.wait_for("? for shortcuts", "shift+tab to cycle")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def say(self, text: str) -> None:
        """Type a prompt and send it."""
        self._tmux("send-keys", "-l", "--", text)
        self.wait_for(text[-30:])
        self.keys("Enter")

    def keys(self, *names: str) -> None:
        """Press keys by their tmux names (``Enter``, ``Escape``, ``C-c``, ``1``)."""
        self._tmux("send-keys", *names)

    def answer(self, dialog: str, *keys: str, timeout: float = 30.0) -> str:
        """Wait for a dialog by a text in it, press the keys until it has gone; return the screen.

        The client takes no key in the first moment of a dialog, so one press is not enough.

        Raises:
            RigError: after ``timeout`` seconds, with the screen.
        """
        self.wait_for(dialog, timeout=timeout)

        def gone(screen: str) -> bool:
            if dialog in screen:
                self.keys(*keys)
                time.sleep(_DIALOG_S)
            return dialog not in screen

        return self.wait_until(gone, f"the dialog {dialog!r} stayed", timeout)

    def screen(self) -> str:
        """Return the visible text."""
        return self._tmux("capture-pane", "-p").rstrip()

    def wait_for(self, *texts: str, timeout: float = 30.0) -> str:
        """Wait until one of the texts is on the screen; return the screen.

        Raises:
            RigError: after ``timeout`` seconds, with the screen.
        """
        return self.wait_until(
            lambda screen: any(text in screen for text in texts),
            f"none of {texts} was shown",
            timeout,
        )

    def wait_gone(self, text: str, timeout: float = 30.0) -> str:
        """Wait until a text has left the screen; return the screen.

        Raises:
            RigError: after ``timeout`` seconds, with the screen.
        """
        return self.wait_until(lambda screen: text not in screen, f"{text!r} stayed", timeout)

    def wait_until(self, holds: Callable[[str], bool], complaint: str, timeout: float) -> str:
        """Wait until something holds for the screen; return it.

        Raises:
            RigError: after ``timeout`` seconds, with the complaint and the screen.
        """
        end = time.monotonic() + timeout
        while not holds(screen := self.screen()):
            if time.monotonic() > end:
                raise RigError(f"{complaint} within {timeout:g} s; the screen:\n{screen}")
            time.sleep(_POLL_S)
        return screen

    def close(self) -> None:
        """End the client, the tmux server and everything they started."""
        end_marked(self._env[MARK])
        shutil.rmtree(self._sockets, ignore_errors=True)

    def _tmux(self, *args: str) -> str:
        """Run one tmux command on our own server, which inherits the session's mark."""
        done = subprocess.run(
            ["tmux", "-L", "rig", "-f", "/dev/null", *args],
            cwd=self._workdir,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        if done.returncode:
            raise RigError(f"tmux {args[0]} failed: {done.stderr.strip()}")
        return done.stdout


def _seed(claude: Claude) -> None:
    """Answer the dialogs of a first start: welcome, key, bypass warning, trust in the folder."""
    answers = {
        "hasCompletedOnboarding": True,
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "bypassPermissionsModeAccepted": True,
        "projects": {str(claude.workdir.resolve()): {"hasTrustDialogAccepted": True}},
    }
    path = claude.config / ".claude.json"
    known = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(known | answers))

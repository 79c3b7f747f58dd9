"""A notice on this machine's desktop, by ``notify-send``."""

import os
import shutil
import subprocess

from pointsman.alerts.sinks.message import Message, NotTold, Sink, body_of, title_of

_WITHIN = 10.0


def send(sink: Sink, message: Message) -> None:
    """Show a notice.

    Raises:
        NotTold: there is no ``notify-send``, or no desktop.
    """
    del sink
    program = shutil.which("notify-send")
    if program is None:
        raise NotTold("there is no notify-send on this machine (Debian: apt install libnotify-bin)")
    urgency = "critical" if message["severity"] == "critical" else "normal"
    words = [program, "--app-name=pointsman", f"--urgency={urgency}", "--"]
    try:
        done = subprocess.run(
            # No markup: a notice is what was found, not what a page would make of it.
            [*words, _plain(title_of(message)), _plain(body_of(message))],
            stdin=subprocess.DEVNULL, capture_output=True, timeout=_WITHIN, check=False,
            env=dict(os.environ),
        )  # fmt: skip
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise NotTold(f"notify-send: {error}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip()[:300]
        raise NotTold(f"notify-send: {said or f'exit code {done.returncode}'}")


def _plain(text: str) -> str:
    text = "".join(each if each.isprintable() or each == "\n" else " " for each in text)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

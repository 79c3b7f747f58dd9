"""Where errors become exit codes and words, in one place."""

import contextlib
import os
import sys
from collections.abc import Iterator

import click

from pointsman.model.errors import PointsmanError

DONE = 0
"""All is well, or the reader of our output has gone (`| head`)."""
EXPECTED = 1
"""Something was wrong that we know of; the message names the next step."""
USAGE = 2
"""The command line cannot be read: an unknown command, option or value."""
BUG = 3
"""Something was wrong with us; a log was written that can be pasted into a report."""
INTERRUPTED = 130
"""Somebody pressed ^C."""


class ReaderGone(Exception):
    """Nobody reads our output any more."""


@contextlib.contextmanager
def exit_codes() -> Iterator[None]:
    """Turn whatever comes out of a command into an exit code and a message on stderr."""
    _write_what_cannot_be_encoded()
    try:
        yield
    except PointsmanError as error:
        click.echo(f"pointsman: {error}", err=True)
        if error.fix:
            click.echo(f"next step: {error.fix}", err=True)
        sys.exit(EXPECTED)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    # Click makes an Abort of ^C.
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    # Before OSError, of which BrokenPipeError is one.
    except (ReaderGone, BrokenPipeError):
        _drop_output()
        sys.exit(DONE)
    except OSError as error:
        # What the disk or the terminal refuses is nobody's bug; whatever has a better name for
        # it has translated it before.
        _drop_output()
        what = error.strerror or str(error)
        where = f": {error.filename}" if error.filename else ""
        click.echo(f"pointsman: {what}{where}", err=True)
        click.echo("next step: pointsman doctor", err=True)
        sys.exit(EXPECTED)
    except Exception as error:  # noqa: BLE001 - the process edge
        click.echo(f"pointsman: {type(error).__name__}: {error}", err=True)
        click.echo(f"This is a bug of ours. The details are {_write_log()}", err=True)
        sys.exit(BUG)


def _write_what_cannot_be_encoded() -> None:
    """Let no byte of a payload or a path, nor a narrow terminal, end a command."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _drop_output() -> None:
    """Send what is still buffered nowhere: Python would complain about it once more at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write_log() -> str:
    """Write the traceback to a file and say where; where there is no place for one, show it."""
    import tempfile  # noqa: PLC0415 - needed by almost no run, and every tool call may pay for it
    import traceback  # noqa: PLC0415

    text = traceback.format_exc()
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="pointsman-", suffix=".log", delete=False, encoding="utf-8",
            errors="backslashreplace",
        ) as log:  # fmt: skip
            log.write(text)
    except OSError:
        return f"these:\n{text}"
    return f"in {log.name}"

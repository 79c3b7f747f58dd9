"""Where errors become exit codes and words, in one place."""

import contextlib
import os
import sys
import tempfile
import traceback
from collections.abc import Iterator

import click

from pointsman.model.errors import PointsmanError

EXPECTED = 1
"""Something was wrong that we know of; the message names the next step."""
BUG = 3
"""Something was wrong with us; a log was written that can be pasted into a report."""
INTERRUPTED = 130


@contextlib.contextmanager
def exit_codes() -> Iterator[None]:
    """Turn whatever comes out of a command into an exit code and a message on stderr."""
    try:
        yield
    except PointsmanError as error:
        click.echo(f"pointsman: {error}", err=True)
        if error.fix:
            click.echo(f"next step: {error.fix}", err=True)
        sys.exit(EXPECTED)
    except (KeyboardInterrupt, click.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has gone (`| head`); Python would complain once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except Exception as error:  # noqa: BLE001 - the process edge
        click.echo(f"pointsman: {type(error).__name__}: {error}", err=True)
        click.echo(f"This is a bug of ours. The details are in {_write_log()}", err=True)
        sys.exit(BUG)


def _write_log() -> str:
    with tempfile.NamedTemporaryFile(
        "w", prefix="pointsman-", suffix=".log", delete=False, encoding="utf-8"
    ) as log:
        log.write(traceback.format_exc())
    return log.name

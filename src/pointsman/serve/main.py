"""Become the daemon: lock, log, socket, loop."""

import asyncio
import faulthandler
import gc
import logging
import os
import sys
import threading
import time
from logging.handlers import RotatingFileHandler
from typing import Protocol

from pointsman.model.places import Places
from pointsman.serve import state_dir
from pointsman.serve.daemon import Daemon
from pointsman.serve.log import FORM, cover_log

_STALLED = 45.0
"""Seconds without a turn of the event loop after which the process gives way to a new one."""
_STALLED_CODE = 70


def serve(places: Places) -> int:
    """Run the daemon in this process until it is told to stop; return the exit code.

    Returns 0 at once where another daemon answers already.

    Raises:
        TransportError: the state directory, the lock or the socket cannot be had.
        LedgerError: the ledger cannot be opened.
    """
    state_dir.prepare(places)
    lock = state_dir.take_lock(places)
    if lock is None:
        return 0
    try:
        # Before the log: the files that rotation makes anew get their mode from this alone.
        os.umask(0o077)
        _log_to(places)
        # Staying where it was started would keep somebody's directory, and its disk, in use.
        os.chdir(places.state)
        asyncio.run(_run(places, lock))
    finally:
        # Last of all: whoever gets the lock next opens the ledger at once.
        os.close(lock)
    return 0


async def _run(places: Places, lock: int) -> None:
    # The ledger is opened before the socket: nobody is accepted who could not be recorded.
    daemon = Daemon(places, held=lambda: state_dir.holds(places, lock))
    cover_log(daemon.secrets)
    # What is there now stays: the collector need not walk it while somebody waits.
    gc.collect()
    gc.freeze()
    # An event leaves some hundred objects and no cycle: looking after every 700 finds nothing.
    gc.set_threshold(20_000, 20, 20)
    threading.Thread(target=_watch, args=(daemon,), daemon=True, name="watchdog").start()
    await daemon.run(state_dir.listen(places))


class Beating(Protocol):
    """What stamps the time at each turn of its event loop."""

    heartbeat: float


def _watch(daemon: Beating, stalled: float = _STALLED) -> None:
    """End a process whose loop stands still: clients then start another and ask again."""
    while True:
        time.sleep(stalled / 9)
        if time.monotonic() - daemon.heartbeat > stalled:
            logging.getLogger("pointsman.daemon").critical("the event loop stands still: exit")
            faulthandler.dump_traceback(file=sys.stderr, all_threads=True)
            # `sys.exit` would end this thread alone; a loop that stands still cleans up nothing.
            os._exit(_STALLED_CODE)


def _log_to(places: Places) -> None:
    handler = RotatingFileHandler(places.log, maxBytes=4_000_000, backupCount=2, encoding="utf-8")
    logging.basicConfig(level=logging.INFO, format=FORM, handlers=[handler], force=True)

"""Takes in what clients have left in the spool, where no daemon answered."""

from collections.abc import Callable
from pathlib import Path

from pointsman.model.errors import LedgerError
from pointsman.runtime import Runtime
from pointsman.serve import protocol
from pointsman.serve.deliveries import delivery_of
from pointsman.store import spool


async def take_in(
    place: Path,
    runtime: Runtime,
    cover: Callable[[bytes], bytes],
    report: Callable[[str, str], None],
) -> None:
    """Put every event of the spool on record; a file that cannot be read is kept aside, and said.

    Raises:
        LedgerError: an event could not be put on record; it stays where it is until it can.
    """
    for spooled in spool.read_spool(place):
        broken = spooled.broken
        if not broken:
            try:
                header = protocol.read_header(spooled.header)
                await runtime.take_in(delivery_of(header, spooled.body, spooled.reason))
            except LedgerError:
                raise
            except Exception as error:  # noqa: BLE001 - one bad file must not hold up the rest
                broken = f"{type(error).__name__}: {error}"
        if broken:
            kept = spool.discard(spooled)
            spool.cover(kept, cover)
            report("spool file broken", f"{kept}: {broken}")
        else:
            # Only now: dying here costs a second row; removed first, the event could be lost.
            spool.done(spooled)

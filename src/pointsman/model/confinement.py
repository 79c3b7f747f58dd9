"""What the kernel lets one command change, and the words that hold a command to it."""

from dataclasses import dataclass

MECHANISMS = ("bubblewrap", "landlock", "none")
"""What can hold a command, best first; ``none`` is a machine that has neither."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confinement:
    """What the kernel lets one command change; everything else is read-only to it.

    All paths are absolute and canonical. ``limits`` says, in words for a person and the record,
    what the contract asks for and this confinement cannot give.
    """

    root: str
    """The repository's root."""
    writable: tuple[str, ...]
    """Existing directories or files that may be written."""
    protected: tuple[str, ...] = ()
    """Existing things below a writable one that stay read-only."""
    hidden: tuple[str, ...] = ()
    """Sockets behind which somebody outside would carry out what a command asks for."""
    network: bool = True
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Seam:
    """What holds commands on this machine, as ``sandbox.probe`` found by trying it.

    ``client`` are the words that start ``pointsman-exec``, absolute; ``program`` is bubblewrap's
    path. ``refused`` says of each mechanism that is not used why it is not.
    """

    mechanism: str
    client: tuple[str, ...]
    version: str = ""
    program: str = ""
    new_user: bool = False
    """Whether bubblewrap needs a user namespace for it."""
    stays: bool = False
    """Whether bubblewrap cannot be joined and stays above the command."""
    disks: bool = False
    """Whether the user could write to a disk device, past every mount."""
    refused: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """The words that stand before a shell so that the kernel holds it, and what they cannot do.

    Without words (``mechanism`` is ``none``) nothing holds the command but analysis and proof.
    """

    mechanism: str
    words: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()

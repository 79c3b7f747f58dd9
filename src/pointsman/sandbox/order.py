"""What decides over a path: the deepest entry that holds it."""

from collections.abc import Iterator

from pointsman.model.confinement import Confinement


def within(path: str, directory: str) -> bool:
    """Whether an absolute path is this directory or lies below it."""
    return path == directory or path.startswith(directory.rstrip("/") + "/")


def in_order(confinement: Confinement) -> Iterator[tuple[str, bool]]:
    """Yield each path with whether it may be written, what lies deeper after what holds it.

    A path that is both is protected.
    """
    # The later of two entries of one key stands, so protection is put in last.
    modes = dict.fromkeys(confinement.writable, True) | dict.fromkeys(confinement.protected, False)
    for path in sorted(modes, key=lambda each: (each.rstrip("/").count("/"), each)):
        yield path, modes[path]

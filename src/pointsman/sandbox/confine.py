"""From what a contract allows to the words that stand before the shell."""

from collections.abc import Callable, Mapping

from pointsman.model.confinement import Confinement, Prefix, Seam
from pointsman.sandbox import bubblewrap, landlock

_BY_MECHANISM: Mapping[str, Callable[[Confinement, Seam], Prefix]] = {
    "bubblewrap": bubblewrap.prefix,
    "landlock": landlock.prefix,
}


def confine(confinement: Confinement, seam: Seam) -> Prefix:
    """Return the prefix that holds a command to this confinement, by what the probe found.

    Where nothing can hold it the prefix has no words, and its limits say why.
    """
    make = _BY_MECHANISM.get(seam.mechanism)
    if make is not None:
        return make(confinement, seam)
    why = "; ".join(f"{name}: {reason}" for name, reason in seam.refused)
    limit = "nothing on this machine can hold a command" + (f" ({why})" if why else "")
    return Prefix(mechanism="none", limits=(*confinement.limits, limit))

"""What has changed between two lists of a server's tools. Pure."""

from collections.abc import Mapping


def drift(before: Mapping[str, str], now: Mapping[str, str]) -> tuple[str, ...]:
    """Return what has changed between two lists of tools, a few words each."""
    gone = [f"{name} is gone" for name in before if name not in now]
    new = [f"{name} is new" for name in now if name not in before]
    other = [f"{name} has changed" for name in now if before.get(name, now[name]) != now[name]]
    return tuple(sorted([*gone, *new, *other]))

"""What a tool needs to be let in somewhere, or must not have: a declaration in the settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """What calls need (or, ``forbidden``, must not have).

    ``tool`` is a pattern of tool names, ``command`` one of shell commands as their words with one
    space between them; one of the two is given. ``env`` are names of variables, ``files`` paths
    (``~`` is the home, a relative one counts from the working directory). With ``any`` one of all
    these is enough; without, every one is needed.
    """

    tool: str = ""
    command: str = ""
    env: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    any: bool = True
    forbidden: bool = False
    hint: str = ""
    """What a person types or does to give it."""

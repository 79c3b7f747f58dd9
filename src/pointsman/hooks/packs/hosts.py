"""Hosts: which of them is this machine, and which tell a machine its own secrets."""

import re

_LOCAL = re.compile(
    r"(?:\w[\w+.-]*://)?(?:[^/@\s]*@)?(?:localhost|127(?:\.\d+){1,3}|0\.0\.0\.0|\[?::1\]?"
    r"|host\.docker\.internal|[\w.-]+\.(?:localhost|test\.local))(?::\d+)?(?:[/?#].*)?\Z",
    re.DOTALL,
)
METADATA = re.compile(
    r"(?:^|[/@.])(?:169\.254\.169\.254|169\.254\.170\.2|100\.100\.100\.200|192\.0\.0\.192"
    r"|metadata\.google\.internal"
    r"|metadata\.goog|metadata\.azure\.internal|\[?fd00:ec2::254\]?|2852039166|0xa9fea9fe"
    r"|0251\.0376\.0251\.0376)"
    r"(?:[:/?#]|\Z)",
    re.IGNORECASE,
)
"""Addresses at which a cloud tells a machine its own keys."""


def is_local(address: str) -> bool:
    """Whether a host or URL is this machine."""
    return _LOCAL.match(address) is not None

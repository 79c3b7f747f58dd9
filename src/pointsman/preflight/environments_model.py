"""What an environment is here: variables and where they come from, and what surrounds a program.

A value is looked at when it is read and not kept: what stays is a fingerprint under a key of this
process, whether it looks like a secret, and the address in it. So none can be printed later.
"""

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pointsman.model.audit import Finding, Level
from pointsman.model.preflight import Files, Target, Use

_KEY = secrets.token_bytes(16)
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:SECRET|PASSWORD|PASSWD|PASS|PWD|TOKEN|CREDENTIALS?|PRIVATE_KEY|API_?KEY|ACCESS_KEY"
    r"|AUTH_KEY|SIGNING_KEY|ENCRYPTION_KEY|DSN)(?:$|_(?!NAME|FILE|PATH|URL|URI|ID|TTL|EXPIR|LIMIT"
    r"|COUNT|MAX|VERSION|LENGTH))"
)
_SECRET_COUNT = re.compile(r"^(?:MAX|MIN|NUM)_|(?:MAX|MIN)_(?:OUTPUT_|INPUT_)?TOKENS?$|_TOKENS$")
_SECRET_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bsk-[A-Za-z0-9_-]{16,}|\bAIza[0-9A-Za-z_-]{30,}"
    r"|\bgh[pousr]_[A-Za-z0-9]{20,}|\bAKIA[0-9A-Z]{16}\b|\bxox[abps]-[A-Za-z0-9-]{10,}"
    r"|\"private_key\"|\A[a-z][a-z0-9+.-]*://[^/\s:@]*:[^/\s@$]+@"
)
_HARMLESS = re.compile(
    r"(?i)\A(?:true|false|yes|no|on|off|[0-9]{1,5}|debug|info|warn|warning|error|critical|dev"
    r"|development|local|test|testing|staging|stage|prod|production|default|none|json|text)\Z"
)
_URL = re.compile(r"\A[a-z][a-z0-9+.-]*://(?:[^/\s@]*@)?(\[[0-9a-fA-F:]+\]|[^/\s:?#,]+)(?::(\d+))?")
_HOST_PORT = re.compile(r"\A([A-Za-z0-9.-]+):(\d{1,5})\Z")
_HOST = re.compile(r"\A(?:localhost|host\.docker\.internal|[0-9]+(?:\.[0-9]+){3}|[\w-]+\.local)\Z")


class Source(StrEnum):
    """Where the value of a variable comes from."""

    SHELL = "the shell"
    DOTENV = "a .env file"
    IMAGE = "the image"
    LITERAL = "written in the manifest"
    SECRET = "a secret"  # noqa: S105 - a word, no secret
    CONFIG = "a config map"
    FIELD = "the platform"
    PASSED = "passed on from outside"


class Sort(StrEnum):
    """What kind of place an environment is."""

    LOCAL = "local"
    CONTAINER = "container"
    DEPLOYED = "deployed"


class Rank(StrEnum):
    """What a difference breaks, the worst first; ``level`` is the finding's own."""

    START = "breaks at start"
    REQUEST = "breaks at first request"
    BEHAVIOUR = "changes behaviour"
    DIFFERS = "only differs"

    @property
    def level(self) -> Level:
        """Errors are what breaks; what behaves in another way is a warning."""
        return _LEVELS[self]


_LEVELS = {Rank.START: Level.ERROR, Rank.REQUEST: Level.ERROR, Rank.BEHAVIOUR: Level.WARNING,
           Rank.DIFFERS: Level.NOTE}  # fmt: skip
RANKS = tuple(Rank)


@dataclass(frozen=True, slots=True)
class Address:
    """A host in a value, and its port, 0 where none is said."""

    host: str
    port: int = 0

    def __str__(self) -> str:
        """Return it as it is written: ``host:port``, or the host alone."""
        return f"{self.host}:{self.port}" if self.port else self.host

    @property
    def loopback(self) -> bool:
        """Whether it is this machine itself."""
        ip = _ip(self.host)
        return self.host in {"localhost", "host.docker.internal"} or bool(ip and ip.is_loopback)

    @property
    def private(self) -> bool:
        """Whether only one network knows it; the metadata server is everywhere."""
        ip = _ip(self.host)
        if ip is None:
            return self.host.endswith((".local", ".lan"))
        return ip.is_private and not (ip.is_loopback or ip.is_link_local or ip.is_unspecified)


def address_of(value: str) -> Address | None:
    """Return the host that a value leads to: of a URL, of ``host:port``, or a bare address."""
    value = value.strip()
    found = _URL.match(value) or _HOST_PORT.match(value)
    if found is not None:
        return Address(found.group(1).strip("[]").lower(), int(found.group(2) or 0))
    return Address(value.lower()) if _HOST.match(value) or value == "::1" else None


def secret_named(name: str) -> bool:
    """Whether a name says that its value is a secret."""
    upper = name.upper()
    return bool(_SECRET_NAME.search(upper)) and not _SECRET_COUNT.search(upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A variable as an environment sets it, without its value."""

    name: str
    source: Source
    file: str
    line: int
    ref: str = ""
    """What it is taken from: ``secret-name:key``."""
    mark: str = ""
    """Fingerprint of the value, empty where it is not known here."""
    shown: str = ""
    """The value, only where it is one of a few words and numbers that are no secret."""
    empty: bool = False
    secret: bool = False
    """Whether the name or the value says that it is one."""
    address: Address | None = None
    path: str = ""
    """The value where it is the path of a file, of a name that speaks of one."""
    sqlite: str = ""
    optional: bool = False


def variable(name: str, value: str | None, source: Source, file: str, line: int) -> Variable:
    """Look at a value and keep what may be kept; ``None`` is a value that is not known."""
    if value is None:
        return Variable(name=name, source=source, file=file, line=line, secret=secret_named(name))
    secret = bool(_SECRET_VALUE.search(value)) or (secret_named(name) and not value.isdecimal())
    mark = hmac.new(_KEY, value.encode("utf-8", "surrogateescape"), hashlib.sha256).hexdigest()
    sqlite = re.match(r"\Asqlite(?:\+\w+)?:///(.*)", value)
    is_path = name == "GOOGLE_APPLICATION_CREDENTIALS" or value.startswith(("/home/", "/Users/"))
    return Variable(
        name=name, source=source, file=file, line=line, mark=mark[:16], empty=not value,
        shown=value if _HARMLESS.match(value) and not secret_named(name) else "",
        secret=secret, address=address_of(value), path=value if is_path else "",
        sqlite=sqlite.group(1) if sqlite else "",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fact:
    """Something else that an environment says, with its place."""

    text: str
    file: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """One place where the program runs, as far as it is known."""

    label: str
    sort: Sort
    file: str
    line: int = 1
    name: str = ""
    """What the service is called there."""
    target: Target | None = None
    variables: Mapping[str, Variable] = field(default_factory=dict)
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """By what they are about: cpu, memory, python, port, command, identity, read-only, …"""
    mounts: tuple[str, ...] = ()
    """Directories that are mounted."""
    roles: tuple[str, ...] | None = None
    """What its identity may do; ``None`` where that is not known here."""
    packages: Mapping[str, str] = field(default_factory=dict)
    beside: int = 0
    """How many other containers share its network."""
    unknown: str = ""
    """Why more variables may be set than are known."""

    def fact(self, key: str) -> str:
        """Return what is said about something, empty where nothing is."""
        return self.facts[key].text if key in self.facts else ""

    def mounted(self, path: str) -> bool:
        """Whether a path lies in a directory that is mounted."""
        return any(each and path.startswith(each) for each in self.mounts)

    def place(self, key: str) -> tuple[str, int]:
        """Return where something is said; the environment's own place where it is not."""
        found = self.facts.get(key) or self.variables.get(key)
        return (found.file, found.line) if found else (self.file, self.line)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference(Finding):
    """A finding that says what it breaks, and what each side has."""

    rank: Rank
    left: str = ""
    right: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two environments, the program, and whether the second has to mirror the first."""

    left: Environment
    right: Environment
    uses: tuple[Use, ...]
    files: Files
    mirror: bool = False


def _ip(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None

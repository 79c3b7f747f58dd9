"""Values that are known to be secret because of what they are called, in every spelling."""

import base64
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

_SHORTEST = 8
_MOST_VALUES = 256
_LONGEST = 16 * 1024
_NAMED = re.compile(
    r"(?:^|[_.-])(?:\w*(?:TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|APIKEY)S?"
    r"|\w*KEYS?|PAT|\w*PASS|PWD|AUTH)\Z"
    r"|(?:TOKEN|SECRET|PASSWORD|APIKEY|API_KEY)",
    re.IGNORECASE,
)
_JOINT = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
"""Where one word of ``camelCase`` ends and the next begins."""
_ORDINARY = re.compile(
    r"(?<![A-Za-z])(?:(?:mon|don|tur|hoc|joc|whis|lac|flun|malar|hot|turn|latch)key"
    r"|(?:com|encom|by|tres|sur|over|under|multi)pass(?:es)?"
    r"|tokeni[sz][a-z]*|secretar[a-z]*)s?(?![A-Za-z])",
    re.IGNORECASE,
)
"""Words that only happen to hold one of those: a compass opens nothing.

They are listed, and not what may stand before ``KEY`` or ``PASS``: ``PGPASS`` and ``STRIPEKEY`` are
secrets, and of such names there is no end.
"""
_PLAIN = re.compile(
    r"/|~/|https?://[^@]*\Z|(?:true|false|enabled|disabled|required|optional)\Z", re.IGNORECASE
)
"""Values that name where a secret is, or whether there is one."""


def is_secret_name(name: str) -> bool:
    """Whether a variable or a setting of this name holds a secret, judged by its words."""
    words = _ORDINARY.sub("x", _JOINT.sub("_", name))
    return name not in {"PWD", "OLDPWD"} and _NAMED.search(words) is not None


def secret_values(named: Mapping[str, object]) -> dict[str, str]:
    """Return those values of a mapping, however deep, whose names say that they are secret."""
    out: dict[str, str] = {}
    for name, value in named.items():
        if isinstance(value, Mapping):
            out |= secret_values(value)
        elif isinstance(value, str) and is_secret_name(name) and _is_value(value):
            out[name] = value
    return out


def _is_value(value: str) -> bool:
    return _SHORTEST <= len(value) <= _LONGEST and not _PLAIN.match(value)


class Known:
    """The values known so far; each is looked for as it is, and encoded."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}
        self._spelled: list[tuple[str, str]] = []

    def add(self, values: Mapping[str, str]) -> None:
        """Remember values by their names, at most 256 of them."""
        for name, value in values.items():
            if value in self._kinds or len(self._kinds) >= _MOST_VALUES or not _is_value(value):
                continue
            self._kinds[value] = kind = f"value-of-{_kind(name)}"
            self._spelled += [(each, kind) for each in dict.fromkeys(_spellings(value))]
        # The longest first: a value is not to be taken for the part of it that is another's.
        self._spelled.sort(key=lambda pair: -len(pair[0]))

    def hits(self, text: str) -> list[tuple[str, str]]:
        """Return the spellings that stand in a text, each with its kind."""
        return [pair for pair in self._spelled if pair[0] in text]


def _kind(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "secret"


def _spellings(value: str) -> Iterator[str]:
    data = value.encode("utf-8", "surrogateescape")
    yield value
    for ascii_only in (True, False):
        once = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield once
        yield json.dumps(once, ensure_ascii=ascii_only)[1:-1]
    yield value.replace("/", "\\/")
    yield quote(data, safe="")
    yield quote(data)
    yield quote_plus(data)
    yield re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), quote(data, safe=""))
    yield data.hex()
    yield data.hex().upper()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        # Within a longer text the encoding depends on where it begins, in one of three ways.
        for before in range(3):
            whole = encode(b"\0" * before + data).decode()
            whole = whole.rstrip("=")
            first = (before * 8 + 5) // 6
            last = (before + len(data)) * 8 // 6
            yield whole[first:last]

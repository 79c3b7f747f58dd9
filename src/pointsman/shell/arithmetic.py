"""Arithmetic of the shell, as far as its numbers are known."""

import re
from collections.abc import Callable
from operator import add as plus
from operator import and_, eq, ge, gt, le, lshift, lt, mul, ne, or_, rshift, xor
from operator import sub as minus

_TOKEN = re.compile(
    r"\s*(\d+#[\w@]+|0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*"
    r"|\*\*|<<=|>>=|[-+*/%&|^]=|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|[-+*/%<>=!~&|^?:(),])"
)
_MOST_TOKENS = 512
_MOST_NESTING = 32
_BITS = 63


class _Unclear(Exception):
    """The value is not known."""


def _divide(left: int, right: int) -> int:
    if not right:
        raise _Unclear
    # C cuts towards zero, Python rounds down.
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def _rest(left: int, right: int) -> int:
    return left - _divide(left, right) * right


def _power(left: int, right: int) -> int:
    # The shell wraps around at 64 bits; a number that would is not worked out here.
    if not 0 <= right <= _BITS or abs(left) > 1 << 32:
        raise _Unclear
    return int(left**right)


def _shift(shift: Callable[[int, int], int]) -> Callable[[int, int], int]:
    def run(left: int, right: int) -> int:
        if not 0 <= right <= _BITS:
            raise _Unclear
        return shift(left, right)

    return run


_LEVELS: tuple[dict[str, Callable[[int, int], int]], ...] = (
    {"||": lambda left, right: int(bool(left) or bool(right))},
    {"&&": lambda left, right: int(bool(left) and bool(right))},
    {"|": or_},
    {"^": xor},
    {"&": and_},
    {"==": eq, "!=": ne},
    {"<": lt, ">": gt, "<=": le, ">=": ge},
    {"<<": _shift(lshift), ">>": _shift(rshift)},
    {"+": plus, "-": minus},
    {"*": mul, "/": _divide, "%": _rest},
    {"**": _power},
)
_ASSIGNS = frozenset({"=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "<<=", ">>="})
_ALL = {operator: run for level in _LEVELS for operator, run in level.items()}

Lookup = Callable[[str], str | None]
Store = Callable[[str, str], None]


def evaluate(text: str, lookup: Lookup, store: Store) -> int | None:
    """Return the value of an expression, ``None`` where it is not known; assignments are stored."""
    tokens = _tokens(text)
    if tokens is None:
        return None
    try:
        reading = _Reading(tokens, lookup, store)
        value = reading.whole()
    except (_Unclear, IndexError):
        return None
    return value if abs(value) < 1 << _BITS else None


def _tokens(text: str) -> list[str] | None:
    out: list[str] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or len(out) >= _MOST_TOKENS:
            return None
        out.append(found[1])
        at = found.end()
    return out


class _Reading:
    """One expression, read from the left."""

    def __init__(self, tokens: list[str], lookup: Lookup, store: Store) -> None:
        self._tokens = [*tokens, ""]
        self._at = 0
        self._lookup = lookup
        self._store = store
        self._nested = 0

    def whole(self) -> int:
        value = self._comma() if self._tokens[0] else 0
        if self._tokens[self._at]:
            raise _Unclear
        return value

    def _take(self, *wanted: str) -> str:
        if self._tokens[self._at] in wanted and self._tokens[self._at]:
            self._at += 1
            return self._tokens[self._at - 1]
        return ""

    def _comma(self) -> int:
        self._nested += 1
        if self._nested > _MOST_NESTING:
            raise _Unclear
        value = self._assign()
        while self._take(","):
            value = self._assign()
        self._nested -= 1
        return value

    def _assign(self) -> int:
        name, operator = self._tokens[self._at], (*self._tokens, "")[self._at + 1]
        if not name.isidentifier() or operator not in _ASSIGNS:
            return self._choose()
        self._at += 2
        self._nested += 1
        if self._nested > _MOST_NESTING:
            raise _Unclear
        value = self._assign()
        self._nested -= 1
        if operator != "=":
            value = int(_ALL[operator[:-1]](self._number(name), value))
        self._store(name, str(value))
        return value

    def _choose(self) -> int:
        value = self._level(0)
        if not self._take("?"):
            return value
        # Both sides are read, and what either assigns is stored: which is right is seldom asked.
        yes = self._comma()
        if not self._take(":"):
            raise _Unclear
        no = self._comma()
        return yes if value else no

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        value = self._level(level + 1)
        while True:
            operator = self._take(*_LEVELS[level])
            if not operator:
                return value
            value = int(_LEVELS[level][operator](value, self._level(level + 1)))

    def _unary(self) -> int:
        operator = self._take("-", "+", "!", "~", "++", "--")
        if operator in {"++", "--"}:
            return self._step(self._word(), 1 if operator == "++" else -1)
        if operator:
            self._nested += 1
            if self._nested > _MOST_NESTING:
                raise _Unclear
            value = self._unary()
            self._nested -= 1
            return {"-": -value, "+": value, "!": int(not value), "~": ~value}[operator]
        if self._take("("):
            value = self._comma()
            if not self._take(")"):
                raise _Unclear
            return value
        word = self._word()
        after = self._take("++", "--") if word.isidentifier() else ""
        if after:
            value = self._number(word)
            self._step(word, 1 if after == "++" else -1)
            return value
        return self._number(word)

    def _word(self) -> str:
        word = self._tokens[self._at]
        if not re.match(r"\w", word):
            raise _Unclear
        self._at += 1
        return word

    def _step(self, name: str, by: int) -> int:
        value = self._number(name) + by
        self._store(name, str(value))
        return value

    def _number(self, word: str) -> int:
        if word.isidentifier():
            text = self._lookup(word)
            if text is None:
                raise _Unclear
            return _integer(text.strip() or "0")
        return _integer(word)


def _integer(text: str) -> int:
    base, mark, digits = text.partition("#")
    try:
        if mark:
            return int(digits, int(base))
        if text.lower().startswith("0x"):
            return int(text, 16)
        # Cut, for turning a long text of digits into a number is not linear.
        return int(text, 8) if re.fullmatch(r"0[0-7]+", text) else int(text[:64])
    except ValueError:
        raise _Unclear from None

"""One contract ready to judge paths by: what the guards of edits and of commands hold them to."""

import os
import unicodedata
from collections.abc import Iterable

from pointsman.model.contract import ALLOW_ALL, Contract
from pointsman.model.decision import Action, Cause, Decision, deny
from pointsman.paths.canonical import Canonical
from pointsman.paths.globs import Globs, forbidding

_MOST_SHOWN = 12


class Held:
    """One contract with its globs compiled."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        # Told apart by identity: a written "**" is everything in the repository, no declaration
        # is everything there is.
        self._everything = contract.allowed is ALLOW_ALL
        self._allowed = Globs(contract.allowed)
        self._forbidden = Globs(_composed(each) for each in forbidding(contract.forbidden))
        self._above = Globs(_above(contract.allowed))

    @property
    def binds(self) -> bool:
        """Whether there is anything that this contract does not allow."""
        contract = self.contract
        return not self._everything or bool(
            contract.forbidden or contract.read_only or contract.problems
        )

    def outside(self, path: str, root: str) -> str:
        """Return why a path whose place is known may not be changed, or the empty string.

        ``path`` is relative to ``root``, which is canonical. One that ends with a slash is a
        directory that comes or goes: it may, if what may be changed can lie in it.
        """
        contract, place = self.contract, path.rstrip("/")
        if contract.problems:
            return f"the contract cannot be read: {'; '.join(contract.problems)}"
        if contract.read_only:
            return "it is declared read-only"
        named = _composed(place)
        hit = self._forbidden.match(named) or self._forbidden.match(f"{_composed(root)}/{named}")
        if hit is not None:
            return f"forbidden by {hit!r}"
        inside = (
            self._everything
            or self._allowed.match(place)
            or self._allowed.match_absolute(f"{root}/{place}")
            or (path.endswith("/") and self._above.match(place))
        )
        return "" if inside else f"allowed are only: {self._list()}"

    def judge(self, where: Canonical, named: str, root: str) -> Decision | None:
        """Return a denial, or ``None`` where this contract allows the path.

        ``named`` is the path as it was written, made absolute: a forbidden name stays forbidden
        when a symbolic link stands in for it.
        """
        contract = self.contract
        if contract.problems:
            return self._unverified("scope.contract-broken", where, "; ".join(contract.problems))
        if where.unresolved:
            return self._unverified("scope.unverifiable-path", where, where.unresolved)
        if contract.read_only:
            return deny(self._text(where, "it is declared read-only"), rule="scope.read-only")
        hit = self._forbids(where.path, root) or self._forbids(named, root)
        if hit is not None:
            return deny(self._text(where, f"forbidden by {hit!r}"), rule="scope.forbidden")
        return self._judge_allowed(where, _relative(where.path, root))

    def _forbids(self, path: str, root: str) -> str | None:
        absolute = _composed(path)
        inside = path.startswith(f"{root}/")
        relative = path[len(root) + 1 :] if inside else _relative(path, root)
        return self._forbidden.match(_composed(relative)) or self._forbidden.match(absolute)

    def _judge_allowed(self, where: Canonical, relative: str) -> Decision | None:
        inside = not relative.startswith("../") and relative != ".."
        declared = (inside and self._allowed.match(relative)) or self._allowed.match_absolute(
            where.path
        )
        if not declared and not self._everything:
            reason = f"allowed are only: {self._list()}"
            return deny(self._text(where, reason), rule="scope.outside")
        if where.links > 1 and not (self._everything and not self.contract.forbidden):
            reason = f"the file has {where.links} names (hard links); another may be out of scope"
            return self._unverified("scope.unverifiable-path", where, reason)
        return None

    def _unverified(self, rule: str, where: Canonical, why: str) -> Decision:
        text = f"{self._text(where, why)}. A person mends that, or removes the extra name"
        return Decision(action=Action.DENY, reason=text, rule=rule, cause=Cause.UNVERIFIED)

    def _text(self, where: Canonical, why: str) -> str:
        contract = self.contract
        return f"agent {contract.agent!r} may not modify {where.path}: {why} ({contract.source})"

    def _list(self) -> str:
        allowed = self.contract.allowed
        if not allowed:
            return "nothing"
        more = f", and {len(allowed) - _MOST_SHOWN} more" if len(allowed) > _MOST_SHOWN else ""
        return ", ".join(allowed[:_MOST_SHOWN]) + more


def _above(patterns: Iterable[str]) -> list[str]:
    """Return globs of the directories in which something may lie that these patterns match."""
    out: list[str] = []
    for pattern in patterns:
        parts = pattern.removeprefix("./").split("/")[:-1]
        for count in range(1, len(parts) + 1):
            # From the first ** on it is everything below; and braces may span directories.
            if parts[count - 1] == "**":
                out.append("/".join(parts[:count]))
                break
            out.append("/".join(parts[:count]))
    return [each for each in out if each and each.count("{") == each.count("}")]


def _composed(text: str) -> str:
    """Return the one spelling that Unicode gives to a text written with combining marks."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _relative(path: str, root: str) -> str:
    """Return the path from the root, in the form globs are written in."""
    real = os.path.realpath(root)
    if path == real:
        return "."
    if path.startswith(f"{real}/"):
        return path[len(real) + 1 :]
    return os.path.relpath(path, real)

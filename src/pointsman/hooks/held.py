"""One contract ready to judge paths by: what the guards of edits and of commands hold them to."""

import os
import unicodedata

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

"""One contract, ready to judge a path by.

Forbidden wins over allowed; an agent that declares nothing may modify everything.
"""

import os
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pointsman.hooks.shell_writes import ShellWrite
from pointsman.model.contract import ALLOW_ALL, EVERY_AGENT, Contract
from pointsman.model.decision import Action, Cause, Decision, deny
from pointsman.model.event import Identity
from pointsman.model.policy import Policy
from pointsman.paths.canonical import Canonical, canonical
from pointsman.paths.globs import Globs, forbidding

_MOST_SHOWN = 12
_MOST_BELOW = 5000
"""Files below a directory that goes as a whole; with more it cannot be verified."""

_INSTEAD = "Keep to what is allowed, or let a person widen the contract"


def held_by(policy: Policy) -> "Callable[[Identity], Sequence[Held]]":
    """Return what says which contracts bind an agent, each compiled once."""
    compiled = {
        agent: tuple(Held(contract) for contract in contracts)
        for agent, contracts in policy.contracts.items()
    }
    everybody = compiled.get(EVERY_AGENT, ())
    return lambda identity: (*compiled.get(identity.agent, ()), *everybody)


def absolute(path: str, cwd: str) -> str:
    """Return a path as it was written, made absolute and textually plain."""
    return os.path.normpath(path if path.startswith("/") else f"{cwd}/{path}")


class Held:
    """One contract with its globs compiled."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        # Told apart by identity: a written "**" is everything in the repository, no declaration
        # is everything there is.
        self._everything = contract.allowed is ALLOW_ALL
        self._allowed = Globs(contract.allowed)
        self._forbidden = Globs(_composed(each) for each in forbidding(contract.forbidden))

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
            or (path.endswith("/") and self._allowed.may_hold(place))
        )
        return "" if inside else f"allowed are only: {self._list()}"

    def root_of(self, identity: Identity) -> str:
        """Return the directory that the globs count from when this agent acts."""
        return identity.repository or self.contract.root

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

    def judge_write(self, write: ShellWrite, root: str) -> Decision | None:
        """Return a denial of what a shell command would change, or ``None``."""
        for where in _places(write):
            decision = self._judge_place(write, where, root)
            if decision is not None:
                text = f"{decision.reason}; `{write.construct}` would change it. {_INSTEAD}"
                return replace(decision, reason=text)
        return None

    def _judge_place(self, write: ShellWrite, where: Canonical, root: str) -> Decision | None:
        relative = _relative(where.path, root)
        may_hold = self._everything or (
            not relative.startswith("../") and self._allowed.may_hold(relative)
        )
        sound = not (self.contract.problems or where.unresolved or self.contract.read_only)
        if sound and may_hold and not self._forbids(where.path, root):
            if write.partial or write.directory:
                return None
            if write.whole:
                return self._judge_below(where, root)
        return self.judge(where, write.path, root)

    def _judge_below(self, top: Canonical, root: str) -> Decision | None:
        """Judge every file in a directory that is deleted, moved or changed as a whole."""
        for count, path in enumerate(_below(top.path)):
            if count >= _MOST_BELOW:
                why = f"there are more than {_MOST_BELOW} files in it"
                return self._unverified("scope.unverifiable-path", top, why)
            decision = self.judge(Canonical(path), path, root)
            if decision is not None:
                return decision
        return None

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


def _places(write: ShellWrite) -> Iterator[Canonical]:
    """Yield where a change takes effect: the name itself, and what it leads to.

    Deleting and moving are done to a name. What writes either follows a link or puts a new file
    in its place, and which of them a program does is not always known.
    """
    above, name = os.path.split(write.path)
    parent = canonical(above, "/")
    itself = replace(parent, path=os.path.join(parent.path, name)) if name else parent  # noqa: PTH118
    yield itself
    if not write.removes:
        target = canonical(write.path, "/")
        if target.path != itself.path or target.links > 1:
            yield target


def _below(top: str) -> Iterator[str]:
    for folder, folders, names in os.walk(top):
        folders.sort()
        # A link to a directory goes as a name, like a file.
        links = [each for each in folders if Path(folder, each).is_symlink()]
        for name in (*sorted(names), *links):
            yield f"{folder}/{name}"

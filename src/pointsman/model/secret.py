"""What is said of secrets: where one stands in a text, and who finds and covers them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Secret:
    """One secret in a text: characters ``start`` to ``end``, of this kind.

    ``kind`` is the id of the rule that found it, such as ``github-pat``. ``sure`` is false where
    only the words around it say that it is one (``api_key = …``). ``mark`` is what stands in its
    place once it is covered; it holds a keyed hash, so that the same secret has the same mark.
    """

    start: int
    end: int
    kind: str
    sure: bool
    mark: str
    placeholder: bool = False
    """Whether it says of itself that it is none (``…EXAMPLE``): no reason to stop anybody."""

    @property
    def hash(self) -> str:
        """The keyed hash alone, by which a person can let one secret pass."""
        return self.mark.rpartition(":")[2].rstrip("]")


@dataclass(frozen=True, slots=True)
class Redaction:
    """What was covered, by kind, and what went wrong meanwhile (the empty string: nothing)."""

    kinds: Mapping[str, int] = field(default_factory=dict)
    fault: str = ""

    def __bool__(self) -> bool:
        """Return whether there is anything to tell."""
        return bool(self.kinds or self.fault)

    def __str__(self) -> str:
        """Render as ``covered github-pat, 2 jwt``."""
        told = ", ".join(
            kind if count == 1 else f"{count} {kind}" for kind, count in self.kinds.items()
        )
        return "; ".join(part for part in (f"covered {told}" if told else "", self.fault) if part)


class Secrets(Protocol):
    """Finds secrets and covers them; one for the whole process. Linear in what it is given."""

    def find(self, text: str) -> tuple[Secret, ...]:
        """Return the secrets in a text, in order; no two overlap."""

    def text(self, text: str) -> str:
        """Return a text with every secret covered."""

    def json(self, data: bytes) -> bytes:
        """Return JSON with every secret in its strings covered; it stays JSON."""

    def clear(self, bodies: Iterable[bytes], texts: Iterable[str]) -> bool:
        """Whether none of these holds any, by one search for all; false where that is not sure."""

    def together(
        self, bodies: Iterable[bytes], texts: Iterable[str]
    ) -> tuple[list[bytes], list[str], Redaction]:
        """Cover what belongs together: a secret that one of them gives away is covered in all."""

    def know(self, values: Mapping[str, object]) -> None:
        """Remember the values whose names say that they are secret, wherever they turn up."""


class NoSecrets:
    """Finds none: for a hook or a runtime that is used without a daemon's services."""

    def find(self, text: str) -> tuple[Secret, ...]:
        """Return nothing."""
        del text
        return ()

    def text(self, text: str) -> str:
        """Return the text."""
        return text

    def json(self, data: bytes) -> bytes:
        """Return the bytes."""
        return data

    def clear(self, bodies: Iterable[bytes], texts: Iterable[str]) -> bool:
        """Say so."""
        del bodies, texts
        return True

    def together(
        self, bodies: Iterable[bytes], texts: Iterable[str]
    ) -> tuple[list[bytes], list[str], Redaction]:
        """Return them."""
        return list(bodies), list(texts), Redaction()

    def know(self, values: Mapping[str, object]) -> None:
        """Forget them."""
        del values

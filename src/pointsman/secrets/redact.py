"""The one way in which secrets are covered, whatever they would be written to."""

import os
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from pointsman.model.secret import Redaction, Secret
from pointsman.secrets.detect import Detector, Found, Span
from pointsman.secrets.engine import Engine
from pointsman.secrets.json_text import Unescaped, searched, spliced
from pointsman.secrets.known import Known, secret_values
from pointsman.secrets.marks import Marks
from pointsman.secrets.patterns import is_placeholder

_MOST_SHARED = 256
_MOST_QUIET = 4096
_LONGEST_QUIET = 512
"""Characters of a text that is remembered, 2 MiB in all; a longer one seldom comes again."""
_Value = tuple[str, str, bool]


class Redactor:
    """Finds secrets and covers them (``model.secret.Secrets``)."""

    def __init__(self, engine: Engine, marks: Marks, known: Known) -> None:
        self._engine = engine
        self._detector = Detector(engine, known)
        self._marks = marks
        self._known = known
        # Texts without any secret: what is said of events is said again with nearly each of them.
        self._quiet: set[str] = set()

    @classmethod
    def of(cls, state: Path, environ: Mapping[str, str] | None = None) -> "Redactor":
        """Return one for a state directory, which knows the secrets of this environment."""
        known = Known()
        known.add(secret_values(os.environ if environ is None else environ))
        return cls(Engine(), Marks(state / "secrets.key"), known)

    def load(self, marker: Path | None = None) -> str:
        """Get the detector ready; return why it cannot be used, or the empty string.

        ``marker`` is the file that outlives a process which the detector takes with it.
        """
        return self._engine.load(marker)

    def know(self, values: Mapping[str, object]) -> None:
        """Remember the values whose names say that they are secret, wherever they turn up."""
        self._known.add(secret_values(values))
        self._quiet.clear()

    def find(self, text: str) -> tuple[Secret, ...]:
        """Return the secrets in a text, in order; no two overlap."""
        return tuple(self._secret(text, span) for span in self._spans(text))

    def text(self, text: str) -> str:
        """Return a text with every secret covered."""
        return self._covered(text, self._spans(text)) if text else text

    def json(self, data: bytes) -> bytes:
        """Return JSON with every secret in its strings covered; it stays JSON."""
        return self.together([data], [])[0][0]

    def clear(self, bodies: Iterable[bytes], texts: Iterable[str]) -> bool:
        """Whether none of these holds any, by one search for all; false where that is not sure."""
        read = [searched(_decoded(body)) for body in bodies if body]
        fresh = {text for text in texts if text}.difference(self._quiet)
        read += fresh
        found = self._detector.find("\n".join(read)) if read else Found()
        if found.spans or found.fault:
            return False
        self._remember(fresh)
        return True

    def together(
        self, bodies: Iterable[bytes], texts: Iterable[str]
    ) -> tuple[list[bytes], list[str], Redaction]:
        """Cover what belongs together: a secret that one of them gives away is covered in all."""
        bodies, plain = list(bodies), list(texts)
        if self.clear(bodies, plain):
            return bodies, plain, Redaction()
        opened = [Unescaped(_decoded(body)) if body else None for body in bodies]
        read = [each.text if each else "" for each in opened] + plain
        found = [self._detector.find(text) if text else Found() for text in read]
        shared = _values(read, found)
        if len(read) > 1 and shared:
            found = [
                self._detector.find(text, shared) if _has_any(text, shared) else was
                for text, was in zip(read, found, strict=True)
            ]
        covered = [
            self._spliced(each, was.spans) if each else b""
            for each, was in zip(opened, found, strict=False)
        ]
        told = [
            self._covered(text, was.spans)
            for text, was in zip(plain, found[len(opened) :], strict=True)
        ]
        return covered, told, _told(found)

    def _spans(self, text: str) -> Sequence[Span]:
        if text in self._quiet:
            return ()
        found = self._detector.find(text)
        if not found.spans and not found.fault:
            self._remember((text,))
        return found.spans

    def _remember(self, quiet: Collection[str]) -> None:
        if len(self._quiet) + len(quiet) > _MOST_QUIET:
            # All of them: which are the oldest would cost every text a place in an order.
            self._quiet.clear()
        self._quiet.update(each for each in quiet if len(each) <= _LONGEST_QUIET)

    def _spliced(self, opened: Unescaped, spans: Sequence[Span]) -> bytes:
        places = (
            (*opened.place(span.start, span.end), self._mark(opened.text, span)) for span in spans
        )
        text = spliced(opened.raw, places) if spans else opened.raw
        return text.encode("utf-8", "surrogateescape")

    def _covered(self, text: str, spans: Sequence[Span]) -> str:
        out: list[str] = []
        done = 0
        for span in spans:
            out += (text[done : span.start], self._mark(text, span))
            done = span.end
        return "".join((*out, text[done:])) if spans else text

    def _mark(self, text: str, span: Span) -> str:
        return self._marks.of(text[span.start : span.end], span.kind)

    def _secret(self, text: str, span: Span) -> Secret:
        value = text[span.start : span.end]
        placeholder = is_placeholder(value, sure=span.sure)
        mark = self._mark(text, span)
        return Secret(span.start, span.end, span.kind, span.sure, mark, placeholder)


def _decoded(body: bytes) -> str:
    return body.decode("utf-8", "surrogateescape")


def _values(texts: Sequence[str], found: Sequence[Found]) -> list[_Value]:
    """Return the values that were found, by their first place, at most 256."""
    values: dict[str, _Value] = {}
    for text, was in zip(texts, found, strict=True):
        for span in was.spans[:_MOST_SHARED]:
            value = text[span.start : span.end]
            values.setdefault(value, (value, span.kind, span.sure))
    return list(values.values())[:_MOST_SHARED]


def _has_any(text: str, values: Iterable[_Value]) -> bool:
    return any(value in text for value, _, _ in values)


def _told(found: Iterable[Found]) -> Redaction:
    kinds: Counter[str] = Counter()
    faults: dict[str, None] = {}
    for was in found:
        kinds.update(span.kind for span in was.spans)
        if was.fault:
            faults[was.fault] = None
    fault = "; ".join(faults)
    return Redaction(kinds, f"{fault}; searched by the built-in patterns" if fault else "")

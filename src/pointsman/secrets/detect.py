"""From a text to the secrets in it: known values, our own patterns, the detector."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pointsman.secrets.engine import Engine, plain
from pointsman.secrets.hints import Hints
from pointsman.secrets.known import Known
from pointsman.secrets.patterns import PATTERNS, is_random, matches

_FEWEST, _WORK = 64, 50_000_000
"""So many values of one text are looked for wherever they stand in it: at least, and by work."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a secret stands, and what it is."""

    start: int
    end: int
    kind: str
    sure: bool


@dataclass(frozen=True, slots=True)
class Found:
    """The secrets of a text, in order; no two overlap. ``fault`` says why some may be missing."""

    spans: tuple[Span, ...] = ()
    fault: str = ""


_NOTHING = Found()


class Detector:
    """Finds secrets. Text in, places out."""

    def __init__(self, engine: Engine, known: Known) -> None:
        self._engine = engine
        self._known = known
        self._beside = Hints(each for each in PATTERNS if each.always)
        self._alone = Hints(PATTERNS)

    def find(self, text: str, values: Iterable[tuple[str, str, bool]] = ()) -> Found:
        """Return the secrets in a text; ``values`` are some that were found elsewhere."""
        readable = plain(text)
        hits, fault = self._engine.scan(readable)
        ours = matches(readable, (self._alone if fault else self._beside).of(readable))
        told = [(value, kind, True) for value, kind in self._known.hits(text)]
        told += values
        if not (hits or ours or told):
            return _NOTHING if not fault else Found(fault=fault)
        spans = [Span(each.start, each.end, each.kind, each.sure) for each in ours]
        theirs = [
            (hit.value, hit.kind, hit.sure) for hit in hits if hit.sure or is_random(hit.value)
        ]
        # Once a value is known, it is known wherever it stands.
        again = {text[span.start : span.end]: span for span in spans}
        told += [(value, span.kind, span.sure) for value, span in again.items()]
        spans += (*_places(text, told), *_places(readable, theirs))
        return Found(_apart(spans), fault)


def _places(text: str, values: list[tuple[str, str, bool]]) -> Iterator[Span]:
    """Yield where these values stand: the first so many everywhere, the others once each.

    Each is looked for from where the one before it was found, as the detector reports them in
    order: all together cost one pass, not one for each.
    """
    begin = 0
    most = max(_FEWEST, _WORK // (len(text) + 1))
    for n, (value, kind, sure) in enumerate(values):
        if n < most:
            at = text.find(value)
            while at >= 0:
                yield Span(at, at + len(value), kind, sure)
                at = text.find(value, at + len(value))
            continue
        at = text.find(value, begin)
        if at < 0:
            at = text.find(value)
        if at >= 0:
            begin = at
            yield Span(at, at + len(value), kind, sure)


def _apart(spans: list[Span]) -> tuple[Span, ...]:
    """Return spans in order, those that overlap as one; the surer, then the longer one names it."""
    out: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        last = out[-1] if out else None
        if last is None or span.start >= last.end:
            out.append(span)
            continue
        best = max(last, span, key=lambda each: (each.sure, each.end - each.start))
        out[-1] = Span(last.start, max(last.end, span.end), best.kind, last.sure or span.sure)
    return tuple(out)

"""How often one hook ran and how long it took: runs counted by length, not kept one by one."""

from dataclasses import dataclass, field


def length_bucket(duration_ns: int) -> int:
    """Return the bucket of a length: four to each doubling, so none is wider than a quarter.

    >>> [length_bucket(n) for n in (0, 1, 4, 5, 1000, 1024, 1279, 1280)]
    [0, 0, 8, 9, 39, 40, 40, 41]
    """
    octave = max(duration_ns, 1).bit_length() - 1
    quarter = (duration_ns << 2 >> octave) & 3 if duration_ns > 0 else 0
    return 4 * octave + quarter


def bucket_end(bucket: int) -> int:
    """Return the length in ns at which a bucket ends: every run in it is shorter."""
    octave, quarter = divmod(bucket, 4)
    return ((5 + quarter) << octave) + 3 >> 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """How often one hook ran on one kind of event, and how.

    ``buckets`` are the runs by length (``length_bucket``); those that were skipped took none and
    are only in ``outcomes``.
    """

    hook: str
    event: str
    role: str
    budget_ms: int
    outcomes: dict[str, int] = field(default_factory=dict)
    buckets: dict[int, int] = field(default_factory=dict)
    timeouts: int = 0
    duration_ns: int = 0
    decisions: dict[str, int] = field(default_factory=dict)
    """How often it decided what; runs without an opinion are not among them."""

    @property
    def total(self) -> int:
        """Every run, the skipped ones too."""
        return sum(self.outcomes.values())

"""Findings as a person reads them."""

from collections import Counter
from collections.abc import Sequence

from pointsman.model.audit import Finding, Level


def finding_text(found: Sequence[Finding]) -> str:
    """Return each finding with its place, why and fix, and at the end how many there are."""
    blocks = [
        f"{each.level.value}  {each.id}  {each.file}:{each.line}\n"
        f"  {each.what}\n  why: {each.why}\n  fix: {each.fix}"
        for each in found
    ]
    counts = Counter(each.level for each in found)
    return "\n\n".join((*blocks, ", ".join(f"{counts[level]} {level.value}s" for level in Level)))

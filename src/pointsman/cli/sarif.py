"""Findings as SARIF 2.1.0 (OASIS standard, 2020), the form that code scanners exchange."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from pointsman import __version__
from pointsman.model.audit import Finding, Level

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class Rule(Protocol):
    """What a check is called, why it is made, and how bad it usually is."""

    @property
    def id(self) -> str:
        """The name that findings bear."""

    @property
    def level(self) -> Level:
        """How bad what it finds usually is."""

    @property
    def why(self) -> str:
        """Why it is made, in a sentence."""


def as_sarif(
    found: Sequence[Finding],
    rules: Mapping[str, Rule],
    repository: Path,
    properties: Mapping[str, object],
) -> dict[str, Any]:
    """Return one log with one run; files of the repository are named relative to ``ROOT``."""
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "pointsman",
                        "version": __version__,
                        "rules": [
                            {
                                "id": check.id,
                                "shortDescription": {"text": check.why},
                                "defaultConfiguration": {"level": check.level.value},
                            }
                            for check in rules.values()
                        ],
                    }
                },
                "originalUriBaseIds": {"ROOT": {"uri": f"file://{quote(str(repository))}/"}},
                "results": [_result(each, list(rules), repository) for each in found],
                "properties": dict(properties),
            }
        ],
    }


def _result(each: Finding, rules: list[str], repository: Path) -> dict[str, Any]:
    place: dict[str, str] = {"uri": f"file://{quote(each.file)}"}
    if each.file.startswith(f"{repository}/") or not each.file.startswith("/"):
        relative = each.file.removeprefix(f"{repository}/")
        place = {"uri": quote(relative), "uriBaseId": "ROOT"}
    return {
        "ruleId": each.id,
        "ruleIndex": rules.index(each.id),
        "level": each.level.value,
        "message": {"text": f"{each.what}. {each.why} Next step: {each.fix}"},
        "locations": [
            {"physicalLocation": {"artifactLocation": place, "region": {"startLine": each.line}}}
        ],
    }

"""An audit as SARIF 2.1.0 (OASIS standard, 2020), the form that code scanners exchange."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from pointsman import __version__
from pointsman.agents.claude_audit import CHECKS
from pointsman.model.audit import Audit, Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def as_sarif(found: Audit, repository: Path) -> dict[str, Any]:
    """Return one log with one run; files of the repository are named relative to ``ROOT``."""
    rules = {check.id: check for check in CHECKS}
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
                "results": [_result(each, list(rules), repository) for each in found.findings],
                "properties": {"score": found.score},
            }
        ],
    }


def _result(each: Finding, rules: list[str], repository: Path) -> dict[str, Any]:
    place: dict[str, str] = {"uri": f"file://{quote(each.file)}"}
    if each.file.startswith(f"{repository}/"):
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

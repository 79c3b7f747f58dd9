"""Projects made of texts."""

from pathlib import Path

from pointsman.model.audit import Finding
from pointsman.model.preflight import Project, Target
from pointsman.preflight.survey import findings, survey


def project(root: Path, files: dict[str, str | bytes], *targets: Target) -> Project:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return survey(root, targets, "APP_")


def found(root: Path, files: dict[str, str | bytes], *targets: Target) -> list[Finding]:
    return findings(project(root, files, *targets))

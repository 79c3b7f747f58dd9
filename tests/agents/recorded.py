"""Payloads of the real client, as it sent them."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "fixtures/claude-code"
FILES = sorted(FOLDER.glob("*.json"))
NAMES = [file.stem for file in FILES]


def payload(name: str) -> dict[str, Any]:
    """Return one payload."""
    value: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_bytes())
    return value

"""The process that builds indexes: a child, so that no file can hold up or end the daemon.

It reads requests from stdin, one JSON object a line (``index``, ``root`` and, where only some
files have changed, ``paths``), and says on stdout what became of each. It ends with its stdin.
"""

import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from pointsman.code.build import Builder, Built
from pointsman.model.errors import PointsmanError

_NICE = 10


def serve(requests: Iterable[str], out: TextIO) -> None:
    """Carry out each request, in their order."""
    for line in requests:
        try:
            said = _carried_out(json.loads(line))
        except PointsmanError as error:
            said = {"problem": f"{error}; {error.fix}"}
        except Exception as error:  # noqa: BLE001 - whatever a file does to a parser ends here
            said = {"problem": f"{type(error).__name__}: {error}"}
        out.write(json.dumps({**said, "root": _root(line)}) + "\n")
        out.flush()


def _root(line: str) -> str:
    try:
        return str(json.loads(line)["root"])
    except (ValueError, KeyError, TypeError):
        return ""


def _carried_out(request: dict[str, Any]) -> dict[str, Any]:
    builder = Builder(Path(request["index"]), request["root"])
    try:
        paths = request.get("paths")
        built = builder.refresh() if paths is None else builder.update(paths)
        return _said(built)
    finally:
        builder.close()


def _said(built: Built) -> dict[str, Any]:
    return {
        "languages": built.languages,
        "files": built.files,
        "read": built.read,
        "linked": built.linked,
        "seconds": round(built.seconds, 3),
    }


if __name__ == "__main__":
    os.nice(_NICE)
    serve(sys.stdin, sys.stdout)

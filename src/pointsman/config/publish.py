"""What docs/ says of the settings, written from the schema: ``make docs``."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from pointsman.config.schema import SETTINGS, json_schema
from pointsman.config.specs import Flag, Many, Number, Spec, Table, Text

SCHEMA = "config.schema.json"
PAGE = "configuration.md"
_BEGIN = "<!-- settings: written by make docs -->\n"
_END = "<!-- end of settings -->\n"


def schema_text() -> str:
    """Return docs/config.schema.json."""
    return json.dumps(json_schema(), indent=2) + "\n"


def page_text(page: str) -> str:
    """Return docs/configuration.md with its table as it must be."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return before + _BEGIN + table() + _END + after


def table() -> str:
    """Return every setting as a row of one table."""
    rows = (f"| `{name}` | {_kind(spec)} | {doc} |\n" for name, spec, doc in settings("", SETTINGS))
    return "| setting | value | meaning |\n|---|---|---|\n" + "".join(rows)


def settings(name: str, spec: Spec) -> Iterator[tuple[str, Spec, str]]:
    """Yield every setting with the name that messages give it, and what it means."""
    if isinstance(spec, Many) and isinstance(spec.item, Table):
        yield f"[[{name}]]", spec, spec.doc
        spec, name = spec.item, f"{name}[]"
    if isinstance(spec, Table) and spec.keys:
        if _alike(spec):
            yield f"{name}.<name>", next(iter(spec.keys.values())), spec.doc
            return
        for key, value in spec.keys.items():
            yield from settings(f"{name}.{key}" if name else key, value)
    elif isinstance(spec, Table) and isinstance(spec.others, Table):
        yield from settings(f"{name}.<name>", spec.others)
    elif not name.endswith("]]"):
        yield name, spec, spec.doc


def _alike(spec: Table) -> bool:
    """Whether a table has one kind of value under many names: events, rules."""
    kinds = {json.dumps({**each.schema(), "description": ""}) for each in spec.keys.values()}
    return len(spec.keys) > 10 and len(kinds) == 1


def _kind(spec: Spec) -> str:
    if isinstance(spec, Number):
        low = f"≥ {spec.low:g}" if spec.low else "> 0"
        return f"number, {low}" + (f", ≤ {spec.high:g}" if spec.high is not None else "")
    if isinstance(spec, Flag):
        return "true or false"
    if isinstance(spec, Many):
        return "table, as often as wanted" if isinstance(spec.item, Table) else "list of texts"
    if isinstance(spec, Text) and 0 < len(spec.choices) <= 5:
        return ", ".join(f"`{choice}`" for choice in spec.choices)
    return "table" if isinstance(spec, Table) else "text"


def main(docs: Path) -> None:
    """Write both files."""
    (docs / SCHEMA).write_text(schema_text(), encoding="utf-8")
    page = docs / PAGE
    page.write_text(page_text(page.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A document as texts, lists and tables that know their lines, whether YAML, JSON or Terraform."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

_MOST_NODES = 50_000
_MOST_DEPTH = 60


@dataclass(frozen=True, slots=True)
class Part:
    """One value: a text, a list or a table; ``line`` is from 1. What is not there is ``NONE``."""

    line: int = 1
    text: str = ""
    items: tuple["Part", ...] = ()
    table: dict[str, "Part"] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    """Where the keys of the table stand."""

    def at(self, *path: str) -> "Part":
        """Return what lies below, following keys; the first of a list where one is on the way."""
        here = self
        for key in path:
            here = here.items[0] if here.items and not here.table else here
            here = here.table.get(key, NONE)
        return here

    def each(self) -> tuple["Part", ...]:
        """Return the members of a list; a table or text stands for a list of itself."""
        return self.items or ((self,) if self else ())

    def __bool__(self) -> bool:
        return bool(self.text or self.items or self.table)


NONE = Part()


def documents(data: bytes) -> Iterator[Part]:
    """Yield each YAML or JSON document of a file, the inside of anchors read once.

    Raises:
        yaml.YAMLError: it is neither.
        ValueError: nor text, or it is larger or deeper than anything written by hand.
    """
    reader = _Yaml()
    for node in yaml.compose_all(data.decode("utf-8"), Loader=yaml.CSafeLoader):
        if node is not None:
            yield reader.part(node, 0)


class _Yaml:
    def __init__(self) -> None:
        self._made = 0
        self._known: dict[int, Part] = {}

    def part(self, node: yaml.Node, depth: int) -> Part:
        if id(node) in self._known:
            return self._known[id(node)]
        self._made += 1
        if self._made > _MOST_NODES or depth > _MOST_DEPTH:
            raise ValueError("the document is too large or too deep to be compared")
        made = self._new(node, depth)
        self._known[id(node)] = made
        return made

    def _new(self, node: yaml.Node, depth: int) -> Part:
        line = node.start_mark.line + 1
        if node.tag.startswith("!") and len(node.tag) > 1:
            # `!Ref x` is no text, but something that the platform puts in.
            return Part(line=line, table={node.tag: NONE}, lines={node.tag: line})
        if isinstance(node, yaml.SequenceNode):
            return Part(line=line, items=tuple(self.part(each, depth + 1) for each in node.value))
        if isinstance(node, yaml.MappingNode):
            table: dict[str, Part] = {}
            lines: dict[str, int] = {}
            for key, value in node.value:
                made = self.part(value, depth + 1)
                name = key.value if isinstance(key, yaml.ScalarNode) else ""
                if name == "<<":
                    for base in made.each():
                        table, lines = base.table | table, base.lines | lines
                else:
                    table[name] = made
                    lines[name] = key.start_mark.line + 1
            return Part(line=line, table=table, lines=lines)
        null = node.tag == "tag:yaml.org,2002:null"
        return Part(line=line, text="" if null else str(node.value))

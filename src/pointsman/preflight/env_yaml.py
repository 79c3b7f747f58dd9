"""Variables in YAML: Compose, Kubernetes and Cloud Run, SAM and CloudFormation, Serverless, CI.

What a document is says its shape, not its file's name: a mapping below ``environment`` or ``env``
(or a list of ``name: …`` and of ``NAME=value`` there), the ``data`` of a ``ConfigMap``,
``Environment.Variables`` of a function, ``env_vars`` of a deploy step.
"""

import re
from collections.abc import Iterator

import yaml

from pointsman.model.preflight import How, Use
from pointsman.preflight.spans import Bytes

_MOST_NODES = 50_000
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PAIR = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?:=|\Z)")
_LINES = re.compile(r"^[ \t]*([A-Za-z_][A-Za-z0-9_]*)[=:]", re.MULTILINE)
_REFERENCE = re.compile(r"(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)|(?<!\$)\$([A-Za-z_][A-Za-z0-9_]*)")
_TABLES = frozenset({"env", "environment", "env_variables", "environmentVariables", "env_vars",
                     "environment_variables", "build_env_variables"})  # fmt: skip
_Stack = tuple[tuple[str, yaml.Node], ...]


def uses(data: bytes, file: str) -> Iterator[Use]:
    """Yield every variable that is set in a file of YAML documents.

    Raises:
        yaml.YAMLError: it is no YAML.
        UnicodeDecodeError: nor text.
    """
    text = data.decode("utf-8")
    reader = _Reader(text, file, compose=_is_compose(file))
    for document in yaml.compose_all(text, Loader=yaml.CSafeLoader):
        if document is not None:
            yield from reader.document(document)


def _is_compose(file: str) -> bool:
    name = file.rpartition("/")[2]
    return bool(re.match(r"(?:docker-)?compose(?:[.-][\w.-]+)?\.ya?ml\Z", name))


class _Reader:
    def __init__(self, text: str, file: str, *, compose: bool) -> None:
        self._text = text
        self._file = file
        self._compose = compose
        self._how = How.SET if compose else How.DEPLOYED
        self._bytes = Bytes(text)

    def document(self, top: yaml.Node) -> Iterator[Use]:
        waiting: list[tuple[yaml.Node, tuple[str, ...]]] = [(top, ())]
        seen: set[int] = set()
        kind = _member(top, "kind")
        while waiting and len(seen) < _MOST_NODES:
            node, path = waiting.pop()
            if id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, yaml.MappingNode):
                for key, value in node.value:
                    named = key.value if isinstance(key, yaml.ScalarNode) else ""
                    yield from self._member(named, value, path, kind)
                    waiting.append((value, (*path[-6:], named)))
            elif isinstance(node, yaml.SequenceNode):
                waiting.extend((each, path) for each in node.value)
            elif isinstance(node, yaml.ScalarNode) and self._compose:
                yield from self._references(node)

    def _member(
        self, name: str, value: yaml.Node, path: tuple[str, ...], kind: str
    ) -> Iterator[Use]:
        table = name in _TABLES and "matrix" not in path
        variables = name == "Variables" and path[-1:] == ("Environment",)
        if table or variables or (kind == "ConfigMap" and name == "data" and not path):
            yield from self._table(value)

    def _table(self, value: yaml.Node) -> Iterator[Use]:
        if isinstance(value, yaml.MappingNode):
            for key, _ in value.value:
                if isinstance(key, yaml.ScalarNode):
                    yield from self._use(key, key.value)
        elif isinstance(value, yaml.SequenceNode):
            for each in value.value:
                yield from self._item(each)
        elif isinstance(value, yaml.ScalarNode) and value.style == "|":
            start, end = value.start_mark.index, value.end_mark.index
            for found in _LINES.finditer(self._text, start, end):
                below = self._text.count("\n", start, found.start(1))
                line = value.start_mark.line + 1 + below
                yield self._at(found.group(1), found.start(1), line, self._how)

    def _item(self, each: yaml.Node) -> Iterator[Use]:
        if isinstance(each, yaml.ScalarNode):
            found = _PAIR.match(each.value)
            if found is not None:
                yield from self._use(each, found.group(1))
            return
        for key, value in each.value if isinstance(each, yaml.MappingNode) else ():
            named = key.value if isinstance(key, yaml.ScalarNode) else ""
            if named in {"name", "variable"} and isinstance(value, yaml.ScalarNode):
                yield from self._use(value, value.value)

    def _use(self, node: yaml.ScalarNode, name: str) -> Iterator[Use]:
        if _NAME.match(name):
            at = node.start_mark.index + (1 if node.style in {"'", '"'} else 0)
            yield self._at(name, at, node.start_mark.line + 1, self._how)

    def _references(self, node: yaml.ScalarNode) -> Iterator[Use]:
        start, end = node.start_mark.index, node.end_mark.index
        for found in _REFERENCE.finditer(self._text, start, end):
            group = 1 if found.group(1) else 2
            line = node.start_mark.line + 1 + self._text.count("\n", start, found.start())
            yield self._at(found.group(group), found.start(group), line, How.READ)

    def _at(self, name: str, index: int, line: int, how: How) -> Use:
        if self._text[index : index + len(name)] != name:
            return Use(name=name, file=self._file, line=line, how=how, form="",
                       why_not="the name is not written in one piece")  # fmt: skip
        start = self._bytes.of(index)
        return Use(name=name, file=self._file, line=line, how=how, start=start,
                   end=start + len(name))  # fmt: skip


def _member(node: yaml.Node, name: str) -> str:
    for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
        if isinstance(key, yaml.ScalarNode) and key.value == name:
            return value.value if isinstance(value, yaml.ScalarNode) else ""
    return ""

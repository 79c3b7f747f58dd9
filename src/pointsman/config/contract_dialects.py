"""From the tables of a declaration, in either dialect, to the values of a contract.

What is wrong is reported and never dropped: the caller makes a contract of it that denies.
"""

import difflib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pointsman.model.contract import (
    ALLOW_ALL,
    CONTEXT_SOURCES,
    MEMORIES,
    NETWORKS,
    POST_COMPLETE,
    PRE_SPAWN,
    REQUIREMENTS,
    VALUES,
    PostComplete,
    PreSpawn,
    Requirement,
)
from pointsman.paths.globs import check

Report = Callable[[str, Any, str, str], None]
"""Takes a finding: the key, its value, what is wrong, what to do."""

_OUTPUTS = frozenset({"allowed_modifications", "forbidden_patterns"})
_PRODUCES = frozenset({"files", "tests", "memory"})
_PARTS = {
    "files": frozenset({"scope", "exclude"}),
    "tests": frozenset({"scope", "exclude", "colocated", "requiresTests"}),
}
_INPUT_TYPES = (*REQUIREMENTS, "path", "context", *VALUES)
_REQUIRES = frozenset({"type", "key", "description", "path", "scope", "required"})
_VALIDATION = {"preSpawn": PRE_SPAWN, "postComplete": POST_COMPLETE}
_CHECK_KEYS = {"preSpawn": "target", "postComplete": "command"}
_BLOCKED = ("blocked_by", "blockedBy")
BODY = frozenset(
    {"inputs", "outputs", "requires", "produces", "contextSource", "validation", "readOnly"}
    | {"council", "network", *_BLOCKED}
)
"""What may stand in the table of a contract."""

_BINDING = ("outputs", "produces", "requires", "validation", "contextSource")
"""Keys by which a table without a name of its own is known to be a contract."""

_RULES = ("readOnly", "council", "network", *_BLOCKED)
"""What binds an agent wherever it stands, in a contract or beside it."""

_MEANT = ("outputs", "produces", "contextContract", "contract", *_RULES)
"""Keys that bind an agent: one that is nearly one of them is a mistake, not a remark."""


class Dialects:
    """Reads declarations; ``report`` is told of everything that is wrong in them."""

    def __init__(self, report: Report) -> None:
        self._wrong = report

    def contracts(self, declared: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield the values of each contract that is declared: of each dialect, and the rules."""
        for key in map(str, declared):
            self._check_meant(key, declared)
        tables = [*self._bodies(declared)]
        for body in tables:
            yield from self._of_body(body)
        if not any(body is declared for body in tables):
            rules = self._rules(declared)
            if rules:
                yield rules

    def _bodies(self, declared: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        for key in ("contextContract", "contract"):
            if key not in declared:
                continue
            if isinstance(declared[key], Mapping):
                yield declared[key]
                self._check_keys(key, declared[key], BODY)
            else:
                self._wrong(key, declared[key], "it is no mapping", "see docs/contracts.md")
        # Other tools have a key of this name: only a table of tables is ours.
        ours = _is_table_of_tables(declared.get("inputs"))
        if ours or any(key in declared for key in _BINDING):
            yield declared

    def _of_body(self, body: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        shared = {**self._rules(body), **self._validation(body.get("validation"))}
        if "contextSource" in body:
            source = self._choice("contextSource", body["contextSource"], CONTEXT_SOURCES)
            shared["context_source"] = source
        dialects = [
            {**({"requires": inputs} if inputs else {}), **values}
            for inputs, values in (
                (self._inputs(body), self._outputs(body)),
                (self._requires(body), self._produces(body)),
            )
        ]
        first, second = dialects
        # One contract for each dialect, as all must allow; what they share goes with each.
        said = [each for each in (first, second) if each]
        if said:
            yield from ({**each, **shared} for each in said)
        elif shared:
            yield shared

    def _rules(self, table: Mapping[str, Any]) -> dict[str, Any]:
        rules: dict[str, Any] = {}
        council = self._flag("council", table)
        if self._flag("readOnly", table) or council:
            rules |= {"read_only": True, "council": council}
        if "network" in table:
            # In YAML `none` is a text, and so it is in every other form.
            rules["network"] = self._choice("network", table["network"], NETWORKS) or "none"
        for key in _BLOCKED:
            if key in table:
                rules["blocked_by"] = rules.get("blocked_by", ()) + self._names(key, table[key])
        return rules

    def _inputs(self, body: Mapping[str, Any]) -> tuple[Requirement, ...]:
        inputs = body.get("inputs")
        if inputs is None and "inputs" not in body:
            return ()
        if not isinstance(inputs, Mapping):
            self._wrong("inputs", inputs, "it is no mapping", "write spec_file: {type: path} in it")
            return ()
        known = _REQUIRES - {"key"}
        return tuple(
            self._requirement(f"inputs.{key}", str(key), entry, known, required=False)
            for key, entry in inputs.items()
            if self._is_table(f"inputs.{key}", entry)
        )

    def _requires(self, body: Mapping[str, Any]) -> tuple[Requirement, ...]:
        listed = self._list("requires", body.get("requires", []))
        return tuple(
            # Contracts in use leave the key out of an entry whose type says it all.
            self._requirement("requires", str(entry.get("key", entry.get("type", ""))), entry,
                              _REQUIRES, required=True)
            for entry in listed
            if self._is_table("requires", entry)
        )  # fmt: skip

    def _requirement(
        self, at: str, key: str, entry: Mapping[str, Any], known: frozenset[str], *, required: bool
    ) -> Requirement:
        self._check_keys(at, entry, known)
        for name in ("path", "scope"):
            if not isinstance(entry.get(name, ""), str):
                self._wrong(f"{at}.{name}", entry[name], "it is no text", "write it in quotes")
        kind = self._choice(f"{at}.type", entry.get("type"), _INPUT_TYPES)
        if kind == "env" and not key.isidentifier():
            self._wrong(
                f"{at}.key", key, "it is no name of a variable", "write the variable's name"
            )
        return Requirement(
            type=kind,
            key=key,
            path=str(entry.get("path", "")),
            scope=str(entry.get("scope", "")),
            required=self._flag("required", entry, default=required),
        )

    def _outputs(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if "outputs" not in body:
            return {}
        outputs = body["outputs"]
        if not isinstance(outputs, Mapping):
            self._wrong("outputs", outputs, "it is no mapping", "list allowed_modifications in it")
            return {}
        self._check_keys("outputs", outputs, _OUTPUTS)
        # The very object: the guard tells it from a written `**` by identity.
        allowed: tuple[str, ...] = ALLOW_ALL
        if "allowed_modifications" in outputs:
            allowed = self._globs("allowed_modifications", outputs["allowed_modifications"])
        forbidden = self._globs("forbidden_patterns", outputs.get("forbidden_patterns", []))
        return {"allowed": allowed, "forbidden": forbidden}

    def _produces(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if "produces" not in body:
            return {}
        produces = body["produces"]
        if not isinstance(produces, Mapping):
            self._wrong("produces", produces, "it is no mapping", "write files: {scope: …} in it")
            return {}
        self._check_keys("produces", produces, _PRODUCES)
        scopes: dict[str, tuple[str, ...]] = {}
        forbidden: tuple[str, ...] = ()
        for part, known in _PARTS.items():
            entry = produces.get(part)
            if entry is None or not self._is_table(f"produces.{part}", entry):
                continue
            self._check_keys(f"produces.{part}", entry, known)
            if "scope" in entry:
                scopes[part] = self._globs("scope", entry["scope"])
            forbidden += self._globs("exclude", entry.get("exclude", []))
        allowed = tuple(glob for scope in scopes.values() for glob in scope)
        return {
            "allowed": allowed if scopes else ALLOW_ALL,
            "forbidden": forbidden,
            "code": scopes.get("files", ()),
            "tests": scopes.get("tests", ()),
            **self._tests(produces.get("tests")),
            **self._memories(produces.get("memory")),
        }

    def _tests(self, tests: Any) -> Mapping[str, Any]:
        if not isinstance(tests, Mapping):
            return {}
        needed, beside = self._flag("requiresTests", tests), self._flag("colocated", tests)
        if needed and not beside and "scope" not in tests:
            fix = "write scope: … beside it, or colocated: true"
            self._wrong("requiresTests", True, "where the tests stand is not said", fix)
        return {"requires_tests": needed, "colocated": beside}

    def _memories(self, memory: Any) -> Mapping[str, Any]:
        if memory is None or not self._is_table("produces.memory", memory):
            return {}
        self._check_keys("produces.memory", memory, frozenset({"allowed"}))
        listed = self._list("produces.memory.allowed", memory.get("allowed", list(MEMORIES)))
        chosen = (self._choice("allowed", each, MEMORIES) for each in listed)
        return {"memories": tuple(each for each in chosen if each)}

    def _validation(self, validation: Any) -> Mapping[str, Any]:
        if validation is None or not self._is_table("validation", validation):
            return {}
        self._check_keys("validation", validation, frozenset(_VALIDATION))
        found: dict[str, list[tuple[str, str]]] = {}
        for stage, checks in _VALIDATION.items():
            extra = _CHECK_KEYS[stage]
            for entry in self._list(f"validation.{stage}", validation.get(stage, [])):
                if not self._is_table(f"validation.{stage}", entry):
                    continue
                self._check_keys(f"validation.{stage}", entry, frozenset({"check", extra}))
                name = self._choice(f"{stage}.check", entry.get("check"), checks)
                found.setdefault(stage, []).append((name, self._text(extra, entry)))
        out: dict[str, Any] = {}
        if "preSpawn" in found:
            out["pre_spawn"] = tuple(PreSpawn(check=a, target=b) for a, b in found["preSpawn"])
        if "postComplete" in found:
            done = found["postComplete"]
            out["post_complete"] = tuple(PostComplete(check=a, command=b) for a, b in done)
        return out

    def _check_meant(self, key: str, declared: Mapping[str, Any]) -> None:
        if key in _MEANT:
            return
        plain = {_bare(known): known for known in _MEANT}
        close = difflib.get_close_matches(_bare(key), plain, n=1, cutoff=0.85)
        if close:
            fix = f"write {plain[close[0]]}"
            self._wrong(key, declared.get(key), "it is not known", fix)

    def _check_keys(self, name: str, value: Mapping[str, Any], known: frozenset[str]) -> None:
        for key in sorted(set(map(str, value)) - known):
            fix = f"write {' or '.join(sorted(known))}"
            self._wrong(f"{name}.{key}", value.get(key), "it is not known", fix)

    def _is_table(self, at: str, value: Any) -> bool:
        if isinstance(value, Mapping):
            return True
        self._wrong(at, value, "it is no mapping", "see docs/contracts.md")
        return False

    def _list(self, at: str, value: Any) -> list[Any]:
        if isinstance(value, list):
            return value
        self._wrong(at, value, "it is no list", "write a list")
        return []

    def _flag(self, key: str, table: Mapping[str, Any], *, default: bool = False) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            self._wrong(key, value, "it is neither true nor false", "write true or false")
        return value is True

    def _text(self, key: str, table: Mapping[str, Any]) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            self._wrong(key, value, "it is no text", "write it in quotes")
            return ""
        return value.strip()

    def _choice(self, at: str, value: Any, known: tuple[str, ...]) -> str:
        if isinstance(value, str) and value in known:
            return value
        self._wrong(at, value, "it is not known", f"write {' or '.join(known)}")
        return ""

    def _names(self, key: str, value: Any) -> tuple[str, ...]:
        listed = [value] if isinstance(value, str) else value
        if isinstance(listed, list) and all(isinstance(one, str) and one.strip() for one in listed):
            return tuple(one.strip() for one in listed)
        self._wrong(key, value, "it is no list of agents", "write the names in a list")
        return ()

    def _globs(self, key: str, value: Any) -> tuple[str, ...]:
        listed = [value] if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
            self._wrong(key, value, "it is no list of globs", 'write a list such as ["src/**"]')
            return ()
        for pattern in listed:
            problem = check(pattern)
            if problem:
                self._wrong(key, pattern, problem, "mend the glob")
        return tuple(listed)


def _is_table_of_tables(value: Any) -> bool:
    if not isinstance(value, Mapping) or not value:
        return False
    return all(isinstance(each, Mapping) for each in value.values())


def _bare(key: str) -> str:
    return key.replace("_", "").replace("-", "").lower()

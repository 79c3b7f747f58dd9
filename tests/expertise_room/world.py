"""A repository and a user with experts of their own, made in a directory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pointsman.expertise.shelf import Shelf
from pointsman.model.expertise import Domain, Sheet

API: Mapping[str, Any] = {
    "overview": {"description": "The HTTP layer of the shop."},
    "core_implementation": {
        "primary_files": [{"path": "src/api/routes.py", "purpose": "all routes"}],
        "key_conventions": [{"name": "errors", "summary": "raise ApiError"}],
    },
    "key_operations": {
        "add": {
            "name": "Add a route",
            "when_to_use": "a new resource",
            "pitfalls": [{"what": "no limit", "why": "it times out", "instead": "page it"}],
        }
    },
    "decision_trees": {"store": {"branches": [{"condition": "hot", "action": "use the cache"}]}},
    "patterns": {"repo": {"name": "Repository", "context": "all access to the store"}},
    "safety_protocols": [{"protocol": "Never log a body", "description": "card numbers"}],
    "best_practices": [{"category": "http", "practices": [{"practice": "set a timeout"}]}],
    "known_issues": [
        {"issue": "retries charge twice", "workaround": "send a key", "status": "open"},
        {"issue": "slow start", "workaround": "wait", "status": "resolved"},
    ],
    "potential_enhancements": [{"enhancement": "HTTP/3", "rationale": "mobile"}],
}
"""A sheet with all nine sections."""


class World:
    """``root`` is the repository, ``agents`` where the user's agents lie."""

    def __init__(self, base: Path) -> None:
        self.root = base / "repo"
        self.agents = base / "home/.claude/agents"
        (self.root / ".git").mkdir(parents=True)
        self.shelf = Shelf(self.agents)

    def file(self, name: str, text: str = "") -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def sheet(self, domain: str, given: object = API, *, own: bool = False) -> Path:
        folder = self.agents / "experts" if own else self.root / ".claude/agents/experts"
        path = folder / domain / "expertise.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = given if isinstance(given, str) else yaml.safe_dump(given, sort_keys=False)
        path.write_text(text, encoding="utf-8")
        return path

    def domains(self) -> dict[str, Domain]:
        return {each.name: each for each in self.shelf.domains(str(self.root))}

    def read(self, name: str) -> Sheet:
        return self.shelf.sheet(self.domains()[name])

    def told(self, *names: str, paths: tuple[str, ...] = (), tokens: int = 1000) -> str:
        return self.shelf.told([self.read(each) for each in names], str(self.root), paths, tokens)

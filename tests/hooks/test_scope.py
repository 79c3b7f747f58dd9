import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.acting import asking, edit, identity
from pointsman.hooks import scope
from pointsman.hooks.kit import Kit
from pointsman.model.contract import ALLOW_ALL, Contract
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.places import Places
from pointsman.model.policy import McpWriter, Policy

_PLACES = Places(state=Path("/nowhere/state"), config=Path("/nowhere/config"))


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = Path(os.path.realpath(tmp_path))
    repo = root / "repo"
    for folder in ("src/[id]", "src/deep", "docs", "secret", ".git"):
        (repo / folder).mkdir(parents=True)
    (root / "outside").mkdir()
    (root / "outside/o.ts").write_text("o")
    (repo / "src/a.ts").write_text("a")
    (repo / "secret/key.ts").write_text("k")
    (repo / "src/link").symlink_to("../secret")
    (repo / "src/leaf.ts").symlink_to("../secret/key.ts")
    (repo / "src/dangling.ts").symlink_to("../docs/new.ts")
    (repo / "src/loop").symlink_to("loop")
    (repo / "vendor").symlink_to("src/deep")
    os.link(root / "outside/o.ts", repo / "src/hard.ts")
    (root / "alias").symlink_to(repo)
    return repo


def judge(
    repo: Path,
    path: str,
    *,
    cwd: str | None = None,
    root: Path | None = None,
    contracts: tuple[Contract, ...] | None = None,
    **declared: Any,
) -> Decision | None:
    if contracts is None:
        contracts = (Contract(agent="builder", source=f"{repo}/c.md", root=str(repo), **declared),)
    policy = Policy(repository=str(repo), contracts={"builder": contracts})
    who = identity(root or repo, "builder", cwd)
    return asking(scope.hook(policy, Kit(places=_PLACES)))(edit(who, path))


SRC = ("src/**/*.ts", "src/**/*.tsx")


@pytest.mark.parametrize(
    "path",
    [
        "src/a.ts",
        "{repo}/src/a.ts",
        "{repo}/../alias/src/a.ts",
        "{root}/alias/src/new/x.ts",
        "src/../src//deep/./new.ts",
        "docs/../src/a.ts",
        "src/.hidden/.x.ts",
        "src/[id]/page.tsx",
        "src/{a,b}/x.ts",
        "src/a.ts/",
        "src/e\u0301.ts",
        "src/a b.ts",
        "src/a\nb.ts",
        " src/a.ts",
    ],
)
def test_what_is_allowed_passes_by_whatever_name(repo: Path, path: str) -> None:
    path = path.format_map({"repo": repo, "root": repo.parent, "a,b": "{a,b}"})
    decision = judge(repo, path, allowed=SRC)
    if path.startswith(" "):
        # A directory of that name is out of scope; the host may or may not strip the space.
        assert decision is not None
    else:
        assert decision is None


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("docs/a.ts", "outside"),
        ("src/a.py", "outside"),
        ("SRC/a.ts", "outside"),
        ("../outside/o.ts", "outside"),
        ("{root}/outside/o.ts", "outside"),
        ("/etc/passwd", "outside"),
        ("src/../docs/x.ts", "outside"),
        ("src/link/key.ts", "outside"),
        ("src/link/new/deeper.ts", "outside"),
        ("src/leaf.ts", "outside"),
        ("src/dangling.ts", "outside"),
        ("src/link/../x.ts", "outside"),
        ("~/src/a.ts", "outside"),
        (".", "outside"),
        ("..", "outside"),
        ("/", "outside"),
        ("src", "outside"),
        ("src/loop/x.ts", "unverifiable-path"),
        ("src/hard.ts", "unverifiable-path"),
        ("src/a\0.ts", "unverifiable-path"),
        ("src/" + "a" * 5000 + ".ts", "unverifiable-path"),
        ("src/" + "a" * 300 + ".ts", "unverifiable-path"),
    ],
)
def test_what_is_not_allowed_is_stopped_by_whatever_name(repo: Path, path: str, rule: str) -> None:
    path = path.replace("{root}", str(repo.parent))
    decision = judge(repo, path, allowed=SRC)
    assert decision is not None
    assert (decision.action, decision.rule) == (Action.DENY, f"scope.{rule}")
    assert (decision.cause is Cause.UNVERIFIED) == (rule == "unverifiable-path")


def test_a_denial_names_the_agent_the_file_and_what_is_allowed(repo: Path) -> None:
    decision = judge(repo, "docs/x.md", allowed=SRC)
    assert decision is not None
    for part in ("'builder'", f"{repo}/docs/x.md", "src/**/*.ts, src/**/*.tsx", "c.md"):
        assert part in decision.reason
    many = judge(repo, "docs/x.md", allowed=tuple(f"p{number}/**" for number in range(40)))
    assert many is not None
    assert "and 28 more" in many.reason
    none = judge(repo, "docs/x.md", allowed=())
    assert none is not None
    assert "allowed are only: nothing" in none.reason


@pytest.mark.parametrize(
    ("path", "forbidden"),
    [
        ("src/secret/x.ts", "src/secret/**"),
        ("src/secret", "src/secret/**"),
        ("src/.env", "**/.env"),
        ("node_modules/x/y.js", "**/node_modules/**"),
        ("src/a.ts", "src/a.ts"),
        ("src/link/key.ts", "secret/**"),
        ("vendor/x.ts", "vendor/**"),
        ("src/[id]/page.tsx", "src/[id]/**"),
        ("src/e\u0301.ts", "src/\u00e9.ts"),
        ("../outside/o.ts", "**/outside/**"),
    ],
)
def test_forbidden_wins_over_allowed(repo: Path, path: str, forbidden: str) -> None:
    decision = judge(repo, path, allowed=("**", "**/*"), forbidden=(forbidden,))
    assert decision is not None
    assert decision.rule == "scope.forbidden"
    assert f"forbidden by {forbidden.removesuffix('/**')!r}"[:-1] in decision.reason


@pytest.mark.parametrize("path", ["src/a.ts", ".env", ".git/config", "/tmp/scratch", "src/hard.ts"])
def test_no_declaration_allows_everything(repo: Path, path: str) -> None:
    assert judge(repo, path, contracts=()) is None
    assert judge(repo, path) is None
    assert judge(repo, path, allowed=ALLOW_ALL) is None


def test_an_agent_without_a_contract_is_not_held(repo: Path) -> None:
    contract = Contract(agent="other", source="c", root=str(repo), allowed=())
    policy = Policy(repository=str(repo), contracts={"other": (contract,)})
    ask = asking(scope.hook(policy, Kit(places=_PLACES)))
    assert ask(edit(identity(repo, "builder"), "src/a.ts")) is None
    assert ask(edit(identity(repo), "src/a.ts")) is None
    assert ask(edit(identity(repo, "other"), "src/a.ts")) is not None


def test_the_main_agent_is_held_by_its_name(repo: Path) -> None:
    contract = Contract(agent="main", source="c", root=str(repo), allowed=("docs/**",))
    policy = Policy(repository=str(repo), contracts={"main": (contract,)})
    ask = asking(scope.hook(policy, Kit(places=_PLACES)))
    assert ask(edit(identity(repo), "docs/a.md")) is None
    assert ask(edit(identity(repo), "src/a.ts")) is not None


def test_a_relative_glob_ends_at_the_repository(repo: Path) -> None:
    for pattern in ("**/*", "**/*.ts", "**"):
        assert judge(repo, "../outside/new.ts", allowed=(pattern,)) is not None, pattern
    assert judge(repo, "../outside/new.ts", allowed=("../outside/**",)) is not None
    assert judge(repo, "../outside/new.ts", allowed=(f"{repo.parent}/outside/**",)) is None


def test_the_root_may_be_reached_by_a_link_and_the_directory_may_change(repo: Path) -> None:
    alias = repo.parent / "alias"
    for root, cwd in ((alias, str(alias)), (alias, str(repo)), (repo, str(alias / "src"))):
        assert judge(repo, f"{repo}/src/a.ts", allowed=SRC, root=root, cwd=cwd) is None
        assert judge(repo, f"{alias}/docs/a.ts", allowed=SRC, root=root, cwd=cwd) is not None
    assert judge(repo, "a.ts", allowed=SRC, cwd=f"{repo}/src") is None
    assert judge(repo, "a.ts", allowed=SRC, cwd=str(repo.parent)) is not None
    forbidden = judge(repo, f"{alias}/vendor/x", root=alias, forbidden=("vendor/**",))
    assert forbidden is not None


def test_without_a_working_directory_a_relative_path_is_not_verified(repo: Path) -> None:
    decision = judge(repo, "src/a.ts", allowed=SRC, cwd="")
    assert decision is not None
    assert decision.cause is Cause.UNVERIFIED
    assert judge(repo, f"{repo}/src/a.ts", allowed=SRC, cwd="") is None


def test_every_contract_of_an_agent_must_allow(repo: Path) -> None:
    wide = Contract(agent="builder", source="a", root=str(repo), allowed=("**/*",))
    narrow = Contract(agent="builder", source="b", root=str(repo), allowed=("docs/**",))
    assert judge(repo, "docs/x", contracts=(wide, narrow)) is None
    for pair in ((wide, narrow), (narrow, wide)):
        decision = judge(repo, "src/a.ts", contracts=pair)
        assert decision is not None
        assert "docs/**" in decision.reason


def test_a_broken_or_read_only_contract_stops_every_edit(repo: Path) -> None:
    broken = judge(repo, "src/a.ts", allowed=SRC, problems=("c.md:3: bad glob",))
    assert broken is not None
    assert (broken.rule, broken.cause) == ("scope.contract-broken", Cause.UNVERIFIED)
    assert "c.md:3: bad glob" in broken.reason
    reading = judge(repo, "src/a.ts", read_only=True)
    assert reading is not None
    assert reading.rule == "scope.read-only"


@pytest.mark.parametrize(
    ("tool", "given", "stopped"),
    [
        ("NotebookEdit", {"notebook_path": "docs/n.ipynb"}, True),
        ("NotebookEdit", {"notebook_path": "src/n.ts"}, False),
        ("MultiEdit", {"file_path": "src/a.ts", "edits": []}, False),
        ("MultiEdit", {"file_path": "src/a.ts", "edits": [{"file_path": "docs/b"}]}, True),
        ("mcp__filesystem__move_file", {"source": "src/a.ts", "destination": "docs/a.ts"}, True),
        ("mcp__filesystem__move_file", {"source": "docs/a.ts", "destination": "src/b.ts"}, True),
        ("mcp__filesystem__move_file", {"source": "src/a.ts", "destination": "src/b.ts"}, False),
        ("mcp__own__put", {"paths": ["src/a.ts", "docs/b"]}, True),
        ("mcp__own__put", {"paths": ["src/a.ts"]}, False),
    ],
)
def test_every_file_of_a_call_is_judged(
    repo: Path, tool: str, given: dict[str, Any], stopped: bool
) -> None:
    contract = Contract(agent="builder", source="c", root=str(repo), allowed=SRC)
    policy = Policy(
        repository=str(repo),
        contracts={"builder": (contract,)},
        mcp_writers=(McpWriter(tool="mcp__own__*", paths=("paths",)),),
    )
    event = edit(identity(repo, "builder"), f"{repo}/src/a.ts", tool, **given)
    assert (asking(scope.hook(policy, Kit(places=_PLACES)))(event) is not None) is stopped


_PARTS = st.lists(
    st.sampled_from(["src", "deep", "secret", "link", "loop", "vendor", "..", ".", "a.ts", "n"]),
    min_size=1,
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(path=_PARTS, absolute=st.booleans())
def test_nothing_passes_whose_real_place_is_outside(
    tmp_path_factory: pytest.TempPathFactory, path: list[str], absolute: bool
) -> None:
    base = Path(os.path.realpath(tmp_path_factory.mktemp("p")))
    repo = base / "repo"
    (repo / "src/deep").mkdir(parents=True)
    (repo / "secret").mkdir()
    (repo / "src/link").symlink_to("../secret")
    (repo / "src/deep/link").symlink_to("/tmp")
    (repo / "vendor").symlink_to("src/deep")
    text = "/".join(path)
    text = f"{repo}/{text}" if absolute else text
    if judge(repo, text, allowed=("src/**",)) is None:
        real = os.path.realpath(text if absolute else f"{repo}/{text}")
        assert real.startswith(f"{repo}/src/")

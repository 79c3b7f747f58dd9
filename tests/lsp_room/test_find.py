"""Which program is taken, and why another is not: nothing of it is run, nothing downloaded."""

import json
import os
from pathlib import Path

import pytest

from pointsman.lsp.find import Found, Where, find


class Places:
    """A repository and a directory of the PATH, both empty."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "repository"
        self.bin = folder / "bin"
        self.own = folder / "own"
        for each in (self.root, self.bin, self.own):
            each.mkdir()

    def find(self, family: str, *, trusted: bool = False, path: str = "") -> Found:
        where = Where(str(self.root), trusted, path or str(self.bin), str(self.own))
        return find(family, where)


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return Places(tmp_path.resolve())


def program(path: Path, text: str = "#!/bin/false\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)
    return path


def npm(home: Path, name: str, version: str, programs: dict[str, str]) -> Path:
    """Lay out a package as npm does."""
    package = home / "node_modules" / name
    package.mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"name": name, "version": version}))
    links = home / "node_modules/.bin"
    links.mkdir(exist_ok=True)
    for link, target in programs.items():
        program(package / target)
        (links / link).symlink_to(os.path.relpath(package / target, links))
    return links


def commands(found: Found) -> list[str]:
    return [each.command[0] for each in found.launches]


@pytest.mark.parametrize(
    ("version", "reason"),
    [
        ("7.0.2", ""),
        ("7.1.0-dev.20261101", ""),
        ("8.0.0", ""),
        ("5.9.3", "is of version 5.9.3, and has no server before 7"),
        ("6.0.0", "is of version 6.0.0, and has no server before 7"),
        ("seven", "is of version unknown"),
    ],
)
def test_a_compiler_is_a_server_since_version_7(places: Places, version: str, reason: str) -> None:
    links = npm(places.root, "typescript", version, {"tsc": "bin/tsc"})
    found = places.find("typescript", trusted=True)
    if reason:
        assert commands(found) == []
        assert reason in found.problem
    else:
        assert found.launches[0].command == (f"{links}/tsc", "--lsp", "--stdio")


def test_the_native_executable_is_taken_where_it_lies(places: Places, tmp_path: Path) -> None:
    elsewhere = tmp_path.resolve() / "global"
    links = npm(elsewhere, "typescript", "7.0.2", {"tsc": "bin/tsc"})
    machine = {"x86_64": "x64", "aarch64": "arm64"}[os.uname().machine]
    name = f"node_modules/@typescript/typescript-linux-{machine}/lib/tsc"
    native = program(elsewhere / name)
    assert commands(places.find("typescript", path=str(links))) == [str(native)]


def test_a_program_of_the_repository_needs_trust(places: Places) -> None:
    theirs = program(places.root / ".venv/bin/ty")
    found = places.find("python")
    assert found.launches == ()
    assert f"{theirs} lies in the repository, which nobody has trusted" in found.problem
    assert f"pointsman trust {places.root}" in found.problem
    assert commands(places.find("python", trusted=True)) == [str(theirs)]


def test_untrusted_the_machines_own_is_taken(places: Places) -> None:
    program(places.root / ".venv/bin/ty")
    ours = program(places.bin / "ty")
    assert commands(places.find("python")) == [str(ours)]
    assert commands(places.find("python", trusted=True)) == [str(places.root / ".venv/bin/ty")]


@pytest.mark.parametrize("how", ["path", "link", "relative"])
def test_no_way_round_leads_into_the_repository(places: Places, how: str) -> None:
    theirs = program(places.root / "tools/ty")
    path = str(places.root / "tools")
    if how == "link":
        (places.bin / "ty").symlink_to(theirs)
        path = str(places.bin)
    elif how == "relative":
        path = "tools:."
    found = places.find("python", path=path)
    assert found.launches == ()
    expected = "none of" if how == "relative" else "lies in the repository"
    assert expected in found.problem


def test_what_is_installed_with_us_comes_last(places: Places) -> None:
    own = program(places.own / "ty")
    assert commands(places.find("python")) == [str(own)]
    ours = program(places.bin / "ty")
    assert commands(places.find("python")) == [str(ours)]


def test_one_that_would_download_itself_is_passed_over(places: Places) -> None:
    program(places.bin / "pyright-langserver", "#!/usr/bin/python3\nimport pyright\n")
    found = places.find("python")
    assert found.launches == ()
    assert "would download itself; npm install pyright does not" in found.problem
    program(places.bin / "pyright-langserver", "#!/usr/bin/env node\n")
    assert commands(places.find("python")) == [str(places.bin / "pyright-langserver")]


def test_a_fallback_does_not_load_the_repositorys_typescript(
    places: Places, tmp_path: Path
) -> None:
    """By itself it would: the TypeScript of the workspace goes before its own."""
    elsewhere = tmp_path.resolve() / "global"
    name = "typescript-language-server"
    links = npm(elsewhere, name, "5.3.0", {name: "lib/cli.mjs"})
    theirs = program(places.root / "node_modules/typescript/lib/tsserver.js")
    alone = places.find("typescript", path=str(links))
    assert alone.launches == ()
    assert "has no TypeScript before 7 beside it" in alone.problem
    beside = program(elsewhere / "node_modules/typescript/lib/tsserver.js")
    (launch,) = places.find("typescript", path=str(links)).launches
    assert launch.options["tsserver"]["path"] == str(beside)
    (launch,) = places.find("typescript", path=str(links), trusted=True).launches
    assert launch.options["tsserver"]["path"] == str(theirs)
    assert launch.options["disableAutomaticTypingAcquisition"] is True


def test_one_that_runs_what_the_repository_names_needs_trust_wherever_it_is(
    places: Places,
) -> None:
    program(places.bin / "rust-analyzer")
    program(places.bin / "gopls")
    assert "runs programs that the repository names" in places.find("rust").problem
    assert len(places.find("rust", trusted=True).launches) == 1
    assert len(places.find("go").launches) == 1


def test_several_are_offered_best_first(places: Places) -> None:
    program(places.bin / "pyright-langserver")
    program(places.bin / "ty")
    names = [each.kind.name for each in places.find("python").launches]
    assert names == ["ty", "pyright"]


def test_what_is_no_program_is_none(places: Places) -> None:
    (places.bin / "ty").write_text("data", encoding="utf-8")
    (places.bin / "gopls").mkdir()
    assert "none of ty, pyright-langserver is installed" in places.find("python").problem
    assert "none of gopls is installed" in places.find("go").problem


def test_the_path_given_on_leads_nowhere_into_the_repository(places: Places) -> None:
    inside = places.root / "node_modules/.bin"
    inside.mkdir(parents=True)
    path = f"{inside}:.:relative:{places.bin}"
    assert Where(str(places.root), False, path).safe_path() == str(places.bin)
    assert Where(str(places.root), True, path).safe_path() == f"{inside}:{places.bin}"

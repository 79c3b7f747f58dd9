"""What holds commands here is found out by trying it."""

from pathlib import Path

import pytest

from pointsman.model.confinement import Seam
from pointsman.sandbox.probe import landlock_abi, probe


def test_the_mechanism_that_is_asked_for_is_used(any_seam: Seam) -> None:
    assert any_seam.mechanism in {"bubblewrap", "landlock"}
    assert any_seam.version
    other = {"bubblewrap", "landlock"} - {any_seam.mechanism}
    asked = f"the settings ask for {any_seam.mechanism}"
    assert [why for name, why in any_seam.refused if name in other] in ([], [asked])


def test_none_is_none_and_says_why(native_exec: Path) -> None:
    found = probe([str(native_exec)], "none")
    assert found.mechanism == "none"
    assert [name for name, _ in found.refused] == ["bubblewrap", "landlock"]


def test_without_bubblewrap_it_is_landlock(native_exec: Path, tmp_path: Path) -> None:
    found = probe([str(native_exec)], path=str(tmp_path))
    assert found.refused[0] == ("bubblewrap", "it is not installed")
    assert found.mechanism == ("landlock" if landlock_abi() else "none")


def program(folder: Path, text: str) -> str:
    made = folder / "bwrap"
    made.write_text(f"#!/bin/sh\n{text}\n")
    made.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("echo 'no permissions' >&2; exit 1", "no permissions"),
        # A program that holds nothing, and runs what it is given.
        ('while [ "$1" != -- ]; do shift; done; shift; exec "$@"', "written beside"),
        ("exit 0", "ended with 0"),
    ],
)
def test_what_does_not_hold_is_not_used(
    native_exec: Path, tmp_path: Path, text: str, said: str
) -> None:
    found = probe([str(native_exec)], "bubblewrap", path=program(tmp_path, text))
    assert found.mechanism == "none"
    assert said in dict(found.refused)["bubblewrap"]


def test_a_client_that_is_missing_holds_nothing(tmp_path: Path) -> None:
    found = probe([str(tmp_path / "no-client")], "landlock")
    assert found.mechanism == "none"

"""The command: which measurements run, what is printed and written, the exit code."""

import json
from pathlib import Path

import pytest
from bench.figures import BenchError, Figure
from bench.rig import Effort

from bench import __main__ as command


@pytest.fixture
def measures(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Stand in for the measurements; return which ran, and whether quickly."""
    ran: list[tuple[str, bool]] = []

    def good(effort: Effort) -> list[Figure]:
        ran.append(("good", effort.quick))
        return [Figure(name="good", what="w", unit="x", value=9.0, goal=1.0)]

    def broken(effort: Effort) -> list[Figure]:
        ran.append(("broken", effort.quick))
        raise BenchError("3 sent, 2 on record")

    def bug(effort: Effort) -> list[Figure]:
        raise ValueError("embedded null byte")

    monkeypatch.setattr(command, "MEASURES", {"broken": broken, "bug": bug, "good": good})
    return ran


def test_a_goal_that_is_missed_is_said_and_is_no_failure(
    measures: list[tuple[str, bool]], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "bench.json"
    assert command.main(["--only", "good", "--quick", "--json", str(file)]) == 0
    assert measures == [("good", True)]
    assert "NO" in capsys.readouterr().out
    report = json.loads(file.read_text())
    assert report["figures"][0]["met"] is False
    assert set(report["machine"]) >= {"cores", "python", "system"}


def test_a_measurement_that_fails_has_no_figure_and_is_a_failure(
    measures: list[tuple[str, bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([]) == 1
    assert [name for name, _ in measures] == ["broken", "good"]
    out = capsys.readouterr().out
    assert "failed: 3 sent, 2 on record" in out
    assert "failed: ValueError('embedded null byte')" in out
    assert "9 x" in out


def test_json_on_stdout(
    measures: list[tuple[str, bool]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(["--only", "good", "--json", "-"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{\n") :])["figures"][0]["name"] == "good"

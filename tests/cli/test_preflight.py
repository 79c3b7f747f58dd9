"""``pointsman preflight``: what it prints, in three forms, and how it ends."""

import json
from pathlib import Path

import jsonschema
import pytest
from click.testing import CliRunner, Result

from pointsman.cli.preflight import command
from pointsman.preflight.all_checks import CHECKS

from .test_audit import SARIF


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("POINTSMAN_STATE_DIR", str(tmp_path / "state"))
    root = tmp_path / "my-app"
    root.mkdir()
    (root / "service.yaml").write_text(
        "apiVersion: serving.knative.dev/v1\nenv:\n- name: PORT\n- name: MODEL\n"
    )
    (root / "a.py").write_text('import os\nos.environ["MODEL"]\n')
    return root


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])


def test_text_names_place_reason_and_way_out(root: Path) -> None:
    told = run(root)
    assert told.exit_code == 1
    assert "my-app: cloud-run" in told.output
    assert "error  env-reserved  service.yaml:3" in told.output
    assert "MY_APP_MODEL: pointsman preflight --fix" in told.output
    assert "1 errors, 2 warnings, 0 notes" in told.output


def test_json(root: Path) -> None:
    told = json.loads(run(root, "--json").output)
    assert (told["ok"], told["targets"]) == (False, ["cloud-run"])
    assert {each["id"] for each in told["findings"]} == {"env-reserved", "env-generic"}
    assert all(each["source"] and each["why"] and each["fix"] for each in told["findings"])


def test_sarif(root: Path) -> None:
    log = json.loads(run(root, "--sarif").output)
    jsonschema.validate(log, SARIF)
    (one,) = log["runs"]
    assert [rule["id"] for rule in one["tool"]["driver"]["rules"]] == [each.id for each in CHECKS]
    place = one["results"][0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"] == {"uri": "service.yaml", "uriBaseId": "ROOT"}


def test_another_target_has_other_names(root: Path) -> None:
    told = run(root, "--target", "lambda", "--json")
    assert told.exit_code == 0
    assert {each["id"] for each in json.loads(told.output)["findings"]} == {"env-generic"}


def test_fix_and_back(root: Path) -> None:
    before = {path: path.read_bytes() for path in root.iterdir()}
    dry = run(root, "--fix", "--dry-run")
    assert "MODEL would be MY_APP_MODEL in a.py, service.yaml" in dry.output
    assert {path: path.read_bytes() for path in root.iterdir()} == before
    told = run(root, "--fix")
    assert (told.exit_code, "pointsman preflight --undo" in told.output) == (0, True)
    assert run(root).exit_code == 0
    assert run(root, "--undo").exit_code == 0
    assert {path: path.read_bytes() for path in root.iterdir()} == before


def test_one_name(root: Path) -> None:
    assert run(root, "--rename", "MODEL=GEMMA_MODEL_NAME").exit_code == 0
    assert 'os.environ["GEMMA_MODEL_NAME"]' in (root / "a.py").read_text()
    left = run(root, "--rename", "NOTHING=X")
    assert (left.exit_code, "nothing names it" in left.output) == (1, True)


@pytest.mark.parametrize(
    "words", [("--fix", "--undo"), ("--json", "--sarif"), ("--rename", "A"), ("--target", "moon")]
)
def test_words_that_do_not_go_together(root: Path, words: tuple[str, ...]) -> None:
    assert run(root, *words).exit_code == 2


SERVICE = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: pets}
spec: {template: {spec: {containers: [{image: a}]}}}
"""


def test_two_environments_in_three_forms(root: Path) -> None:
    (root / "service.yaml").write_text(SERVICE)
    (root / ".env").write_text("MODEL=top-secret-model\n")
    told = run(root, "--compare", ".env", "cloud")
    assert told.exit_code == 1
    assert told.output.index("breaks at start:") < told.output.index("changes behaviour:")
    assert "MODEL is set in .env and not in service.yaml (Service pets)" in told.output
    assert "top-secret" not in told.output
    row = json.loads(run(root, "--compare", ".env", "cloud", "--json").output)
    assert (row["ok"], row["left"]) == (False, ".env")
    assert row["differences"][0]["rank"] == "breaks at start"
    assert all(each["source"] for each in row["differences"])
    log = json.loads(run(root, "--compare", ".env", "cloud", "--sarif").output)
    jsonschema.validate(log, SARIF)
    assert log["runs"][0]["results"][0]["ruleId"] == "compare-variables"
    same = run(root, "--compare", ".env", ".env")
    assert same.exit_code == 0
    assert "0 break at start, 0 break at the first request" in same.output


def test_an_environment_that_is_not_there_is_said(root: Path) -> None:
    told = run(root, "--compare", "local", "moon")
    assert told.exit_code == 1
    assert "moon is no environment and no file" in told.output
    told = run(root, "--compare", "local", "cloud", "--fix")
    assert told.exit_code == 2
    assert "--compare changes nothing" in told.output

"""What the checks say of a project: both ways, for every target."""

from pathlib import Path

import pytest

from pointsman.model.audit import Level
from pointsman.model.preflight import Files, Target
from pointsman.preflight.all_checks import CHECKS
from pointsman.preflight.files import MOST_BYTES, Tree
from pointsman.preflight.reserved import GENERIC, NAMES
from pointsman.preflight.survey import name_of, prefix_of
from pointsman.preflight.targets import targets_of

from .world import found, project

ERROR, WARNING = Level.ERROR, Level.WARNING
YAML = "containers:\n- env:\n  - name: {}\n    value: x\n"

RESERVED = [
    (Target.CLOUD_RUN, "PORT", ERROR),
    (Target.CLOUD_RUN, "K_SERVICE", ERROR),
    (Target.CLOUD_RUN, "GOOGLE_CLOUD_PROJECT", None),
    (Target.FUNCTIONS, "FUNCTION_TARGET", ERROR),
    (Target.FUNCTIONS, "FIREBASE_TOKEN", ERROR),
    (Target.FUNCTIONS, "X_GOOGLE_ANY", ERROR),
    (Target.AGENT_ENGINE, "GOOGLE_CLOUD_LOCATION", ERROR),
    (Target.AGENT_ENGINE, "AWS_REGION", None),
    (Target.LAMBDA, "AWS_REGION", ERROR),
    (Target.LAMBDA, "_HANDLER", ERROR),
    (Target.LAMBDA, "K_SERVICE", None),
    (Target.KUBERNETES, "KUBERNETES_SERVICE_HOST", ERROR),
    (Target.KUBERNETES, "K_SERVICE", None),
]


@pytest.mark.parametrize(("target", "name", "level"), RESERVED)
def test_a_reserved_name_that_is_handed_over(
    tmp_path: Path, target: Target, name: str, level: Level | None
) -> None:
    told = [each for each in found(tmp_path, {"a.yaml": YAML.format(name)}, target)
            if each.id == "env-reserved"]  # fmt: skip
    assert [each.level for each in told] == ([level] if level else [])
    for each in told:
        assert (each.file, each.line) == ("a.yaml", 3)
        assert f"{name} is reserved on {target}" in each.what
        assert f"APP_{name.lstrip('_')}" in each.fix


PLACES = [
    ("a.py", 'import os\nos.environ["PORT"]', Target.CLOUD_RUN, None),
    ("a.py", 'import os\nos.environ["PORT"] = "1"', Target.CLOUD_RUN, WARNING),
    ("Dockerfile", "ENV PORT=8080", Target.CLOUD_RUN, WARNING),
    ("Dockerfile", "ENV K_SERVICE=x", Target.CLOUD_RUN, ERROR),
    (".env", "PORT=8080", Target.CLOUD_RUN, None),
    (".env", "GOOGLE_CLOUD_PROJECT=x", Target.AGENT_ENGINE, ERROR),
    (".env", "FUNCTION_NAME=x", Target.FUNCTIONS, ERROR),
    ("a.py", 'create(env_vars={"GOOGLE_CLOUD_PROJECT": "x"})', Target.AGENT_ENGINE, ERROR),
    ("compose.yaml", "services: {a: {environment: {PORT: 1}}}", Target.CLOUD_RUN, None),
    ("d.sh", "gcloud run deploy --set-env-vars PORT=1", Target.CLOUD_RUN, ERROR),
    ("d.sh", "PORT=1 npm start", Target.CLOUD_RUN, None),
    ("a.tf", 'env {\n name = "PORT"\n}', Target.CLOUD_RUN, ERROR),
]


@pytest.mark.parametrize(("file", "text", "target", "level"), PLACES)
def test_where_a_reserved_name_stands_decides(
    tmp_path: Path, file: str, text: str, target: Target, level: Level | None
) -> None:
    told = [each for each in found(tmp_path, {file: text}, target) if each.id == "env-reserved"]
    assert [each.level for each in told] == ([level] if level else [])


@pytest.mark.parametrize("name", sorted(GENERIC))
def test_a_generic_name_is_a_warning_once_a_file(tmp_path: Path, name: str) -> None:
    text = f'import os\nos.getenv("{name}")\nos.getenv("{name}")\n'
    (told,) = found(tmp_path, {"a.py": text})
    assert (told.id, told.level, told.line) == ("env-generic", WARNING, 2)
    assert f"APP_{name}" in told.fix
    assert "(in 2 places of this file)" in told.what


@pytest.mark.parametrize("name", ["APP_MODEL", "DATABASE_URL", "OPENAI_API_KEY", "MODELS", "PATH"])
def test_a_name_that_says_whose_it_is_is_none(tmp_path: Path, name: str) -> None:
    assert found(tmp_path, {"a.py": f'import os\nos.getenv("{name}")\n'}, *Target) == []


def test_a_generic_name_that_the_target_keeps_is_not_told_twice(tmp_path: Path) -> None:
    assert found(tmp_path, {"a.py": 'import os\nos.getenv("PORT")'}, Target.CLOUD_RUN) == []
    (told,) = found(tmp_path, {"a.py": 'import os\nos.getenv("PORT")'}, Target.KUBERNETES)
    assert told.id == "env-generic"


def test_what_could_not_be_read_is_no_clean_bill(tmp_path: Path) -> None:
    (told,) = found(tmp_path, {"a.py": "def ("})
    assert (told.id, told.level, told.file) == ("unread", Level.NOTE, "a.py")


def test_every_check_says_why_from_where_and_what_to_do() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert check.why.endswith("."), check.id
        assert check.source, check.id
        assert check.fix, check.id


def test_no_target_keeps_a_name_that_we_would_suggest() -> None:
    for names in NAMES.values():
        assert not any(name.startswith("APP_") for name in names)


TARGETS = [
    ("service.yaml", "apiVersion: serving.knative.dev/v1", {Target.CLOUD_RUN}),
    (".github/d.yml", "uses: google-github-actions/deploy-cloudrun@v2", {Target.CLOUD_RUN}),
    ("main.tf", 'resource "google_cloud_run_v2_service" "a" {}', {Target.CLOUD_RUN}),
    ("d.sh", "gcloud run deploy x", {Target.CLOUD_RUN}),
    ("firebase.json", '{"functions": {}}', {Target.FUNCTIONS}),
    ("requirements.txt", "functions-framework==3", {Target.FUNCTIONS}),
    ("deploy.py", "agent_engines.create(app)", {Target.AGENT_ENGINE}),
    ("Makefile", "\tadk deploy agent_engine x", {Target.AGENT_ENGINE}),
    ("d.sh", "adk deploy agent_engine x", {Target.AGENT_ENGINE}),
    ("template.yaml", "Type: AWS::Serverless::Function", {Target.LAMBDA}),
    ("serverless.yml", "provider:\n  runtime: x\n  name: aws\n", {Target.LAMBDA}),
    ("k.yaml", "apiVersion: apps/v1\nkind: Deployment\n", {Target.KUBERNETES}),
    ("k.yaml", "kind: Service\n", set()),
    ("a.py", "print('gcloud run deploy')", set()),
]  # fmt: skip


@pytest.mark.parametrize(("file", "text", "expected"), TARGETS)
def test_targets_are_found_by_what_files_say(
    tmp_path: Path, file: str, text: str, expected: set[Target]
) -> None:
    assert set(project(tmp_path, {file: text}).targets) == expected


NAMED = [
    ({"pyproject.toml": '[project]\nname = "a-b.c"'}, "A_B_C_"),
    ({"pyproject.toml": '[tool.poetry]\nname = "p"'}, "P_"),
    ({"package.json": '{"name": "@scope/web-app"}'}, "WEB_APP_"),
    ({"pyproject.toml": "broken ["}, "HERE_"),
    ({"package.json": "[]"}, "HERE_"),
    ({"package.json": '{"name": "3d"}'}, "APP_3D_"),
]


@pytest.mark.parametrize(("files", "prefix"), NAMED)
def test_the_prefix_is_the_projects_name(
    tmp_path: Path, files: dict[str, str], prefix: str
) -> None:
    root = tmp_path / "here"
    project(root, dict(files))
    assert prefix_of(name_of(Tree(root), root)) == prefix


def test_what_is_fetched_or_made_or_somebody_elses_is_not_read(tmp_path: Path) -> None:
    text = 'import os\nos.getenv("MODEL")'
    for name in ("node_modules/a.py", ".venv/a.py", "sub/.git/config", "sub/a.py", "dist/a.py"):
        project(tmp_path, {name: text})
    (tmp_path / "link.py").symlink_to(tmp_path / "sub/a.py")
    project(tmp_path, {"big.py": text + " " * MOST_BYTES, "ok.py": text})
    files: Files = Tree(tmp_path)
    assert files.names == ("big.py", "ok.py")
    assert [each.file for each in found(tmp_path, {})] == ["ok.py"]
    assert targets_of(files) == ()

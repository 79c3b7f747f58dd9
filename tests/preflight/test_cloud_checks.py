"""What works on one's own machine and fails where it is deployed: each fault, both ways."""

from pathlib import Path

import pytest

from pointsman.model.audit import Level
from pointsman.model.preflight import Target

from .world import found

ERROR, WARNING, NOTE = Level.ERROR, Level.WARNING, Level.NOTE
RUN = """apiVersion: serving.knative.dev/v1
kind: Service
metadata: {name: pets}
spec:
  template:
    metadata:
      annotations: {ANNOTATIONS}
    spec:
      serviceAccountName: pets@p.iam.gserviceaccount.com
      containers:
      - image: eu/pets
        env: ENV
"""
KUBE = """apiVersion: apps/v1
kind: Deployment
metadata: {name: pets}
spec:
  template:
    spec:
      containers:
      - image: eu/pets
        ports: [{containerPort: 8080}]
        securityContext: {readOnlyRootFilesystem: FIXED}
        volumeMounts: [{name: d, mountPath: /data}]
        env: ENV
"""
SAM = """Resources:
  Pets:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: python3.12
      Environment:
        Variables: ENV
"""
TERRAFORM = """resource "google_cloud_run_v2_service" "pets" {
  name = "pets"
  template {
    service_account = "a@b"
    containers {
      image = "eu/pets"
      ENV
    }
  }
}
"""


def run(env: str = "[]", annotations: str = "") -> str:
    return RUN.replace("ENV", env).replace("ANNOTATIONS", annotations)


def kube(env: str = "[]", fixed: str = "false") -> str:
    return KUBE.replace("ENV", env).replace("FIXED", fixed)


def told(root: Path, files: dict[str, str], check: str) -> list[tuple[Level, str, int]]:
    named: dict[str, str | bytes] = dict(files)
    return [(each.level, each.file, each.line) for each in found(root, named) if each.id == check]


SET = "[{name: A, value: x}]"
SECRET = "[{name: A, valueFrom: {secretKeyRef: {name: s, key: latest}}}]"
HARD = 'import os\nA = os.environ["A"]\n'
UNSET = [
    ({"s.yaml": run()}, HARD, [(ERROR, "a.py", 2)]),
    ({"s.yaml": run(SET)}, HARD, []),
    ({"s.yaml": run(SECRET)}, HARD, []),
    ({"s.yaml": kube()}, HARD, [(ERROR, "a.py", 2)]),
    ({"s.yaml": kube(SET)}, HARD, []),
    ({"s.yaml": SAM.replace("ENV", "{}")}, HARD, [(ERROR, "a.py", 2)]),
    ({"s.yaml": SAM.replace("ENV", "{A: !Ref X}")}, HARD, []),
    ({"s.tf": TERRAFORM.replace("ENV", "")}, HARD, [(ERROR, "a.py", 2)]),
    ({"s.tf": TERRAFORM.replace("ENV", 'env {\n name = "A"\n value = var.a\n}')}, HARD, []),
    ({"s.yaml": run(), "Dockerfile": "FROM python:3.12\nENV A=x\n"}, HARD, []),
    ({"s.yaml": run()}, 'import os\nA = os.getenv("A")\n', [(WARNING, "a.py", 2)]),
    ({"s.yaml": run()}, 'import os\nA = os.getenv("A", "x")\n', [(NOTE, "a.py", 2)]),
    ({"s.yaml": run()}, 'import os\nA = os.getenv("A") or "x"\n', [(NOTE, "a.py", 2)]),
    ({"s.yaml": run()}, 'import os\nA = os.getenv("A", "redis://localhost:1/0")\n',
     [(ERROR, "a.py", 2)]),
    ({"s.yaml": run()}, 'import os\nA = os.getenv("A")\nif not A:\n    raise SystemExit\n',
     [(ERROR, "a.py", 2)]),
    ({"s.yaml": run()}, 'import os\ntry:\n    A = os.environ["A"]\nexcept KeyError:\n    A = ""\n',
     [(NOTE, "a.py", 3)]),
    ({"s.yaml": run()}, 'import os\nif "A" in os.environ:\n    A = os.environ["A"]\n',
     [(WARNING, "a.py", 3)]),
    ({"s.yaml": run()}, 'import os\nP = os.environ["PORT"]\n', []),
    ({"s.yaml": run()},
     'from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    a: str\n',
     [(ERROR, "a.py", 3)]),
    ({}, HARD, []),
]  # fmt: skip


@pytest.mark.parametrize(("files", "code", "expected"), UNSET)
def test_a_variable_that_the_deployment_does_not_set(
    tmp_path: Path, files: dict[str, str], code: str, expected: list[tuple[Level, str, int]]
) -> None:
    assert told(tmp_path, files | {"a.py": code}, "cloud-unset") == expected


def test_what_kustomize_may_add_is_no_error(tmp_path: Path) -> None:
    files = {"k/s.yaml": kube(), "k/kustomization.yaml": "resources: [s.yaml]\n", "a.py": HARD}
    assert told(tmp_path, files, "cloud-unset") == [(WARNING, "a.py", 2)]


def test_config_maps_are_read_and_missing_ones_said(tmp_path: Path) -> None:
    of = kube().replace("env: []", "envFrom: [{configMapRef: {name: c}}]")
    assert told(tmp_path, {"s.yaml": of, "a.py": HARD}, "cloud-unset") == [(WARNING, "a.py", 2)]
    both = {"c.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: c}\ndata: {A: x}\n"}
    assert told(tmp_path, both, "cloud-unset") == []


def test_tests_and_scripts_are_not_the_program(tmp_path: Path) -> None:
    files = {"s.yaml": run(), "tests/a.py": HARD, "scripts/b.py": HARD, "test_c.py": HARD}
    assert told(tmp_path, files, "cloud-unset") == []


def test_each_service_reads_its_own_code(tmp_path: Path) -> None:
    files = {"s.yaml": run(), "pets/a.py": HARD, "owners/b.py": HARD.replace('"A"', '"B"')}
    assert told(tmp_path, files, "cloud-unset") == [(ERROR, "pets/a.py", 2)]


SECRETS = [
    ("s.yaml", run("[{name: API_TOKEN, value: abcdef123456}]"), 1),
    ("s.yaml", run("[{name: DATABASE_URL, value: 'postgres://u:hunter2@db.example/x'}]"), 1),
    ("s.yaml", run(SECRET.replace("A,", "API_TOKEN,")), 0),
    ("s.yaml", run("[{name: MAX_TOKENS, value: '100'}]"), 0),
    ("s.yaml", run("[{name: API_TOKEN, value: '${TOKEN}'}]"), 0),
    ("s.yaml", kube("[{name: DB_PASSWORD, value: hunter22}]"), 1),
    ("s.yaml", SAM.replace("ENV", "{DB_PASSWORD: hunter22}"), 1),
    ("s.yaml", SAM.replace("ENV", "{DB_PASSWORD: '{{resolve:secretsmanager:a}}'}"), 0),
    ("s.tf", TERRAFORM.replace("ENV", 'env {\n name = "DB_PASSWORD"\n value = "hunter22"\n}'), 1),
]


@pytest.mark.parametrize(("file", "text", "count"), SECRETS)
def test_a_secret_in_plain_text_is_found_and_never_shown(
    tmp_path: Path, file: str, text: str, count: int
) -> None:
    said = [each for each in found(tmp_path, {file: text}) if each.id == "cloud-secret"]
    assert len(said) == count
    assert "hunter2" not in repr(said)
    assert "abcdef" not in repr(said)


ADDRESSES = [
    ("http://localhost:9", "", ERROR),
    ("redis://127.0.0.1", "", ERROR),
    ("http://10.0.0.4", "", ERROR),
    ("http://10.0.0.4", "run.googleapis.com/vpc-access-connector: c", NOTE),
    ("http://169.254.169.254/", "", None),
    ("https://db.example.com", "", None),
    ("0.0.0.0", "", None),
    ("http://cache:6379", "", ERROR),
]


@pytest.mark.parametrize(("value", "annotations", "level"), ADDRESSES)
def test_where_a_value_leads(
    tmp_path: Path, value: str, annotations: str, level: Level | None
) -> None:
    files = {"s.yaml": run(f"[{{name: A, value: '{value}'}}]", annotations),
             "compose.yaml": "services: {cache: {image: redis}}\n"}  # fmt: skip
    said = [each[0] for each in told(tmp_path, files, "cloud-address")]
    assert said == ([level] if level else [])


CALLS = [
    ('import httpx\nhttpx.get("http://localhost:9000")\n', 1),
    ('import httpx\nhttpx.get("https://example.com")\n', 0),
    ('print("http://localhost:9000")\n', 0),
    ('f(allow_origins="http://localhost:9000")\n', 0),
    ('if __name__ == "__main__":\n    f("http://localhost:9000")\n', 0),
    ('import os\nos.getenv("A", "http://localhost:9000")\n', 0),
]


@pytest.mark.parametrize(("code", "count"), CALLS)
def test_an_address_that_is_written_in_the_program(tmp_path: Path, code: str, count: int) -> None:
    assert len(told(tmp_path, {"s.yaml": run(), "a.py": code}, "cloud-address")) == count


PORTS = [
    ("import uvicorn\nuvicorn.run(app, host='0.0.0.0', port=8080)\n", "python a.py", [NOTE]),
    ("import uvicorn\nuvicorn.run(app, host='0.0.0.0', port=8000)\n", "python a.py", [ERROR]),
    ("import uvicorn\nuvicorn.run(app, port=p())\n", "python a.py", [ERROR]),
    ("import uvicorn\nuvicorn.run(app, host='0.0.0.0', port=p())\n", "python a.py", []),
    ("", "uvicorn a:app --host 0.0.0.0 --port $PORT", []),
    ("", "uvicorn a:app --port $PORT", [ERROR]),
    ("", "uvicorn a:app --host 0.0.0.0", [ERROR]),
    ("", "gunicorn -b :$PORT a:app", []),
    ("", "gunicorn -b 127.0.0.1:8080 a:app", [ERROR, NOTE]),
    ("import uvicorn\nif __name__ == '__main__':\n    uvicorn.run(app)\n",
     "uvicorn a:app --host 0.0.0.0 --port ${PORT:-8080}", []),
    ("from flask import Flask\napp = Flask(__name__)\napp.run(port=8080)\n", "python a.py",
     [ERROR, NOTE]),
]  # fmt: skip


@pytest.mark.parametrize(("code", "command", "levels"), PORTS)
def test_where_the_program_listens(
    tmp_path: Path, code: str, command: str, levels: list[Level]
) -> None:
    files = {"s.yaml": run(), "a.py": code, "Dockerfile": f"FROM python:3.12\nCMD {command}\n"}
    assert [each[0] for each in told(tmp_path, files, "cloud-port")] == levels


WRITES = [
    ("open('out.txt', 'w')", run(), WARNING),
    ("open('/tmp/out.txt', 'w')", run(), None),
    ("open('out.txt')", run(), None),
    ("open('out.txt', 'w')", kube(), WARNING),
    ("open('out.txt', 'w')", kube(fixed="true"), ERROR),
    ("open('/data/out.txt', 'w')", kube(fixed="true"), None),
    ("open('out.txt', 'w')", SAM.replace("ENV", "{}"), ERROR),
    ("open('/tmp/out.txt', 'w')", SAM.replace("ENV", "{}"), None),
    ("import sqlite3\nsqlite3.connect('a.db')", run(), WARNING),
    ("import sqlite3\nsqlite3.connect(':memory:')", run(), None),
    ("from pathlib import Path\n(Path('a') / 'b').write_text('')", run(), WARNING),
    ("import os\nos.getenv('DB', 'sqlite:///a.db')", run(), WARNING),
]


@pytest.mark.parametrize(("code", "manifest", "level"), WRITES)
def test_files_that_are_written(
    tmp_path: Path, code: str, manifest: str, level: Level | None
) -> None:
    said = told(tmp_path, {"s.yaml": manifest, "a.py": code}, "cloud-writes")
    assert [each[0] for each in said] == ([level] if level else [])


KEYS = "[{name: GOOGLE_APPLICATION_CREDENTIALS, value: /data/key.json}]"
CREDENTIALS = [
    (run(KEYS), "", [ERROR]),
    (kube(KEYS), "", []),
    (run(), "C.from_service_account_file('key.json')", [ERROR]),
    (run(), "import os\nos.environ['GOOGLE_APPLICATION_CREDENTIALS'] = 'key.json'", [ERROR]),
    (run(), "", []),
    (run().replace("      serviceAccountName: pets@p.iam.gserviceaccount.com\n", ""), "",
     [WARNING]),
]  # fmt: skip


@pytest.mark.parametrize(("manifest", "code", "levels"), CREDENTIALS)
def test_who_the_program_is(tmp_path: Path, manifest: str, code: str, levels: list[Level]) -> None:
    said = told(tmp_path, {"s.yaml": manifest, "a.py": code}, "cloud-credentials")
    assert [each[0] for each in said] == levels


PYTHONS = [
    (">=3.11", "FROM python:3.10-slim\n", [ERROR]),
    (">=3.11", "FROM python:3.12-slim\n", []),
    (">=3.11,<3.13", "ARG V=3.13\nFROM python:${V}-slim\n", [ERROR]),
    ("==3.12.*", "FROM python:3.12 AS b\nFROM b\n", []),
    ("~=3.11", "FROM python:3.12\n", []),
    (">=3.11", "FROM debian\n", []),
]


@pytest.mark.parametrize(("wanted", "docker", "levels"), PYTHONS)
def test_which_python_it_runs(
    tmp_path: Path, wanted: str, docker: str, levels: list[Level]
) -> None:
    project = f'[project]\nname = "a"\nrequires-python = "{wanted}"\n'
    files = {"s.yaml": run(), "Dockerfile": docker, "pyproject.toml": project, "a.py": ""}
    assert [each[0] for each in told(tmp_path, files, "cloud-python")] == levels


def test_the_runtime_of_a_function(tmp_path: Path) -> None:
    files = {"s.yaml": SAM.replace("ENV", "{}"), ".python-version": "3.11\n"}
    assert told(tmp_path, files, "cloud-python") == [(WARNING, "s.yaml", 5)]


STAGES = [
    (run(SET), run(SET), 0),
    (run(SET), run(), 1),
    (run(), run(SET), 1),
    (run(SET), run(SECRET), 1),
    (run(SET), run(SET.replace("x", "y")), 0),
    (run("[]", "autoscaling.knative.dev/maxScale: '1'"), run(), 1),
    (run().replace("eu/pets", "eu/pets:1"), run().replace("eu/pets", "eu/pets:2"), 1),
]


@pytest.mark.parametrize(("staging", "production", "count"), STAGES)
@pytest.mark.parametrize("form", ["deploy/{}/s.yaml", "service-{}.yaml", "{}.yaml"])
def test_staging_mirrors_production(
    tmp_path: Path, staging: str, production: str, count: int, form: str
) -> None:
    files = {form.format("staging"): staging, form.format("prod"): production}
    said = told(tmp_path, files, "cloud-staging")
    assert [each[0] for each in said] == [WARNING] * count
    # The place is where the thing stands that only one of them has.
    assert {each[1] for each in said} <= set(files)


def test_another_target_is_not_asked_about(tmp_path: Path) -> None:
    files: dict[str, str | bytes] = {"s.yaml": run(), "a.py": HARD}
    assert [each.id for each in found(tmp_path, files, Target.KUBERNETES)] == []

"""Two environments beside one another: found by name, compared, ranked; no value is ever told."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from pointsman.preflight.all_aspects import ASPECTS, FAULTS
from pointsman.preflight.environments_compare import compare
from pointsman.preflight.environments_find import Sources
from pointsman.preflight.environments_live import describe
from pointsman.preflight.environments_model import (
    RANKS,
    Difference,
    Environment,
    Pair,
    Rank,
    Source,
    address_of,
    variable,
)

from .test_cloud_checks import HARD, SET, kube, run
from .world import project

START, REQUEST, BEHAVIOUR, DIFFERS = RANKS
NONE: dict[str, str] = {}


def nobody(service: str) -> bytes:
    raise AssertionError(service)


def compared(
    root: Path, files: dict[str, str], left: str, right: str, shell: dict[str, str] = NONE
) -> list[Difference]:
    made = project(root, dict(files))
    sources = Sources(made, root, shell, nobody)
    pair = Pair(left=sources.find(left), right=sources.find(right), uses=made.uses,
                files=made.files)  # fmt: skip
    return compare(pair, ASPECTS, FAULTS)


def of(found: list[Difference], check: str) -> list[tuple[Rank, str, int]]:
    return [(each.rank, each.file, each.line) for each in found if each.id == check]


MAYBE = 'import os\nA = os.getenv("A")\n'
GIVEN = 'import os\nA = os.getenv("A", "x")\n'
LATE = 'import os\ndef f():\n    return os.environ["A"]\n'
VARIABLES = [
    (HARD, "A=1\n", "[]", [(START, ".env", 1)]),
    (LATE, "A=1\n", "[]", [(REQUEST, ".env", 1)]),
    (MAYBE, "A=1\n", "[]", [(REQUEST, ".env", 1)]),
    (GIVEN, "A=1\n", "[]", [(BEHAVIOUR, ".env", 1)]),
    ("", "A=1\n", "[]", [(DIFFERS, ".env", 1)]),
    ("", "OPENAI_API_KEY=1\n", "[]", [(BEHAVIOUR, ".env", 1)]),
    (HARD, "", SET, [(BEHAVIOUR, "s.yaml", 12)]),
    (HARD, "A=x\n", SET, []),
    (HARD, "A=y\n", SET, [(DIFFERS, "s.yaml", 12)]),
    (HARD, "A='x' \n", SET, []),
    (HARD, "A=\n", SET, [(REQUEST, "s.yaml", 12)]),
    (HARD, "", "[]", [(START, "a.py", 2)]),
    ('import os\nos.environ["PORT"]', "PORT=1\n", "[]", []),
]


@pytest.mark.parametrize(("code", "dotenv", "env", "expected"), VARIABLES)
def test_variables(
    tmp_path: Path, code: str, dotenv: str, env: str, expected: list[tuple[Rank, str, int]]
) -> None:
    files = {"a.py": code, ".env": dotenv, "s.yaml": run(env)}
    assert of(compared(tmp_path, files, "local", "cloud"), "compare-variables") == expected


def test_the_shell_counts_only_where_the_program_reads_it(tmp_path: Path) -> None:
    files = {"a.py": HARD, "s.yaml": run()}
    shell = {"A": "hello", "EDITOR_THEME": "dark"}
    (told,) = (each for each in compared(tmp_path, files, "shell", "cloud", shell)
               if each.id == "compare-variables")  # fmt: skip
    assert (told.rank, told.left, told.right) == (START, "set (the shell)", "unset")


def test_no_value_of_a_secret_is_told(tmp_path: Path) -> None:
    secret = "s3cr3t-value-0001"
    files = {"a.py": 'import os\nos.environ["API_TOKEN"]', ".env": f"API_TOKEN={secret}\n",
             "s.yaml": run(f"[{{name: API_TOKEN, value: {secret}x}}]")}  # fmt: skip
    found = compared(tmp_path, files, "local", "cloud")
    assert {each.id for each in found} >= {"compare-variables", "compare-secrets"}
    assert secret not in repr(found)
    assert secret not in repr(variable("API_TOKEN", secret, Source.LITERAL, "a", 1))


def test_the_worst_comes_first(tmp_path: Path) -> None:
    files = {"a.py": HARD + "open('x.txt', 'w')\n", ".env": "A=1\nB=1\n", "s.yaml": run()}
    ranks = [RANKS.index(each.rank) for each in compared(tmp_path, files, "local", "cloud")]
    assert ranks == sorted(ranks)
    assert {0, 2, 3} <= set(ranks)


DESCRIBED = """environment: staging
target: cloud-run
variables:
  DB: {secret: db-url}
  LEVEL: info
roles: [roles/aiplatform.user]
memory: 1Gi
python: "3.12"
packages: {fastapi: 1.0.0, gone: 1.0.0}
"""


def test_two_described_environments(tmp_path: Path) -> None:
    other = (DESCRIBED.replace("staging", "production").replace("  DB: {secret: db-url}\n", "")
             .replace("1Gi", "512Mi").replace("3.12", "3.11").replace(", gone: 1.0.0", "")
             .replace("[roles/aiplatform.user]", "[]"))  # fmt: skip
    files = {"environments/staging.yaml": DESCRIBED, "environments/production.yaml": other,
             "a.py": 'import os\nos.environ["DB"]\n'}  # fmt: skip
    found = compared(tmp_path, files, "environments/staging.yaml", "environments/production.yaml")
    assert {(each.id, each.rank) for each in found} == {
        ("compare-variables", START), ("compare-identity", REQUEST),
        ("compare-resources", BEHAVIOUR), ("compare-versions", BEHAVIOUR),
        ("compare-versions", START),
    }  # fmt: skip
    assert any("roles/aiplatform.user is granted" in each.what for each in found)
    same = compared(tmp_path, {}, "staging", "environments/staging.yaml")
    assert [each.rank for each in same if each.id != "compare-identity"] == []


def test_the_role_for_secrets_is_missed(tmp_path: Path) -> None:
    found = compared(tmp_path, {"e.yaml": DESCRIBED, ".env": "DB=1\n"}, "local", "e.yaml")
    assert any("secretmanager.secretAccessor" in each.what and each.rank is START for each in found)


WRONG = [
    ("environment: a\nvariables: {}\nmemroy: 1\n", "e.yaml:3: memroy is no word"),
    ("environment: a\ntarget: moon\nvariables: {}\n", "target moon is none of"),
    ("environment: a\nvariables:\n  A: {sekret: x}\n", "e.yaml:3: A is given sekret"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_a_description_that_is_misspelt_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        compared(tmp_path, {"e.yaml": text}, "e.yaml", "shell")


COMPOSE = """services:
  web:
    build: .
    env_file: [web.env]
    environment: {B: x, C: "${C}"}
    ports: ["80:8080"]
"""


def test_a_service_of_compose_beside_a_deployment(tmp_path: Path) -> None:
    files = {"compose.yaml": COMPOSE, "web.env": "A=1\n", "Dockerfile": "FROM python:3.11\n",
             "k.yaml": kube(), "a.py": HARD}  # fmt: skip
    found = compared(tmp_path, files, "compose.yaml:web", "k.yaml")
    assert (START, "web.env", 1) in of(found, "compare-variables")
    assert {each.what.split()[0] for each in found if each.id == "compare-variables"} == set("ABC")


def test_a_name_that_is_nothing_says_what_there_is(tmp_path: Path) -> None:
    files = {"s.yaml": run(), "k.yaml": kube()}
    with pytest.raises(ValueError, match=r"known here are local, shell, cloud, k\.yaml:pets"):
        compared(tmp_path, files, "local", "moon")
    with pytest.raises(ValueError, match="cloud is one of several: say which"):
        compared(tmp_path, files, "local", "cloud")
    with pytest.raises(ValueError, match="no environment is described by production"):
        compared(tmp_path, files, "local", "production")


LIVE = json.dumps({
    "apiVersion": "serving.knative.dev/v1", "kind": "Service", "metadata": {"name": "pets"},
    "spec": {"template": {"spec": {"containers": [{"env": [{"name": "A", "value": "x"}]}]}}},
})  # fmt: skip


def ended(code: int, out: str, err: str) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.CompletedProcess([], code, out.encode(), err.encode())


def test_a_live_service_is_asked_only_by_name(tmp_path: Path) -> None:
    asked: list[Sequence[str]] = []

    def gcloud(words: Sequence[str]) -> "subprocess.CompletedProcess[bytes]":
        asked.append(words)
        return ended(0, LIVE, "")

    made = project(tmp_path, {"a.py": HARD, "answer.json": LIVE})
    sources = Sources(made, tmp_path, {}, lambda service: describe(service, gcloud))
    found: Environment = sources.find("live:pets@europe-west1@p")
    assert list(asked[0][3:]) == ["describe", "pets", "--format=json", "--region=europe-west1",
                                  "--project=p"]  # fmt: skip
    assert found.variables.keys() == sources.find("answer.json").variables.keys() == {"A"}
    assert len(asked) == 1


def test_a_live_service_that_cannot_be_asked() -> None:
    def absent(words: Sequence[str]) -> "subprocess.CompletedProcess[bytes]":
        raise FileNotFoundError(2, "No such file")

    with pytest.raises(ValueError, match="could not verify: gcloud cannot be run"):
        describe("pets", absent)
    with pytest.raises(ValueError, match=r"could not verify: .* ended with 1: PERMISSION_DENIED"):
        describe("pets", lambda _: ended(1, "", "PERMISSION_DENIED"))
    with pytest.raises(ValueError, match="the name of a service is wanted"):
        describe("--help", lambda _: ended(0, "", ""))


HOSTS = [
    ("postgres://u:p@localhost:5432/x", "localhost", 5432), ("127.0.0.1", "127.0.0.1", 0),
    ("cache:6379", "cache", 6379), ("http://[::1]:80/", "::1", 80), ("hello", None, 0),
    ("gs://bucket/x", "bucket", 0), ("a b:1", None, 0),
]  # fmt: skip


@pytest.mark.parametrize(("text", "host", "port"), HOSTS)
def test_the_host_of_a_value(text: str, host: str | None, port: int) -> None:
    found = address_of(text)
    assert (found.host if found else None, found.port if found else 0) == (host, port)

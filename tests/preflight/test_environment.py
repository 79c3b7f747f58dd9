"""Which variables a file names, and how: every reader, both ways."""

from collections.abc import Iterable

import pytest

from pointsman.model.preflight import How, Use
from pointsman.preflight.environment import environment, reader_of

READ, SET, IMAGE, DEPLOYED = How.READ, How.SET, How.IMAGE, How.DEPLOYED


class One:
    """A project of one file."""

    def __init__(self, name: str, data: bytes) -> None:
        self._name = name
        self._data = data

    @property
    def names(self) -> tuple[str, ...]:
        return (self._name,)

    def read(self, name: str) -> bytes:
        assert name == self._name
        return self._data


def uses(name: str, text: str) -> tuple[Use, ...]:
    found, unread = environment(One(name, text.encode()))
    assert unread == {}
    for use in found:
        if use.form:
            # What a renaming replaces is the name itself, to the byte.
            assert text.encode()[use.start : use.end] == use.name.encode(), use
    return found


def told(found: Iterable[Use]) -> list[tuple[str, How]]:
    return sorted((use.name, use.how) for use in found)


PYTHON = [
    ('import os\nos.environ["A"]', [("A", READ)]),
    ('import os\nos.environ["A"] = "1"', [("A", SET)]),
    ('import os\ndel os.environ["A"]', [("A", SET)]),
    ('import os as o\no.getenv("A", "x")', [("A", READ)]),
    ('from os import environ as e, getenv as g\ne.get("A")\ng(key="B")',
     [("A", READ), ("B", READ)]),
    ('import os\n"A" in os.environ', [("A", READ)]),
    ('import os\nos.environ.setdefault("A", "x")', [("A", SET)]),
    ('import os\nos.environ.update({"A": "1"}, B="2")', [("A", SET), ("B", SET)]),
    ('import os\nN = "A"\nos.getenv(N)', [("A", READ)]),
    ('import os\nN = "A"\nN = "B"\nos.getenv(N)', []),
    ('import os\nos.getenv(f"{x}_A")', []),
    ('def getenv(x): ...\ngetenv("A")', []),
    ('d = {}\nd["A"]', []),
    ('import click\n@click.option("--x", envvar=["A", "B"])\ndef f(x): ...',
     [("A", READ), ("B", READ)]),
    ('from environs import Env\nenv = Env()\nenv.str("A")\nother.str("B")', [("A", READ)]),
    ('from decouple import config\nconfig("A")', [("A", READ)]),
    ('def test(monkeypatch):\n    monkeypatch.setenv("A", "1")', [("A", SET)]),
    ('agent_engines.create(x, env_vars={"A": "1", "B": s})', [("A", DEPLOYED), ("B", DEPLOYED)]),
    ('agent_engines.create(x, env_vars=["A"])', [("A", DEPLOYED)]),
    ('é = "ü"; import os; os.getenv("A")', [("A", READ)]),
    ('\ufeffimport os; os.getenv("A")', [("A", READ)]),
    ('import os\r\nos.getenv("A")\r\n', [("A", READ)]),
    ('import os\nx = """\x0c\n"""\nos.getenv("A")', [("A", READ)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), PYTHON)
def test_python(text: str, expected: list[tuple[str, How]]) -> None:
    assert told(uses("a.py", text)) == expected


def test_a_name_that_is_composed_cannot_be_renamed_and_says_so() -> None:
    (use,) = uses("a.py", 'import os\nos.getenv("MO" "DEL")')
    assert (use.name, use.form) == ("MODEL", "")
    assert use.why_not == "the name is not written in one piece"


SETTINGS = [
    ("model: str", [("MODEL", "")]),
    ('model: str = Field(validation_alias="M")', [("M", "{}")]),
    ('model: str = Field(validation_alias=AliasChoices("M", "N"))', [("M", "{}"), ("N", "{}")]),
    ('model: str\n    model_config = SettingsConfigDict(env_prefix="x_")', [("X_MODEL", "")]),
    ('model: str\n    model_config = {"env_prefix": "x_"}', [("X_MODEL", "")]),
    ('model: str\n    class Config:\n        env_prefix = "x_"', [("X_MODEL", "")]),
    ("model: ClassVar[str]", []),
]


@pytest.mark.parametrize(("body", "expected"), SETTINGS)
def test_settings_classes(body: str, expected: list[tuple[str, str]]) -> None:
    head = "from pydantic_settings import BaseSettings\nclass S(BaseSettings):\n    "
    assert sorted((use.name, use.form) for use in uses("a.py", head + body)) == expected
    assert uses("a.py", f"class S(Base):\n    {body}") == ()


TYPESCRIPT = [
    ("process.env.A", [("A", READ)]),
    ("process.env['A']; process.env[`B`]; process.env[c]", [("A", READ), ("B", READ)]),
    ("process.env.A = '1'", [("A", SET)]),
    ("process?.env?.A; globalThis.process.env.B", [("A", READ), ("B", READ)]),
    ("import.meta.env.A; Bun.env.B; Deno.env.get('C')", [("A", READ), ("B", READ), ("C", READ)]),
    ("Deno.env.set('A', x)", [("A", SET)]),
    ("const { A, B: b, C = 'x', 'D': d, ...rest } = process.env",
     [("A", READ), ("B", READ), ("C", READ), ("D", READ)]),
    ("({ A } = process.env as any)", [("A", READ)]),
    ("// process.env.A\nconst s = 'process.env.B'", []),
    ("const { A } = other.env; other.env.B", []),
    ("const x = <T>(y: T) => process.env.A!", [("A", READ)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), TYPESCRIPT)
def test_typescript(text: str, expected: list[tuple[str, How]]) -> None:
    assert told(uses("a.ts", text)) == expected


def test_jsx() -> None:
    assert told(uses("a.jsx", "const x = <A b={process.env.A}>c</A>")) == [("A", READ)]


def test_a_name_that_is_taken_apart_keeps_its_name_in_the_program() -> None:
    forms = {use.name: use.form for use in uses("a.ts", "const { A, B: b, C = 1 } = process.env")}
    assert forms == {"A": "{}: A", "B": "{}", "C": "{}: C"}


DOTENV = """\
A=1
export B="${A}/x"
# C=1
D='${E}'
  F = 2
"""
DOCKERFILE = """\
FROM x
ENV A=1 B="a b" \\
  # why
  C='x'
ENV D 1 2
ARG E=1
RUN echo $A ${F}
# ENV G=1
"""
COMPOSE = """\
services:
  a:
    environment:
      A: ${B}
      C: $$D
  b:
    environment: [E=1, F]
"""
KUBERNETES = """\
kind: Pod
spec:
  containers:
  - env:
    - name: A
      valueFrom: {name: Z}
    - {name: 'B'}
---
kind: ConfigMap
data:
  C: é
  d.json: x
"""
SAM = """\
Resources:
  F:
    Properties:
      Environment:
        Variables:
          A: 1
Variables: {B: 1}
"""
WORKFLOW = """\
jobs:
  d:
    steps:
    - uses: google-github-actions/deploy-cloudrun@v2
      with:
        env_vars: |-
          A=1
          B=é
"""
TERRAFORM = """\
resource "a" "b" {
  env {
    name = "A"
  }
  dynamic "env" {
    content {
      name = "B"
    }
  }
  volume {
    name = "C"
  }
}
"""
TERRAFORM_MAPS = """\
resource "a" "b" {
  environment {
    variables = {
      A = "1"
      "B" = var.C
    }
  }
  environment_variables = { D = 1 }
  tags = { E = 1 }
}
"""
SCRIPT = """\
export A=1
B=2 make
gcloud run deploy --set-env-vars "C=$A,D=x=y" --update-env-vars=E=1
# F=1
echo '$G' "$B"
"""

FILES = [
    (".env", DOTENV, {("A", READ), ("A", SET), ("B", SET), ("D", SET), ("F", SET)}),
    ("prod.env", "A=1", {("A", SET)}),
    (".env.local", "A=1", {("A", SET)}),
    ("Dockerfile", DOCKERFILE,
     {("A", IMAGE), ("A", READ), ("B", IMAGE), ("C", IMAGE), ("D", IMAGE), ("E", SET),
      ("F", READ)}),
    ("api.Dockerfile", "env A=b=c D=1", {("A", IMAGE), ("D", IMAGE)}),
    ("compose.yaml", COMPOSE, {("A", SET), ("B", READ), ("C", SET), ("E", SET), ("F", SET)}),
    ("docker-compose.dev.yml", "x: &e {A: 1}\nservices: {a: {environment: *e}}", {("A", SET)}),
    ("k8s.yaml", KUBERNETES, {("A", DEPLOYED), ("B", DEPLOYED), ("C", DEPLOYED)}),
    ("secret.yaml", "kind: Secret\nmetadata: {name: A}\n", set()),
    ("sam.yaml", SAM, {("A", DEPLOYED)}),
    ("serverless.yml", "provider:\n  environment:\n    A: 1\n", {("A", DEPLOYED)}),
    ("ci.yaml", WORKFLOW, {("A", DEPLOYED), ("B", DEPLOYED)}),
    ("main.tf", TERRAFORM, {("A", DEPLOYED), ("B", DEPLOYED)}),
    ("lambda.tf", TERRAFORM_MAPS, {("A", DEPLOYED), ("B", DEPLOYED), ("D", DEPLOYED)}),
    ("d.sh", SCRIPT,
     {("A", READ), ("A", SET), ("B", READ), ("B", SET), ("C", DEPLOYED), ("D", DEPLOYED),
      ("E", DEPLOYED)}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "expected"), FILES)
def test_files(name: str, text: str, expected: set[tuple[str, How]]) -> None:
    assert set(told(uses(name, text))) == expected


@pytest.mark.parametrize("name", ["a.go", "README.md", "environment.txt", "myenv", "x.tfvars"])
def test_files_that_nobody_reads(name: str) -> None:
    assert reader_of(name) is None


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.py", b"def ("), ("a.py", b"x = '\0'"), ("a.yaml", b"{{ .Values.x }}: ]"),
     ("a.yaml", b"\xff\xfe\xff"), ("a.py", b"(" * 5000)],
)  # fmt: skip
def test_what_cannot_be_understood_is_named(name: str, data: bytes) -> None:
    found, unread = environment(One(name, data))
    assert found == ()
    assert list(unread) == [name]


@pytest.mark.parametrize(
    ("name", "data"),
    [("a.ts", b"const { = process.env.A +"), ("a.tf", b'env {\n name = "A'), ("Dockerfile", b"ENV"),
     (".env", b"=\n=A\n"), ("a.sh", b"--set-env-vars")],
)  # fmt: skip
def test_broken_files_of_tolerant_readers_are_read_as_far_as_they_go(
    name: str, data: bytes
) -> None:
    _, unread = environment(One(name, data))
    assert unread == {}

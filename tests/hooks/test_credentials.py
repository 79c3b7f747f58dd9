from pathlib import Path
from typing import Any

import pytest

from pointsman.hooks import credentials
from pointsman.hooks.credential_table import BY_PROGRAM, NEEDS
from pointsman.hooks.kit import Kit
from pointsman.model.credential import Credential
from pointsman.model.decision import Decision
from pointsman.model.events import PreToolUse
from pointsman.model.places import Places
from pointsman.model.policy import Policy

from .acting import asking, identity

KNOWN = "PATH,HOME,"


class Scene:
    """A home with these files, a process with these variables, and what is declared."""

    def __init__(self, root: Path, *declared: Credential, **rules: str) -> None:
        self.home = root / "home"
        self.home.mkdir()
        self.cwd = root / "project"
        self.cwd.mkdir()
        places = Places(root / "state", self.home / ".config/pointsman")
        policy = Policy(guards={"credentials": {"rules": rules}}, credentials=declared)
        self._ask = asking(credentials.hook(policy, Kit(places=places)))

    def file(self, name: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")

    def command(self, text: str, names: str = KNOWN) -> Decision | None:
        return self.call("Bash", names, command=text)

    def call(self, tool: str, names: str = KNOWN, /, **given: Any) -> Decision | None:
        who = identity(self.cwd)
        event = PreToolUse(identity=who, tool_name=tool, tool_input=given, environment=names)
        return self._ask(event)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


NEEDING = {
    "gh": "gh pr list", "glab": "glab mr list", "aws": "aws s3 ls", "gcloud": "gcloud run deploy x",
    "gsutil": "gsutil ls", "bq": "bq ls", "az": "az group list", "npm": "npm publish",
    "pnpm": "pnpm publish", "docker": "docker push x/y", "podman": "podman push x/y",
    "kubectl": "kubectl get pods", "helm": "helm upgrade a b", "vercel": "vercel deploy",
    "fly": "fly deploy", "flyctl": "flyctl status", "heroku": "heroku apps",
    "netlify": "netlify deploy", "wrangler": "wrangler deploy", "doctl": "doctl apps list",
    "cargo": "cargo publish", "gem": "gem push a.gem", "hf": "hf upload a b",
    "huggingface-cli": "huggingface-cli upload a b", "firebase": "firebase deploy",
    "pulumi": "pulumi up",
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credentials, "_is_cloud", lambda: False)


def test_every_program_of_the_table_has_its_example() -> None:
    assert set(NEEDING) == set(BY_PROGRAM)


@pytest.mark.parametrize("program", NEEDING)
def test_a_program_without_its_credential_is_told_which_and_runs(
    scene: Scene, program: str
) -> None:
    need = BY_PROGRAM[program]
    told = scene.command(f"cd . && {NEEDING[program]}")
    assert told is not None
    assert (told.action, told.rule) == (None, "credential.missing")
    assert f"{program} needs a credential" in told.context
    assert need.login in told.context
    assert all(f"the variable {name}" in told.context for name in need.env[:3])


@pytest.mark.parametrize("program", NEEDING)
def test_any_one_of_its_credentials_is_enough(scene: Scene, program: str) -> None:
    need = BY_PROGRAM[program]
    for name in (*need.env, *need.elsewhere):
        assert scene.command(NEEDING[program], f"{KNOWN}{name},") is None, name
    home_files = [name for name in need.files if name.startswith("~/")]
    for name in home_files:
        scene.file(name[2:].replace("@", " "))
        assert scene.command(NEEDING[program]) is None, name
        (scene.home / name[2:].replace("@", " ")).unlink()
    assert home_files


@pytest.mark.parametrize("command", [
    "gh --version", "gh auth login", "gh help pr", "gh pr list --help", "gh", "aws configure",
    "aws s3 ls --no-sign-request s3://open", "aws --version", "npm install", "npm test",
    "docker build .", "docker run x", "kubectl config view", "kubectl --kubeconfig k get pods",
    "kubectl version --client", "cargo build", "cargo publish --dry-run", "gem install x",
    "helm lint .", "vercel build", "vercel deploy --token x", "echo gh pr list",
    "git commit -m 'aws s3 ls'", "terraform apply", "wrangler dev", "az login",
])  # fmt: skip
def test_what_needs_none_is_no_matter_of_it(scene: Scene, command: str) -> None:
    assert scene.command(command) is None


@pytest.mark.parametrize("command", [
    "GH_TOKEN=x gh pr list", "export GH_TOKEN=x; gh pr list", ". ./.env && gh pr list",
    "source .env; gh pr list", "env GH_TOKEN=x gh pr list", "op run -- gh pr list",
    "ssh host gh pr list", "docker exec c gh pr list", "sudo gh pr list", "gh $WHAT",
    "gh auth login --with-token < t && gh auth status", "eval \"$(direnv export)\"; gh pr list",
])  # fmt: skip
def test_where_it_cannot_be_known_it_has_no_opinion(scene: Scene, command: str) -> None:
    assert scene.command(command) is None


def test_without_the_names_of_the_variables_it_has_no_opinion(scene: Scene) -> None:
    assert scene.command("gh pr list", "") is None


def test_on_a_machine_of_a_cloud_the_machine_itself_may_be_let_in(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credentials, "_is_cloud", lambda: True)
    assert scene.command("aws s3 ls") is None
    assert scene.command("gh pr list") is not None


@pytest.mark.parametrize(("rules", "action"), [
    ({"missing": "deny"}, "deny"), ({"missing": "ask"}, "ask"), ({"gh": "deny"}, "deny"),
    ({"missing": "deny", "gh": "ask"}, "ask"), ({"missing": "off"}, "-"), ({"gh": "off"}, "-"),
])  # fmt: skip
def test_a_rule_makes_it_stop_or_be_silent(
    tmp_path: Path, rules: dict[str, str], action: str
) -> None:
    told = Scene(tmp_path, **rules).command("gh pr list")
    assert (told.action if told else "-") == action


GITHUB = Credential(tool="mcp__github__*", env=("GITHUB_TOKEN",), hint="Ask the platform team.")
BOTH = Credential(command="deploy *", env=("A_TOKEN", "B_TOKEN"), files=("~/.deploy",), any=False)
NO_PROD = Credential(command="pytest*", env=("PROD_TOKEN",), files=("~/.prod",), forbidden=True)


def test_a_declared_tool_is_stopped_without_what_it_needs(tmp_path: Path) -> None:
    scene = Scene(tmp_path, GITHUB)
    told = scene.call("mcp__github__create_issue", title="x")
    assert told is not None
    assert (told.action, told.rule) == ("deny", "credential.missing")
    assert (
        "mcp__github__* needs a credential that is not there: the variable GITHUB_TOKEN. "
        in told.reason
    )
    assert "Ask the platform team." in told.reason
    assert scene.call("mcp__github__create_issue", f"{KNOWN}GITHUB_TOKEN,", title="x") is None
    assert scene.call("mcp__gitlab__create_issue", title="x") is None
    assert scene.call("mcp__github__create_issue", "", title="x") is None


def test_all_or_any_of_them(tmp_path: Path) -> None:
    scene = Scene(tmp_path, BOTH)
    told = scene.command("deploy now", f"{KNOWN}A_TOKEN,")
    assert told is not None
    assert "the variable B_TOKEN and the file ~/.deploy" in told.reason
    scene.file(".deploy")
    told = scene.command("/usr/bin/deploy now", f"{KNOWN}A_TOKEN,")
    assert told is not None
    assert "~/.deploy" not in told.reason
    assert scene.command("deploy now", f"{KNOWN}A_TOKEN,B_TOKEN,") is None
    assert scene.command("A_TOKEN=1 B_TOKEN=2 deploy now") is None


def test_what_must_not_be_there(tmp_path: Path) -> None:
    scene = Scene(tmp_path, NO_PROD)
    assert scene.command("pytest -q") is None
    told = scene.command("pytest -q", f"{KNOWN}PROD_TOKEN,")
    assert told is not None
    assert (told.action, told.rule) == ("deny", "credential.forbidden")
    assert "where there is the variable PROD_TOKEN" in told.reason
    scene.file(".prod")
    assert scene.command("cd x && pytest", "") is not None


def test_a_declaration_stands_in_for_the_table(tmp_path: Path) -> None:
    scene = Scene(tmp_path, Credential(command="gh *", env=("OUR_TOKEN",)))
    told = scene.command("gh pr list")
    assert told is not None
    assert told.action == "deny"
    assert scene.command("gh pr list", f"{KNOWN}OUR_TOKEN,") is None


def test_the_table_is_sound() -> None:
    for need in NEEDS:
        assert need.env or need.files
        assert not (need.verbs and need.free)
        assert need.login

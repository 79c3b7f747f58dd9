import json
from pathlib import Path
from typing import Any

import pytest

from made_secrets import made
from pointsman.hooks import secrets as guard_module
from pointsman.hooks.kit import Kit
from pointsman.model.decision import Action, Decision
from pointsman.model.event import Event
from pointsman.model.events import PreEdit, PreToolUse, UserPromptSubmit
from pointsman.model.places import Places
from pointsman.model.policy import McpWriter, Policy
from pointsman.secrets.redact import Redactor

from .acting import asking, bash, edit, identity

SECRETS = made()
GITHUB = SECRETS["github"]
UNSURE = "Zk3xw9Qp2mVt7"


class Guard:
    """The guard of a policy, in a directory."""

    def __init__(self, root: Path, **table: Any) -> None:
        self.root = root
        self.redactor = Redactor.of(root, {"DEPLOY_TOKEN": "plain enough words"})
        kit = Kit(places=Places(root, root), secrets=self.redactor)
        writers = (McpWriter(tool="mcp__notes__put", paths=("where",)),)
        policy = Policy(guards={"secrets": table}, mcp_writers=writers)
        self._ask = asking(guard_module.hook(policy, kit))

    def __call__(self, event: Event) -> Decision | None:
        return self._ask(event)

    def command(self, text: str) -> str:
        return said(self(bash(identity(self.root), text)))

    def edit(self, path: str, tool: str = "Write", /, **given: Any) -> str:
        return said(self(edit(identity(self.root), str(self.root / path), tool, **given)))

    def write(self, path: str, content: str) -> str:
        return self.edit(path, file_path=str(self.root / path), content=content)

    def prompt(self, text: str) -> Decision | None:
        return self(UserPromptSubmit(identity=identity(self.root), prompt=text))


def said(decision: Decision | None) -> str:
    """Return action and rule, and make sure that no secret is quoted."""
    if decision is None:
        return "-"
    told = decision.reason + decision.context + decision.notice
    assert not any(secret in told for secret in (*SECRETS.values(), UNSURE))
    return f"{decision.action.value if decision.action else None} {decision.rule}"


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Guard(tmp_path)


DENIED, ASKED = "deny secret.in-command", "ask secret.in-command"


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("form", [
    "export TOKEN={}", "curl -H 'X-Api: {}' https://example.org", "cat > f <<'EOF'\nx {}\nEOF",
    "echo {} | tee .env", "echo {} > .env", "git clone https://x:{}@example.org/a.git",
    "psql -c \"select '{}'\" # gitleaks:allow", "python -c 'print(\"{}\")'",
])  # fmt: skip
def test_a_secret_in_a_command_is_stopped(guard: Guard, kind: str, form: str) -> None:
    assert guard.command(form.format(SECRETS[kind])) == DENIED


@pytest.mark.parametrize("command", [
    "curl -H \"Authorization: Bearer $GITHUB_TOKEN\" https://example.org",
    "export AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
    "export TOKEN=your-token-here",
    "gh auth login --with-token < token.txt",
    "git show 6381fa45ae946c588e2e1334d8396a15e5171ad6",
    "psql postgres://postgres:postgres@localhost/app",
    "echo 550e8400-e29b-41d4-a716-446655440000 ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    "docker login -u me --password-stdin", "npm run build -- --token-budget=100",
    "sha256sum -c <<< 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 f'",
])  # fmt: skip
def test_a_command_without_one_passes(guard: Guard, command: str) -> None:
    assert guard.command(command) == "-"


def test_what_only_its_name_calls_secret_is_asked_about(guard: Guard) -> None:
    assert guard.command(f"export DB_PASSWORD={UNSURE}") == ASKED


def test_a_value_of_the_machine_is_a_secret_whatever_it_looks_like(guard: Guard) -> None:
    assert guard.command("echo plain enough words") == DENIED


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_in_a_file_is_stopped_by_every_writer(guard: Guard, kind: str) -> None:
    secret = SECRETS[kind]
    (guard.root / "old.py").write_text("import os\nkey = ''\nend\n")
    path = str(guard.root / "old.py")
    text = f"key = '{secret}'"
    old = {"old_string": "key = ''", "new_string": text}
    stopped = "deny secret.in-file"
    assert guard.write("new.py", f"a\n{text}\n") == stopped
    assert guard.write("old.py", f"a\n{text}\n") == stopped
    assert guard.edit("old.py", "Edit", file_path=path, **old) == stopped
    assert guard.edit("old.py", "MultiEdit", file_path=path, edits=[old]) == stopped
    assert guard.edit("a.ipynb", "NotebookEdit", notebook_path=path, new_source=text) == stopped
    assert guard.edit("n", "mcp__notes__put", where=path, parts=[{"body": text}]) == stopped


def test_it_names_line_and_kind_and_how_to_let_it_pass(guard: Guard) -> None:
    path = str(guard.root / "a.py")
    decision = guard(edit(identity(guard.root), path, file_path=path, content=f"a\nb\n{GITHUB}\n"))
    assert decision is not None
    assert f"line 3 of {path} would hold a github-pat" in decision.reason
    mark = guard.redactor.text(GITHUB)
    digits = mark.rpartition(":")[2].rstrip("]")
    assert f'allow = ["{digits}"]' in decision.reason


def test_an_edit_names_the_line_in_the_file(guard: Guard) -> None:
    file = guard.root / "a.py"
    file.write_text("one\ntwo\nthree = ''\n")
    given = {"file_path": str(file), "old_string": "''", "new_string": f"'{GITHUB}'"}
    decision = guard(edit(identity(guard.root), str(file), "Edit", **given))
    assert decision is not None
    assert "line 3 of" in decision.reason


def test_a_value_put_between_quotes_is_seen_with_its_name(guard: Guard) -> None:
    file = guard.root / "a.py"
    file.write_text("import x\ndb_password = ''\n")
    given = {"file_path": str(file), "old_string": "''", "new_string": f"'{UNSURE}'"}
    assert guard.edit("a.py", "Edit", **given) == "ask secret.in-file"


def test_what_stands_in_the_file_already_is_not_added(guard: Guard) -> None:
    (guard.root / "old.py").write_text(f"key = '{GITHUB}'\n")
    path = str(guard.root / "old.py")
    assert guard.write("old.py", f"# moved\nkey = '{GITHUB}'\n") == "-"
    change = {"old_string": "key", "new_string": "name"}
    assert guard.edit("old.py", "Edit", file_path=path, **change) == "-"
    gone = {"old_string": f"x = '{GITHUB}'", "new_string": f"y = '{GITHUB}'"}
    assert guard.edit("not-there.py", "Edit", file_path="/nowhere/not-there.py", **gone) == "-"
    assert guard.write("old.py", f"key = '{made(9)['github']}'\n") == "deny secret.in-file"


@pytest.mark.parametrize(("path", "content"), [
    ("package-lock.json", '"integrity": "sha512-Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYg=="'),
    ("poetry.lock", f"token = '{UNSURE}'"), ("tests/test_login.py", f"password = '{UNSURE}'"),
    ("src/login.test.ts", f"const password = '{UNSURE}'"), ("docs/setup.md", f"password: {UNSURE}"),
    (".env.example", f"DB_PASSWORD={UNSURE}"), ("a.py", "key = 'AKIAIOSFODNN7EXAMPLE'"),
    ("a.py", "api_key = 'your-api-key-goes-here-0001'"),
    ("a.py", "id = '550e8400-e29b-41d4-a716-446655440000'"),
    ("a.py", "token = os.environ['GITHUB_TOKEN']"), ("a.py", "password = 'changeme12345'"),
    ("a.py", "commit = '6381fa45ae946c588e2e1334d8396a15e5171ad6'"),
])  # fmt: skip
def test_fixtures_placeholders_and_hashes_pass(guard: Guard, path: str, content: str) -> None:
    assert guard.write(path, content) == "-"


def test_a_real_form_does_not_pass_as_a_fixture(guard: Guard) -> None:
    assert guard.write("tests/test_login.py", f"token = '{GITHUB}'") == "deny secret.in-file"


def test_a_mark_does_not_take_the_place_of_what_it_stands_for(guard: Guard) -> None:
    (guard.root / ".env").write_text(f"A={GITHUB}\nB=1\n")
    mark = guard.redactor.text(GITHUB)
    assert guard.write(".env", f"A={mark}\nB=2\n") == "deny secret.mark-in-file"
    assert guard.write("notes.txt", f"it is shown as {mark}\n") == "-"


def test_a_prompt_goes_through_and_its_author_is_told(guard: Guard) -> None:
    decision = guard.prompt(f"please use\n{GITHUB}")
    assert decision is not None
    assert said(decision) == "None secret.in-prompt"
    assert "line 2 of the prompt holds a github-pat" in decision.notice
    assert "Do not repeat it" in decision.context
    assert guard.prompt("use the token in $GITHUB_TOKEN") is None


def test_rules_go_by_place_and_by_kind(tmp_path: Path) -> None:
    guard = Guard(tmp_path, rules={"in-prompt": "deny", "in-command": "off", "github-pat": "ask",
                                   "generic-password": "deny"})  # fmt: skip
    assert said(guard.prompt(SECRETS["stripe"])) == "deny secret.in-prompt"
    assert guard.command(f"echo {SECRETS['stripe']}") == "-"
    assert guard.command(f"echo {GITHUB}") == ASKED
    assert guard.command(f"export DB_PASSWORD={UNSURE}") == DENIED
    assert guard.write("a.py", GITHUB) == "ask secret.in-file"


def test_what_a_person_allows_passes_and_nothing_else(tmp_path: Path) -> None:
    digits = Redactor.of(tmp_path, {}).find(GITHUB)[0].hash
    guard = Guard(tmp_path, allow=[digits, "fixtures/**"])
    assert guard.command(f"echo {GITHUB}") == "-"
    assert guard.command(f"echo {made(9)['github']}") == DENIED
    assert guard.write("fixtures/a.json", SECRETS["stripe"]) == "-"
    assert guard.write("src/a.json", SECRETS["stripe"]) == "deny secret.in-file"


def test_the_strictest_of_several_speaks(guard: Guard) -> None:
    decision = guard(bash(identity(guard.root), f"DB_PASSWORD={UNSURE}\necho {GITHUB}"))
    assert decision is not None
    assert decision.action is Action.DENY
    assert "github-pat" in decision.reason
    assert "generic" not in decision.reason


def test_other_events_and_tools_are_no_matter_of_it(guard: Guard) -> None:
    who = identity(guard.root)
    assert guard(PreToolUse(identity=who, tool_name="Grep", tool_input={"pattern": GITHUB})) is None
    assert guard(PreToolUse(identity=who, tool_name="Bash", tool_input={"command": 7})) is None
    odd = {"file_path": str(guard.root / "x"), "content": 7}
    assert guard(PreEdit(identity=who, tool_name="Write", tool_input=odd)) is None


# --- put together by the shell, handed to agents, sent elsewhere ---------------------------------


@pytest.mark.parametrize("form", [
    "echo {a}''{b}", "echo '{a}'\"{b}\"", "echo {a}\\\n{b}", "A={a}; echo ${{A}}{b}",
    "echo {a}\\{b}", "sh -c 'echo {a}\"\"{b}'",
])  # fmt: skip
def test_a_secret_in_pieces_is_stopped(guard: Guard, form: str) -> None:
    assert guard.command(form.format(a=GITHUB[:20], b=GITHUB[20:])) == DENIED


def test_words_that_the_shell_makes_are_no_secret_by_their_name_alone(guard: Guard) -> None:
    assert guard.command(f"echo pass''word={UNSURE[:5]}''{UNSURE[5:]}") == "-"


def called(guard: Guard, tool: str, /, **given: Any) -> Decision | None:
    return guard(PreToolUse(identity=identity(guard.root), tool_name=tool, tool_input=given))


@pytest.mark.parametrize("tool", ["Agent", "Task"])
def test_a_secret_in_the_prompt_of_an_agent_is_stopped(guard: Guard, tool: str) -> None:
    decision = called(guard, tool, subagent_type="b", prompt=f"use {GITHUB} for it")
    assert said(decision) == "deny secret.in-prompt"
    assert decision is not None
    assert "Name a variable instead" in decision.reason
    assert said(called(guard, tool, prompt="use $GITHUB_TOKEN for it")) == "-"
    assert said(called(guard, tool, prompt=f"password = {UNSURE}")) == "-"


@pytest.mark.parametrize(("tool", "given"), [
    ("WebFetch", {"url": "https://example.org/?t={}"}), ("WebSearch", {"query": "{} meaning"}),
    ("mcp__tracker__add", {"issue": {"labels": ["a", "{}"]}}), ("SendMessage", {"message": "{}"}),
])  # fmt: skip
def test_a_secret_that_is_sent_elsewhere_is_stopped(
    guard: Guard, tool: str, given: dict[str, Any]
) -> None:
    filled = json.loads(json.dumps(given).replace("{}", GITHUB))
    decision = called(guard, tool, **filled)
    assert said(decision) == "deny secret.in-call"
    assert decision is not None
    assert f"the input of {tool} holds a github-pat" in decision.reason
    assert said(called(guard, tool, **given)) == "-"


def test_a_tool_that_stays_here_may_name_one(guard: Guard) -> None:
    assert said(called(guard, "Grep", pattern=GITHUB)) == "-"


def test_what_is_sent_is_tuned_by_place(tmp_path: Path) -> None:
    guard = Guard(tmp_path, rules={"in-call": "off", "in-prompt": "ask"})
    assert said(called(guard, "WebFetch", url=GITHUB)) == "-"
    assert said(called(guard, "Agent", prompt=GITHUB)) == "ask secret.in-prompt"

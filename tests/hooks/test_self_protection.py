import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hooks.acting import asking, bash, edit, identity
from hooks.self_rows import LOOKING, REACHING
from pointsman.hooks import self_protection
from pointsman.hooks.kept import Keep
from pointsman.hooks.kit import Kit
from pointsman.model.decision import Action, Cause, Decision
from pointsman.model.event import Event
from pointsman.model.events import ConfigChange, PreToolUse
from pointsman.model.hook import Hook
from pointsman.model.places import Places
from pointsman.model.policy import Policy

_REPO_FILES = (
    ".claude/settings.json", ".claude/settings.local.json", ".claude/agents/a.md",
    ".claude/hooks/h.sh", ".claude/commands/c.md", ".pointsman/config.toml",
    ".pointsman/contracts/x.yaml", ".pointsman/hooks/own.py", "src/a.py", "build/out",
    ".venv/bin/pointsman", ".venv/bin/pointsman-hook",
)  # fmt: skip
_HOME_FILES = (
    ".claude/settings.json", ".config/pointsman/config.toml",
    ".local/state/pointsman/ledger.db", ".local/state/pointsman/trust.json",
    ".local/state/pointsman/daemon.sock",
)  # fmt: skip


class World:
    """A home with a repository in it, and a process that stands for the daemon."""

    def __init__(self, home: Path, pid: int) -> None:
        self.home = home
        self.pid = pid
        self.repo = home / "proj"
        for base, names in ((self.repo, _REPO_FILES), (home, _HOME_FILES)):
            for name in names:
                (base / name).parent.mkdir(parents=True, exist_ok=True)
                (base / name).write_text("{}")
        (self.repo / ".git").mkdir()
        self.places = Places(
            state=home / ".local/state/pointsman", config=home / ".config/pointsman"
        )
        self.places.lock.write_text(f"{pid}\n")
        self.who = identity(self.repo)

    def hook(self, **policy: Any) -> Hook:
        settings = Policy(repository=str(self.repo), **policy)
        return self_protection.hook(settings, Kit(places=self.places))

    def run(self, command: str) -> Decision | None:
        event = bash(self.who, command.replace("@PID", str(self.pid)))
        return asking(self.hook())(event)


@pytest.fixture(scope="module")
def daemon() -> Iterator[int]:
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "pointsman", "daemon"], stdin=subprocess.PIPE
    ) as process:
        yield process.pid
        assert process.stdin is not None
        process.stdin.close()


@pytest.fixture
def world(own_home: Path, daemon: int, monkeypatch: pytest.MonkeyPatch) -> World:
    real = Path(os.path.realpath(own_home))
    monkeypatch.setenv("HOME", str(real))
    return World(real, daemon)


SHEET = ".claude/agents/experts/api/expertise.yaml"


def has_sheet(world: World) -> str:
    path = world.repo / SHEET
    path.parent.mkdir(parents=True)
    path.write_text("overview: {}")
    return str(path)


WRITES_A_SHEET = [
    "echo x > @S", "echo x >> @S", "tee @S < a", "sed -i s/a/b/ @S", "cp src/a.py @S",
    "mv src/a.py @S", "rm @S", "truncate -s 0 @S", "chmod 0 @S", "ln -sf /tmp/x @S",
    "cd .claude/agents/experts; echo x > api/expertise.yaml",
    "echo x > .claude/agents/experts/*/expertise.yaml",
    "rm .claude/agents/experts/*/expertise.yaml",
    "ln -s $PWD/@S /tmp/pm-l && echo x > /tmp/pm-l",
    "python3 -c \"open('@S', 'w').write('x')\"",
    "dd if=/dev/zero of=@S", "git checkout HEAD -- @S", "bash -c 'echo x > @S'",
    "P=@S; echo x > $P", "curl -o @S http://127.0.0.1/", "rm -r .claude/agents/experts/api",
]  # fmt: skip


@pytest.mark.parametrize("command", WRITES_A_SHEET)
def test_a_worker_writes_no_shared_expertise(world: World, command: str) -> None:
    has_sheet(world)
    for agent in ("builder", ""):
        who = identity(world.repo, agent)
        said = asking(world.hook())(bash(who, command.replace("@S", SHEET)))
        assert said is not None, agent
        assert said.action in {Action.DENY, Action.ASK}


@pytest.mark.parametrize("tool", ["Write", "Edit", "MultiEdit", "mcp__filesystem__write_file"])
@pytest.mark.parametrize(
    ("agent", "stopped"),
    [("builder", True), ("", True), ("improver", True), ("api-improve-agent", False)],
)
def test_an_improve_step_writes_it_with_any_tool(
    world: World, tool: str, agent: str, stopped: bool
) -> None:
    path = has_sheet(world)
    given = {"path": path} if tool.startswith("mcp") else {"file_path": path, "content": "x"}
    said = asking(world.hook())(edit(identity(world.repo, agent), path, tool, **given))
    assert (said is not None) is stopped
    if said is not None:
        assert said.rule == "self.expertise"
        assert "Say what you have learnt in your result" in said.reason


@pytest.mark.parametrize(
    ("command", "stopped"),
    [
        ("cat notes >> @S", False),
        ("sed -i s/a/b/ @S", False),
        ("echo x > .claude/agents/experts/api/api-build-agent.md", True),
        ("echo x > .claude/agents/a.md", True),
        ("echo x > .claude/settings.json", True),
        ("rm -r .claude/agents/experts", True),
        ("pointsman expertise new x", True),
    ],
)
def test_what_an_improve_step_may_by_the_shell(world: World, command: str, stopped: bool) -> None:
    has_sheet(world)
    who = identity(world.repo, "api-improve-agent")
    said = asking(world.hook())(bash(who, command.replace("@S", SHEET)))
    assert (said is not None) is stopped


def test_who_improves_is_a_setting(world: World) -> None:
    path = has_sheet(world)
    hook = world.hook(guidance={"expertise": {"improvers": ["main"]}})
    assert asking(hook)(edit(identity(world.repo), path)) is None
    assert asking(hook)(edit(identity(world.repo, "api-improve-agent"), path)) is not None


@pytest.mark.parametrize("command", ["cat @S", "grep x @S", "git add @S", "wc -l @S"])
def test_reading_a_sheet_is_never_stopped(world: World, command: str) -> None:
    has_sheet(world)
    assert world.run(command.replace("@S", SHEET)) is None


@pytest.mark.parametrize("command", REACHING)
def test_a_command_that_reaches_what_is_kept_is_stopped(world: World, command: str) -> None:
    decision = world.run(command)
    assert decision is not None
    assert decision.rule.startswith("self.")
    assert decision.action in {Action.DENY, Action.ASK}
    if decision.action is Action.ASK:
        assert decision.cause is Cause.UNVERIFIED


@pytest.mark.parametrize("command", LOOKING)
def test_a_command_that_only_looks_passes(world: World, command: str) -> None:
    decision = world.run(command)
    assert decision is None, decision.reason


def test_main_and_subagents_are_held_alike(world: World) -> None:
    for agent in ("", "builder"):
        who = identity(world.repo, agent)
        assert asking(world.hook())(bash(who, "rm -rf .pointsman")) is not None
        assert asking(world.hook())(edit(who, ".claude/settings.json")) is not None
        assert asking(world.hook())(edit(who, "src/a.py")) is None


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        (".claude/settings.json", "settings"),
        ("{repo}/.claude/settings.local.json", "settings"),
        ("src/../.claude//settings.json", "settings"),
        (" .claude/settings.json\n", "settings"),
        (".claude/settings.json/", "settings"),
        (".claude/hooks/new.sh", "settings"),
        (".claude/agents/a.md", "contract"),
        (".claude/agents/new/b.md", "contract"),
        (".pointsman/config.toml", "contract"),
        (".pointsman/contracts/new.yaml", "contract"),
        ("~/.claude/settings.json", "settings"),
        ("{home}/.claude/settings.json", "settings"),
        ("{home}/.config/pointsman/config.toml", "state"),
        ("../.config/pointsman/config.toml", "state"),
        ("{home}/.local/state/pointsman/ledger.db", "state"),
        ("{home}/.local/state/pointsman/new", "state"),
        ("/etc/claude-code/managed-settings.json", "settings"),
        (".venv/bin/pointsman-hook", "state"),
        ("link/settings.json", "settings"),
        ("leaf", "settings"),
        ("hard", "settings"),
        ("state", "state"),
    ],
)
def test_no_name_of_a_kept_file_can_be_edited(world: World, path: str, rule: str) -> None:
    (world.repo / "link").symlink_to(".claude")
    (world.repo / "leaf").symlink_to(".claude/settings.local.json")
    (world.repo / "state").symlink_to(world.places.ledger)
    os.link(world.repo / ".claude/settings.json", world.repo / "hard")
    path = path.format(repo=world.repo, home=world.home)
    decision = asking(world.hook())(edit(world.who, path))
    assert decision is not None
    known = {f"self.{rule}", "self.state" if path.startswith("/etc/claude-code") else ""}
    assert decision.rule in known
    assert "a person does that in a terminal of their own" in decision.reason


@pytest.mark.parametrize(
    "path",
    ["src/a.py", ".claude/commands/c.md", ".claude/CLAUDE.md", "CLAUDE.md", ".vscode/settings.json",
     "docs/pointsman.md", "src/settings.json", "src/agents/a.md", ".gitignore", "/tmp/x"],
)  # fmt: skip
def test_other_files_can_be_edited(world: World, path: str) -> None:
    assert asking(world.hook())(edit(world.who, path)) is None


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("Edit", {"file_path": ".claude/settings.json", "old_string": "a", "new_string": "b"}),
        (
            "MultiEdit",
            {"file_path": "src/a.py", "edits": [{"file_path": ".pointsman/config.toml"}]},
        ),
        ("NotebookEdit", {"notebook_path": ".claude/settings.json"}),
        ("mcp__filesystem__write_file", {"path": ".claude/settings.json", "content": ""}),
        ("mcp__filesystem__move_file", {"source": ".claude/agents/a.md", "destination": "x"}),
        ("mcp__filesystem__move_file", {"source": "x", "destination": ".claude/settings.json"}),
    ],
)
def test_every_file_tool_is_held(world: World, tool: str, given: dict[str, Any]) -> None:
    assert asking(world.hook())(edit(world.who, "src/a.py", tool, **given)) is not None


@pytest.mark.parametrize(
    ("tool", "given", "stopped"),
    [
        ("mcp__any__write_it", {"where": ".claude/settings.json"}, True),
        ("mcp__any__put", {"deep": [{"x": "~/.config/pointsman/config.toml"}]}, True),
        ("mcp__any__put", {"uri": "file://{repo}/.claude/settings.json"}, True),
        ("mcp__shell__run", {"command": "rm -rf .claude"}, True),
        ("mcp__shell__run", {"command": "cat .claude/settings.json"}, False),
        ("Bash", {"command": "cd .claude && echo '{}' > settings.json"}, True),
        ("Bash", {"command": "cd .claude && cat > settings.json <<E\n{}\nE"}, True),
        ("Bash", {"command": "cd src 2>&1 | cat && echo x > .claude/settings.json"}, True),
        ("Bash", {"command": "cd nowhere || echo x > .claude/settings.json"}, True),
        ("Bash", {"command": "cd src && echo '{}' > settings.json"}, False),
        ("Bash", {"command": "(cd .claude; echo '{}') > settings.json"}, False),
        ("mcp__any__read_file", {"path": ".claude/settings.json"}, False),
        ("mcp__any__put", {"text": "the file .claude/settings.json is kept"}, False),
        ("mcp__any__put", {"path": "src/a.py"}, False),
        ("Read", {"file_path": ".claude/settings.json"}, False),
        ("Grep", {"path": ".claude", "pattern": "hooks"}, False),
    ],
)
def test_a_tool_of_a_server_is_given_no_kept_file(
    world: World, tool: str, given: dict[str, Any], stopped: bool
) -> None:
    given = {
        key: value.replace("{repo}", str(world.repo)) if isinstance(value, str) else value
        for key, value in given.items()
    }
    event = PreToolUse(identity=world.who, tool_name=tool, tool_input=given)
    assert (asking(world.hook())(event) is not None) is stopped


def test_the_settings_may_name_more_and_every_file_that_was_read_is_kept(world: World) -> None:
    hook = world.hook(
        guards={"self-protection": {"paths": ["ci/**"]}}, files=(f"{world.repo}/policy.toml",)
    )
    for path, rule in (("ci/deploy.sh", "self.declared"), ("policy.toml", "self.contract")):
        decision = asking(hook)(edit(world.who, path))
        assert decision is not None
        assert decision.rule == rule
    assert asking(hook)(bash(world.who, "rm ci/deploy.sh")) is not None


def test_the_directory_that_the_host_is_told_of_is_kept(world: World) -> None:
    event = edit(world.who, "/srv/claude/settings.json")
    assert asking(world.hook())(event) is None
    moved = type(event)(
        identity=world.who, tool_name="Write", tool_input=event.tool_input, files=event.files,
        host_config="/srv/claude",
    )  # fmt: skip
    assert asking(world.hook())(moved) is not None


def test_a_relative_path_without_a_working_directory_is_not_verified(world: World) -> None:
    decision = asking(world.hook())(edit(identity(world.repo, cwd=""), "settings.json"))
    assert decision is not None
    assert decision.cause is Cause.UNVERIFIED


def test_a_change_of_settings_is_judged_by_the_hosts_own_file(world: World) -> None:
    seen: list[Event] = []

    def fault(event: Event, home: str) -> str:
        seen.append(event)
        assert home == str(world.home)
        return "PreToolUse would no longer reach us" if len(seen) == 1 else ""

    policy = Policy(repository=str(world.repo))
    ask = asking(self_protection.hook(policy, Kit(places=world.places, fault=fault)))
    decision = ask(ConfigChange(identity=world.who))
    assert decision is not None
    assert decision.rule == "self.veto"
    assert "PreToolUse would no longer reach us" in decision.reason
    assert ask(ConfigChange(identity=world.who)) is None


def test_the_daemon_is_found_by_the_name_it_runs_under(world: World) -> None:
    comm = Path(f"/proc/{world.pid}/comm").read_text().strip()
    for command in (f"pkill {comm}", f"killall {comm}", "pkill -f sys.stdin.read"):
        decision = world.run(command)
        assert decision is not None, command
        assert decision.rule == "self.daemon"
    assert world.run("pkill -f no-such-program-at-all") is None
    world.places.lock.unlink()
    assert world.run(f"kill {world.pid}") is None


@pytest.mark.parametrize(
    "command",
    [
        "echo 'unterminated; rm .claude/settings.json",
        "echo '" + "a" * 200_000 + "'; pointsman down",
        "$EDITOR .claude/settings.json",
        "cat list | sh -s .pointsman",
    ],
    ids=lambda text: text[-30:],
)
def test_a_command_that_speaks_of_it_and_cannot_be_read_is_asked(
    world: World, command: str
) -> None:
    decision = world.run(command)
    assert decision is not None
    assert (decision.action, decision.cause) == (Action.ASK, Cause.UNVERIFIED)
    assert world.run("echo 'unterminated") is None


def test_words_behind_many_carriers_are_looked_up_once(tmp_path: Path) -> None:
    from pointsman.hooks.kept import Keep
    from pointsman.hooks.self_commands import judge_command

    class Counting(Keep):
        """Counts what is looked up."""

        def rule_of(self, path: str) -> str:
            looked_up.append(path)
            return super().rule_of(path)

    looked_up: list[str] = []
    places = Places(tmp_path / "state", tmp_path / "config")
    keep = Counting(Policy(), places, str(tmp_path))
    assert judge_command("env A=b " * 100 + "frobnicate x", keep) is None
    assert looked_up.count(str(tmp_path / "A=b")) == 1
    decision = judge_command("frobnicate " + "x " * 20_001, keep)
    assert decision is not None
    assert decision.rule == "self.unverified"


def test_the_program_before_every_shell_command_is_kept(tmp_path: Path) -> None:
    assert (
        Keep(Policy(), Places(tmp_path / "s", tmp_path / "c")).rule_of(
            "/opt/venv/bin/pointsman-exec"
        )
        == "self.state"
    )


SERVERS = '{"mcpServers": {"pointsman": {"command": "/bin/pointsman", "args": ["mcp"]}}}'


@pytest.mark.parametrize("name", ["proj/.mcp.json", ".claude.json"])
@pytest.mark.parametrize(
    "command",
    ["rm {}", "echo '{{}}' > {}", "mv {} /tmp/x", "sed -i s/mcp/x/ {}", "truncate -s0 {}"],
)
def test_a_file_of_servers_is_kept_as_long_as_ours_is_in_it(
    tmp_path: Path, daemon: int, name: str, command: str
) -> None:
    world = World(tmp_path / "home", daemon)
    file = world.home / name
    file.write_text('{"mcpServers": {"theirs": {}}}')
    assert world.run(command.format(file)) is None
    file.write_text(SERVERS)
    found = world.run(command.format(file))
    assert found is not None
    assert (found.action, found.rule) == (Action.DENY, "self.settings")
    assert world.run(f"cat {file}") is None
    edited = asking(world.hook())(edit(world.who, str(file)))
    assert edited is not None
    assert edited.rule == "self.settings"
    file.unlink()
    assert asking(world.hook())(edit(world.who, str(file))) is None

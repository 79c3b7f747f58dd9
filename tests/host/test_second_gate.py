"""The real Claude Code with pointsman-exec before its shell: what runs, what does not.

A scoped subagent may write below `src` alone; whatever way it takes, the rest stays as it was.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .messages_api import MessagesApi, Request, Said, agent, bash
from .pointsman_session import Guarded, guarded
from .session import Claude, Result
from .terminal import Terminal

pytestmark = pytest.mark.host

WORKER = "worker"


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks and the gate in its settings, and a worker held to `src`."""
    with guarded(claude) as project:
        project.init()
        project.contract(WORKER, "src/**")
        project.write("src/a.py", "a = 1\n")
        project.write("tests/t.py", "kept\n")
        git(project, "add", "-A")
        git(project, "commit", "-qm", "first")
        yield project


def git(project: Guarded, *words: str) -> None:
    who = ("-c", "user.name=u", "-c", "user.email=u@example.org")
    argv = ["git", "-C", str(project.project), *who, *words]
    subprocess.run(argv, check=True, env=project.environment())


def as_worker(project: Guarded, api: MessagesApi, *commands: str) -> Result:
    """Have the worker carry out commands, one call each."""
    api.script("main", agent("work", subagent_type=WORKER))
    api.script("work", *(bash(command) for command in commands))
    return project.claude.run("Begin. SCRIPT=main", env=project.env)


def runs_of(project: Guarded, tool_use_id: str) -> list[dict[str, str]]:
    seq = project.row(tool_use_id)["seq"]
    shown = json.loads(project.command("ledger", "show", "--json", str(seq)))
    return list(shown["hook_runs"])


def alarms(project: Guarded) -> list[str]:
    return [row["rule"] for row in project.rows("--event", "ErrorEscalation")]


# Each is written so that nothing before the shell sees where it writes.
HIDDEN_WAYS = (
    "d=te; echo no > ${d}sts/t.py",
    "python3 -c \"import os; open(os.path.join('te' + 'sts', 't.py'), 'w').write('no')\"",
    "printf 'echo no > tests/t.py' > src/s.sh; sh src/s.sh",
    "ln -s ../tests src/l; echo no > src/l/t.py",
    "git checkout HEAD~0 -- tests/t.py; rm -f $(echo tests/t.py)",
    "chmod 000 $(echo tests/t.py)",
    "tar cf src/x.tar -C src a.py --transform s,a.py,tests/t.py, && tar xf src/x.tar",
)


def test_a_scoped_agent_changes_nothing_outside(under: Guarded, api: MessagesApi) -> None:
    target = under.project / "tests/t.py"
    before = target.stat()
    as_worker(under, api, "echo no > tests/t.py", *HIDDEN_WAYS)
    after = target.stat()
    assert target.read_text() == "kept\n"
    assert (after.st_ino, after.st_mode) == (before.st_ino, before.st_mode)
    assert not under.unguarded()
    assert "escalation.command-without-a-hook" not in alarms(under)


def test_work_within_the_contract_goes_on_as_usual(under: Guarded, api: MessagesApi) -> None:
    under.write("src/test_a.py", "from a import a\n\n\ndef test_a():\n    assert a == 1\n")
    under.write("src/package.json", '{"scripts": {"test": "node -e 0"}}\n')
    result = as_worker(
        under,
        api,
        "echo 'b = 2' > src/b.py && cat src/b.py",
        "cd src && python3 -m pytest -q -p no:cacheprovider 2>&1 | tail -1; exit 3",
        "cd src && npm test --silent && echo tested",
        "git add src/b.py && git -c user.name=u -c user.email=u@example.org "
        "commit -qm more && git log --format=%s | head -1",
    )
    told = [result.tool_results[f"toolu_work_{turn}_0"].text for turn in range(4)]
    assert told[0] == "b = 2"
    assert told[1].startswith("Exit code 3\n1 passed")
    assert told[2:] == ["tested", "more"]
    held = [run for run in runs_of(under, "toolu_work_0_0") if run["hook"] == "sandbox"]
    assert [run["reason"].split(":")[0] for run in held] in (["bubblewrap"], ["landlock"])


def test_a_change_of_directory_lasts_in_the_sandbox(under: Guarded, api: MessagesApi) -> None:
    """That of the main thread does: it is held to a contract here, too."""
    main = {"agent": "main", "outputs": {"allowed_modifications": ["src/**"]}}
    under.write(".pointsman/contracts/main.json", json.dumps(main))
    under.write("src/name", "new\n")
    api.script("main", bash("cd src && pwd"), bash("pwd; echo 1 > new; echo 1 > ../$(cat name)"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert result.tool_results["toolu_main_0_0"].text.endswith("/project/src")
    assert "read-only file system" in result.tool_results["toolu_main_1_0"].text.lower()
    assert "/project/src\n" in result.tool_results["toolu_main_1_0"].text
    assert (under.project / "src/new").exists()
    assert not (under.project / "new").exists()


def test_the_users_own_rules_go_on_to_match(under: Guarded, api: MessagesApi) -> None:
    settings = json.loads(under.claude.settings_path().read_text())
    settings["permissions"] = {"allow": ["Bash(echo *)"]}
    under.claude.settings_path().write_text(json.dumps(settings))
    api.script("main", bash("echo yes"), bash("touch src/no"))
    result = under.claude.run("Begin. SCRIPT=main", mode="default", env=under.env)
    assert result.tool_results["toolu_main_0_0"].text == "yes"
    assert [one["tool_use_id"] for one in result.denials] == ["toolu_main_1_0"]


def test_with_the_settings_emptied_the_guards_stay(under: Guarded, api: MessagesApi) -> None:
    settings = under.claude.settings_path()
    given = json.loads(settings.read_text())
    # The veto would keep the hooks in force: here it is not there either.
    del given["hooks"]["ConfigChange"]
    settings.write_text(json.dumps(given))

    def emptied(_request: Request) -> Said:
        # As another process would: the host drops the hooks within a moment.
        settings.write_text("{}")
        return bash("sleep 3; echo waited")

    marker = under.project / "ran"
    api.script("main", agent("work", subagent_type=WORKER))
    api.script(
        "work",
        bash("echo before"),
        emptied,
        bash(f"touch {marker}; git reset --hard"),
        bash("d=te; echo no > ${d}sts/t.py"),
        bash("echo no > tests/t.py"),
        bash("echo yes > src/in.py"),
    )
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert not marker.exists()
    assert "Pointsman stopped this" in result.tool_results["toolu_work_2_0"].text
    assert "no hook ran" in result.tool_results["toolu_work_4_0"].text or (
        "may not modify" in result.tool_results["toolu_work_4_0"].text
    )
    assert (under.project / "tests/t.py").read_text() == "kept\n"
    assert (under.project / "src/in.py").read_text() == "yes\n"
    assert "escalation.command-without-a-hook" in alarms(under)
    stopped = [row for row in under.rows("--decision", "deny") if row["transport"] == "exec"]
    assert {row["rule"] for row in stopped} >= {"command.git-reset-hard"}


def test_an_agent_that_starts_after_the_hooks_are_gone_is_held(
    under: Guarded, api: MessagesApi
) -> None:
    settings = under.claude.settings_path()
    given = json.loads(settings.read_text())
    del given["hooks"]["ConfigChange"]
    settings.write_text(json.dumps(given))

    def emptied(_request: Request) -> Said:
        settings.write_text("{}")
        return bash("sleep 3; echo waited")

    api.script("main", emptied, agent("work", subagent_type=WORKER))
    api.script("work", bash("d=te; echo no > ${d}sts/t.py"), bash("echo yes > src/in.py"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert (under.project / "tests/t.py").read_text() == "kept\n"
    assert (under.project / "src/in.py").read_text() == "yes\n"


def test_a_missing_program_is_closed(under: Guarded, api: MessagesApi, tmp_path: Path) -> None:
    settings = json.loads(under.claude.settings_path().read_text())
    settings["env"]["CLAUDE_CODE_SHELL_PREFIX"] = str(tmp_path / "gone/pointsman-exec")
    under.claude.settings_path().write_text(json.dumps(settings))
    marker = under.project / "ran"
    api.script("main", bash(f"touch {marker}"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert result.tool_results["toolu_main_0_0"].is_error
    assert not marker.exists()


def test_a_daemon_that_is_killed_between_hook_and_command(under: Guarded, api: MessagesApi) -> None:
    killer = under.write(
        "kill.py",
        "import os, signal, sys\n"
        f"lock = {str(under.state / 'daemon.lock')!r}\n"
        "sys.stdin.read()\n"
        "os.kill(int(open(lock).read().split()[0]), signal.SIGKILL)\n",
    )
    settings = json.loads(under.claude.settings_path().read_text())
    late = {"type": "command", "command": "sh", "args": ["-c", f"sleep 1; python3 {killer}"]}
    settings["hooks"]["PreToolUse"].append({"matcher": "Bash", "hooks": [late]})
    under.claude.settings_path().write_text(json.dumps(settings))
    api.script("main", agent("work", subagent_type=WORKER))
    api.script("work", bash("echo yes > src/in.py"), bash("d=te; echo no > ${d}sts/t.py"))
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert (under.project / "src/in.py").read_text() == "yes\n"
    assert (under.project / "tests/t.py").read_text() == "kept\n"
    assert "escalation.command-without-a-hook" not in alarms(under)


def test_a_persons_own_commands_run(under: Guarded, open_terminal: Callable[..., Terminal]) -> None:
    shell_line = {"type": "command", "command": "echo the-line"}
    settings = json.loads(under.claude.settings_path().read_text())
    under.claude.write_settings({**settings, "statusLine": shell_line})
    terminal = open_terminal(mode="bypassPermissions", env=under.env)
    terminal.wait_for("the-line")
    terminal.keys("!")
    terminal.say("echo typed-$((40+2))")
    terminal.wait_for("typed-42")
    terminal.keys("!")
    terminal.say("git reset --hard")
    terminal.wait_for("Pointsman stopped this")
    rows = [row for row in under.rows("--event", "PreToolUse") if row["transport"] == "exec"]
    assert [(row["rule"], row["agent"]) for row in rows] == [
        ("exec.no-hook", "a person (!)"),
        (rows[1]["rule"], "a person (!)"),
    ]
    assert rows[1]["decision"] == "deny"
    assert not alarms(under)

"""Contracts with the real client: an agent's start, its end, and what it has really changed."""

import json
import subprocess
from collections.abc import Iterator

import pytest

from .messages_api import MessagesApi, Request, Said, ToolUse, agent, bash
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks and the gate in its settings."""
    with guarded(claude) as project:
        project.init()
        yield project


def declare(project: Guarded, name: str, contract: str) -> None:
    """Declare an agent; ``contract`` is the rest of its frontmatter."""
    head = f"---\nname: {name}\ndescription: a worker\n"
    project.write(f".claude/agents/{name}.md", f"{head}{contract}---\nWork.\n")


def told(api: MessagesApi, script: str) -> str:
    """Return everything that the model of a script was told."""
    return "\n".join(json.dumps(request.body["messages"]) for request in api.answered(script))


def test_an_agent_without_what_it_needs_does_not_start(under: Guarded, api: MessagesApi) -> None:
    needs = "requires:\n  - {type: spec_file, key: spec, path: docs/spec.md}\n"
    declare(under, "builder", needs + 'outputs:\n  allowed_modifications: ["src/**"]\n')
    begin = agent("work", subagent_type="builder")

    def specified(_request: Request) -> Said:
        under.write("docs/spec.md", "# What is wanted\n")
        return begin

    api.script("main", begin, specified)
    api.script("work", bash("mkdir -p src && echo built > src/a"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    refused = result.tool_results["toolu_main_0_0"]
    assert refused.is_error
    for words in ("agent 'builder' may not start", "docs/spec.md", "builder.md"):
        assert words in refused.text
    row = under.row("toolu_main_0_0")
    assert (row["decision"], row["rule"]) == ("deny", "spawn.missing-input")
    assert not result.tool_results["toolu_main_1_0"].is_error
    assert under.row("toolu_main_1_0")["decision"] == "none"
    assert (under.project / "src/a").read_text() == "built\n"


def test_an_agent_whose_check_fails_is_sent_back(under: Guarded, api: MessagesApi) -> None:
    declare(
        under,
        "builder",
        'outputs:\n  allowed_modifications: ["src/**"]\n'
        "validation:\n  postComplete:\n"
        "    - {check: tests_pass, command: 'test -e src/done || { echo not yet; exit 3; }'}\n",
    )
    # We run what a repository names only once a person has looked at it.
    under.command("trust")
    api.script("main", agent("work", subagent_type="builder"))
    api.script("work", "finished", bash("mkdir -p src && touch src/done"), "really finished")
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    sent = told(api, "work")
    assert "agent 'builder' is not done (attempt 1 of 3)" in sent
    assert "not yet" in sent
    assert (under.project / "src/done").exists()
    assert "really finished" in result.tool_results["toolu_main_0_0"].text
    ends = under.rows("--event", "SubagentStop")
    assert [(row["decision"], row["agent"]) for row in ends] == [
        ("deny", "builder"),
        ("none", "builder"),
    ]


def test_what_a_program_changes_outside_is_put_back(under: Guarded, api: MessagesApi) -> None:
    """Without the kernel's hold: that alone would have kept the file as it was."""
    settings = under.claude.home / ".config/pointsman/config.toml"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text("[sandbox]\nenabled = false\n")
    declare(under, "builder", 'outputs:\n  allowed_modifications: ["src/**"]\n')
    target = under.write("tests/t.py", "kept\n")
    target.chmod(0o640)
    program = under.write(
        "src/w.py",
        "import os, pathlib\n"
        "for name in ('t.py', 'new.py'):\n"
        "    pathlib.Path('te' + 'sts', name).write_text('no')\n"
        "os.chmod('te' + 'sts/t.py', 0o777)\n"
        "pathlib.Path('src', 'mine').write_text('yes')\n",
    )
    api.script("main", agent("work", subagent_type="builder"))
    api.script("work", bash(f"python3 {program} && echo written"), "done")
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert (target.read_text(), target.stat().st_mode & 0o777) == ("kept\n", 0o640)
    assert not (under.project / "tests/new.py").exists()
    assert (under.project / "src/mine").read_text() == "yes"
    sent = told(api, "work")
    assert "agent 'builder' changed outside its contract" in sent
    assert "tests/t.py" in sent
    row = under.row("toolu_work_0_0", "PostToolUse")
    assert (row["decision"], row["rule"]) == ("deny", "proof.outside-contract")
    shown = json.loads(
        under.command("ledger", "show", "--json", str(under.row("toolu_work_0_0")["seq"]))
    )
    (held,) = [run for run in shown["hook_runs"] if run["hook"] == "sandbox"]
    assert held["reason"] == "switched off by sandbox.enabled of the user's settings"
    alarms = {row["rule"] for row in under.rows("--event", "ErrorEscalation")}
    assert alarms
    # Nothing is lost: the agent's version is aside.
    kept = [path for path in (under.state / "proof/aside").rglob("*") if path.is_file()]
    assert b"no" in [path.read_bytes() for path in kept]


def worker_of(project: Guarded) -> None:
    """A repository with a first commit, and a worker held to `src`."""
    project.contract("worker", "src/**")
    project.write("src/a.py", "a = 1\n")
    project.write("tests/t.py", "kept\n")
    who = ("-c", "user.name=u", "-c", "user.email=u@example.org")
    for words in (("add", "-A"), ("commit", "-qm", "first")):
        argv = ["git", "-C", str(project.project), *who, *words]
        subprocess.run(argv, check=True, env=project.environment())


HIDDEN = "python3 -c \"open('te' + 'sts/t.py', 'w').write('no')\""


def test_what_the_kernel_refuses_is_explained(under: Guarded, api: MessagesApi) -> None:
    worker_of(under)
    script = "import os\nopen(os.path.join('te' + 'sts', 't.py'), 'w').write('no')\n"
    under.write("src/w.py", script)
    api.script("main", agent("work", subagent_type="worker"))
    api.script("work", bash("python3 src/w.py"), bash("python3 src/w.py || true"), "done")
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert (under.project / "tests/t.py").read_text() == "kept\n"
    rows = [
        under.row("toolu_work_0_0", "PostToolUseFailure"),
        under.row("toolu_work_1_0", "PostToolUse"),
    ]
    assert [row["rule"] for row in rows] == ["sandbox.refused"] * 2
    sent = told(api, "work")
    assert "the kernel holds this command to the contract of agent 'worker'" in sent
    assert "you may change only: src/**" in sent


def test_an_isolated_agent_leaves_the_main_worktree_alone(under: Guarded, api: MessagesApi) -> None:
    worker_of(under)
    main = under.project
    api.script("main", agent("work", subagent_type="worker", isolation="worktree"))
    api.script(
        "work",
        bash("git rev-parse --show-toplevel && echo in > src/in.py"),
        bash("d=te; echo no > ${d}sts/t.py"),
        bash(f"echo no > {main}/tests/t.py"),
        bash(f"python3 -c \"open('{main}/te' + 'sts/t.py', 'w').write('no')\""),
        bash("git add -A && git -c user.name=u -c user.email=u@example.org commit -qm more"),
        "done",
    )
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert ".claude/worktrees/" in result.tool_results["toolu_work_0_0"].text
    failed = [result.tool_results[f"toolu_work_{turn}_0"].is_error for turn in range(5)]
    assert failed == [False, True, True, True, False]
    assert (main / "tests/t.py").read_text() == "kept\n"
    assert not (main / "src/in.py").exists()


def test_what_runs_in_the_background_is_held(under: Guarded, api: MessagesApi) -> None:
    worker_of(under)
    later = "import time\ntime.sleep(1)\nopen('src/bg', 'w')\nopen('te' + 'sts/t.py', 'w')\n"
    under.write("src/later.py", later)
    watch = {"description": "m", "timeout_ms": 5000, "persistent": False}
    api.script("main", agent("work", subagent_type="worker"))
    api.script(
        "work",
        bash("python3 src/later.py", run_in_background=True),
        ToolUse("Monitor", {"command": f"echo yes > src/seen; {HIDDEN}", **watch}),
        ToolUse("Monitor", {"command": "python3 src/later.py", **watch}),
        bash("sleep 3"),
        "done",
    )
    under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert (under.project / "src/bg").exists()
    assert (under.project / "tests/t.py").read_text() == "kept\n"
    assert not under.unguarded()
    alarms = [row["rule"] for row in under.rows("--event", "ErrorEscalation")]
    assert "escalation.command-without-a-hook" not in alarms

"""Whatever a hook file does, the daemon gets an answer or a reason, and nothing stays behind."""

import asyncio
import os
from pathlib import Path

import pytest

from pointsman.model.budget import Budget
from pointsman.model.decision import Action, Cause
from pointsman.model.hook import HookContext, Outcome, Role
from pointsman.workers.python_worker import PythonWorker, alive

from .hooks import EVENT, Folder, asked, gone, until

HEAD = "from pointsman import Decision, deny, inject, allow, modify, ask\n"


QUICK = "async def quick(event, ctx): return None\n"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "hooks")


def write(folder: Folder, body: str, *, head: str = "", kind: str = "async def") -> PythonWorker:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    folder.write("check.py", f"{HEAD}{head}\n{kind} check(event, ctx):\n{lines}")
    return folder.worker()


@pytest.mark.parametrize("kind", ["async def", "def"])
def test_a_decision_comes_back(folder: Folder, kind: str) -> None:
    body = 'ctx.log("seen", tool=event.tool)\nreturn deny("no " + event.tool_input["command"])'
    worker = write(folder, body, kind=kind)

    async def scenario() -> None:
        run = await asked(worker.hook("check"))
        assert run.decision is not None
        assert (run.decision.action, run.decision.reason) == (Action.DENY, "no ls")
        assert run.decision.cause is Cause.VIOLATION
        assert run.lines == ("seen tool='Bash'",)
        await worker.close()

    asyncio.run(scenario())


def test_no_opinion_and_the_child_stays(folder: Folder) -> None:
    worker = write(folder, "return None")

    async def scenario() -> None:
        assert (await asked(worker.hook("check"))).outcome is Outcome.NO_OPINION
        first = worker.pid
        assert (await asked(worker.hook("check"))).outcome is Outcome.NO_OPINION
        assert first is not None
        assert worker.pid == first
        await worker.close()
        assert worker.pid is None
        await gone(first)
        assert not alive(first)

    asyncio.run(scenario())


CRASHES = {
    "syntax error": ("return None", "def broken(:", "SyntaxError"),
    "raises at import": ("return None", "raise RuntimeError('at import')", "at import"),
    "exits at import": ("return None", "raise SystemExit(3)", "SystemExit"),
    "imports what is not there": ("return None", "import nowhere", "No module named 'nowhere'"),
    "raises": ("return 1 / 0", "", "ZeroDivisionError"),
    "raises what cannot be told": (
        "raise Mute",
        "class Mute(Exception):\n    def __str__(self): raise ValueError",
        "it cannot say why",
    ),
    "raises a timeout of its own": ("raise TimeoutError('the service')", "", "the service"),
    "returns garbage": ("return {'decision': 'allow'}", "", "it returned dict"),
    "returns a wrong word": ("return Decision(action='allow')", "", "AttributeError"),
    "returns a reason that is no text": ("return deny(123)", "", "reason = 123 is not text"),
    "returns input without modify": (
        "return Decision(action=None, updated_input={'command': 'x'})",
        "",
        "updated_input comes with no decision",
    ),
    "returns 100 MB": ("return deny('x' * 100_000_000)", "", "spoke out of turn"),
    "injects without end": ("while True: ctx.inject('x' * 9999)", "", "more than 1048576 bytes"),
    "logs without end": ("while True: ctx.log('x' * 9999)", "", "more than 1048576 bytes"),
    "exits": ("os._exit(0)", "import os", "ended with exit code 0"),
    "dies": ("os.kill(os.getpid(), 9)", "import os", "ended with exit code -9"),
    "leaves a fork that holds the pipes": (
        "if os.fork() == 0: time.sleep(3600)\nos._exit(0)",
        "import os, time",
        "ended with exit code 0",
    ),
}


@pytest.mark.parametrize(("body", "head", "said"), CRASHES.values(), ids=CRASHES)
def test_a_guard_that_breaks_is_a_hard_stop(
    folder: Folder, body: str, head: str, said: str
) -> None:
    worker = write(folder, body, head=head)

    async def scenario() -> None:
        run = await asked(worker.hook("check"))
        pid = worker.pid
        assert run.decision is not None
        assert run.outcome is Outcome.CRASHED
        assert said in run.reason
        assert run.decision.action is Action.DENY
        assert run.decision.cause is Cause.FAILURE
        await worker.close()
        if pid is not None:
            await gone(pid)

    asyncio.run(scenario())


HANGS = {
    "sleeps": "await asyncio.sleep(3600)",
    "blocks": "while True: pass",
    "sleeps and blocks the loop": "time.sleep(3600)",
    "swallows cancellation": (
        "while True:\n    try: await asyncio.sleep(3600)\n    except BaseException: pass"
    ),
    "has a child of its own": "subprocess.run(['sleep', '3600'])",
    "forks": "os.fork()\ntime.sleep(3600)",
}


@pytest.mark.parametrize("body", HANGS.values(), ids=HANGS)
@pytest.mark.parametrize("role", [Role.GUARD, Role.ENRICHER], ids=str)
def test_a_hang_ends_with_the_budget(folder: Folder, body: str, role: Role) -> None:
    head = f"import asyncio, os, subprocess, time\n{QUICK}"
    worker = write(folder, f"ctx.inject('so far')\nctx.log('began')\n{body}", head=head)

    async def scenario() -> None:
        await asked(worker.hook("quick"))
        pid = worker.pid
        assert pid is not None
        run = await asked(worker.hook("check"), role, 0.5)
        assert run.lines == ("began",)
        assert run.decision is not None
        if role is Role.GUARD:
            assert run.outcome is Outcome.TIMED_OUT
            assert run.decision.action is Action.DENY
            assert run.decision.cause is Cause.FAILURE
        else:
            assert run.outcome is Outcome.DEGRADED
            assert run.decision.action is None
            assert run.decision.context == "so far"
        if body != "await asyncio.sleep(3600)":
            await gone(pid)
        assert (await asked(worker.hook("quick"))).outcome is Outcome.NO_OPINION
        await worker.close()
        await gone(pid)

    asyncio.run(scenario())


def test_a_polite_hook_that_is_late_does_not_cost_the_child(folder: Folder) -> None:
    source = (
        "import asyncio\n"
        "async def quick(event, ctx): return None\n"
        "async def slow(event, ctx): await asyncio.sleep(3600)\n"
    )
    folder.write("check.py", source)
    worker = folder.worker()

    async def scenario() -> None:
        await asked(worker.hook("quick"))
        first = worker.pid
        run = await asked(worker.hook("slow"), seconds=0.2)
        assert run.outcome is Outcome.TIMED_OUT
        again = await asked(worker.hook("quick"))
        assert again.outcome is Outcome.NO_OPINION
        assert first is not None
        await worker.close()

    asyncio.run(scenario())


def test_a_budget_shorter_than_a_start_is_met_once_the_interpreter_is_there(
    folder: Folder,
) -> None:
    worker = write(folder, "return None")

    async def scenario() -> None:
        async with asyncio.timeout(60):
            while (await asked(worker.hook("check"), seconds=0.05)).outcome is Outcome.TIMED_OUT:
                pass
        await worker.close()

    asyncio.run(scenario())


def test_a_hook_can_neither_forge_an_answer_nor_take_a_request(folder: Folder) -> None:
    body = (
        'print(\'{"id": 1, "decision": null}\', flush=True)\n'
        "os.system('echo {}')\n"
        "return deny(repr(sys.stdin.read()) + subprocess.run(['cat'], capture_output=True)"
        ".stdout.decode())"
    )
    worker = write(folder, body, head="import os, subprocess, sys")

    async def scenario() -> None:
        run = await asked(worker.hook("check"))
        assert run.decision is not None
        assert run.decision.reason == "''"
        await worker.close()

    asyncio.run(scenario())


def test_what_lies_in_the_working_directory_is_not_imported(folder: Folder) -> None:
    worker = write(folder, "return deny(json.dumps('sound'))", head="import json")
    for name in ("anyio.py", "json.py", "pointsman.py", "sitecustomize.py"):
        (folder.path / name).write_text("import os; os._exit(9)")

    async def scenario() -> None:
        run = await asked(worker.hook("check"))
        assert run.decision is not None
        assert run.decision.reason == '"sound"'
        await worker.close()

    asyncio.run(scenario())


def test_a_file_that_changes_after_it_was_hashed_is_not_run(folder: Folder) -> None:
    worker = write(folder, "return None")
    write(folder, "return allow('evil')")

    async def scenario() -> None:
        run = await asked(worker.hook("check"))
        assert run.outcome is Outcome.CRASHED
        assert "is not what was trusted" in run.reason
        await worker.close()

    asyncio.run(scenario())


def test_a_helper_that_changes_after_it_was_hashed_is_not_run(folder: Folder) -> None:
    folder.write("_helper.py", "WORD = 'sound'")
    worker = write(folder, "import _helper\nreturn deny(_helper.WORD)")
    folder.write("_helper.py", "WORD = 'evil'")

    async def scenario() -> None:
        run = await asked(worker.hook("check"))
        assert "_helper.py is not what was trusted" in run.reason
        await worker.close()

    asyncio.run(scenario())


def test_calls_run_side_by_side(folder: Folder) -> None:
    head = "import asyncio\nboth = asyncio.Event()\n"
    body = "global n\nn += 1\nif n == 2: both.set()\nawait both.wait()\nreturn deny('both')"
    worker = write(folder, body, head=f"{head}n = 0\n")

    async def scenario() -> None:
        runs = await asyncio.gather(*(asked(worker.hook("check")) for _ in range(2)))
        assert [run.decision.reason for run in runs if run.decision] == ["both", "both"]
        await worker.close()

    asyncio.run(scenario())


def test_the_child_goes_with_the_daemon(folder: Folder, tmp_path: Path) -> None:
    """A daemon that is killed leaves nothing behind, not even a hook that blocks."""
    worker = write(
        folder,
        "open(PATH, 'w').write('.')\nwhile True: pass",
        head=f"PATH = {str(tmp_path / 'on')!r}",
    )

    async def scenario() -> int:
        asking = asyncio.ensure_future(asked(worker.hook("check")))
        await until((tmp_path / "on").exists)
        pid = worker.pid
        assert pid is not None
        child = worker._child
        assert child is not None
        child.group.stdin.close()  # What the kernel does with the pipes of a process that died.
        await gone(pid)
        assert (await asking).outcome is Outcome.CRASHED
        await worker.close()
        return pid

    assert not alive(asyncio.run(scenario()))


def test_settings_and_budget_reach_the_hook(folder: Folder) -> None:
    body = "return deny(f\"{ctx.settings['word']} {0 < ctx.budget.remaining() <= 20}\")"
    worker = write(folder, body)

    async def scenario() -> None:
        context = HookContext(budget=Budget.of(20.0), settings={"word": "given"})
        decision = await worker.hook("check")(EVENT, context)
        assert decision is not None
        assert decision.reason == "given True"
        await worker.close()

    asyncio.run(scenario())


def test_our_own_id_is_alive() -> None:
    assert alive(os.getpid())

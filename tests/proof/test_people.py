"""A person's own work in the same repository at the same time is not touched."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pointsman.model.event import HOST
from pointsman.model.proof import Call, Foretold, Outcome
from pointsman.proof import places, restore
from pointsman.proof.prover import Proof
from proof.world import World, judge_of, outcomes

OPAQUE = "python3 src/a.py"


def mine(world: World, path: str = "docs/notes.md", text: str = "mine\n") -> Callable[[], None]:
    def edit() -> None:
        (world.root / path).write_text(text)

    return edit


@pytest.mark.parametrize(
    "command", ["echo x > src/a.py", "ls; cat tests/t.py", "rm -rf src/deep", "git status"]
)
def test_while_a_call_runs_whose_writes_are_known(tmp_path: Path, command: str) -> None:
    world = World(tmp_path)
    report = world.run(command, meanwhile=mine(world))
    assert (world.root / "docs/notes.md").read_text() == "mine\n"
    assert report.findings == ()


def test_what_the_call_wrote_beside_it_is_put_back_all_the_same(tmp_path: Path) -> None:
    world = World(tmp_path)
    report = world.run("echo evil > tests/t.py", meanwhile=mine(world))
    assert (world.root / "docs/notes.md").read_text() == "mine\n"
    assert (world.root / "tests/t.py").read_text() == "assert 1\n"
    assert outcomes(report) == {"tests/t.py": Outcome.RESTORED}


def test_before_and_between_calls(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run("true")
    mine(world)()
    world.run(OPAQUE)
    assert (world.root / "docs/notes.md").read_text() == "mine\n"
    (world.root / "docs/guide.md").unlink()
    (world.root / "docs/mine.md").write_text("mine\n")
    assert world.run(OPAQUE).findings == ()
    assert not (world.root / "docs/guide.md").exists()
    assert (world.root / "docs/mine.md").exists()


def test_while_a_call_waits_for_a_persons_yes(tmp_path: Path) -> None:
    world = World(tmp_path)
    call = world.call(OPAQUE)
    world.proof.before(call, world.judges)
    mine(world)()
    at = (world.root / "docs/notes.md").stat().st_ctime_ns
    # The host says how long it ran: it began ten seconds after the edit.
    began = at + 10_000_000_000
    ended = replace(call, ran_ns=began, ended_ns=began + 5_000_000)
    assert world.proof.after(ended, world.judges).findings == ()
    assert (world.root / "docs/notes.md").read_text() == "mine\n"


def test_while_a_call_that_never_ran_waited(tmp_path: Path) -> None:
    world = World(tmp_path)
    call = world.call(OPAQUE)
    world.proof.before(call, world.judges)
    mine(world)()
    assert world.proof.unsettled(replace(call, id=""))
    report = world.proof.settle(replace(call, id=""), world.judges, over=False)
    assert not world.proof.unsettled(replace(call, id=""))
    assert outcomes(report) == {"docs/notes.md": Outcome.UNTOLD}
    assert (world.root / "docs/notes.md").read_text() == "mine\n"


def test_a_file_that_somebody_was_at_work_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run("true")
    mine(world)()
    world.run("true")
    report = world.run(OPAQUE, meanwhile=mine(world, text="mine, more\n"))
    assert outcomes(report) == {"docs/notes.md": Outcome.UNTOLD}
    assert (world.root / "docs/notes.md").read_text() == "mine, more\n"


def test_an_editor_that_has_it_open(tmp_path: Path) -> None:
    world = World(tmp_path, signs="process 7 (vim) has it open")
    report = world.run(OPAQUE, meanwhile=mine(world))
    assert outcomes(report) == {"docs/notes.md": Outcome.UNTOLD}
    assert "vim" in report.findings[0].why
    # What the analysis names is the call's, whoever is about.
    report = world.run("echo evil > tests/t.py")
    assert outcomes(report) == {"tests/t.py": Outcome.RESTORED}


def test_what_the_kernel_held_cannot_have_written_it(tmp_path: Path) -> None:
    world = World(tmp_path)
    call = world.call(OPAQUE, writable=(f"{world.root}/src",))
    world.proof.before(call, world.judges)
    mine(world)()
    assert world.proof.after(call, world.judges).findings == ()
    assert (world.root / "docs/notes.md").read_text() == "mine\n"


def test_what_it_could_write_by_the_kernel_is_judged_by_the_contract(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.judges = {"builder": judge_of(world.root, "src/**/*.py")}
    call = world.call(OPAQUE, writable=(f"{world.root}/src",))
    world.proof.before(call, world.judges)
    (world.root / "src/x.sh").write_text("evil")
    report = world.proof.after(call, world.judges)
    assert outcomes(report) == {"src/x.sh": Outcome.RESTORED}


def test_an_agent_without_a_contract_at_the_same_time(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.proof.prepare(str(world.root), world.judges)
    other = world.call("make docs", agent="main", agent_id="")
    world.proof.note(other)
    report = world.run(OPAQUE, meanwhile=mine(world))
    assert report.findings == ()
    assert (world.root / "docs/notes.md").read_text() == "mine\n"
    world.proof.noted(other)
    assert world.run("true").findings == ()
    # Over: now there is nobody else who can have done it.
    report = world.run(OPAQUE, meanwhile=mine(world, "docs/guide.md"))
    assert outcomes(report) == {"docs/guide.md": Outcome.RESTORED}


def test_two_agents_each_in_its_own_place(tmp_path: Path) -> None:
    world = World(tmp_path)
    tester = judge_of(world.root, "tests/**")
    world.judges = {**world.judges, "tester": tester}
    one, two = world.call(OPAQUE), world.call("pytest", agent="tester")
    world.proof.before(one, world.judges)
    world.proof.before(two, world.judges)
    (world.root / "src/a.py").write_text("one")
    (world.root / "tests/t.py").write_text("two")
    (world.root / "docs/notes.md").write_text("either")
    reports = [world.proof.after(call, world.judges) for call in (one, two)]
    assert (world.root / "src/a.py").read_text() == "one"
    assert (world.root / "tests/t.py").read_text() == "two"
    assert (world.root / "docs/notes.md").read_text() == "notes\n"
    assert [outcomes(each) for each in reports] == [{"docs/notes.md": Outcome.RESTORED}, {}]
    assert set(reports[0].findings[0].by) == {one.id, two.id}


def test_what_one_is_known_to_write_and_another_may(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.judges = {**world.judges, "tester": judge_of(world.root, "tests/**")}
    one, two = world.call("echo evil > tests/t.py"), world.call("pytest", agent="tester")
    world.proof.before(two, world.judges)
    world.proof.before(one, world.judges)
    (world.root / "tests/t.py").write_text("whose?")
    report = world.proof.after(one, world.judges)
    assert outcomes(report) == {"tests/t.py": Outcome.UNTOLD}
    assert (world.root / "tests/t.py").read_text() == "whose?"


def test_a_call_that_is_still_under_way_is_judged_when_it_ends(tmp_path: Path) -> None:
    world = World(tmp_path)
    slow, quick = world.call(OPAQUE), world.call("true", agent_id="builder-2")
    world.proof.before(slow, world.judges)
    world.proof.before(quick, world.judges)
    (world.root / "tests/t.py").write_text("evil")
    assert world.proof.after(quick, world.judges).findings == ()
    assert (world.root / "tests/t.py").read_text() == "evil"
    report = world.proof.after(slow, world.judges)
    assert outcomes(report) == {"tests/t.py": Outcome.RESTORED}


def test_what_a_call_has_left_running(tmp_path: Path) -> None:
    world = World(tmp_path)
    call = world.call("(sleep 9; echo evil > tests/t.py) &")
    world.proof.before(call, world.judges)
    assert world.proof.after(call, world.judges).findings == ()
    (world.root / "tests/t.py").write_text("evil")
    report = world.run_silently("true")
    assert outcomes(report) == {"tests/t.py": Outcome.RESTORED}
    world.proof.settle(replace(call, id=""), world.judges, over=True)
    (world.root / "tests/t.py").write_text("a person's")
    assert world.run_silently("true").findings == ()


def test_somebody_writes_while_it_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    exchange = places.exchange

    def late(at: int, one: str, other: str) -> None:
        monkeypatch.setattr(restore, "exchange", exchange)
        (world.root / "tests/t.py").write_text("a person's")
        exchange(at, one, other)

    call = world.call("echo evil > tests/t.py")
    world.proof.before(call, world.judges)
    world.shell(call.text)
    monkeypatch.setattr(restore, "exchange", late)
    report = world.proof.after(call, world.judges)
    assert (world.root / "tests/t.py").read_text() == "a person's"
    assert outcomes(report)["tests/t.py"] is Outcome.UNRESTORED
    assert sorted(each.name for each in (world.root / "tests").iterdir()) == [
        "run.sh",
        "t.py",
        "unit",
    ]


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    world = World(tmp_path)
    call = world.call("echo evil > tests/t.py")
    world.proof.before(call, world.judges)
    world.shell(call.text)
    world.proof.close()
    world.proof = world.prover()
    report = world.proof.after(call, world.judges)
    assert (outcomes(report), report.problem) == ({"tests/t.py": Outcome.RESTORED}, "")
    assert (world.root / "tests/t.py").read_text() == "assert 1\n"


def test_without_a_baseline_it_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    call = world.call("echo evil > tests/t.py")
    world.shell(call.text)
    assert "no baseline" in world.proof.after(call, world.judges).problem


def test_a_call_that_nobody_announced_is_held_to_the_last_baseline(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.proof.prepare(str(world.root), world.judges)
    call = Call(
        root=str(world.root), session="s", agent="builder", id="x", foretold=Foretold(),
        agent_id="builder",
    )  # fmt: skip
    (world.root / "tests/t.py").write_text("evil")
    report = world.proof.after(call, world.judges)
    assert outcomes(report) == {"tests/t.py": Outcome.RESTORED}


def test_a_tree_that_is_too_large_is_said_and_not_read_for_each_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path)
    monkeypatch.setattr("pointsman.proof.tree.MOST_FILES", 3)
    call = world.call("true")
    assert "more than 3 files" in world.proof.before(call, world.judges).problem
    monkeypatch.setattr("pointsman.proof.look.scan", None)
    assert "more than 3 files" in world.proof.after(call, world.judges).problem


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.state.write_text("no directory")
    assert "our own record" in world.proof.before(world.call("true"), world.judges).problem


def test_an_agent_that_has_called_nothing_has_nothing_to_settle(tmp_path: Path) -> None:
    world = World(tmp_path)
    assert not world.proof.unsettled(world.call("true"))
    report = world.proof.settle(world.call("true"), world.judges, over=True)
    assert (report.findings, report.problem) == ((), "")


def test_once_it_is_closed_nothing_is_read(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.run("true")
    world.proof.close()
    assert world.proof.before(world.call("true"), world.judges).problem


def test_what_is_old_is_dropped(tmp_path: Path) -> None:
    world = World(tmp_path)
    report = world.run("echo evil > tests/t.py")
    kept = Path(report.findings[0].kept)
    world.proof.tidy()
    assert kept.exists()
    world.proof.close()
    later = Proof(world.state, clock=lambda: time.time_ns() + 91 * 86_400 * 10**9)
    later.tidy()
    later.close()
    assert not kept.exists()


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that a host has started for itself, and that runs until the test ends it."""
    with subprocess.Popen(["sleep", "600"]) as process:
        yield process
        process.kill()


def test_a_server_that_runs_all_along_excuses_nothing(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    world = World(tmp_path)
    world.proof.beside(str(world.root), HOST, sleeper.pid)
    for number in range(2):
        (world.root / "src/a.py").write_text(f"open('tests/t.py', 'w').write('evil {number}')")
        assert outcomes(world.run(OPAQUE)) == {"tests/t.py": Outcome.RESTORED}
    assert (world.root / "tests/t.py").read_text() == "assert 1\n"


def test_a_hook_that_runs_during_a_call_has_its_own_work_left_alone(tmp_path: Path) -> None:
    world = World(tmp_path)

    def hook() -> None:
        script = "read; echo mine > docs/notes.md"
        with subprocess.Popen(["bash", "-c", script], cwd=world.root, stdin=subprocess.PIPE) as run:
            world.proof.beside(str(world.root), HOST, run.pid)
            run.communicate(b"\n")

    assert world.run(OPAQUE, meanwhile=hook).findings == ()
    assert (world.root / "docs/notes.md").read_text() == "mine\n"
    # It is over, and excuses nothing of a later call.
    (world.root / "src/a.py").write_text("open('docs/notes.md', 'w').write('evil')")
    assert outcomes(world.run(OPAQUE)) == {"docs/notes.md": Outcome.RESTORED}
    assert (world.root / "docs/notes.md").read_text() == "mine\n"


def test_one_that_ends_while_a_call_runs_has_its_work_left_alone(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    world = World(tmp_path)
    world.proof.beside(str(world.root), HOST, sleeper.pid)

    def end() -> None:
        mine(world)()
        sleeper.kill()
        sleeper.wait()

    assert world.run(OPAQUE, meanwhile=end).findings == ()
    assert (world.root / "docs/notes.md").read_text() == "mine\n"


def test_a_process_that_is_gone_already_is_not_taken_down(tmp_path: Path) -> None:
    world = World(tmp_path)
    with subprocess.Popen(["true"]) as gone:
        gone.wait()
    world.proof.beside(str(world.root), HOST, gone.pid)
    world.proof.beside(str(world.root), HOST, 0)
    assert outcomes(world.run(OPAQUE, meanwhile=mine(world))) == {"docs/notes.md": Outcome.RESTORED}

"""The keeper with servers that behave badly: the caller is back, and knows why."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest

from pointsman.lsp import keeper as keeper_module
from pointsman.lsp import server as server_module
from pointsman.lsp.keeper import Terms
from pointsman.model.code import Ask, Place, Use

from .room import ALWAYS, FOO, Room, alive, environ_of, until

SHORT = 0.5
GOOD = (Use("Foo", Place("m.py", 2, 4)),)
T = TypeVar("T")


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path)


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def asked(room: Room, seconds: float = ALWAYS, asks: Sequence[Ask] = (FOO,)) -> Any:
    async def go() -> Any:
        async with room.keeper() as keeper:
            return await keeper.uses(str(room.root), "m.py", asks, seconds)

    return run(go())


def test_a_server_that_does_well_is_asked(room: Room) -> None:
    room.install("good")

    async def go() -> None:
        async with room.keeper() as keeper:
            root = str(room.root)
            used = await keeper.uses(root, "m.py", [FOO], ALWAYS)
            # The declaration (n.py:1) and the place that was asked about are told apart from uses.
            assert (used.items, used.problem, used.server) == (GOOD, "", "ty")
            declared = await keeper.declarations(root, "m.py", [FOO], ALWAYS)
            (found,) = declared.items
            assert (found.kind, found.text, found.place) == (
                "class", "class Foo", Place("n.py", 1, 6),
            )  # fmt: skip
            assert (declared.problem, declared.stale) == ("", False)

    run(go())
    assert room.reports == []


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        ("crash", "crashed (exit code 101: panic: no such luck)"),
        ("crash silently", "crashed (exit code 0)"),
        ("crash at once", "crashed (exit code 1: no license for this machine)"),
        ("garbage", "it writes what is no message: b'this is no protocol"),
        ("no header", "it writes what is no message: there is no end of a header"),
        ("huge", "it writes a message of 99999999999 bytes"),
        ("no json", "it writes what is no JSON"),
        ("half", "it ended in the middle of a message"),
    ],
)
def test_a_server_that_breaks_is_a_problem_on_record(room: Room, mode: str, cause: str) -> None:
    room.install(mode)
    used = asked(room)
    assert used.items == ()
    assert cause in used.problem
    assert "Foo" in used.problem or "crash at once" in mode
    (report,) = room.reports
    assert report[0] == "language server failed"
    assert cause in report[1]
    assert str(room.root) in report[1]


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        ("hang", "ty is slow: no answer in 0.5 s for Foo"),
        ("slow", "ty is slow: no answer in 0.5 s for Foo"),
        ("hang at once", "ty still starts, 0."),
        ("half, then nothing", "no answer in 0.5 s for Foo"),
        ("wrong ids", "no answer in 0.5 s for Foo"),
    ],
)
def test_a_server_that_is_late_is_not_waited_for(room: Room, mode: str, cause: str) -> None:
    room.install(mode)

    async def go() -> Any:
        async with room.keeper() as keeper:
            root = str(room.root)
            if mode != "hang at once":
                await keeper.declarations(root, "m.py", [Ask("nowhere", FOO.at)], ALWAYS)
            return await keeper.uses(root, "m.py", [FOO], SHORT)

    used = run(go())
    assert used.items == ()
    assert cause in used.problem
    # Late is not broken: nothing is ended for it, and nothing on record.
    assert room.reports == []


@pytest.mark.parametrize(
    ("mode", "cause"),
    [
        ("null", "it knows nothing of Foo (m.py:1)"),
        ("refuse", "it refused: not today (-32603)"),
        ("neither", "an answer with neither a result nor an error"),
    ],
)
def test_no_answer_is_not_the_answer_none(room: Room, mode: str, cause: str) -> None:
    room.install(mode)
    used = asked(room)
    assert used.items == ()
    assert cause in used.problem


def test_what_was_overtaken_is_asked_again(room: Room) -> None:
    room.install("overtaken")
    used = asked(room)
    assert (used.items, used.problem) == (GOOD, "")


def test_what_does_not_answer_is_told_to_stop(room: Room) -> None:
    room.install("hang")

    async def go() -> None:
        async with room.keeper() as keeper:
            root = str(room.root)
            await keeper.declarations(root, "m.py", [Ask("nowhere", FOO.at)], ALWAYS)
            await keeper.uses(root, "m.py", [FOO], SHORT)
            await until(lambda: [m for m in room.heard() if m.get("method") == "$/cancelRequest"])

    run(go())
    heard = room.heard()
    (reference,) = (m["id"] for m in heard if m.get("method") == "textDocument/references")
    stopped = {m["params"]["id"] for m in heard if m.get("method") == "$/cancelRequest"}
    assert reference in stopped


def test_what_was_answered_in_time_is_kept(room: Room) -> None:
    room.install("good")
    gone = Ask("Gone", Place("m.py", 2, 0))
    beyond = Ask("Beyond", Place("m.py", 99))
    outside = Ask("Foo", Place("../secret.py", 1))
    missing = Ask("Foo", Place("no.py", 1))
    used = asked(room, asks=[gone, FOO, beyond, outside, missing])
    assert used.items == GOOD
    for cause in (
        "Gone does not stand in m.py:2 any more",
        "m.py:99 is no line of the file any more",
        "../secret.py lies outside of the repository",
        f"there is no file {room.root}/no.py",
    ):
        assert cause in used.problem


def test_one_that_is_missing_is_named_with_what_to_type(room: Room) -> None:
    used = asked(room)
    assert used.server == ""
    assert used.problem == (
        "no language server for python: none of ty, pyright-langserver is installed; "
        "to have one: pip install 'pointsman[python]'"
    )


def test_a_file_of_no_known_language_costs_nothing(room: Room) -> None:
    room.install("good")

    async def go() -> None:
        async with room.keeper() as keeper:
            used = await keeper.uses(str(room.root), "README.md", [FOO], ALWAYS)
            assert "README.md is of no language" in used.problem
            keeper.seen(str(room.root), "markdown")
            assert keeper.status() == []

    run(go())


def test_a_server_is_started_by_what_was_seen_and_shared(room: Room) -> None:
    room.install("good")

    async def go() -> None:
        async with room.keeper() as keeper:
            root = str(room.root)
            keeper.seen(root, "python")
            await until(lambda: keeper.status()[0]["state"] == "ready")
            pid = keeper.status()[0]["pid"]
            # It has read a file before anybody asked.
            assert "textDocument/didOpen" in {m.get("method") for m in room.heard()}
            asks = [keeper.uses(root, "m.py", [FOO], ALWAYS) for _ in range(3)]
            for used in await asyncio.gather(*asks):
                assert used.items == GOOD
            (row,) = keeper.status()
            assert (row["pid"], row["language"], row["answered"]) == (pid, "python", 3)

    run(go())


def test_what_a_server_asks_is_answered(room: Room) -> None:
    room.install("asks")
    assert asked(room).problem == ""
    replies = {m["id"]: m for m in room.heard() if "method" not in m}
    settings, unheard, nonsense = replies[1]["result"]
    assert settings["disableAutomaticTypeAcquisition"] is True
    assert (unheard, nonsense) == (None, None)
    assert replies[2]["result"] is None
    assert replies[3]["result"] is None
    assert replies["four"]["result"]["applied"] is False
    assert replies[5]["error"]["code"] == -32601
    assert replies[6]["result"][0]["uri"] == f"file://{room.root}"


def test_a_changed_file_is_told_anew_and_a_change_since_makes_stale(room: Room) -> None:
    room.install("good")

    async def go() -> None:
        async with room.keeper() as keeper:
            root, file = str(room.root), room.root / "m.py"
            await keeper.uses(root, "m.py", [FOO], ALWAYS)
            file.write_text("from n import Foo\ny = Foo()\nz = 1\n", encoding="utf-8")
            used = await keeper.uses(root, "m.py", [FOO], ALWAYS)
            assert used.items == GOOD
            # Within the time for which a look at the tree is good, nothing was told of n.py.
            (room.root / "n.py").write_text("class Foo: ...\nclass Bar: ...\n", encoding="utf-8")
            declared = await keeper.declarations(root, "m.py", [FOO], ALWAYS)
            assert declared.stale is False
            opened = [m["params"] for m in room.heard() if m.get("method") == CHANGED]
            assert opened[0]["contentChanges"] == [
                {"text": "from n import Foo\ny = Foo()\nz = 1\n"}
            ]
            versions = [params["textDocument"]["version"] for params in opened]
            assert versions == sorted(set(versions))

    run(go())


CHANGED = "textDocument/didChange"


def test_changes_behind_its_back_are_told(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pointsman.lsp.changes._AGAIN", 0.0)
    room.install("good")

    async def go() -> None:
        async with room.keeper() as keeper:
            root = str(room.root)
            await keeper.uses(root, "m.py", [FOO], ALWAYS)
            (room.root / "new.py").write_text("from n import Foo\n", encoding="utf-8")
            (room.root / "n.py").unlink()
            (room.root / "notes.txt").write_text("no code\n", encoding="utf-8")
            used = await keeper.uses(root, "m.py", [FOO], ALWAYS)
            assert used.problem == ""

    run(go())
    (told,) = (m["params"] for m in room.heard() if m.get("method") == WATCHED)
    assert {(each["uri"].rpartition("/")[2], each["type"]) for each in told["changes"]} == {
        ("new.py", 1), ("n.py", 3),
    }  # fmt: skip


WATCHED = "workspace/didChangeWatchedFiles"


def test_one_that_keeps_failing_is_left_alone(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: -0.5)
    room.install("crash at once")

    async def go() -> None:
        async with room.keeper() as keeper:
            for _ in range(5):
                used = await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)
                assert "no license for this machine" in used.problem
                await asyncio.sleep(0)

    run(go())
    assert len(room.reports) == 3
    assert "3 times within ten minutes; it is not started again for now" in room.reports[-1][1]


def test_after_a_failure_nobody_waits_for_the_next_start(room: Room) -> None:
    room.install("crash")

    async def go() -> None:
        async with room.keeper() as keeper:
            await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)
            used = await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)
            assert "crashed (exit code 101" in used.problem
            assert "started again in" in used.problem
            assert keeper.status()[0]["state"] == "not running"

    run(go())
    assert len(room.reports) == 1


def test_the_next_kind_takes_over(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.random", lambda: -0.5)
    room.install("crash at once")
    room.install("good", "pyright-langserver")

    async def go() -> Any:
        async with room.keeper() as keeper:
            for _ in range(3):
                used = await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)
                assert used.problem
            return await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)

    used = run(go())
    assert (used.server, used.items, used.problem) == ("pyright", GOOD, "")


def test_an_idle_one_is_ended_and_started_again(room: Room) -> None:
    room.install("good")

    async def go() -> None:
        async with room.keeper() as keeper:
            root = str(room.root)
            await keeper.uses(root, "m.py", [FOO], ALWAYS)
            pid = keeper.status()[0]["pid"]
            room.terms = replace(room.terms, idle=0.0)
            await until(lambda: not alive(pid))
            room.terms = Terms()
            used = await keeper.uses(root, "m.py", [FOO], ALWAYS)
            assert used.items == GOOD
            assert keeper.status()[0]["pid"] != pid

    run(go())
    assert room.reports == []


def test_one_that_takes_too_much_memory_is_ended(room: Room) -> None:
    room.install("good")

    async def go() -> None:
        async with room.keeper() as keeper:
            await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)
            pid = keeper.status()[0]["pid"]
            room.terms = replace(room.terms, memory=1024 * 1024)
            await until(lambda: not alive(pid) and room.reports)
            assert "more than 1" in keeper.status()[0]["problem"]

    run(go())
    assert "was ended: it has taken" in room.reports[0][1]


def test_one_that_hangs_is_ended(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HANGS_AFTER", 0.1)
    room.install("hang")

    async def go() -> None:
        async with room.keeper() as keeper:
            used = await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)
            assert "hangs: not a byte for" in used.problem

    run(go())
    assert len(room.reports) == 1


def test_the_one_asked_longest_ago_makes_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Room(tmp_path / "one", terms=Terms(most=1))
    two = Room(tmp_path / "two")
    one.install("good")

    async def go() -> None:
        async with one.keeper() as keeper:
            await keeper.uses(str(one.root), "m.py", [FOO], ALWAYS)
            used = await keeper.uses(str(two.root), "m.py", [FOO], ALWAYS)
            assert used.problem == "1 language servers run, and all are in use"
            monkeypatch.setattr(keeper_module, "_IN_USE", 0.0)
            keeper._slots[str(two.root), "python"].not_before = 0.0
            used = await keeper.uses(str(two.root), "m.py", [FOO], ALWAYS)
            assert used.items == GOOD
            assert [row["state"] for row in keeper.status()] == ["not running", "ready"]

    run(go())


def test_switched_off_nothing_is_started(room: Room) -> None:
    room.install("good")
    room.terms = Terms(enabled=False)
    assert "switched off" in asked(room).problem
    assert not (room.root / "heard.jsonl").exists()


def test_nothing_of_a_group_outlives_the_keeper(room: Room) -> None:
    room.install("child")

    async def go() -> list[int]:
        async with room.keeper() as keeper:
            await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)
            child = int((room.root / "child.pid").read_text(encoding="utf-8"))
            return [keeper.status()[0]["pid"], child]

    pids = run(go())
    assert not any(alive(pid) for pid in pids)


_DAEMON = """
import asyncio, sys
from pointsman.lsp.keeper import Keeper
from pointsman.model.code import Ask, Place
async def go():
    keeper = Keeper({"PATH": sys.argv[2]}, own="/nothing")
    await keeper.uses(sys.argv[1], "m.py", [Ask("Foo", Place("m.py", 1, 14))], 60)
    print(keeper.status()[0]["pid"], flush=True)
    await asyncio.sleep(1000)
asyncio.run(go())
"""


def test_nothing_of_a_group_outlives_a_killed_daemon(room: Room) -> None:
    room.install("child")
    command = [sys.executable, "-c", _DAEMON, str(room.root), f"{room.bin}:/usr/bin:/bin"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as daemon:
        assert daemon.stdout is not None
        leader = int(daemon.stdout.readline())
        child = int((room.root / "child.pid").read_text(encoding="utf-8"))
        assert alive(leader)
        assert alive(child)
        os.kill(daemon.pid, signal.SIGKILL)

    async def gone() -> None:
        async with asyncio.timeout(ALWAYS):
            await until(lambda: not alive(leader) and not alive(child))

    run(gone())
    assert not alive(child)


def test_a_server_gets_none_of_the_users_secrets(room: Room) -> None:
    room.install("good")

    async def go() -> dict[str, str]:
        async with room.keeper(ANTHROPIC_API_KEY="made up", HOME=str(room.folder)) as keeper:
            await keeper.uses(str(room.root), "m.py", [FOO], ALWAYS)
            return environ_of(keeper.status()[0]["pid"])

    environ = run(go())
    assert "ANTHROPIC_API_KEY" not in environ
    assert environ["HOME"] == str(room.folder)
    assert environ["npm_config_offline"] == "true"


def test_much_on_stderr_holds_nothing_up(room: Room) -> None:
    room.install("noisy")
    assert asked(room).items == GOOD


def test_cancelled_it_is_cancelled(room: Room) -> None:
    room.install("hang")

    async def go() -> None:
        async with room.keeper() as keeper:
            root = str(room.root)
            await keeper.declarations(root, "m.py", [Ask("nowhere", FOO.at)], ALWAYS)
            asking = asyncio.ensure_future(keeper.uses(root, "m.py", [FOO], ALWAYS))
            await until(lambda: "references" in str(room.heard()))
            asking.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asking
            # The server is as good as before.
            assert keeper.status()[0]["state"] == "ready"

    run(go())


def test_with_the_trust_the_server_goes(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper_module, "_TRUST_AGAIN", 0.0)
    room.install("good", folder=room.root / ".venv/bin")
    room.trusted = True

    async def go() -> None:
        async with room.keeper() as keeper:
            root = str(room.root)
            assert (await keeper.uses(root, "m.py", [FOO], ALWAYS)).items == GOOD
            pid = keeper.status()[0]["pid"]
            room.trusted = False
            await until(lambda: not alive(pid))
            assert "which nobody has trusted" in keeper.status()[0]["problem"]
            assert (await keeper.uses(root, "m.py", [FOO], ALWAYS)).server == ""

    run(go())
    assert room.reports == []


def test_a_server_of_the_repository_is_run_only_where_it_is_trusted(room: Room) -> None:
    theirs = room.install("good", folder=room.root / ".venv/bin")
    untrusted = asked(room)
    assert untrusted.problem == (
        f"no language server for python: {theirs} lies in the repository, which nobody has "
        f"trusted: pointsman trust {room.root}"
    )
    assert not (room.root / "heard.jsonl").exists()
    room.trusted = True
    assert asked(room).items == GOOD

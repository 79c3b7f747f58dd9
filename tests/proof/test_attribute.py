"""The table of attribution, row by row."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from pointsman.model.proof import Call, Foretold
from pointsman.proof.attribute import REPORTED_NS, Case, Verdict, Whose, attribute
from pointsman.proof.changes import Change
from pointsman.proof.tree import DIRECTORY, FILE, Entry, Stamp

S = 1_000_000_000
T = 1000 * S
KNOWN = Foretold((), opaque=False)
NAMED = Foretold(("/r/tests/t.py",), opaque=False)


def entry(at: int = T, kind: str = FILE) -> Entry:
    return Entry(kind, 0o644, "x", Stamp(at, at, 1, 1, 1), 0, True)


def change(path: str = "tests/t.py", at: int = T) -> Change:
    return Change(path, entry(0), entry(at), when_ns=at)


def call(**more: object) -> Call:
    given = Call(
        root="/r", session="s", agent="builder", id="c", began_ns=T - S, ended_ns=T + S,
    )  # fmt: skip
    return replace(given, **more)  # type: ignore[arg-type]


def judge(top: str) -> Callable[[str], str]:
    return lambda path: "" if path.startswith(f"{top}/") else f"only {top}"


def whose(*calls: Call, of: Change | None = None, sign: str = "", silent: str = "") -> Verdict:
    case = Case(
        calls=calls,
        judges={"builder": judge("src"), "tester": judge("tests")},
        names=lambda each, one: f"/r/{one.path}" in each.foretold.paths,
        sign=lambda _change: sign,
        silent=frozenset({silent}),
    )
    return attribute(of or change(), case)


TESTER = {"agent": "tester", "id": "t"}
ROWS: list[tuple[tuple[Call, ...], Whose]] = [
    ((), Whose.OTHERS),
    ((call(),), Whose.CALL),
    ((call(foretold=NAMED),), Whose.CALL),
    # Time.
    ((call(began_ns=T + S),), Whose.OTHERS),
    ((call(ended_ns=T - S),), Whose.OTHERS),
    ((call(ended_ns=T - S, lasting=True),), Whose.CALL),
    ((call(ran_ns=T + REPORTED_NS + 1),), Whose.OTHERS),
    ((call(ran_ns=T + REPORTED_NS - 1),), Whose.CALL),
    ((call(ran_ns=T + REPORTED_NS + 1, foretold=NAMED),), Whose.CALL),
    # The kernel.
    ((call(writable=("/r/src", "/tmp")),), Whose.OTHERS),
    ((call(writable=("/r/tests",)),), Whose.CALL),
    ((call(writable=("/r/tests/t.py",)),), Whose.CALL),
    ((call(writable=("/r/test",)),), Whose.OTHERS),
    ((call(writable=("/r/tests", "-/r/tests/t.py")),), Whose.OTHERS),
    ((call(writable=("/r/tests", "-/r/tests/u.py")),), Whose.CALL),
    ((call(writable=("/", "-/r", "/r/tests")),), Whose.CALL),
    ((call(writable=("/", "-/r")),), Whose.OTHERS),
    # Where the kernel keeps content and leaves modes, a change of content is somebody else's.
    ((call(writable=("~/", "/r/src")),), Whose.OTHERS),
    # What the analysis knows.
    ((call(foretold=KNOWN),), Whose.OTHERS),
    # Others' calls.
    ((call(), call(**TESTER)), Whose.OTHERS),
    ((call(**TESTER),), Whose.OTHERS),
    ((call(), call(agent="main", id="m")), Whose.OTHERS),
    ((call(foretold=NAMED), call(**TESTER)), Whose.UNTOLD),
    ((call(foretold=NAMED), call(**TESTER, foretold=KNOWN)), Whose.CALL),
    ((call(), call(**TESTER, foretold=KNOWN)), Whose.CALL),
    # Still under way.
    ((call(ended_ns=0),), Whose.LATER),
    ((call(ended_ns=0, foretold=NAMED),), Whose.CALL),
    ((call(ended_ns=0), call(id="d")), Whose.CALL),
]


@pytest.mark.parametrize(("calls", "expected"), ROWS)
def test_whose_it_is(calls: tuple[Call, ...], expected: Whose) -> None:
    assert whose(*calls).whose is expected


def test_a_sign_of_another_hand_counts_where_nothing_is_named() -> None:
    assert whose(call(), sign="vim has it open") == Verdict(
        Whose.UNTOLD, "vim has it open", (call(),)
    )
    assert whose(call(foretold=NAMED), sign="vim has it open").whose is Whose.CALL


def test_of_a_call_that_may_not_have_run_nothing_can_be_told() -> None:
    assert whose(call(), silent="c").whose is Whose.UNTOLD
    assert whose(call(), call(id="d"), silent="c").whose is Whose.CALL


def test_a_directory_comes_and_goes_with_its_files() -> None:
    made = Change("src", None, entry(kind=DIRECTORY), when_ns=T)
    assert whose(call(), of=made).whose is Whose.OTHERS
    mode = Change("src", entry(0, DIRECTORY), entry(T, DIRECTORY), when_ns=T)
    assert whose(call(), of=mode).whose is Whose.CALL


@pytest.mark.parametrize("kind", [FILE, DIRECTORY])
def test_a_mode_is_changed_where_the_kernel_holds_content_alone(kind: str) -> None:
    after = entry(T, kind)._replace(mode=0o777)
    of_mode = Change("tests", entry(0, kind), after, when_ns=T)
    assert whose(call(writable=("~/", "/r/src")), of=of_mode).whose is Whose.CALL
    assert whose(call(writable=("/r/src",)), of=of_mode).whose is Whose.OTHERS
    assert whose(call(writable=("~/", "-/r/tests")), of=of_mode).whose is Whose.OTHERS
    of_content = replace(of_mode, after=after._replace(content="y"))
    assert whose(call(writable=("~/", "/r/src")), of=of_content).whose is Whose.OTHERS


def test_without_a_time_everything_under_way_may_have_done_it() -> None:
    assert whose(call(ran_ns=T * 2), of=change(at=0)).whose is Whose.CALL

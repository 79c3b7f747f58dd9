"""The state directory goes wrong under the real client: nothing runs unguarded."""

import shutil
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import NoReturn

import pytest

from .messages_api import Gate, MessagesApi, Pause, bash
from .namespace import wrap
from .pointsman_session import Guarded, guarded
from .session import Claude
from .unavailable import HostUnavailable

pytestmark = pytest.mark.host

DEADLINE = {"POINTSMAN_DEADLINE_MS": "5000"}


@pytest.fixture
def under(claude: Claude) -> Iterator[Guarded]:
    """A project with our hooks in its settings."""
    with guarded(claude, more=DEADLINE) as project:
        project.init()
        project.state.mkdir(mode=0o700, exist_ok=True)
        yield project


def behind(under: Guarded, tmp_path: Path, mounts: str) -> None:
    try:
        wrap(under.claude, tmp_path, mounts)
    except HostUnavailable as error:
        pytest.skip(str(error))


def test_removed_under_a_session_it_is_made_again_and_guards(
    under: Guarded, api: MessagesApi
) -> None:
    gate = Gate()
    api.script("main", bash("echo one"), Pause(gate, bash("touch two")), bash("git reset --hard"))
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        gate.wait()
        shutil.rmtree(under.state)
        gate.open()
        result = session.finish()
    assert (under.project / "two").exists()
    assert result.tool_results["toolu_main_2_0"].is_error
    assert under.row("toolu_main_1_0")["decision"] == "none"
    assert under.row("toolu_main_2_0")["rule"] == "command.git-reset-hard"
    assert under.state.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    ("mounts", "said"),
    [
        pytest.param(
            "mount --bind '{0}' '{0}'; mount -o remount,bind,ro '{0}'",
            "could not be started",
            id="read-only",
        ),
        pytest.param(
            "mount -t tmpfs -o size=16k,mode=700 tmpfs '{0}'", "could not be started", id="no room"
        ),
    ],
)
def test_a_session_does_not_begin_where_nothing_can_be_recorded(
    under: Guarded, api: MessagesApi, tmp_path: Path, mounts: str, said: str
) -> None:
    behind(under, tmp_path, mounts.format(under.state))
    api.script("main", bash("touch ran"))
    result = under.claude.run("Begin. SCRIPT=main", env=under.env)
    assert not (under.project / "ran").exists()
    assert api.answered("main") == []
    told = "".join(run.stderr for run in result.hooks if run.event == "UserPromptSubmit")
    assert said in told
    assert "not a policy violation" in told


def test_the_disk_fills_under_a_session(under: Guarded, api: MessagesApi, tmp_path: Path) -> None:
    behind(under, tmp_path, f"mount -t tmpfs -o size=2m,mode=700 tmpfs '{under.state}'")
    full, free = Gate(), Gate()
    api.script(
        "main",
        bash("echo one"),
        Pause(full, bash("touch two")),
        Pause(free, bash("touch three")),
    )
    with under.claude.start("Begin. SCRIPT=main", env=under.env) as session:
        filler = Path(f"/proc/{session.pid}/root{under.state}/filler")
        full.wait()
        fill(filler)
        full.open()
        free.wait()
        filler.unlink()
        free.open()
        result = session.finish()
    assert result.tool_results["toolu_main_0_0"].text == "one"
    assert not (under.project / "two").exists()
    told = result.tool_results["toolu_main_1_0"].text
    assert "could not be put on record" in told
    assert "disk is full" in told
    assert "free space there (df -h " in told
    assert (under.project / "three").exists()


def fill(file: Path) -> None:
    """Write until there is no room for another byte."""
    with file.open("wb", buffering=0) as out:
        for size in (65536, 1):
            with pytest.raises(OSError, match="No space left"):
                write_for_ever(out, b"x" * size)


def write_for_ever(out: RawIOBase, data: bytes) -> NoReturn:
    while True:
        out.write(data)

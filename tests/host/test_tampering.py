"""Settings edited under a session that runs: our hooks stay in force, whoever edits."""

import copy
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pointsman.store import query

from .messages_api import MessagesApi, Request, Said, bash
from .pointsman_session import Guarded, guarded
from .session import Claude

pytestmark = pytest.mark.host

Settings = dict[str, Any]
Edit = Callable[[Settings], Settings]


def _without(event: str) -> Edit:
    return lambda settings: {
        **settings,
        "hooks": {name: groups for name, groups in settings["hooks"].items() if name != event},
    }


def _group(**change: object) -> Edit:
    def edit(settings: Settings) -> Settings:
        settings["hooks"]["PreToolUse"][0].update(change)
        return settings

    return edit


def _entry(**change: object) -> Edit:
    def edit(settings: Settings) -> Settings:
        settings["hooks"]["PreToolUse"][0]["hooks"][0].update(change)
        return settings

    return edit


def _no_on_failure(settings: Settings) -> Settings:
    for groups in settings["hooks"].values():
        groups[0]["hooks"][0].pop("onFailure", None)
    return settings


def _broken_sibling(settings: Settings) -> Settings:
    settings["hooks"]["PreToolUse"].append({"hooks": [{"type": "command"}]})
    return settings


EDITS: Mapping[str, Edit | bytes | None] = {
    "the guard event removed": _without("PreToolUse"),
    "another guard event removed": _without("ConfigChange"),
    "an event removed that we only record": _without("PostToolUse"),
    "a matcher added": _group(matcher="Read"),
    "a condition added": _entry(**{"if": "Bash(nothing *)"}),
    "timeout shortened": _entry(timeout=1),
    "timeout in milliseconds": _entry(timeout=30000),
    "asynchronous": _entry(**{"async": True}),
    "onFailure taken out": _no_on_failure,
    "onFailure continue": _entry(onFailure="continue"),
    "another program": _entry(command="/bin/true"),
    "for another event": _entry(args=["claude-code", "Stop"]),
    "a broken hook beside ours": _broken_sibling,
    "against the schema": lambda settings: {**settings, "model": 5},
    "against the schema, permissions": lambda settings: {**settings, "permissions": {"deny": "x"}},
    "disableAllHooks": lambda settings: {**settings, "disableAllHooks": True},
    "another daemon": lambda settings: {**settings, "env": {"POINTSMAN_DAEMON": "/bin/false"}},
    "another state": lambda settings: {**settings, "env": {"POINTSMAN_STATE_DIR": "/tmp/none"}},
    "another home": lambda settings: {**settings, "env": {"HOME": "/tmp/none"}},
    "emptied": b"{}",
    "not JSON": b"{",
    "nothing in it": b"",
    "deleted": None,
}
"""What is done to the file, from outside; bytes are its new text, ``None`` deletes it."""


@dataclass(frozen=True)
class Seen:
    """What followed one edit: the answer to it, and what became of a call that must be denied."""

    veto: Mapping[str, Any]
    told: str
    call: Mapping[str, Any]


class Editing:
    """The turns of a script: each edits the settings, waits for its record, and makes a call."""

    def __init__(self, under: Guarded) -> None:
        self._under = under
        self._file = under.claude.settings_path()
        self._original = json.loads(self._file.read_text())
        self.vetoes: list[Mapping[str, Any]] = []
        self.errors: list[Exception] = []

    def turn(self, request: Request) -> Said:
        """Make the next edit, then a call that must be denied."""
        if request.turn >= len(EDITS):
            return "that was all of it"
        try:
            self._apply(list(EDITS.values())[request.turn])
            self.vetoes.append(self._next_change())
        except Exception as error:  # noqa: BLE001 - the server's thread has nobody to raise to
            self.errors.append(error)
            return "the rig failed"
        return bash("git reset --hard")

    def _apply(self, edit: Edit | bytes | None) -> None:
        if edit is None:
            self._file.unlink()
        elif isinstance(edit, bytes):
            self._file.write_bytes(edit)
        else:
            self._file.write_text(json.dumps(edit(copy.deepcopy(self._original))))

    def _next_change(self) -> Mapping[str, Any]:
        end = time.monotonic() + 20
        known = self.vetoes[-1]["seq"] if self.vetoes else 0
        while time.monotonic() < end:
            wanted = query.Filter(event="ConfigChange", after=known)
            for row in query.query(self._under.state / "ledger.db", wanted):
                return row
            time.sleep(0.05)
        raise AssertionError(f"the client told of {len(self.vetoes)} changes, not of the next")


@pytest.fixture(scope="module")
def seen(
    tmp_path_factory: pytest.TempPathFactory, claude_binary: Path
) -> Iterator[Mapping[str, Seen]]:
    """What followed every edit, in one session."""
    root = tmp_path_factory.mktemp("edits")
    with (
        MessagesApi() as api,
        Claude(root / "project", root / "home", api, claude_binary) as claude,
        guarded(claude) as under,
    ):
        under.init()
        editing = Editing(under)
        api.script("main", *[editing.turn] * (len(EDITS) + 1))
        result = claude.run("Begin. SCRIPT=main", env=under.env, timeout=120)
        assert not editing.errors, editing.errors
        calls = {row["tool_use_id"]: row for row in under.rows("--event", "PreToolUse")}
        yield {
            name: Seen(
                editing.vetoes[number],
                result.tool_results[f"toolu_main_{number}_0"].text,
                calls[f"toolu_main_{number}_0"],
            )
            for number, name in enumerate(EDITS)
        }


@pytest.mark.parametrize("edit", EDITS)
def test_a_change_that_disarms_us_is_not_applied(seen: Mapping[str, Seen], edit: str) -> None:
    what = seen[edit]
    assert (what.veto["decision"], what.veto["rule"]) == ("deny", "self.veto")
    assert "pointsman uninstall" in what.veto["reason"]
    assert what.call["rule"] == "command.git-reset-hard"
    assert "git reset --hard throws uncommitted work away" in what.told


def test_any_other_change_is_applied(claude: Claude, api: MessagesApi) -> None:
    """A person's rule that is added while the session runs holds from then on."""
    with guarded(claude) as under:
        under.init()

        def edit(_request: Request) -> Said:
            file = claude.settings_path()
            settings = json.loads(file.read_text())
            file.write_text(json.dumps({**settings, "permissions": {"deny": ["Bash(touch *)"]}}))
            end = time.monotonic() + 20
            while not under.rows("--event", "ConfigChange"):
                assert time.monotonic() < end, "the client did not tell of the change"
                time.sleep(0.1)
            return bash("sleep 1")

        api.script("main", edit, bash("touch ran"), bash("git reset --hard"))
        result = claude.run("Begin. SCRIPT=main", env=under.env)
        (change,) = under.rows("--event", "ConfigChange")
        assert change["decision"] == "none"
        assert not (under.project / "ran").exists()
        assert "denied" in result.tool_results["toolu_main_1_0"].text
        assert under.row("toolu_main_2_0")["decision"] == "deny"

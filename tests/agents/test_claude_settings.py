import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pointsman.agents.claude_events import EVENTS, NOT_REGISTERED, registration
from pointsman.agents.claude_settings import (
    SCOPES,
    install,
    is_ours,
    our_events,
    settings_file,
    uninstall,
)
from pointsman.agents.settings_write import MOST_BYTES
from pointsman.model.errors import HostError
from pointsman.model.events import HOST_EVENTS

OURS = registration(("/opt/pointsman/bin/pointsman-hook",), (2, 1, 330))
OLDER = registration(("/usr/bin/python3", "-IS", "/old/pointsman/client/hook.py"), (2, 1, 200))

# ---------------------------------------------------------------- settings as people have them

LINTED = """{
  "$schema": "https://json.schemastore.org/claude-code-settings.json",
  "permissions": {
    "allow": ["Bash(npm run lint)", "Bash(npm run test:*)"],
    "deny": ["Read(./.env)"]
  },
  "hooks": {
    "PreToolUse": [
      {
        "matcher": "Bash",
        "hooks": [{ "type": "command", "command": "~/bin/check.sh", "timeout": 10 }]
      }
    ],
    "Stop": []
  },
  "model": "opus"
}
"""
BOOK = """{
    "hooks": {
        "PostToolUse": [{
            "matcher": "Edit|Write",
            "hooks": [{
                "type": "command",
                "command": "jq -r '.tool_input.file_path' | xargs -r prettier --write"
            }]
        }]
    },
    "env": {"FOO": "b\\u00e4r \\ud83d\\ude00", "PFAD": "/home/jörg/テスト"}
}"""
TABBED = '{\n\t"env": {\n\t\t"A": "1"\n\t},\n\t"includeCoAuthoredBy": false\n}\n'
COMPACT = '{"model":"opus","hooks":{"Stop":[{"hooks":[{"type":"command","command":"say ok"}]}]}}'
SPACED = '{ "model": "opus", "hooks": { "Stop": [ ] } }'
ODD = """{"hooks"  :  { "SessionStart" :
[{"hooks":[ {"type":"command","command":"x"} ]}
 ,
 {"hooks":[]}]
}}
"""
ODD += "   \n"

FILES = {
    "empty object": "{}",
    "empty object and newline": "{}\n",
    "empty object over lines": "{\n}\n",
    "empty object with blank lines": "\n\n{\n\n\n}\n\n",
    "empty object in Windows lines": "{\r\n}\r\n",
    "empty hooks": '{"hooks": {}}',
    "empty hooks over lines": '{\n  "hooks": {\n  }\n}',
    "empty hooks in an indented file": '{\n    "a": 1,\n    "hooks": {}\n}\n',
    "empty lists": '{\n  "hooks": {\n    "PreToolUse": [],\n    "Stop": [ ]\n  }\n}\n',
    "empty lists over lines": '{\n  "hooks": {\n    "PreToolUse": [\n    ],\n    "Stop": [\n\n]}}',
    "empty group": '{\n  "hooks": {\n    "PreToolUse": [{"hooks": []}]\n  }\n}\n',
    "linted": LINTED,
    "linted, no newline at the end": LINTED.rstrip(),
    "linted, Windows lines": LINTED.replace("\n", "\r\n"),
    "linted, byte order mark": "\ufeff" + LINTED,
    "hooks opened in the line": BOOK,
    "tabs": TABBED,
    "compact": COMPACT,
    "one line with spaces": SPACED,
    "no layout at all": ODD,
    "no indentation": '{\n"a": 1,\n"hooks": {\n"Stop": []\n}\n}',
    "hooks first": '{\n  "hooks": {\n    "Stop": [{"hooks": []}]\n  },\n  "z": [1, -2.50e1]\n}\n',
    "unknown events and types": '{"hooks": {"NoSuchEvent": "?", "Stop": [{"hooks": [{"t": 1}]}]}}',
    "key twice where it is not ours": '{"env": {"A": "1", "A": "2"}}',
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_what_is_put_in_comes_out_again_byte_for_byte(text: str) -> None:
    before = text.encode()
    after = install(before, OURS)
    assert our_events(parsed(after)) == frozenset(EVENTS)
    assert install(after, OURS) == after
    assert uninstall(after) == before


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_an_older_registration_is_replaced_in_its_place(text: str) -> None:
    before = text.encode()
    assert install(install(before, OLDER), OURS) == install(before, OURS)


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_users_hooks_and_settings_stay_and_come_first(text: str) -> None:
    before, after = parsed(text.encode()), parsed(install(text.encode(), OURS))
    for event, groups in before.get("hooks", {}).items():
        assert after["hooks"][event][: len(groups)] == groups
    assert list(after)[: len(before)] == list(before)
    after.pop("hooks")
    before.pop("hooks", None)
    assert after == before


def test_layout_of_the_file_is_followed() -> None:
    after = install(TABBED.encode(), OURS).decode()
    assert after.startswith(TABBED[: TABBED.index("\n}")] + ',\n\t"hooks": {\n\t\t"PreToolUse": [')
    assert after.endswith("\n\t\t]\n\t}\n}\n")
    assert "\n" not in install(COMPACT.encode(), OURS).decode()
    windows = install(FILES["linted, Windows lines"].encode(), OURS)
    assert windows.count(b"\n") == windows.count(b"\r\n")
    assert install(None, OURS).startswith(b'{\n  "hooks": {\n    "PreToolUse": [\n      {\n')


def test_a_file_that_was_not_there() -> None:
    after = install(None, OURS)
    assert parsed(after) == {"hooks": OURS}
    assert parsed(uninstall(after)) == {}


# ---------------------------------------------------------------- any settings, in any layout

SPACES = st.sampled_from(["", "", " ", "\n", "\n  ", "\t", "\r\n", "\r", "\n\n \n"])
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS)
LEAVES = LEAVES.filter(lambda leaf: leaf not in (float("inf"), float("-inf")))
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
ENTRIES = st.fixed_dictionaries(
    {"type": st.sampled_from(["command", "http"]), "command": TEXTS},
    optional={"args": st.lists(TEXTS, max_size=3), "timeout": st.integers(1, 60)},
)
GROUPS = st.fixed_dictionaries(
    {"hooks": st.lists(ENTRIES, max_size=2)}, optional={"matcher": st.sampled_from(["Bash", "*"])}
)
HOOKS = st.dictionaries(
    st.sampled_from(["PreToolUse", "Stop", "MessageDisplay", "WorktreeCreate", "Later"]),
    st.lists(GROUPS, max_size=2),
    max_size=3,
)
SETTINGS = st.builds(
    lambda others, hooks, first: (
        {**({"hooks": hooks} if first else {}), **others, "hooks": hooks}
        if hooks is not None
        else others
    ),
    st.dictionaries(TEXTS.filter(lambda key: key != "hooks"), ANYTHING, max_size=3),
    st.none() | HOOKS,
    st.booleans(),
)


@st.composite
def laid_out(draw: st.DrawFn) -> bytes:
    """Settings as a program writes them, or with any white space that JSON allows."""
    value = draw(SETTINGS)
    if draw(st.booleans()):
        text = json.dumps(
            value,
            indent=draw(st.sampled_from([None, 0, 1, 2, 4, "\t"])),
            separators=draw(st.sampled_from([(",", ":"), (", ", ": "), (",", ": ")])),
            ensure_ascii=draw(st.booleans()),
        )
        text = text.replace("\n", draw(st.sampled_from(["\n", "\r\n"])))
    else:
        text = wildly(draw, value)
    text = draw(st.sampled_from(["", "\ufeff"])) + draw(SPACES) + text + draw(SPACES)
    return text.encode()


def wildly(draw: st.DrawFn, value: Any) -> str:
    if isinstance(value, dict):
        pairs = (
            f"{json.dumps(key)}{draw(SPACES)}:{draw(SPACES)}{wildly(draw, one)}"
            for key, one in value.items()
        )
        return "{" + wildly_joined(draw, list(pairs)) + "}"
    if isinstance(value, list):
        return "[" + wildly_joined(draw, [wildly(draw, one) for one in value]) + "]"
    return json.dumps(value, ensure_ascii=draw(st.booleans()))


def wildly_joined(draw: st.DrawFn, pieces: list[str]) -> str:
    return ",".join(draw(SPACES) + piece + draw(SPACES) for piece in pieces) or draw(SPACES)


SOME = {event: OURS[event] for event in ("PreToolUse", "Notification", "SessionEnd", "Stop")}
"""Enough for every layout, and a tenth of the time."""


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(laid_out())
@example(b'{"hooks":{\r}}')
@example(b"\r{}")
@example(b" {}")
@example(b'{"hooks":{"PreToolUse":[\n],"Stop":[ \n ]},"a":{}}')
def test_any_settings_survive(before: bytes) -> None:
    after = survives(before, SOME)
    assert install(install(before, OLDER), SOME) == after


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(laid_out())
def test_any_settings_survive_all_events(before: bytes) -> None:
    survives(before, OURS)


def survives(before: bytes, registered: dict[str, Any]) -> bytes:
    after = install(before, registered)
    assert uninstall(after) == before
    assert install(after, registered) == after
    assert uninstall(before) == before
    was, now = parsed(before), parsed(after)
    assert our_events(now) == frozenset(registered)
    assert {key: now[key] for key in was if key != "hooks"} == {
        key: was[key] for key in was if key != "hooks"
    }
    for event, groups in was.get("hooks", {}).items():
        assert now["hooks"][event][: len(groups)] == groups
    return after


# ---------------------------------------------------------------- after others have been there


def test_what_was_added_since_stays() -> None:
    after = parsed(install(LINTED.encode(), OURS))
    after["hooks"]["Stop"].append({"hooks": [{"type": "command", "command": "say done"}]})
    after["hooks"]["PreToolUse"][-1]["hooks"].insert(0, {"type": "command", "command": "mine"})
    after["hooks"]["SubagentStop"].insert(0, {"hooks": []})
    left = parsed(uninstall(json.dumps(after, indent=2).encode()))
    assert left["hooks"] == {
        "PreToolUse": [
            *parsed(LINTED.encode())["hooks"]["PreToolUse"],
            {"hooks": [{"type": "command", "command": "mine"}]},
        ],
        "Stop": [{"hooks": [{"type": "command", "command": "say done"}]}],
        "SubagentStop": [{"hooks": []}],
    }


def test_a_client_that_lays_the_file_out_anew_takes_nothing_from_us() -> None:
    anew = json.dumps(parsed(install(b"{}", OURS)), indent=2).encode()
    assert install(anew, OURS) == anew
    assert uninstall(anew) == b"{}"


def test_ours_in_a_group_of_theirs_is_moved_to_its_own() -> None:
    after = parsed(install(b"{}", OURS))
    ours = after["hooks"]["PreToolUse"][0]["hooks"][0]
    theirs = {"type": "command", "command": "mine"}
    after["hooks"]["PreToolUse"] = [{"matcher": "Bash", "hooks": [ours, theirs]}]
    mended = parsed(install(json.dumps(after).encode(), OURS))["hooks"]["PreToolUse"]
    assert mended == [{"matcher": "Bash", "hooks": [theirs]}, *OURS["PreToolUse"]]


def test_ours_in_a_group_of_theirs_stays_where_it_sees_every_call() -> None:
    after = parsed(install(b"{}", OURS))
    after["hooks"]["Stop"][0]["hooks"].append({"type": "command", "command": "mine"})
    text = json.dumps(after).encode()
    assert install(text, OURS) == text


def test_a_narrowed_matcher_and_doubles_are_mended() -> None:
    after = parsed(install(b"{}", OURS))
    after["hooks"]["PreToolUse"][0]["matcher"] = "Bash"
    after["hooks"]["Stop"] *= 3
    text = json.dumps(after, indent=2).encode()
    assert our_events(parsed(text)) == frozenset(OURS) - {"PreToolUse"}
    assert parsed(install(text, OURS)) == {"hooks": OURS}


def test_an_event_that_we_no_longer_want_goes() -> None:
    later = {**OURS, "WorktreeCreate": OURS["Stop"], "OfALaterVersion": OURS["Stop"]}
    text = install(LINTED.encode(), later)
    assert install(text, OURS) == install(LINTED.encode(), OURS)
    assert uninstall(text) == LINTED.encode()


# ---------------------------------------------------------------- what is refused, and how

REFUSED = {
    "comment": ('{\n  // mine\n  "a": 1\n}', "s.json:2: not JSON: a comment", "comment out"),
    "block comment": ('{"a": 1} /* */', "s.json:1: not JSON: a comment", "comment out"),
    "trailing comma": ('{\n"a": 1,\n}', "s.json:2: not JSON: a comma with", "comma out"),
    "trailing comma in a list": ("[1,\n]", "s.json:1: not JSON: a comma with", "comma out"),
    "cut off": ('{\n  "hooks": {', "s.json:2: not JSON", "s.json"),
    "nothing": ("", "s.json:1: not JSON", "s.json"),
    "two values": ("{}\n{}", "s.json:2: not JSON: text behind", "s.json"),
    "no colon": ('{"a" 1}', "s.json:1: not JSON: ':' is missing", "s.json"),
    "no key": ("{1: 2}", "s.json:1: not JSON: a key in double quotes", "s.json"),
    "no comma": ("[1 2]", "s.json:1: not JSON: ',' or ']' is missing", "s.json"),
    "not a number": ('{"a": NaN}', "s.json:1: not JSON: NaN is no JSON value", "s.json"),
    "no end of digits": ('{"a": ' + "1" * 5000 + "}", "s.json:1: not JSON: ", "s.json"),
    "too deep": ("[" * 2000, "s.json:1: not JSON: more than 100 levels", "s.json"),
    "a list": ("[]", "s.json:1: the top level is not an object", "nothing was written"),
    "hooks a list": ('{\n"hooks": []}', "s.json:2: hooks is not an object", "nothing"),
    "event an object": ('{"hooks": {\n"Stop": {}}}', "s.json:2: hooks.Stop is not a list", ""),
    "group a text": ('{"hooks": {"Stop": ["x"]}}', "a group of hooks.Stop is not an object", ""),
    "group without hooks": ('{"hooks": {"Stop": [{}]}}', "has no list 'hooks'", ""),
    "hooks of a group": ('{"hooks": {"Stop": [{"hooks": {}}]}}', "is not a list", ""),
    "hook a text": ('{"hooks": {"Stop": [{"hooks": [1]}]}}', "a hook of hooks.Stop is not an", ""),
    "hooks twice": (
        '{"hooks": {},\n"hooks": {}}',
        "s.json:2: the top level has the key",
        "",
    ),
    "event twice": ('{"hooks": {"Stop": [], "Stop": []}}', "hooks has the key 'Stop' twice", ""),
}


@pytest.mark.parametrize(("text", "what", "fix"), REFUSED.values(), ids=REFUSED.keys())
def test_what_would_need_a_guess_is_refused(text: str, what: str, fix: str) -> None:
    with pytest.raises(HostError) as caught:
        install(text.encode(), OURS, "s.json")
    assert what in str(caught.value)
    assert fix in caught.value.fix
    with pytest.raises(HostError) as again:
        uninstall(text.encode(), "s.json")
    assert str(again.value) == str(caught.value)


def test_other_encodings_and_sizes_are_refused() -> None:
    with pytest.raises(HostError, match=r"s\.json:2: not UTF-8"):
        install(b'{\n"a": "\xff"}', OURS, "s.json")
    with pytest.raises(HostError, match="not UTF-8"):
        install("{}".encode("utf-16"), OURS)
    with pytest.raises(HostError, match="larger than"):
        install(b" " * (MOST_BYTES + 1), OURS)
    with pytest.raises(HostError, match="cannot be written as UTF-8"):
        install(b"{}", registration(("/opt/\udcff/pointsman-hook",), None))


# ---------------------------------------------------------------- recognising, and where


def entry(command: str, *args: str, **others: Any) -> dict[str, Any]:
    return {"type": "command", "command": command, "args": list(args), **others}


@pytest.mark.parametrize(
    "ours",
    [
        entry("/a/bin/pointsman-hook", "claude-code", "Stop"),
        entry("pointsman-hook", "claude-code", "Stop", timeout=1),
        entry("/usr/bin/python3", "-IS", "/b/pointsman/client/hook.py", "claude-code", "Stop"),
        entry("pointsman-hook", "claude-code", "OfALaterVersion"),
    ],
)
def test_ours_is_recognised_wherever_it_lies(ours: dict[str, Any]) -> None:
    assert is_ours(ours)


@pytest.mark.parametrize(
    "theirs",
    [
        None,
        "pointsman-hook",
        entry("pointsman-hook"),
        entry("pointsman-hook", "codex", "Stop"),
        entry("pointsman-hook", "claude-code", "not an event"),
        entry("my-pointsman-hook", "claude-code", "Stop"),
        entry("python3", "hook.py", "claude-code", "Stop"),
        {"type": "command", "command": "pointsman-hook claude-code Stop"},
        {"type": "command", "command": "pointsman-hook", "args": [1, "claude-code", "Stop"]},
        {"type": "http", "command": "pointsman-hook", "args": ["claude-code", "Stop"]},
    ],
)
def test_theirs_is_not_ours(theirs: object) -> None:
    assert not is_ours(theirs)


def test_our_events_of_anything() -> None:
    assert our_events({}) == frozenset()
    assert our_events({"hooks": []}) == frozenset()
    wrong = {"Stop": "x", "PreToolUse": ["x", {"hooks": "x"}, {"hooks": ["x"]}]}
    assert our_events({"hooks": wrong}) == frozenset()
    elsewhere = {"hooks": {"Stop": OURS["PreToolUse"]}}
    assert our_events(elsewhere) == frozenset()


def test_files_of_the_scopes() -> None:
    repository, home = Path("/r"), Path("/h")
    found = {scope: str(settings_file(scope, repository, {}, home, "linux")) for scope in SCOPES}
    assert found == {
        "project": "/r/.claude/settings.json",
        "local": "/r/.claude/settings.local.json",
        "user": "/h/.claude/settings.json",
        "managed": "/etc/claude-code/managed-settings.json",
    }
    own = {"CLAUDE_CONFIG_DIR": "/c"}
    assert settings_file("user", repository, own, home) == Path("/c/settings.json")
    mac = settings_file("managed", repository, {}, home, "darwin")
    assert mac == Path("/Library/Application Support/ClaudeCode/managed-settings.json")
    with pytest.raises(HostError, match="'world' is none of project, local, user, managed"):
        settings_file("world", repository, {}, home)


def test_every_event_of_the_host_is_thought_of() -> None:
    assert set(OURS) == set(EVENTS)
    assert set(EVENTS) | set(NOT_REGISTERED) == set(HOST_EVENTS)
    assert not set(EVENTS) & set(NOT_REGISTERED)


def parsed(text: bytes) -> Any:
    return json.loads(text.decode("utf-8-sig"))

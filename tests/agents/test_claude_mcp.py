"""Our server among a client's own: in, out byte for byte, and never in another's place."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pointsman.agents import claude_mcp
from pointsman.agents.claude_install import Where
from pointsman.agents.installed_file import put_in, take_out
from pointsman.model.errors import HostError
from pointsman.model.places import Places

ARGV = ("/opt/bin/pointsman", "mcp")
TWIN = ("/usr/bin/python3", "-I", "-m", "pointsman", "mcp")


def where(base: Path, scope: str = "project") -> Where:
    repository = base / "repo"
    repository.mkdir(parents=True, exist_ok=True)
    (base / "home").mkdir(exist_ok=True)
    return Where(scope, repository, {}, base / "home", Places(base / "state", base / "config"))


def file_of(here: Where) -> Path:
    found = claude_mcp.registration_of(here)
    assert found is not None
    return found.file


@pytest.mark.parametrize("scope", ["project", "local", "user"])
@pytest.mark.parametrize(
    "before",
    [
        None,
        "{}",
        "{}\n",
        '{\n    "mcpServers": {\n        "theirs": {"command": "x"}\n    }\n}\n',
        '{"mcpServers":{"theirs":{"command":"x"}},"a":[1,2]}',
        '{ "mcpServers": {}, "projects": {} }',
        '\ufeff{\r\n\t"numStartups": 3,\r\n\t"mcpServers": {\r\n\t}\r\n}',
    ],
)
def test_in_and_out_again(tmp_path: Path, scope: str, before: str | None) -> None:
    here = where(tmp_path, scope)
    file = file_of(here)
    if before is not None:
        file.write_bytes(before.encode())
    change = claude_mcp.register(here, ARGV)
    assert change is not None
    assert change.changed
    entry = claude_mcp.registered(here, scope)
    if not (before or "").startswith("\ufeff"):
        assert entry is not None
        assert claude_mcp.argv_of(entry) == ARGV
    again = claude_mcp.register(here, ARGV)
    assert again is not None
    assert not again.changed
    # Without the note, as where somebody has edited the file since: cut out, not restored.
    (here.places.state / "installs.json").unlink(missing_ok=True)
    claude_mcp.unregister(here)
    if before is not None:
        assert file.read_bytes() == before.encode()
    else:
        assert json.loads(file.read_bytes()) == {}


def test_a_file_that_was_not_there_is_gone_again(tmp_path: Path) -> None:
    here = where(tmp_path)
    claude_mcp.register(here, ARGV)
    claude_mcp.unregister(here)
    assert not file_of(here).exists()


def test_what_the_client_writes_meanwhile_stays(tmp_path: Path) -> None:
    here = where(tmp_path, "user")
    file = file_of(here)
    file.write_text('{"numStartups": 1}')
    claude_mcp.register(here, ARGV)
    now = json.loads(file.read_bytes()) | {"numStartups": 2}
    file.write_text(json.dumps(now, indent=2))
    claude_mcp.unregister(here)
    assert json.loads(file.read_bytes()) in (
        {"numStartups": 2}, {"numStartups": 2, "mcpServers": {}},
    )  # fmt: skip


def test_one_users_servers_have_their_places_with_them(tmp_path: Path) -> None:
    for scope in ("user", "local"):
        here = where(tmp_path, scope)
        claude_mcp.register(here, ARGV)
        entry = claude_mcp.registered(here, scope)
        assert entry is not None
        assert entry["env"]["POINTSMAN_STATE_DIR"] == str(here.places.state)
    shared = where(tmp_path)
    claude_mcp.register(shared, ARGV)
    # The repository's file is everybody's: nothing of this machine's user stands in it.
    assert json.loads(file_of(shared).read_bytes())["mcpServers"]["pointsman"]["env"] == {}


def test_user_and_local_share_a_file(tmp_path: Path) -> None:
    for scope in ("user", "local"):
        claude_mcp.register(where(tmp_path, scope), ARGV)
    claude_mcp.unregister(where(tmp_path, "user"))
    assert claude_mcp.registered(where(tmp_path, "user"), "user") is None
    assert claude_mcp.registered(where(tmp_path, "user"), "local") is not None
    assert [each.name for each in (tmp_path / "home").iterdir()] == [".claude.json"]


def test_another_place_of_the_program_takes_the_old_ones(tmp_path: Path) -> None:
    here = where(tmp_path)
    claude_mcp.register(here, ARGV)
    claude_mcp.register(here, TWIN)
    entry = claude_mcp.registered(here, "project")
    assert claude_mcp.argv_of(entry) == TWIN


def test_the_machines_servers_are_left_alone(tmp_path: Path) -> None:
    assert claude_mcp.register(where(tmp_path, "managed"), ARGV) is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"mcpServers": {"pointsman": {"command": "x", "args": ["y"]}}}', "another server"),
        ('{"mcpServers": []}', "no object"),
        ("[]", "no object"),
        ('{"a": 1,}', "not JSON"),
        ("", "not JSON"),
        ('{"mcpServers": {}, "mcpServers": {}}', "stands twice"),
    ],
)
def test_what_cannot_be_edited_without_a_guess_stays(tmp_path: Path, text: str, said: str) -> None:
    here = where(tmp_path)
    file_of(here).write_text(text)
    with pytest.raises(HostError, match=said):
        claude_mcp.register(here, ARGV)
    assert file_of(here).read_text() == text


@pytest.mark.parametrize(
    "entry",
    [None, 7, {}, {"command": "pointsman"}, {"command": "x", "args": "mcp"},
     {"command": "/bin/pointsman", "args": ["mcp", "more"]}, {"command": "other", "args": ["mcp"]},
     {"url": "http://127.0.0.1", "args": ["mcp"]}],
)  # fmt: skip
def test_another_entry_is_none_of_ours(entry: object) -> None:
    assert claude_mcp.argv_of(entry) is None


KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6).filter(
    lambda key: key not in {"mcpServers", "projects"}
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.dictionaries(KEYS, VALUES, max_size=4), st.none() | st.dictionaries(KEYS, VALUES),
    st.sampled_from([None, 2, 4, "\t"]),
)  # fmt: skip
def test_every_byte_that_is_not_ours_stays(
    tmp_path: Path, rest: dict[str, object], servers: object, indent: int | str | None
) -> None:
    if servers is not None:
        if isinstance(servers, dict):
            servers.pop("pointsman", None)
        rest = {**rest, "mcpServers": servers}
    text = json.dumps(rest, indent=indent).encode()
    here = where(tmp_path)
    at = claude_mcp.registration_of(here)
    assert at is not None
    edited = claude_mcp._edited(here, at, claude_mcp.entry_of(ARGV, None))
    put = edited.put(text)
    assert json.loads(put)["mcpServers"]["pointsman"]["args"] == ["mcp"]
    assert edited.cut(put) == text


def test_both_go_through_notes(tmp_path: Path) -> None:
    here = where(tmp_path)
    at = claude_mcp.registration_of(here)
    assert at is not None
    edited = claude_mcp._edited(here, at, claude_mcp.entry_of(ARGV, None))
    assert put_in(edited, here.places, dry_run=True).after == edited.put(None)
    assert not at.file.exists()
    assert not here.places.state.exists()
    put_in(edited, here.places, dry_run=False)
    assert take_out(edited, here.places, dry_run=True).restored
    assert at.file.exists()

"""Servers as each host's own files declare them."""

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pointsman.mcp_health.discover import servers
from pointsman.mcp_health.expand import CLAUDE, EDITOR, GEMINI, Expander
from pointsman.mcp_health.hosts.all_hosts import HOSTS
from pointsman.mcp_health.look import Look
from pointsman.mcp_health.probe import probe
from pointsman.model.server_health import Server, shown_url

Write = Callable[[str, Any], None]


@pytest.fixture
def look(tmp_path: Path) -> Look:
    return Look(
        home=tmp_path / "home", repository=str(tmp_path / "repo"), cwd=str(tmp_path / "repo"),
        environ={"KEY": "s3cret", "HOME": str(tmp_path / "home")}, etc=tmp_path / "etc",
    )  # fmt: skip


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def to(name: str, content: Any) -> None:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))

    return to


def by_name(look: Look, host: str) -> dict[str, Server]:
    return {each.name: each for each in servers(look, (host,))}


HTTP = {"type": "http", "url": "https://mcp.example/mcp"}


def test_claude_code_has_three_places_and_the_nearest_wins(look: Look, write: Write) -> None:
    write(
        "home/.claude.json",
        {
            "mcpServers": {"mine": HTTP, "both": HTTP},
            "projects": {look.repository: {"mcpServers": {"both": {"command": "x"}}}},
        },
    )
    write("repo/.mcp.json", {"mcpServers": {"theirs": {"command": "npx", "args": ["-y", "z"]}}})
    found = by_name(look, "claude-code")
    assert {name: each.scope for name, each in found.items()} == {
        "mine": "user", "both": "local", "theirs": "project",
    }  # fmt: skip
    assert (found["mine"].root, found["both"].root) == ("", look.repository)
    assert found["theirs"].command == ("npx", "-y", "z")
    assert not found["mine"].held
    assert "nobody has approved" in found["theirs"].held


@pytest.mark.parametrize(
    ("said", "attended", "held"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"enabledMcpjsonServers": ["theirs"]}, True, False),
        ({"enabledMcpjsonServers": ["other"]}, True, True),
        ({"enableAllProjectMcpServers": True}, True, False),
        ({"enableAllProjectMcpServers": True, "disabledMcpjsonServers": ["theirs"]}, True, True),
        ({"disabledMcpjsonServers": ["theirs"]}, False, True),
    ],
)
def test_a_repositorys_server_is_held_unless_the_host_would_start_it(
    look: Look, write: Write, said: dict[str, Any], attended: bool, held: bool
) -> None:
    write("home/.claude.json", {"projects": {look.repository: said}})
    write("repo/.mcp.json", {"mcpServers": {"theirs": HTTP}})
    look.attended = attended
    assert bool(by_name(look, "claude-code")["theirs"].held) is held


@pytest.mark.parametrize("trusted", [True, False])
def test_a_repository_does_not_approve_of_itself(look: Look, write: Write, trusted: bool) -> None:
    write("repo/.claude/settings.json", {"enableAllProjectMcpServers": True})
    write("repo/.mcp.json", {"mcpServers": {"theirs": HTTP}})
    entry = {"hasTrustDialogAccepted": trusted}
    write("home/.claude.json", {"projects": {look.repository: entry}})
    assert bool(by_name(look, "claude-code")["theirs"].held) is not trusted


def test_where_claude_config_dir_says(look: Look, write: Write, tmp_path: Path) -> None:
    write("elsewhere/.claude.json", {"mcpServers": {"mine": HTTP}})
    look.host_config = str(tmp_path / "elsewhere")
    assert set(by_name(look, "claude-code")) == {"mine"}


def test_a_managed_list_shuts_others_out(look: Look, write: Write) -> None:
    write("etc/claude-code/managed-mcp.json", {"mcpServers": {"company": HTTP}})
    write("home/.claude.json", {"mcpServers": {"mine": HTTP}})
    assert set(by_name(look, "claude-code")) == {"company"}


def test_codex(look: Look, write: Write) -> None:
    write(
        "home/.codex/config.toml",
        f'[projects."{look.repository}"]\ntrust_level = "untrusted"\n'
        '[mcp_servers.a]\ncommand = "a"\nargs = ["b"]\nenv_vars = ["KEY"]\n'
        "startup_timeout_sec = 7\n"
        '[mcp_servers.b]\nurl = "https://b.example/mcp"\nbearer_token_env_var = "KEY"\n'
        '[mcp_servers.c]\nurl = "https://c.example"\nenv_http_headers = { X = "NONE" }\n'
        '[mcp_servers.off]\ncommand = "x"\nenabled = false\n',
    )
    write("repo/.codex/config.toml", '[mcp_servers.theirs]\ncommand = "evil"\n')
    found = by_name(look, "codex")
    assert set(found) == {"a", "b", "c", "theirs"}
    assert found["a"].env == {"KEY": "s3cret"}
    assert found["a"].timeout == 7
    assert found["b"].headers == {"Authorization": "Bearer s3cret"}
    assert found["c"].unset == ("NONE",)
    assert "does not trust" in found["theirs"].held


def test_gemini_takes_comments_and_lists_of_names(look: Look, write: Write) -> None:
    write(
        "home/.gemini/settings.json",
        '{ // mine\n "mcp": {"excluded": ["b"]}, "mcpServers": {\n'
        '"a": {"httpUrl": "http://a.example//mcp", "headers": {"K": "$KEY"}, "timeout": 4000,},\n'
        '"b": {"command": "b"}, /* old */ "c": {"url": "http://c.example/sse"} } }',
    )
    found = by_name(look, "gemini")
    assert set(found) == {"a", "c"}
    assert found["a"].url == "http://a.example//mcp"
    assert (found["a"].headers, found["a"].timeout) == ({"K": "s3cret"}, 4)


@pytest.mark.parametrize(
    ("host", "file", "key", "held"),
    [
        ("cursor", "home/.cursor/mcp.json", "mcpServers", False),
        ("cursor", "repo/.cursor/mcp.json", "mcpServers", True),
        ("vscode", "home/.config/Code/User/mcp.json", "servers", False),
        ("vscode", "repo/.vscode/mcp.json", "servers", True),
        ("windsurf", "home/.codeium/windsurf/mcp_config.json", "mcpServers", False),
        ("copilot", "home/.copilot/mcp-config.json", "mcpServers", False),
        ("droid", "repo/.factory/mcp.json", "mcpServers", True),
        ("opencode", "home/.config/opencode/opencode.json", "mcp", False),
        ("qwen", "home/.qwen/settings.json", "mcpServers", False),
    ],
)
def test_other_hosts(look: Look, write: Write, host: str, file: str, key: str, held: bool) -> None:
    write(file, {key: {"a": HTTP}})
    found = by_name(look, host)["a"]
    assert (found.transport, found.url, bool(found.held)) == ("http", HTTP["url"], held)


def test_opencode_writes_a_command_as_a_list(look: Look, write: Write) -> None:
    table = {"type": "local", "command": ["bun", "x", "srv"], "environment": {"A": "{env:KEY}"}}
    write("home/.config/opencode/opencode.json", {"mcp": {"a": table}})
    found = by_name(look, "opencode")["a"]
    assert (found.transport, found.command) == ("stdio", ("bun", "x", "srv"))
    assert found.env == {"A": "s3cret"}


@pytest.mark.parametrize("host", HOSTS)
def test_nothing_is_found_where_nothing_is(look: Look, host: str) -> None:
    assert servers(look, (host,)) == []
    assert look.problems == []


@pytest.mark.parametrize("text", ["{", "[1]", '"x"', '{"mcpServers": [1]}', "\0", ""])
def test_a_file_that_cannot_be_read_costs_only_itself(look: Look, write: Write, text: str) -> None:
    write("repo/.mcp.json", text)
    write("home/.claude.json", {"mcpServers": {"mine": HTTP}})
    assert set(by_name(look, "claude-code")) == {"mine"}


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20) | st.just("http://[x"),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["command", "args", "url", "type", "env", "headers", "cwd", "timeout"])
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(_JSON)
def test_whatever_stands_there_is_a_server_or_is_left_out(table: Any) -> None:
    with tempfile.TemporaryDirectory() as home:
        text = json.dumps({"mcpServers": {"a": table}})
        Path(home, ".claude.json").write_text(text)
        look = Look(home=Path(home))
        for server in servers(look, ("claude-code",)):
            held = replace(server, command=("/nowhere/at-all",))
            assert probe(held, 0.1, {"http_proxy": "x", "https_proxy": "x"}).detail
        assert look.problems == []


def test_our_own_server_is_left_to_doctor(look: Look, write: Write) -> None:
    entry = {"command": "/usr/bin/pointsman", "args": ["mcp"]}
    write("home/.claude.json", {"mcpServers": {"pointsman": entry}})
    assert "doctor" in by_name(look, "claude-code")["pointsman"].held


def test_secrets_are_in_nothing_that_is_shown(look: Look, write: Write) -> None:
    table = {
        "type": "http", "url": "https://u:s3cret@mcp.example/s/0123456789abcdef0123456789/mcp?k=q",
        "headers": {"Authorization": "Bearer ${KEY}"}, "env": {"A": "${KEY}"},
    }  # fmt: skip
    write("home/.claude.json", {"mcpServers": {"a": table}})
    found = by_name(look, "claude-code")["a"]
    assert found.headers == {"Authorization": "Bearer s3cret"}
    assert found.variables == ("KEY",)
    for shown in (repr(found), found.where, found.declared, found.key):
        assert "s3cret" not in shown
    assert found.where == "https://mcp.example/s/…/mcp"


@pytest.mark.parametrize(
    ("style", "text", "value", "unset"),
    [
        (CLAUDE, "${KEY}/${NONE:-x}", "v/x", []),
        (CLAUDE, "${NONE}", "${NONE}", ["NONE"]),
        (CLAUDE, "${NONE:-}", "", []),
        (CLAUDE, "${EMPTY:-x}", "x", []),
        (CLAUDE, "$KEY $${KEY}", "$KEY $v", []),
        (GEMINI, "$KEY/${KEY}/$NONE", "v/v/$NONE", ["NONE"]),
        (EDITOR, "${env:KEY} ${workspaceFolder}", "v /w", []),
        (EDITOR, "${input:token}", "${input:token}", ["input:token"]),
        ("", "${KEY}", "${KEY}", []),
    ],
)
def test_expand(style: str, text: str, value: str, unset: list[str]) -> None:
    expander = Expander(style, {"KEY": "v", "EMPTY": ""}, {"workspaceFolder": "/w"})
    assert expander.text(text) == value
    assert list(expander.unset) == unset


@given(st.text(alphabet="${}:-ABab env/", max_size=60))
def test_a_value_is_never_expanded_again(text: str) -> None:
    expander = Expander(CLAUDE, {"A": "${B}", "B": "never"})
    assert "never" not in expander.text(text.replace("${B}", "").replace("${B:", ""))


@given(st.text(max_size=80))
def test_shown_urls_have_no_query_and_no_user(text: str) -> None:
    shown = shown_url(f"https://user:pw@host.example/{text}?key=abc")
    assert "pw@" not in shown
    assert "key=abc" not in shown

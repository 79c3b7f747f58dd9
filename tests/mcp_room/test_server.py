"""The protocol, in both of its eras: by frames of our own and by the official client."""

import io
import json
import os
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcp import Client, StdioServerParameters
from mcp.client.stdio import stdio_client

from pointsman.mcp.server import HANDSHAKE, MODERN, MOST_BYTES, VERSION_KEY, Server
from pointsman.mcp.tools import TOOLS, listed

COMMAND = str(Path(sysconfig.get_path("scripts"), "pointsman"))
META = {"_meta": {VERSION_KEY: MODERN[0]}}


def echo(name: str, given: Mapping[str, Any], meta: object) -> dict[str, Any]:
    text = json.dumps([name, given, meta])
    return {"content": [{"type": "text", "text": text}], "isError": False}


def answers(*frames: object) -> list[Any]:
    """Return what the server says to these frames: bytes as they are, anything else as JSON."""
    raw = [one if isinstance(one, bytes) else json.dumps(one).encode() for one in frames]
    out = io.BytesIO()
    Server(listed(), echo).serve(io.BytesIO(b"\n".join(raw)), out)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def request(method: str, number: object = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def result(*frames: object) -> dict[str, Any]:
    (answer,) = answers(*frames)
    found: dict[str, Any] = answer["result"]
    return found


def code(*frames: object) -> int:
    (answer,) = answers(*frames)
    found: int = answer["error"]["code"]
    return found


@pytest.mark.parametrize("version", HANDSHAKE)
def test_a_handshake_is_answered_in_its_own_version(version: str) -> None:
    found = result(request("initialize", protocolVersion=version))
    assert found["protocolVersion"] == version
    assert found["capabilities"] == {"tools": {}}
    assert (
        result(request("initialize", protocolVersion="1999-01-01"))["protocolVersion"]
        == (HANDSHAKE[-1])
    )
    assert result(request("ping")) == {}
    assert "resultType" not in result(request("tools/list"))


def test_without_a_handshake_each_request_says_its_version() -> None:
    found = result(request("server/discover", **META))
    assert found["supportedVersions"] == list(MODERN)
    assert (found["resultType"], found["cacheScope"]) == ("complete", "private")
    tools = result(request("tools/list", **META))
    assert [tool["name"] for tool in tools["tools"]] == list(TOOLS)
    assert tools["ttlMs"] > 0
    assert result(request("tools/call", name="spent", **META))["resultType"] == "complete"


def test_a_version_that_is_not_served_is_named_with_those_that_are() -> None:
    (answer,) = answers(request("tools/list", _meta={VERSION_KEY: "2099-01-01"}))
    assert answer["error"]["code"] == -32022
    assert answer["error"]["data"] == {"supported": list(MODERN), "requested": "2099-01-01"}


def test_what_an_era_does_not_have_is_no_method() -> None:
    assert code(request("ping", **META)) == -32601
    assert code(request("initialize", **META)) == -32601
    assert code(request("server/discover")) == -32602
    for method in ("resources/list", "prompts/list", "logging/setLevel", "subscriptions/listen"):
        assert code(request(method)) == -32601


def test_a_call_is_handed_over_with_what_the_host_says_of_it() -> None:
    meta = {"claudecode/toolUseId": "t1"}
    found = result(request("tools/call", name="denials", arguments={"limit": 3}, _meta=meta))
    assert json.loads(found["content"][0]["text"]) == ["denials", {"limit": 3}, meta]
    assert code(request("tools/call", name="stop")) == -32602
    assert code(request("tools/call")) == -32602
    assert code(request("tools/call", name="spent", arguments=[1])) == -32602


def test_no_tool_can_change_anything_and_says_so() -> None:
    for tool in listed():
        assert tool["annotations"]["readOnlyHint"] is True
        assert tool["inputSchema"]["additionalProperties"] is False


def test_notifications_and_answers_are_met_with_silence() -> None:
    told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert answers(told, {"jsonrpc": "2.0", "id": 4, "result": {}}, b"", b"  ") == []


def test_a_batch_is_answered_as_one() -> None:
    told = {"jsonrpc": "2.0", "method": "notifications/cancelled"}
    (batch,) = answers([request("ping"), told, request("ping", 2)])
    assert [each["id"] for each in batch] == [1, 2]
    assert answers([told]) == []


@pytest.mark.parametrize(
    ("frame", "wanted"),
    [
        (b"{", -32700), (b"\xff\xfe", -32700), (b"[" * 100_000, -32700),
        (b'"' + b"x" * MOST_BYTES + b'"', -32700), (b"7", -32600), ({"id": 1}, -32600),
        (request("ping", 1.5), -32600), (request("ping", True), -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}, -32602),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_and_the_next_one_answered(
    frame: object, wanted: int
) -> None:
    first, second = answers(frame, request("ping", "next"))
    assert first["error"]["code"] == wanted
    assert (second["id"], second["result"]) == ("next", {})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
METHODS = st.sampled_from(["initialize", "server/discover", "tools/list", "tools/call", "ping"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.binary(max_size=200) | JSON.map(lambda one: json.dumps(one).encode()), max_size=5)
)
def test_nothing_takes_it_down(frames: list[bytes]) -> None:
    last = answers(*frames, b"", request("ping", "last"))[-1]
    assert last["id"] == "last"


@settings(max_examples=40, deadline=None)
@given(METHODS, JSON, JSON)
def test_no_parameter_takes_it_down(method: str, params: object, meta: object) -> None:
    frame = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    both = {"jsonrpc": "2.0", "id": 2, "method": method, "params": {"_meta": meta, "name": meta}}
    assert [each["id"] for each in answers(frame, both)] == [1, 2]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_the_official_client_in_each_era(mode: str, tmp_path: Path) -> None:
    home = {"HOME": str(tmp_path), "POINTSMAN_STATE_DIR": str(tmp_path / "state")}
    started = StdioServerParameters(
        command=COMMAND, args=["mcp"], env={**os.environ, **home}, cwd=tmp_path
    )

    async def talk() -> None:
        with anyio.fail_after(120):
            await ask()

    async def ask() -> None:
        async with Client(stdio_client(started), mode=mode) as client:
            version = client.protocol_version
            assert version == (MODERN[0] if mode == "auto" else HANDSHAKE[-1])
            tools = (await client.list_tools()).tools
            assert [tool.name for tool in tools] == list(TOOLS)
            said = await client.call_tool("spent", {})
            assert said.is_error
            assert "could not be verified" in said.content[0].text  # type: ignore[union-attr]

    anyio.run(talk)
    # Nothing was made by asking.
    assert not (tmp_path / "state").exists()

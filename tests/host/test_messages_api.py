import json
import threading
import urllib.request
from collections.abc import Sequence
from typing import Any

from .messages_api import OUTPUT_TOKENS, Gate, MessagesApi, Pause, ToolUse, agent, bash, used

TOOLS = [{"name": "Bash"}]


def post(api: MessagesApi, messages: Sequence[dict[str, Any]], **more: Any) -> str:
    body = {"model": "m", "messages": messages, "tools": TOOLS, **more}
    request = urllib.request.Request(f"{api.url}/v1/messages", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())


def said(api: MessagesApi, *messages: dict[str, Any], **more: Any) -> Any:
    return json.loads(post(api, messages, **more))["content"]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def assistant(text: str = "…") -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def text(value: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": value}]


def test_turn_is_the_number_of_answers_after_the_marker(api: MessagesApi) -> None:
    api.script("a", "one", "two")
    first = user("go SCRIPT=a")
    assert said(api, first) == text("one")
    assert said(api, first, assistant(), user("on")) == text("two")
    assert said(api, first, assistant(), user("on"), assistant()) == text("done")
    assert [request.turn for request in api.answered("a")] == [0, 1, 2]


def test_last_marker_of_a_user_chooses_the_script(api: MessagesApi) -> None:
    api.script("a", "from a")
    api.script("b", "from b")
    assert said(api, user("SCRIPT=a"), assistant(), user("SCRIPT=b")) == text("from b")
    assert said(api, user("SCRIPT=a"), assistant("SCRIPT=b")) == text("done")


def test_marker_in_a_tool_result_is_not_heeded(api: MessagesApi) -> None:
    api.script("a", "one", "two")
    result = {"type": "tool_result", "tool_use_id": "t", "content": "SCRIPT=b"}
    told = {"role": "user", "content": [result]}
    assert said(api, user("SCRIPT=a"), assistant(), told) == text("two")


def test_without_script_or_tools_the_answer_is_ok(api: MessagesApi) -> None:
    api.script("a", "one")
    assert said(api, user("hello")) == text("ok")
    assert said(api, user("a title for: SCRIPT=a"), tools=[]) == text("ok")
    assert api.answered("a") == []


def test_calls_get_ids_that_a_test_can_name(api: MessagesApi) -> None:
    api.script("a", [bash("ls"), ToolUse("Read", {"file_path": "/x"}, id="mine")], agent("b"))
    blocks = said(api, user("SCRIPT=a"))
    assert [block["id"] for block in blocks] == ["toolu_a_0_0", "mine"]
    assert blocks[0]["input"]["command"] == "ls"
    (call,) = said(api, user("SCRIPT=a"), assistant())
    assert "SCRIPT=b" in call["input"]["prompt"]


def test_stream_is_the_message_in_pieces(api: MessagesApi) -> None:
    api.script("a", "one\ntwo\n", bash("ls"))
    events = streamed(api, user("SCRIPT=a"))
    pieces = [event["delta"]["text"] for event in events if event["type"] == "content_block_delta"]
    assert pieces == ["one\n", "two\n"]
    assert events[0]["message"]["usage"]["output_tokens"] == 1
    assert events[-2]["usage"]["output_tokens"] == OUTPUT_TOKENS
    assert events[-2]["delta"]["stop_reason"] == "end_turn"
    events = streamed(api, user("SCRIPT=a"), assistant())
    (delta,) = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    assert json.loads(delta["partial_json"])["command"] == "ls"
    assert events[-2]["delta"]["stop_reason"] == "tool_use"


def streamed(api: MessagesApi, *messages: dict[str, Any]) -> list[Any]:
    lines = post(api, messages, stream=True).splitlines()
    return [json.loads(line[6:]) for line in lines if line.startswith("data: ")]


def test_pause_waits_for_the_test(api: MessagesApi) -> None:
    gate = Gate()
    api.script("a", Pause(gate, "now"))
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(said(api, user("SCRIPT=a"))))
    asking.start()
    gate.wait()
    assert answers == []
    gate.open()
    asking.join()
    assert answers == [text("now")]


def test_callable_sees_the_request(api: MessagesApi) -> None:
    api.script("a", lambda request: f"turn {request.turn} of {request.body['model']}")
    assert said(api, user("SCRIPT=a")) == text("turn 0 of m")


def test_tokens_are_counted(api: MessagesApi) -> None:
    request = urllib.request.Request(f"{api.url}/v1/messages/count_tokens", b"{" + b" " * 98 + b"}")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer) == {"input_tokens": 25}


def test_a_turn_may_say_what_it_has_used(api: MessagesApi) -> None:
    api.script("a", used(["look", bash("ls")], (1, 2, 3, 4, 5), speed="fast"), "usual")
    message = json.loads(post(api, [user("SCRIPT=a")]))
    assert [block["type"] for block in message["content"]] == ["text", "tool_use"]
    assert message["usage"]["input_tokens"] == 1
    assert message["usage"]["output_tokens"] == 2
    assert message["usage"]["cache_read_input_tokens"] == 3
    assert message["usage"]["cache_creation_input_tokens"] == 9
    assert message["usage"]["cache_creation"]["ephemeral_1h_input_tokens"] == 5
    assert message["usage"]["speed"] == "fast"
    assert streamed(api, user("SCRIPT=a"))[-2]["usage"] == message["usage"]
    usual = json.loads(post(api, [user("SCRIPT=a"), assistant()]))
    assert usual["usage"]["output_tokens"] == OUTPUT_TOKENS

"""What a line of a transcript says was used."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meter.lines import SESSION, call, line, said, usage, write
from pointsman.agents.claude_transcript import (
    MOST_TOKENS,
    Transcript,
    files_of,
    is_transcript,
    main_file,
)
from pointsman.model.usage import HostTotal, Usage

PATH = f"/nowhere/projects/shop/{SESSION}.jsonl"


def read(*natives: dict[str, Any] | bytes, path: str = PATH) -> list[Usage]:
    transcript = Transcript(path)
    found: list[Usage | HostTotal] = []
    for native in natives:
        found += transcript.read(native if isinstance(native, bytes) else line(native))
    return [each for each in found if isinstance(each, Usage)]


def test_a_message_says_who_used_what_where_and_when() -> None:
    (found,) = read(said("msg_7", call("toolu_1"), call("toolu_2", "Read")))
    assert found == Usage(
        host="claude-code",
        session=SESSION,
        message_id="msg_7",
        request="ref_msg_7",
        model="claude-opus-5-5",
        at_ns=1_795_560_461_571 * 10**6,
        repository="/nowhere/shop",
        branch="trunk",
        speed="standard",
        final=True,
        input_tokens=10,
        output_tokens=20,
        cache_read_tokens=300,
        cache_write_5m_tokens=40,
        cache_write_1h_tokens=50,
        calls=("toolu_1", "toolu_2"),
        tools=("Bash", "Read"),
    )
    assert found.context_tokens == 400
    assert found.tokens == 420


def test_the_copy_of_a_message_in_a_fork_is_the_same_message() -> None:
    one, copy = read(said(), said(sessionId="another"))
    assert one.key == copy.key
    assert one.session != copy.session


def test_the_same_id_of_another_request_is_another_message() -> None:
    one, other = read(said(), said(requestRef="of another service"))
    assert one.key != other.key


@pytest.mark.parametrize(
    "native",
    [
        said(model="<synthetic>"),
        said(isApiErrorMessage=True),
        said(type="user"),
        {"type": "assistant", "message": "usage"},
        {"type": "assistant", "message": {"usage": [1]}},
        {"type": "user", "message": {"content": 'says "assistant" and "usage"'}},
        b'{"type": "assistant", "message": {"usage": {"input_tokens": 1',
        b'"assistant" "usage"',
        b"[" * 100_000 + b'"assistant" "usage"',
        b'["assistant", "usage"]',
        b"\xff\xfe",
        b"",
    ],
)
def test_what_is_no_call_of_a_model_is_none(native: dict[str, Any] | bytes) -> None:
    assert read(native) == []


@pytest.mark.parametrize(
    ("creation", "split", "wanted"),
    [
        (90, {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 50}, (40, 50)),
        (90, {}, (90, 0)),
        (90, None, (90, 0)),
        (90, "x", (90, 0)),
        (90, {"ephemeral_1h_input_tokens": 50}, (40, 50)),
        (0, {"ephemeral_5m_input_tokens": 40, "ephemeral_1h_input_tokens": 50}, (40, 50)),
        (None, {"ephemeral_1h_input_tokens": 50}, (0, 50)),
    ],
)
def test_cache_writes_are_told_apart(creation: Any, split: Any, wanted: tuple[int, int]) -> None:
    used = usage() | {"cache_creation_input_tokens": creation, "cache_creation": split}
    (found,) = read(said(usage=used))
    assert (found.cache_write_5m_tokens, found.cache_write_1h_tokens) == wanted


@pytest.mark.parametrize(
    ("value", "wanted"),
    [(5, 5), (True, 0), (-5, 0), (1.5, 0), ("5", 0), (None, 0), (10**30, MOST_TOKENS), ([], 0)],
)
def test_a_number_of_tokens_is_one_or_none(value: Any, wanted: int) -> None:
    (found,) = read(said(usage=usage() | {"output_tokens": value}))
    assert found.output_tokens == wanted


def test_unknown_fields_are_passed_over() -> None:
    used = usage(iterations=[{"input_tokens": 9}], tomorrow=1)
    (found,) = read(said(usage=used, newField={"deep": [1]}))
    assert found.input_tokens == 10


def test_texts_can_be_recorded() -> None:
    native = said(model="a\ud800\0" + "x" * 5000, gitBranch="\ud800", agentId="\0")
    (found,) = read(native)
    assert len(found.model.encode()) < 600
    assert found.branch == "\\ud800"


def test_a_time_that_is_none_is_that_of_the_message_before() -> None:
    first, second = read(said("a"), said("b", timestamp="once upon a time"))
    assert second.at_ns == first.at_ns
    assert read(said(timestamp=7))[0].at_ns == 0
    assert read(said(timestamp="0001-01-01T00:00:00"))[0].at_ns == 0
    assert read(said(timestamp="9999-12-31T23:59:59Z"))[0].at_ns == 0


def test_web_searches_are_counted() -> None:
    (found,) = read(said(usage=usage(server_tool_use={"web_search_requests": 2})))
    assert found.web_searches == 2


def test_a_subagent_is_named_by_its_lines_its_file_and_what_stands_beside_it(
    tmp_path: Path,
) -> None:
    path = write(tmp_path / SESSION / "subagents/agent-abc.jsonl")
    path.with_name("agent-abc.meta.json").write_text(json.dumps({"agentType": "tester"}))
    (found,) = read(said(isSidechain=True), path=str(path))
    assert (found.agent_id, found.agent_type) == ("abc", "tester")
    named = said(isSidechain=True, agentId="xyz", attributionAgent="builder")
    (found,) = read(named, path=str(path))
    assert (found.agent_id, found.agent_type) == ("xyz", "builder")
    path.with_name("agent-abc.meta.json").write_text("{")
    assert read(said(isSidechain=True), path=str(path))[0].agent_type is None


def test_a_sidechain_within_the_main_file_is_no_main_thread() -> None:
    assert read(said(isSidechain=True))[0].agent_id == "sidechain"
    assert read(said())[0].agent_id is None


def test_the_main_thread_may_run_as_an_agent() -> None:
    setting = {"type": "agent-setting", "agentSetting": "reviewer", "sessionId": SESSION}
    (found,) = read(setting, said())
    assert (found.agent_id, found.agent_type) == (None, "reviewer")


def test_a_task_is_the_one_under_way_or_else_the_prompt() -> None:
    prompt = {"type": "user", "promptId": "p-1", "message": {"role": "user", "content": "go"}}
    begin = call("t1", "TaskUpdate", taskId="3", status="in_progress")
    other = call("t2", "TaskUpdate", taskId="9", status="completed")
    end = call("t3", "TaskUpdate", taskId="3", status="completed")
    found = read(prompt, said("a"), said("b", begin), said("c", other), said("d", end), said("e"))
    assert [each.task for each in found] == ["p-1", f"{SESSION}#3", f"{SESSION}#3", "p-1", "p-1"]


def test_what_was_kept_of_a_file_goes_on() -> None:
    first = Transcript(PATH)
    list(first.read(line({"type": "user", "promptId": "p-1"})))
    second = Transcript(PATH, first.thread.as_dict())
    (found,) = second.read(line(said()))
    assert isinstance(found, Usage)
    assert found.task == "p-1"


def test_a_worktree_belongs_to_its_repository(tmp_path: Path) -> None:
    main, tree = tmp_path / "shop", tmp_path / "elsewhere/tree"
    (main / ".git/worktrees/tree").mkdir(parents=True)
    (tree / "src").mkdir(parents=True)
    (tree / ".git").write_text(f"gitdir: {main}/.git/worktrees/tree\n")
    (main / ".git/worktrees/tree/gitdir").write_text(f"{tree}/.git\n")
    where = [str(main), str(tree / "src"), "/"]
    found = read(*(said(f"m{place}", cwd=cwd) for place, cwd in enumerate(where)))
    assert {each.repository for each in found} == {str(main)}


def test_the_hosts_own_total_is_read_by_model() -> None:
    used = {"inputTokens": 1, "outputTokens": 2, "cacheReadInputTokens": 3,
            "cacheCreationInputTokens": 9, "cacheCreationEphemeral5mInputTokens": 4,
            "cacheCreationEphemeral1hInputTokens": 5, "costUSD": 0.25}  # fmt: skip
    native = {"type": "cost-state", "sessionId": "s", "modelUsage": {"m": used, "bad": 7}}
    assert list(Transcript(PATH).read(line(native))) == [
        HostTotal(
            host="claude-code",
            session="s",
            model="m",
            usd=0.25,
            input_tokens=1,
            output_tokens=2,
            cache_read_tokens=3,
            cache_write_5m_tokens=4,
            cache_write_1h_tokens=5,
        )
    ]


def test_files_of_a_session_are_its_own_and_its_subagents(tmp_path: Path) -> None:
    main = write(tmp_path / "p/one.jsonl")
    child = write(tmp_path / "p/one/subagents/agent-a.jsonl")
    deep = write(tmp_path / "p/one/subagents/workflows/w/agent-b.jsonl")
    write(tmp_path / "p/one/subagents/notes.jsonl")
    write(tmp_path / "p/two/subagents/agent-c.jsonl")
    assert files_of(str(main)) == [str(main), str(child), str(deep)]
    for file in (main, child, deep):
        assert main_file(str(file)) == str(main)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/a/b.jsonl", True),
        ("b.jsonl", False),
        ("/dev/zero", False),
        ("/a\0b.jsonl", False),
        ("/\ud800.jsonl", False),
    ],
)
def test_only_a_transcript_is_opened(path: str, wanted: bool) -> None:
    assert is_transcript(path) is wanted


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)
KEYS = st.sampled_from(["id", "model", "usage", "content", "stop_reason"])


@given(st.dictionaries(KEYS, JSON), st.sampled_from(sorted(said())), JSON)
def test_whatever_stands_there_is_read(message: dict[str, Any], key: str, value: Any) -> None:
    native = said()
    native["message"] |= message
    native[key] = value
    for found in Transcript(PATH).read(json.dumps(native).encode("utf-8", "surrogatepass")):
        assert isinstance(found, Usage)
        assert 0 <= found.tokens <= 5 * MOST_TOKENS


def test_files_of_older_clients_lie_beside_their_session_s(tmp_path: Path) -> None:
    main = write(tmp_path / f"p/{SESSION}.jsonl", said())
    mine = write(tmp_path / "p/agent-mine.jsonl", said("s", agentId="mine"))
    write(tmp_path / "p/agent-other.jsonl", said(sessionId="another"))
    late = tmp_path / "p/agent-late.jsonl"
    late.write_bytes(b'{"isSidechain": true, "type": "assistant", "uuid": "0123456789abcdef0123456')
    (tmp_path / "p/agent-away.jsonl").symlink_to("/nowhere/at/all.jsonl")
    assert files_of(str(main)) == [str(main), str(mine)]
    write(late, said("l", agentId="late"))
    assert files_of(str(main)) == [str(main), str(late), str(mine)]
    assert files_of(str(mine)) == [str(mine)]


def test_a_batch_is_told_from_its_service_tier() -> None:
    tiers = [("standard", "fast", "fast"), ("batch", "standard", "batch"), (7, 8, "")]
    for tier, speed, wanted in tiers:
        (found,) = read(said(usage=usage(service_tier=tier, speed=speed)))
        assert found.speed == wanted

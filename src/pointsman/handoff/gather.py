"""From the record of a session to a brief. Pure: what is read is handed in."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pointsman.handoff.condition import condition_of
from pointsman.model.handoff import Brief, Happening, Story
from pointsman.model.watching import ContextLimits

_MOST_LINES = 12
_MOST_WORDS = 400
_MOST_TEXT = 16 * 1024
_TEST = re.compile(
    r"\b(?:pytest|tox|nox|jest|vitest|mocha|go test|cargo test|make (?:test|check)"
    r"|npm (?:run )?test|pnpm (?:run )?test|yarn test|mvn test|gradle test|rspec"
    r"|phpunit|dotnet test)\b"
)
_COMMIT = re.compile(r"\bgit\b[^|;&]*\bcommit\b[^|;&]*?-[a-z]*m\s*(?:\"([^\"]+)\"|'([^']+)')")
_DECIDED = re.compile(
    r"\b(?:decid(?:ed|e|ing)|decision|chose|chosen|agreed|settled on|instead of|rather than"
    r"|will not|won't)\b",
    re.IGNORECASE,
)
_NEXT = re.compile(
    r"\b(?:next|then|remaining|still (?:to|needs?|has)|todo|left to do)\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_VARYING = re.compile(r"0x[0-9a-f]+|\d{3,}|[0-9a-f]{12,}")
_UNDER_WAY = ("in_progress", "pending")


def gather(story: Story, last_words: str, limits: ContextLimits) -> Brief:
    """Return the brief of a session; ``last_words`` is what its agent has said last."""
    mine = [each for each in story.happenings if each.agent_id is None]
    said = last_words or _last_message(mine)
    tasks = list(_open_tasks(mine))
    return Brief(
        session=story.session,
        condition=condition_of(story, limits),
        goal=tuple(_goal(mine)),
        done=_some(_done(mine)),
        open=_some(tasks),
        files=_some(_files(story), 20),
        decisions=_some(_decisions(mine, said)),
        failed=_some(_failed(story.happenings)),
        next_step=tuple(_next(said, tasks)),
        last_words=tuple(_paragraphs(said)),
    )


def _some(lines: Iterable[str], most: int = _MOST_LINES) -> tuple[str, ...]:
    return tuple(line for line, _ in zip(dict.fromkeys(lines), range(most), strict=False))


def _line(text: object, most: int = _MOST_WORDS) -> str:
    words = " ".join(str(text)[: 4 * most].split())
    return words if len(words) <= most else f"{words[: most - 1]}…"


def _goal(mine: list[Happening]) -> Iterator[str]:
    """Yield what the session was begun for, and what was asked last.

    A command and what the host itself puts in (``<task-notification>``) are nobody's goal.
    """
    prompts = (_text(each.native, "prompt") for each in mine if each.event == "UserPromptSubmit")
    asked = [_line(text, 600) for text in prompts if text and not text.startswith(("/", "<"))]
    if asked:
        yield asked[0]
        if asked[-1] != asked[0]:
            yield f"Asked last: {asked[-1]}"


def _done(mine: list[Happening]) -> Iterator[str]:
    for each in reversed(mine):
        if each.event == "TaskCompleted":
            yield f"Task: {_line(_text(each.native, 'task_subject'), 160)}"
        elif each.event == "PostToolUse" and each.tool == "Bash":
            command = _command(each)
            commit = _COMMIT.search(command)
            if commit:
                yield f"Committed: {_line(commit[1] or commit[2], 160)}"
            elif _TEST.search(command):
                yield f"Passed: {_line(command, 160)}"


def _open_tasks(mine: list[Happening]) -> Iterator[str]:
    subjects: dict[str, str] = {}
    states: dict[str, str] = {}
    todos: list[Any] = []
    for each in mine:
        if each.event == "TaskCreated":
            subjects[_text(each.native, "task_id")] = _text(each.native, "task_subject")
        elif each.event == "TaskCompleted":
            states[_text(each.native, "task_id")] = "completed"
        elif each.event == "PostToolUse":
            given = _mapping(each.native.get("tool_input"))
            if each.tool == "TaskUpdate" and isinstance(given.get("status"), str):
                states[_text(given, "taskId")] = given["status"]
            elif each.tool == "TaskCreate":
                task = _mapping(_mapping(each.native.get("tool_response")).get("task"))
                subjects.setdefault(_text(task, "id"), _text(given, "subject"))
            elif each.tool == "TodoWrite" and isinstance(given.get("todos"), list):
                todos = given["todos"]
    for name, subject in subjects.items():
        state = states.get(name, "pending")
        if state in _UNDER_WAY:
            mark = " (under way)" if state == _UNDER_WAY[0] else ""
            yield f"{_line(subject, 160)}{mark}"
    for todo in todos[:200]:
        if isinstance(todo, Mapping) and todo.get("status") in _UNDER_WAY:
            yield _line(todo.get("content", ""), 160)


def _files(story: Story) -> Iterator[str]:
    for path, times in story.files:
        name = path.removeprefix(f"{story.cwd}/") if story.cwd else path
        yield f"{name} ({times} times)" if times > 1 else name


def _decisions(mine: list[Happening], said: str) -> Iterator[str]:
    for each in mine:
        if each.event == "PostToolUse" and each.tool == "AskUserQuestion":
            response = each.native.get("tool_response")
            answers = _mapping(_mapping(response).get("answers"))
            for question, answer in list(answers.items())[:8]:
                yield f"{_line(question, 160)} — {_line(answer, 160)} (the person's answer)"
    messages = [
        _text(each.native, "last_assistant_message") for each in mine if each.event == "Stop"
    ]
    for message in reversed([*messages[-20:], said]):
        for sentence in _SENTENCE.split(message[:_MOST_TEXT]):
            if _DECIDED.search(sentence[:1000]):
                yield _line(sentence.lstrip("-*# "), 240)


def _failed(happenings: Iterable[Happening]) -> Iterator[str]:
    times: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for each in happenings:
        if each.event == "PostToolUseFailure":
            error = _first(_text(each.native, "error"))
            what = _command(each) if each.tool == "Bash" else f"{each.tool} {each.path}"
            key = _VARYING.sub("#", f"{each.tool} {error}")
            text = f"{_line(what, 120)}: {_line(error, 160)}"
        elif each.decision == "deny" and each.event == "PreToolUse":
            what = _command(each) if each.tool == "Bash" else f"{each.tool} {each.path}"
            key = f"{each.rule} {each.tool}"
            text = f"{_line(what, 120)}: stopped by {each.rule}: {_line(_first(each.reason), 160)}"
        else:
            continue
        times[key] += 1
        texts.pop(key, None)
        texts[key] = text  # At the end again: the newest is told first.
    for key in reversed(texts):
        count = times[key]
        yield f"{texts[key]} ({count} times)" if count > 1 else texts[key]


def _next(said: str, tasks: list[str]) -> Iterator[str]:
    sentences = [_line(each.lstrip("-*# "), 240) for each in _SENTENCE.split(said[-_MOST_TEXT:])
                 if _NEXT.search(each[:1000])]  # fmt: skip
    if sentences:
        yield sentences[-1]
    elif tasks:
        under_way = [task for task in tasks if task.endswith("(under way)")]
        yield (under_way or tasks)[0]


def _paragraphs(said: str) -> Iterator[str]:
    text = said.strip()
    if len(text) > 1600:
        text = f"{text[:800]} … {text[-800:]}"
    for part in text.split("\n"):
        if part.strip():
            yield _line(part)


def _last_message(mine: list[Happening]) -> str:
    for each in reversed(mine):
        message = _text(each.native, "last_assistant_message")
        if each.event in {"Stop", "StopFailure"} and message:
            return message
    return ""


def _command(each: Happening) -> str:
    return _text(_mapping(each.native.get("tool_input")), "command")[:2000]


def _first(text: str) -> str:
    return next((line.strip() for line in text[:_MOST_TEXT].splitlines() if line.strip()), "")


def _text(native: Mapping[str, Any], key: str) -> str:
    value = native.get(key)
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}

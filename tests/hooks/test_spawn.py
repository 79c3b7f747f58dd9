"""The start of an agent: what it needs, who runs already, and who may start anybody."""

from collections.abc import Callable
from typing import Any

import pytest

from hooks.crew import Crew, crew, rule
from pointsman.model.decision import Action, Cause

team = pytest.fixture(crew)

BOOK = "inputs: {spec_file: {type: path, required: true}, memory: {type: context}}"
KINDS = """\
requires:
  - {type: spec_file, key: spec, path: docs/spec.md}
  - {type: expertise, key: EXPERTISE, path: "experts/*.yaml"}
  - {type: env, key: TEAM_TOKEN}
  - {type: file, key: schema, path: db/schema.sql, required: false}
"""

PROMPTS = {
    "nothing is named": ("Do it.", True),
    "an empty prompt": ("", True),
    "a path that is not there": ("Implement docs/other.md", True),
    "a path that is there": ("Implement docs/spec.md, all of it.", False),
    "in backticks": ("Implement `docs/spec.md`.", False),
    "with its label": ("spec_file: docs/spec.md", False),
    "with its label, in capitals": ("SPEC-FILE = docs/spec.md", False),
    "its label before what is not there": ("spec_file: docs/other.md, see docs/spec.md", True),
    "its label in JSON": ('{"spec_file": "docs/spec.md"}', False),
    "its label in JSON, before what is not there": ('{"spec_file": "no.md"} docs/spec.md', True),
    "its label set off": ("**Spec file**: docs/spec.md", False),
    "its label as a tag": ("<spec_file>docs/spec.md</spec_file>", False),
    "as a tag, not there": ("<spec_file>no.md</spec_file> docs/spec.md", True),
    "its label above it": ("spec_file:\n  docs/spec.md", False),
    "as a link": ("[the spec](docs/spec.md)", False),
    "with an at sign": ("spec_file: @docs/spec.md", False),
    "code is no specification": ("Mend src/a.py", True),
    "an absolute path": ("Read {root}/docs/spec.md", False),
    "an empty file": ("Implement docs/empty.md", True),
    "an empty directory": ("Implement docs/none/", True),
}


@pytest.mark.parametrize(("prompt", "stopped"), PROMPTS.values(), ids=PROMPTS)
def test_a_required_path_has_to_be_in_the_prompt(team: Crew, prompt: str, stopped: bool) -> None:
    team.agent("builder", BOOK)
    team.file("docs/spec.md")
    team.file("docs/empty.md", "")
    team.file("src/a.py")
    (team.root / "docs/none").mkdir()
    handled = team.start("builder", prompt.replace("{root}", str(team.root)))
    assert rule(handled) == ("spawn.missing-input" if stopped else "")
    if stopped:
        assert "'spec_file'" in handled.decision.reason
        assert ".claude/agents/builder.md" in handled.decision.reason


def test_a_path_counts_from_where_the_session_is_too(
    team: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    team.agent("builder", BOOK)
    team.file("app/docs/spec.md")
    team.file("home/spec.md")
    monkeypatch.setenv("HOME", str(team.root / "home"))
    given = {"subagent_type": "builder", "prompt": "Read docs/spec.md", "description": "d"}
    call: dict[str, Any] = {"tool_name": "Agent", "tool_input": given, "tool_use_id": "t"}
    assert rule(team.say("PreToolUse", **call)) == "spawn.missing-input"
    assert rule(team.say("PreToolUse", **call, cwd=str(team.root / "app"))) == ""
    assert rule(team.start("builder", "Read ~/spec.md")) == ""


def test_a_specification_is_a_document(team: Crew) -> None:
    team.agent("builder", "requires: [{type: spec_file, key: spec}]")
    team.file("src/a.py")
    team.file("docs/spec.md")
    assert rule(team.start("builder", "Mend src/a.py")) == "spawn.missing-input"
    assert rule(team.start("builder", "Mend src/a.py as docs/spec.md says")) == ""


def test_each_missing_input_is_named_with_how_to_give_it(
    team: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_TOKEN", raising=False)
    team.agent("builder", KINDS)
    reason = team.start("builder").decision.reason
    for said in (
        "spec_file 'spec': docs/spec.md is not there; write it first",
        "expertise 'EXPERTISE': no file matches experts/*.yaml; write one",
        "env 'TEAM_TOKEN': it is not set; write it under env in .claude/settings.local.json",
    ):
        assert said in reason
    assert "schema" not in reason
    team.file("docs/spec.md")
    team.file("experts/db.yaml")
    monkeypatch.setenv("TEAM_TOKEN", "x")
    assert rule(team.start("builder")) == ""


def test_a_variable_of_the_hosts_settings_is_set(
    team: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_TOKEN", raising=False)
    team.agent("builder", "requires: [{type: env, key: TEAM_TOKEN}]")
    assert rule(team.start("builder")) == "spawn.missing-input"
    team.file(".claude/settings.local.json", '{"env": {"TEAM_TOKEN": "x"}}')
    assert rule(team.start("builder")) == ""


def test_one_file_of_the_prompt_serves_one_input(team: Crew) -> None:
    inputs = "a: {type: path, required: true}, b: {type: path, required: true}"
    team.agent("builder", f"inputs: {{{inputs}}}")
    team.file("one.md")
    team.file("two.md")
    assert "'b'" in team.start("builder", "Read one.md").decision.reason
    assert rule(team.start("builder", "Read one.md and two.md")) == ""


def test_what_cannot_be_known_is_said_and_passes(team: Crew) -> None:
    team.agent("builder", "inputs: {lore: {type: context, required: true}}")
    decision = team.start("builder").decision
    assert decision.action is None
    assert "'lore'" in decision.context
    assert "cannot be checked" in decision.context
    team.agent("builder", BOOK.replace("required: true", "required: false"))
    assert team.start("builder").decision.context == ""


def test_checks_before_the_start(team: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEAM_TOKEN", raising=False)
    team.agent(
        "builder",
        "validation:\n  preSpawn:\n    - {check: file_exists, target: go.mod}\n"
        "    - {check: env_set, target: TEAM_TOKEN}\n    - {check: memory_available}",
    )
    reason = team.start("builder").decision.reason
    assert "go.mod is not there" in reason
    assert "'TEAM_TOKEN'" in reason
    team.file("go.mod")
    monkeypatch.setenv("TEAM_TOKEN", "x")
    handled = team.start("builder")
    assert rule(handled) == ""
    assert "memory" in handled.decision.context


def test_a_prompt_that_says_something(team: Crew) -> None:
    team.agent("builder", "requires: [{type: prompt, key: USER_PROMPT}]")
    assert rule(team.start("builder", " ")) == "spawn.missing-input"
    assert rule(team.start("builder", "Mend it.")) == ""


def test_a_broken_contract_starts_nobody(team: Crew) -> None:
    team.agent("builder", "outputs: [")
    team.agent("other")
    decision = team.start("builder").decision
    assert (decision.rule, decision.cause) == ("spawn.contract-broken", Cause.UNVERIFIED)
    assert rule(team.start("other")) == ""
    team.file(".pointsman/contracts/x.txt")
    assert rule(team.start("other")) == "spawn.contract-broken"


NESTED = {
    "by the main thread": ("", "", False),
    "by one with a contract": ("builder", "", True),
    "by one without": ("free", "", False),
    "allowed by the person": ("builder", "allow", False),
    "denied to all": ("free", "deny", True),
}


@pytest.mark.parametrize(("by", "nested", "stopped"), NESTED.values(), ids=NESTED)
@pytest.mark.parametrize("tool", ["Agent", "Task"])
def test_a_team_is_flat(team: Crew, by: str, nested: str, stopped: bool, tool: str) -> None:
    team.agent("builder", "outputs: {allowed_modifications: [src/**]}")
    if nested:
        team.user(f'[team]\nnested = "{nested}"\n')
    handled = team.call(tool, by, subagent_type="free", prompt="p")
    assert rule(handled) == ("spawn.nested" if stopped else "")


@pytest.mark.parametrize("tool", ["Workflow", "TeamCreate", "CronCreate", "RemoteTrigger"])
def test_other_ways_to_start_somebody(team: Crew, tool: str) -> None:
    team.agent("builder", "outputs: {allowed_modifications: [src/**]}")
    assert rule(team.call(tool, "builder")) == "spawn.nested"
    assert rule(team.call(tool, "free")) == ""
    assert rule(team.call(tool)) == ""


def test_a_repository_makes_a_team_flat_and_never_deep(team: Crew) -> None:
    team.settings('[team]\nnested = "deny"\n')
    assert rule(team.start("x", by="free")) == "spawn.nested"
    team.settings('[team]\nnested = "allow"\noverlap = "off"\n')
    team.agent("builder", "outputs: {allowed_modifications: [src/**]}")
    assert rule(team.start("x", by="builder")) == "spawn.nested"
    team.runs("builder")
    assert rule(team.start("builder")) == "spawn.overlap"


def owners(team: Crew) -> None:
    team.agent("api", "outputs: {allowed_modifications: [src/api/**, src/shared/*.ts]}")
    team.agent("web", "outputs: {allowed_modifications: [src/web/**, 'src/*/t?pes.ts']}")
    team.agent("docs", "outputs: {allowed_modifications: [docs/**]}")
    team.agent("reviewer", "readOnly: true")


def test_two_that_own_a_file_do_not_run_together(team: Crew) -> None:
    owners(team)
    team.runs("api")
    handled = team.start("web")
    decision = handled.decision
    assert (decision.action, decision.rule) == (Action.ASK, "spawn.overlap")
    assert "pes.ts" in decision.reason
    assert "'api'" in decision.reason
    assert rule(team.start("docs")) == ""
    assert rule(team.start("reviewer")) == ""
    assert rule(team.start("free")) == ""
    team.ends("api")
    # The person has said no; what they are asked about may still begin until then.
    refused = {"tool_name": "Agent", "tool_use_id": handled.event.identity.tool_use_id}
    team.say("PostToolBatch", tool_calls=[refused])
    assert rule(team.start("web")) == ""


def test_one_that_is_being_started_counts_as_running(team: Crew) -> None:
    owners(team)
    team.start("api")
    assert rule(team.start("web")) == "spawn.overlap"


@pytest.mark.parametrize(("setting", "action"), [("deny", Action.DENY), ("off", None)])
def test_what_becomes_of_an_overlap_is_a_setting(
    team: Crew, setting: str, action: Action | None
) -> None:
    owners(team)
    team.user(f'[team]\noverlap = "{setting}"\n')
    team.runs("api")
    assert team.start("web").decision.action is action


def test_a_worktree_of_its_own_shares_nothing(team: Crew) -> None:
    owners(team)
    team.start("api", isolation="worktree")
    assert rule(team.start("web")) == ""
    team.agent("alone", "isolation: worktree\noutputs: {allowed_modifications: [src/**]}")
    assert rule(team.start("alone")) == ""


GONE: dict[str, Callable[[Crew, str], object]] = {
    "the start was refused by a person": lambda team, call: team.say(
        "PostToolBatch", tool_calls=[{"tool_name": "Agent", "tool_use_id": call}]
    ),
    "the start failed": lambda team, call: team.say(
        "PostToolUseFailure", tool_name="Agent", tool_input={}, tool_use_id=call, error="no"
    ),
    "it ran to its end within the call": lambda team, call: team.say(
        "PostToolUse", tool_name="Agent", tool_input={}, tool_use_id=call, tool_response={}
    ),
    "nothing runs in the background": lambda team, call: team.say("Stop", background_tasks=[]),
    "the session has ended": lambda team, call: team.say("SessionEnd"),
}


@pytest.mark.parametrize("gone", GONE.values(), ids=GONE)
def test_a_start_that_came_to_nothing_is_forgotten(
    team: Crew, gone: Callable[[Crew, str], object]
) -> None:
    owners(team)
    call = team.start("api").event.identity.tool_use_id
    assert rule(team.start("web")) == "spawn.overlap"
    gone(team, str(call))
    team.say("PostToolBatch", tool_calls=[])
    team.user('[team]\noverlap = "deny"\n')
    running = team.start("web").decision.reason
    assert "'api'" not in running


def test_a_start_that_was_denied_is_none(team: Crew) -> None:
    owners(team)
    team.agent("api", "outputs: {allowed_modifications: [src/**]}\nblocked_by: docs")
    assert rule(team.start("api")) == "blocked.start"
    assert rule(team.start("web")) == ""


def test_in_the_background_it_runs_under_its_own_id(team: Crew) -> None:
    owners(team)
    call = team.start("api").event.identity.tool_use_id
    team.say(
        "PostToolUse", tool_name="Agent", tool_input={}, tool_use_id=call,
        tool_response={"isAsync": True, "agentId": "abc"},
    )  # fmt: skip
    assert "(abc)" in team.start("web").decision.reason
    team.ends("api/abc")
    assert rule(team.start("docs")) == ""


def test_globs_past_the_cap_are_asked_about(team: Crew) -> None:
    team.agent("one", f"outputs: {{allowed_modifications: ['*a{'?' * 16}']}}")
    team.agent("two", f"outputs: {{allowed_modifications: ['*b{'?' * 12}']}}")
    team.runs("one")
    decision = team.start("two").decision
    assert (decision.rule, decision.cause) == ("spawn.overlap-unverified", Cause.UNVERIFIED)
    assert decision.action is Action.ASK


def test_the_guard_can_be_turned_off_by_a_person_only(team: Crew) -> None:
    team.agent("builder", BOOK)
    team.settings("[guards.spawn]\nenabled = false\n")
    assert rule(team.start("builder")) == "spawn.missing-input"
    team.user("[guards.spawn]\nenabled = false\n")
    assert rule(team.start("builder")) == ""


def test_an_agent_is_told_its_contract(team: Crew) -> None:
    team.agent(
        "builder",
        "network: none\n"
        "outputs: {allowed_modifications: [src/**], forbidden_patterns: ['*.lock']}\n"
        "validation: {postComplete: [{check: tests_pass, command: make test}]}",
    )
    context = team.say("SubagentStart", "builder").decision.context
    for said in ("only: src/**", "never change: *.lock", "no network", "make test"):
        assert said in context
    team.agent("elder", "council: true")
    assert "council" in team.say("SubagentStart", "elder").decision.context
    assert team.say("SubagentStart", "free").decision.context == ""


# --- values that a prompt gives by name ----------------------------------------------------------

TYPED = (
    "inputs: {issue: {type: integer, required: true}, title: {type: string, required: true},"
    " ratio: {type: number}, dry_run: {type: boolean}}"
)
GIVEN = {
    "nothing": ("do it", ("issue", "title")),
    "lines": ("issue: 12\ntitle: all of it", ()),
    "JSON": ('{"issue": 12, "title": "all of it"}', ()),
    "a list": ("- **Issue**: #12\n- **Title** = `x`", ()),
    "tags": ("<issue>12</issue><title>x</title>", ()),
    "no number": ("issue: twelve\ntitle: x", ("issue",)),
    "half a number": ("issue: 12.5\ntitle: x", ("issue",)),
    "empty": ("issue: 12\ntitle:\nratio: 1", ("title",)),
    "part of another word": ("reissue: 12\nsubtitle: x", ("issue", "title")),
}


@pytest.mark.parametrize(("prompt", "missing"), GIVEN.values(), ids=GIVEN)
def test_a_value_has_to_be_given_and_of_its_kind(
    team: Crew, prompt: str, missing: tuple[str, ...]
) -> None:
    team.agent("builder", TYPED)
    handled = team.start("builder", prompt)
    assert rule(handled) == ("spawn.missing-input" if missing else "")
    for key in ("issue", "title", "ratio", "dry_run"):
        assert (f" {key!r}: " in handled.decision.reason) == (key in missing)


def test_what_a_wrong_value_should_be_is_said(team: Crew) -> None:
    team.agent("builder", "inputs: {n: {type: number, required: true},"
               " dry run: {type: boolean, required: true}}")  # fmt: skip
    reason = team.start("builder", "n: many\ndry-run: perhaps").decision.reason
    assert "'many' is no number; write n: 1.5" in reason
    assert "'perhaps' is no boolean; write dry run: true" in reason
    assert rule(team.start("builder", "n = -1.5\nDRY RUN: no")) == ""


# --- who is meant -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["api-builder", "API-Builder", "api builder", "Api_Builder"])
def test_a_name_in_another_spelling_is_held_to_the_same_contract(team: Crew, name: str) -> None:
    team.agent("api-builder", BOOK)
    assert rule(team.start(name)) == "spawn.missing-input"


@pytest.mark.parametrize("name", ["api-builders", "builder", "other"])
def test_another_name_is_another_agent(team: Crew, name: str) -> None:
    team.agent("api-builder", BOOK)
    assert rule(team.start(name)) == ""


@pytest.mark.parametrize(
    "given",
    [{"subagent_type": 17}, {"subagent_type": ["builder"]}, {"prompt": ["do"]}, {"prompt": {}}],
    ids=str,
)
def test_a_start_that_cannot_be_read_is_stopped(team: Crew, given: dict[str, Any]) -> None:
    call = {"subagent_type": "builder", "prompt": "do", **given}
    handled = team.say("PreToolUse", tool_name="Agent", tool_input=call, tool_use_id="t")
    assert rule(handled) == "spawn.unreadable"
    assert handled.decision.cause is Cause.UNVERIFIED
    assert next(iter(given)) in handled.decision.reason

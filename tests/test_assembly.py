"""From a policy to hooks: roles, names, budgets, and what a repository's hook may not do."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pointsman.assembly import Setup, Setups
from pointsman.engine.run import Clock, run_all
from pointsman.hooks.all_hooks import SHIPPED as TABLE
from pointsman.model.decision import Action, Cause
from pointsman.model.event import Event, Identity, UnknownEvent
from pointsman.model.events import (
    DERIVED_EVENTS,
    HOST_EVENTS,
    ErrorEscalation,
    PostToolUse,
    PreEdit,
    PreToolUse,
)
from pointsman.model.hook import HookRun, Outcome, Role
from pointsman.model.places import Places
from pointsman.model.policy import DeclaredHook, Policy
from pointsman.paths.content import digest

WHO = Identity(host="claude-code", session="s", cwd="/")
CALL = PreToolUse(identity=WHO, tool_name="Read")
SHIPPED = frozenset(TABLE)


class Fixed:
    """Policies that a test hands out."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def policy_for(self, repository: str | None) -> Policy:
        return self.policy


def setups(tmp_path: Path, *hooks: DeclaredHook, **policy: Any) -> Setups:
    places = Places(state=tmp_path / "state", config=tmp_path / "config")
    return Setups(Fixed(Policy(hooks=hooks, **policy)), places)


def built(tmp_path: Path, *hooks: DeclaredHook, **policy: Any) -> Setup:
    return setups(tmp_path, *hooks, **policy).of(None)


def script(text: str, role: Role = Role.GUARD, **given: Any) -> DeclaredHook:
    defaults: dict[str, Any] = {"name": "mine", "events": ("PreToolUse",), "base": "/"}
    return DeclaredHook(role=role, command=("sh", "-c", text), **{**defaults, **given})


def asked(setup: Setup, event: Event = CALL) -> list[HookRun]:
    """Ask what is no guard of ours, the observers too."""
    table = setup.table
    hooks = (*table.deciding(event), *table.observing(event))
    pairs = [(hook, event) for hook in hooks if hook.name not in SHIPPED]
    return asyncio.run(run_all(pairs, setup.budget, Clock()))


def test_the_shipped_guards_are_asked_first(tmp_path: Path) -> None:
    names = [hook.name for hook in built(tmp_path, script("exit 2")).table.hooks]
    assert names == [*TABLE, "mine"]


def test_the_users_file_may_turn_one_off(tmp_path: Path) -> None:
    setup = built(tmp_path, guards={"scope": {"enabled": False}})
    assert {hook.name for hook in setup.table.hooks} == SHIPPED - {"scope"}


@pytest.mark.parametrize("events", [("*",), ("*", "Stop"), ("Stop", "*")])
def test_a_star_is_every_event_whatever_stands_beside_it(
    tmp_path: Path, events: tuple[str, ...]
) -> None:
    table = built(tmp_path, script("exit 0", events=events)).table
    kinds = [*HOST_EVENTS.values(), *DERIVED_EVENTS.values()]
    for event in (*(kind(identity=WHO) for kind in kinds), UnknownEvent(identity=WHO, name="New")):
        assert "mine" in {hook.name for hook in table.deciding(event)}


@pytest.mark.parametrize(
    "event", [PreEdit(identity=WHO, tool_name="Edit", files=("/a",)), ErrorEscalation(identity=WHO)]
)
def test_a_hook_on_a_derived_event(tmp_path: Path, event: Event) -> None:
    (run,) = asked(built(tmp_path, script("cat >&2; exit 2", events=(event.kind,))), event)
    assert run.decision is not None
    assert run.decision.action is Action.DENY
    assert f'"event": "{event.kind}"' in run.reason


def test_a_guard_that_was_tampered_with_stops_and_says_so(tmp_path: Path) -> None:
    hook = script("exit 0", tampered=True, skip="changed since it was trusted (x.py)", theirs=True)
    (run,) = asked(built(tmp_path, hook))
    assert run.decision is not None
    assert (run.decision.action, run.decision.cause) == (Action.DENY, Cause.FAILURE)
    assert run.decision.rule == "guard.tampered"
    assert "x.py" in run.reason
    assert "pointsman trust" in run.reason


def test_one_that_nobody_looked_at_is_skipped_on_record(tmp_path: Path) -> None:
    (run,) = asked(built(tmp_path, script("exit 2", skip="not trusted: look", theirs=True)))
    assert (run.outcome, run.reason, run.decision) == (Outcome.SKIPPED, "not trusted: look", None)


@pytest.mark.parametrize(
    ("role", "action"), [(Role.GUARD, Action.DENY), (Role.ENRICHER, None), (Role.OBSERVER, None)]
)
def test_one_that_cannot_be_read_has_crashed(
    tmp_path: Path, role: Role, action: Action | None
) -> None:
    (run,) = asked(built(tmp_path, script("exit 0", role, broken="/x.py: line 3: no")))
    assert run.outcome is Outcome.CRASHED
    assert "/x.py: line 3: no" in run.reason
    assert (run.decision.action if run.decision else None) is action


ALLOW = """echo '{"decision": "allow", "context": "seen"}'"""


def test_a_repository_cannot_skip_the_users_prompt(tmp_path: Path) -> None:
    (mine,) = asked(built(tmp_path, script(ALLOW)))
    assert mine.decision is not None
    assert mine.decision.action is Action.ALLOW
    (theirs,) = asked(built(tmp_path, script(ALLOW, theirs=True)))
    assert theirs.decision is not None
    assert theirs.decision.action is None
    assert theirs.decision.context == "seen"
    assert "cannot allow" in theirs.lines[0]


def test_a_repository_can_still_deny(tmp_path: Path) -> None:
    (run,) = asked(built(tmp_path, script("echo no >&2; exit 2", theirs=True)))
    assert run.decision is not None
    assert run.decision.action is Action.DENY


BUDGETS = [
    # role, whose, of the hook itself, in force, the user's own, seconds
    (Role.GUARD, False, None, 3.0, 8.0, 3.0),
    (Role.GUARD, False, 6.0, 3.0, 8.0, 6.0),
    (Role.ENRICHER, False, None, 0.001, 8.0, 8.0),
    (Role.OBSERVER, False, None, 0.001, 8.0, 8.0),
    (Role.OBSERVER, True, None, 3.0, 8.0, 3.0),
    (Role.GUARD, True, 20.0, 3.0, 8.0, 3.0),
    (Role.GUARD, True, 2.0, 3.0, 8.0, 2.0),
    (Role.GUARD, False, 99.0, 3.0, 8.0, 20.0),
]


@pytest.mark.parametrize(("role", "theirs", "own", "force", "user", "seconds"), BUDGETS)
def test_budgets(
    tmp_path: Path,
    role: Role,
    theirs: bool,
    own: float | None,
    force: float,
    user: float,
    seconds: float,
) -> None:
    setup = built(
        tmp_path,
        script("exit 0", role, theirs=theirs, budget=own),
        budgets={"PreToolUse": force},
        own_budgets={"PreToolUse": user},
    )
    hook = next(hook for hook in setup.table.hooks if hook.name == "mine")
    assert setup.budget(hook, CALL) == seconds


def python(tmp_path: Path, source: str, *roles: Role) -> list[DeclaredHook]:
    file = tmp_path / "hooks" / "check.py"
    file.parent.mkdir(exist_ok=True)
    file.write_text(source)
    return [
        DeclaredHook(
            name=f"{role}",
            role=role,
            events=("PreToolUse", "PostToolUse"),
            file=str(file),
            function=str(role),
            base=str(tmp_path),
            sources={str(file): digest(str(file))},
        )
        for role in roles
    ]


def test_an_observer_that_blocks_holds_no_guard_up(tmp_path: Path) -> None:
    source = (
        "from pointsman import deny\n"
        "async def guard(event, ctx): return deny('no')\n"
        "async def observer(event, ctx):\n    while True: pass\n"
    )
    hooks = python(tmp_path, source, Role.GUARD, Role.OBSERVER)
    given = setups(tmp_path, *hooks, budgets={"PreToolUse": 20.0, "PostToolUse": 3.0})

    async def scenario() -> None:
        setup = given.of(None)
        post = PostToolUse(identity=WHO, tool_name="Read")
        observing = [(hook, post) for hook in setup.table.observing(post)]
        watching = asyncio.ensure_future(run_all(observing, lambda *_: 20.0, Clock()))
        asked = [(hook, CALL) for hook in setup.table.deciding(CALL) if hook.name not in SHIPPED]
        (run,) = await run_all(asked, setup.budget, Clock())
        assert run.decision is not None
        assert run.decision.reason == "no"
        watching.cancel()
        await given.close()
        await asyncio.gather(watching, return_exceptions=True)

    asyncio.run(scenario())


def test_workers_of_an_old_policy_end_once_nobody_waits(tmp_path: Path) -> None:
    source = (
        "import asyncio\nfrom pointsman import deny\n"
        "async def guard(event, ctx):\n"
        f"    open({str(tmp_path / 'on')!r}, 'w').close()\n"
        f"    while not __import__('os').path.exists({str(tmp_path / 'go')!r}):\n"
        "        await asyncio.sleep(0.01)\n"
        "    return deny('in the end')\n"
    )
    hooks = python(tmp_path, source, Role.GUARD)
    policies = Fixed(Policy(hooks=tuple(hooks)))
    given = Setups(policies, Places(state=tmp_path / "state", config=tmp_path / "config"))

    async def scenario() -> None:
        setup = given.of(None)
        (worker,) = setup.workers
        asked = [(hook, CALL) for hook in setup.table.deciding(CALL) if hook.name not in SHIPPED]
        waiting = asyncio.ensure_future(run_all(asked, lambda *_: 20.0, Clock()))
        async with asyncio.timeout(60):
            while not (tmp_path / "on").exists():  # noqa: ASYNC110 - it is another process
                await asyncio.sleep(0.01)
        policies.policy = replace(policies.policy, retention_days=1)
        assert given.of(None) is not setup
        await given.close_retired()
        assert worker.pid is not None
        (tmp_path / "go").touch()
        (run,) = await waiting
        assert run.decision is not None
        assert run.decision.reason == "in the end"
        await given.close_retired()
        assert worker.pid is None
        await given.close()

    asyncio.run(scenario())


def test_a_setup_is_kept_while_its_policy_is(tmp_path: Path) -> None:
    given = setups(tmp_path)
    assert given.of(None) is given.of(None)

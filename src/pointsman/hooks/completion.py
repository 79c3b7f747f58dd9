"""The guard that checks what an agent leaves behind when it ends.

The commands of its contract are run by us; what fails goes back to the agent, so many times. Then
the end passes, is on record as no completion, and a person is told: nothing goes round for ever.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from pointsman.hooks.kit import Kit
from pointsman.hooks.left_behind import changed_files, missing_tests, out_of_scope
from pointsman.hooks.spawn import bound
from pointsman.model.budget import LONGEST
from pointsman.model.contract import Contract, PostComplete
from pointsman.model.decision import Cause, Decision, deny
from pointsman.model.event import Event
from pointsman.model.events import SubagentStop
from pointsman.model.hook import Hook, HookContext, Role
from pointsman.model.policy import Policy
from pointsman.model.ran import Ran
from pointsman.model.team import GIVEN_UP

NAME = "completion"
_MARGIN = 1.0
"""Seconds that are left for killing a command and for the answer: a guard that runs out of time
sends the agent back, without end."""

_MOST_LINES = 40
_ATTEMPTS = 3


def hook(policy: Policy, kit: Kit) -> Hook:
    """Return the guard for the contracts of this policy."""

    async def run(event: Event, context: HookContext) -> Decision | None:
        if not isinstance(event, SubagentStop) or not event.identity.agent_type:
            # An agent without a type is the host's own, such as the one that compacts.
            return None
        contracts = [each for each in bound(policy, event.identity.agent) if not each.problems]
        if not any(each.post_complete or each.requires_tests for each in contracts):
            return None
        checked = _Checked(policy, kit, event, context)
        for contract in contracts:
            await checked.contract(contract)
        return checked.decision()

    # Tests take their time; a person or a repository that says less is heard.
    budget = policy.budgets.get("SubagentStop", LONGEST)
    return Hook(
        name=NAME, role=Role.GUARD, run=run, events=frozenset({"SubagentStop"}), budget=budget
    )


@dataclass(slots=True)
class _Checked:
    """The end of one agent, and what was found."""

    policy: Policy
    kit: Kit
    event: SubagentStop
    context: HookContext
    failed: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    ran: set[str] = field(default_factory=set)
    """The commands so far: two dialects in one declaration share them."""
    _files: list[str] | None = None

    @property
    def root(self) -> str:
        identity = self.event.identity
        return identity.repository or identity.cwd

    async def contract(self, contract: Contract) -> None:
        for check in contract.post_complete:
            if check.command and check.command in self.ran:
                continue
            self.ran.add(check.command)
            if check.check == "scope_valid" and not check.command:
                self.failed += out_of_scope(contract, self._edited(), self.root)
            else:
                await self._command(check)
        if contract.requires_tests:
            files = await self._changed()
            self.failed += missing_tests(contract, self._edited(), files, self.root)

    async def _command(self, check: PostComplete) -> None:
        name = f"{check.check}: {check.command}"
        if not check.command:
            self.unknown.append(f"{check.check} names no command; write command: … beside it")
            return
        if check.skip:
            self.unknown.append(f"{name}: it was not run: {check.skip}")
            return
        left = self.context.budget.remaining() - _MARGIN
        if left <= 0:
            self.unknown.append(f"{name}: it was not run, {_no_time(self.context)}")
            return
        ran = await self.kit.run_command(("/bin/sh", "-c", check.command), self.root, left)
        self.context.log(name, code=ran.code, seconds=round(ran.seconds, 3))
        if ran.code is None:
            why = f"; {_no_time(self.context)}" if "killed" in ran.problem else ""
            self.unknown.append(f"{name}: {ran.problem}{why}{_tail(ran)}")
        elif ran.code:
            self.failed.append(f"{name}: {_how(ran)} after {ran.seconds:.1f} s{_tail(ran)}")

    def _edited(self) -> Sequence[str]:
        return self.kit.team.edited(self.event)

    async def _changed(self) -> list[str]:
        """Return what git knows of, too: a shell command may have written what we did not see."""
        if self._files is None:
            left = min(6.0, self.context.budget.remaining() - _MARGIN)
            since = self.kit.team.began(self.event) or time.time_ns()
            self._files = await changed_files(self.kit.run_command, self.root, since, left)
        return self._files

    def decision(self) -> Decision | None:
        agent = self.event.identity.agent
        for text in self.unknown:
            self.context.log(f"could not verify: {text}")
        if self.failed:
            return self._sent_back(agent)
        if self.unknown:
            reason = f"the end of agent {agent!r} could not be verified:{_listed(self.unknown)}"
            return Decision(
                action=None, reason=reason, rule="completion.unverified", cause=Cause.UNVERIFIED
            )
        return None

    def _sent_back(self, agent: str) -> Decision:
        most = int(self.policy.team.get("attempts", _ATTEMPTS))
        count = self.kit.team.sent_back(self.event)
        listed = _listed([*self.failed, *(f"not verified: {each}" for each in self.unknown)])
        if count > most:
            reason = f"agent {agent!r} was sent back {most} times and ends all the same:{listed}"
            return Decision(action=None, reason=reason, rule=GIVEN_UP)
        reason = (
            f"agent {agent!r} is not done (attempt {count} of {most}):{listed}\n"
            "Mend that, or say what keeps you from it, and end again"
        )
        return deny(reason, rule="completion.failed")


def _how(ran: Ran) -> str:
    code = ran.code or 0
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _no_time(context: HookContext) -> str:
    total = context.budget.total
    if total < LONGEST:
        return (
            f"the budget is {total:g} s; a person sets SubagentStop = {LONGEST:g} under [budgets]"
        )
    return (
        f"the budget of {total:g} s is the longest there is; declare a faster command "
        "(a part of the tests, a cache), and leave the whole to CI"
    )


def _tail(ran: Ran) -> str:
    lines = ran.output.rstrip().splitlines()[-_MOST_LINES:]
    return "".join(f"\n    {line[:500]}" for line in lines)


def _listed(texts: Iterable[str]) -> str:
    return "".join(_items(texts))


def _items(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield f"\n- {text}"

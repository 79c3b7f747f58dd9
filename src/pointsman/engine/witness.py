"""What was decided about shell commands that have not run yet, and who is at work in a session.

The second gate (``second_gate.py``) asks it which decision a command that is about to run had.
Memory is bounded: sessions, agents and waiting calls are capped, and a command is kept as its
digest.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256

from pointsman.model.decision import Action, Decision
from pointsman.model.event import Event, Identity
from pointsman.model.events import PreToolUse
from pointsman.model.tools import runs_apart

_MOST_SESSIONS = 512
_MOST_AGENTS = 256
_MOST_CALLS = 256


class Verdict(StrEnum):
    """What is known of the decision about one call."""

    OPEN = "open"
    """Its guards have been asked and have not all answered."""
    PASSED = "passed"
    STOPPED = "stopped"


class Turn(StrEnum):
    """What the main thread of a session does, as the host's events tell."""

    UNKNOWN = "unknown"
    IDLE = "idle"
    """It waits for a person: what runs without a hook now is what that person typed."""
    EXPANDING = "expanding"
    """A prompt is on its way to the model: the host runs what a command or skill embeds."""
    RUNNING = "running"


@dataclass(slots=True)
class Call:
    """One call of a tool that takes a command; ``seq`` is its row in the record, 0 if none.

    ``apart`` says that the host runs it beside the call: its end may be told before it has begun.
    """

    digest: bytes
    identity: Identity
    verdict: Verdict = Verdict.OPEN
    decision: Decision | None = None
    seq: int = 0
    apart: bool = False


@dataclass(slots=True)
class Session:
    """What is known of one session.

    ``project`` is the directory it was started in. ``whole`` says that nothing before it was
    missed: it was seen from its start, or what the record has of it was taken in.
    """

    turn: Turn = Turn.UNKNOWN
    hooked: bool = False
    whole: bool = False
    project: str = ""
    overflowed: bool = False
    """Whether there were more agents than are remembered."""
    agents: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """The subagents at work: id to type."""
    calls: OrderedDict[str, Call] = field(default_factory=OrderedDict)
    """Calls that have not run yet, by the id that the host gives them."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The decision that a run uses up, and who else may be the one that runs it."""

    call: Call
    others: tuple[Identity, ...] = ()


class Witness:
    """Remembers, per session, decisions about shell commands, live agents, and whose turn it is."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    def session(self, name: str) -> Session:
        """Return what is known of a session, making room for it where nothing is."""
        found = self._sessions.get(name)
        if found is None:
            found = self._sessions[name] = Session()
            if len(self._sessions) > _MOST_SESSIONS:
                self._sessions.popitem(last=False)
        else:
            self._sessions.move_to_end(name)
        return found

    def opened(self, event: Event, project: str = "") -> None:
        """Take notice of an event that a hook has delivered, before anybody has judged it."""
        session = self.session(event.identity.session)
        session.hooked = True
        session.project = project or session.project
        _learn_agents(session, event)
        _learn_turn(session, event)
        _forget_calls(session, event)
        command = command_in(event)
        if command is not None:
            call = Call(_digest(command), event.identity, apart=_runs_apart(event))
            _remember(session, event.identity, call)

    def decided(self, event: Event, decision: Decision, seq: int) -> None:
        """Take notice of what a call got: a question is answered by the host's running it."""
        command = command_in(event)
        if command is None:
            return
        given = (decision.updated_input or {}).get("command", command)
        stopped = decision.action is Action.DENY
        call = Call(
            _digest(given if isinstance(given, str) else command),
            event.identity,
            Verdict.STOPPED if stopped else Verdict.PASSED,
            decision,
            seq,
            _runs_apart(event),
        )
        _remember(self.session(event.identity.session), event.identity, call)

    def take_in(self, name: str, past: Session) -> None:
        """Add what the record says of the time before this process; what is known newer stays."""
        session = self.session(name)
        session.whole = True
        session.hooked |= past.hooked
        session.project = session.project or past.project
        if session.turn is Turn.UNKNOWN:
            session.turn = past.turn
        session.agents = OrderedDict([*past.agents.items(), *session.agents.items()])
        session.calls = OrderedDict([*past.calls.items(), *session.calls.items()])

    def claim(self, name: str, command: str) -> Claim | None:
        """Use up one decision about this command; one that passed goes before one that stopped.

        Of several agents that wait with the same command it cannot be told whose run this is.
        """
        session = self.session(name)
        digest = _digest(command)
        same = [(key, call) for key, call in session.calls.items() if call.digest == digest]
        passed = [(key, call) for key, call in same if call.verdict is Verdict.PASSED]
        if not passed:
            return Claim(same[-1][1]) if same else None
        key, call = passed[0]
        del session.calls[key]
        others = {each.identity.agent_id: each.identity for _, each in passed}
        others.pop(call.identity.agent_id, None)
        return Claim(call, tuple(others.values()))


def command_in(event: Event) -> str | None:
    """Return the command of a call that a host hands to a shell."""
    if not isinstance(event, PreToolUse) or event.tool_name.startswith("mcp__"):
        return None
    command = event.tool_input.get("command")
    return command if isinstance(command, str) else None


def _runs_apart(event: Event) -> bool:
    return isinstance(event, PreToolUse) and runs_apart(event.tool_name, event.tool_input)


def _digest(command: str) -> bytes:
    return sha256(command.encode("utf-8", "surrogatepass")).digest()


def _remember(session: Session, identity: Identity, call: Call) -> None:
    key = identity.tool_use_id or f"{identity.agent_id}:{call.digest.hex()}"
    session.calls[key] = call
    session.calls.move_to_end(key)
    if len(session.calls) > _MOST_CALLS:
        session.calls.popitem(last=False)


def _learn_agents(session: Session, event: Event) -> None:
    who = event.identity
    if event.kind == "SessionEnd":
        session.agents.clear()
    # An agent without a type is the host's own (it compacts): it runs nothing.
    if who.agent_id is None or not who.agent_type:
        return
    if event.kind == "SubagentStop":
        session.agents.pop(who.agent_id, None)
        return
    session.agents[who.agent_id] = who.agent_type
    session.agents.move_to_end(who.agent_id)
    if len(session.agents) > _MOST_AGENTS:
        session.agents.popitem(last=False)
        session.overflowed = True


_TURNS = {
    "SessionStart": Turn.IDLE,
    "UserPromptSubmit": Turn.EXPANDING,
    "UserPromptExpansion": Turn.EXPANDING,
    "PreToolUse": Turn.RUNNING,
    "PostToolUse": Turn.RUNNING,
    "PostToolUseFailure": Turn.RUNNING,
    "PostToolBatch": Turn.RUNNING,
    "PermissionRequest": Turn.RUNNING,
    "Stop": Turn.IDLE,
    "StopFailure": Turn.IDLE,
    "SessionEnd": Turn.IDLE,
}


def _learn_turn(session: Session, event: Event) -> None:
    if event.identity.agent_id is None:
        turn = _TURNS.get(event.kind, session.turn)
        # A prompt that is queued while the model works changes nothing about that.
        if turn is Turn.EXPANDING and session.turn is Turn.RUNNING:
            return
        session.turn = turn
    if event.kind == "SessionStart" and getattr(event, "source", "") in {"startup", "clear"}:
        session.whole = True


_AT_THE_END = frozenset({"PostToolBatch", "Stop", "StopFailure", "SubagentStop", "SessionEnd"})


def _forget_calls(session: Session, event: Event) -> None:
    """Drop the decisions whose calls are over: run or not, nobody will use them any more."""
    who = event.identity
    ended = session.calls.get(who.tool_use_id or "")
    if event.kind in {"PostToolUse", "PostToolUseFailure"} and ended and not _is_to_run(ended):
        del session.calls[who.tool_use_id or ""]
    over = event.kind in _AT_THE_END
    # With a batch those have ended that the host waits for.
    waits = event.kind == "PostToolBatch"
    # Only a call tells a new prompt: one that is queued may bear its own id while another goes on.
    begins = event.kind == "PreToolUse"
    doomed = [
        key
        for key, call in session.calls.items()
        if call.identity.agent_id == who.agent_id
        and ((over and not (waits and _is_to_run(call))) or (begins and _is_older(call, who)))
    ]
    for key in doomed:
        del session.calls[key]


def _is_to_run(call: Call) -> bool:
    return call.apart and call.verdict is Verdict.PASSED


def _is_older(call: Call, who: Identity) -> bool:
    """Whether a call belongs to a prompt before this one, and was interrupted by a person."""
    return bool(who.prompt_id and call.identity.prompt_id) and (
        call.identity.prompt_id != who.prompt_id
    )

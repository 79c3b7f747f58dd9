"""What the terminal view has carried out: as the commands do that a person would type."""

from pointsman.cli.alerts import answer_alert
from pointsman.cli.covered import covered
from pointsman.cli.person import answering
from pointsman.model.approval import State
from pointsman.model.places import Places
from pointsman.store import verdicts
from pointsman.store.approvals import Approvals


class Commands:
    """Answers by the same ways as ``pointsman alerts`` and ``pointsman approvals``."""

    def __init__(self, places: Places) -> None:
        self._places = places

    def acknowledge(self, number: int, note: str) -> str:
        """Take an alert up."""
        answer_alert("alerts.ack", str(number), covered(note))
        return f"alert {number} is acknowledged"

    def resolve(self, number: int, note: str) -> str:
        """Say that an alert is over."""
        answer_alert("alerts.resolve", str(number), covered(note))
        return f"alert {number} is over"

    def stop(self, target: str, agent: str, note: str) -> str:
        """Stop an agent or a session."""
        done = answer_alert("alerts.stop", target, covered(note), agent=agent, whole=False)
        who = f"agent {done['agent_id']} in" if done["agent_id"] else "all of"
        return f"{who} session {done['session']} is stopped at its next call"

    def resume(self, session: str) -> str:
        """Let a session go on."""
        done = answer_alert("alerts.resume", session, "")
        return f"session {done['session']} may go on"

    def approve(self, name: str, note: str) -> str:
        """Let a call pass, once."""
        return self._verdict(name, note, State.APPROVED)

    def deny(self, name: str, note: str) -> str:
        """Say no to a call."""
        return self._verdict(name, note, State.REFUSED)

    def _verdict(self, name: str, note: str, state: State) -> str:
        store = Approvals(self._places.approvals)
        try:
            by = answering(store)
            say = verdicts.approve if state is State.APPROVED else verdicts.refuse
            one = say(store, name, by, covered(note))
        finally:
            store.close()
        return f"{one.binding.tool} of {one.binding.agent} is {one.state.value}"

"""What waits for a person: questions, open alerts, and whom somebody has stopped."""

from collections.abc import Mapping
from dataclasses import dataclass

from pointsman.alerted import as_json as alert_as_json
from pointsman.alerted import change_as_json
from pointsman.asked import as_json as question_as_json
from pointsman.asked import state_of
from pointsman.model.alerting import OPEN, Alert
from pointsman.model.approval import Approval, State
from pointsman.model.errors import PointsmanError
from pointsman.model.places import Places
from pointsman.screen import words
from pointsman.store.alerts import AlertStore
from pointsman.store.approvals import Approvals, moment
from pointsman.store.holds import Holds

_MOST = 200


@dataclass(frozen=True, slots=True)
class Pending:
    """What waits: the newest first. ``watched`` is whether alerts were ever kept here."""

    questions: tuple[Approval, ...] = ()
    alerts: tuple[Alert, ...] = ()
    stopped: frozenset[tuple[str, str]] = frozenset()
    """Sessions with the agent's id, empty where all of it is stopped."""
    watched: bool = False
    problem: str = ""

    def is_stopped(self, session: str, agent_id: str) -> bool:
        """Whether a person has stopped an agent, or its whole session."""
        return bool({(session, ""), (session, agent_id)} & self.stopped)

    def of(self, session: str) -> list[Alert]:
        """Return the open alerts of a session."""
        return [alert for alert in self.alerts if alert.session == session]


def pending(places: Places) -> Pending:
    """Read what waits; what cannot be read is a ``problem``."""
    try:
        questions = _questions(places)
        if not places.alerts.exists():
            return Pending(questions=questions)
        store = AlertStore(places.alerts)
        try:
            held = {(each.session, each.agent_id or "") for each in Holds(store).all()}
            return Pending(
                questions=questions,
                alerts=tuple(reversed(store.some(OPEN, _MOST))),
                stopped=frozenset(held),
                watched=True,
            )
        finally:
            store.close()
    except PointsmanError as error:
        return Pending(problem=f"{error}; {error.fix}" if error.fix else str(error))


def _questions(places: Places) -> tuple[Approval, ...]:
    if not places.approvals.exists():
        return ()
    store = Approvals(places.approvals)
    try:
        now = moment()
        found = store.some([State.WAITING], _MOST)
        # One whose time is over is no question any more, though no daemon has put that down.
        return tuple(each for each in reversed(found) if state_of(each, now) is State.WAITING)
    finally:
        store.close()


def question_text(one: Approval) -> str:
    """Return everything that a person needs to decide on a question."""
    row = question_as_json(one, moment())
    return words.whole({name: _told(value) for name, value in row.items() if value})


def alert_text(places: Places, number: int) -> str:
    """Return an alert whole, with what became of it.

    Raises:
        AlertError: it cannot be read.
    """
    store = AlertStore(places.alerts)
    try:
        row = alert_as_json(store.get(number))
        history = [change_as_json(each) for each in store.history(number)]
    finally:
        store.close()
    row["history"] = "\n".join(
        f"{each['time'][:19]}  {each['before']} → {each['after']}, by {each['by']}: {each['text']}"
        for each in history
    )
    row["a post-mortem"] = f"pointsman incident {number}"
    return words.whole({name: _told(value) for name, value in row.items()})


def _told(value: object) -> object:
    return str(value) if isinstance(value, (int, float, bool)) else value


def about_session(pending_now: Pending, session: str) -> Mapping[str, str]:
    """Return what waits in one session, to be shown with its agents."""
    alerts = [
        f"{each.number} {each.state.value}: {each.summary}" for each in pending_now.of(session)
    ]
    questions = [
        f"{each.id} {each.binding.tool}, by {each.binding.agent}: {each.reason}"
        for each in pending_now.questions
        if each.session == session
    ]
    stopped = [agent or "all of it" for name, agent in pending_now.stopped if name == session]
    found = {"alerts": alerts, "questions": questions, "stopped": stopped}
    return {name: "\n".join(lines) for name, lines in found.items() if lines}

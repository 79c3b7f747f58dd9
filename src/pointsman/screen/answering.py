"""A person's answers by the keyboard: take up, end, approve, deny, stop, let go on.

What a key means goes by the row that the cursor is on. Each answer is put before the person once
more, with room for a word, and carried out beside the screen.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message

from pointsman.model.approval import Approval
from pointsman.model.errors import PointsmanError
from pointsman.screen import cells, words
from pointsman.screen.feed import Feed
from pointsman.screen.panes import Pane
from pointsman.screen.pending import Pending, question_text
from pointsman.screen.sheets import Confirm


class Acts(Protocol):
    """Who carries answers out. Each returns what it came to, in words.

    Raises:
        PointsmanError: from every method, where it cannot be done.
    """

    def acknowledge(self, number: int, note: str) -> str:
        """Take an alert up."""

    def resolve(self, number: int, note: str) -> str:
        """Say that an alert is over."""

    def stop(self, target: str, agent: str, note: str) -> str:
        """Stop the agent of an alert, or of a session (``agent`` empty: all of it)."""

    def resume(self, session: str) -> str:
        """Let all of a session go on."""

    def approve(self, name: str, note: str) -> str:
        """Let the call of a question pass, once."""

    def deny(self, name: str, note: str) -> str:
        """Say no to the call of a question."""


class Answered(Message):
    """An answer was carried out, or could not be."""

    def __init__(self, text: str, *, failed: bool = False) -> None:
        super().__init__()
        self.text = text
        self.failed = failed


@dataclass(frozen=True, slots=True)
class _Row:
    """What the cursor is on: its kind (``alert``, ``ask``, ``agent`` …) and whose it is."""

    kind: str
    name: str
    session: str = ""
    agent: str = ""
    title: str = ""


class Answering(App[None]):
    """The part of the view that answers; the rest of it shows."""

    ANSWERS: ClassVar[list[BindingType]] = [
        Binding("a", "acknowledge", "Take up"),
        Binding("y", "approve", "Approve"),
        Binding("n", "deny", "Deny"),
        Binding("x", "stop", "Stop"),
        Binding("c", "resume", "Go on", show=False),
        Binding("R", "resolve", "Over", show=False),
    ]

    feed: Feed
    pending: Pending
    acts: Acts | None

    def focused_pane(self) -> Pane | None:
        """Return the pane that has the keys."""
        return next((pane for pane in self.query(Pane) if pane.has_focus_within), None)

    def action_acknowledge(self) -> None:
        """Take up the alert."""
        told: Carried = lambda acts, row, note: acts.acknowledge(int(row.name), note)  # noqa: E731
        self._put("Take up", {"alert": told})

    def action_resolve(self) -> None:
        """Say that the alert is over."""
        self._put("End", {"alert": lambda acts, row, note: acts.resolve(int(row.name), note)})

    def action_approve(self) -> None:
        """Let the call pass, once."""
        self._put("Approve", {"ask": lambda acts, row, note: acts.approve(row.name, note)})

    def action_deny(self) -> None:
        """Say no."""
        self._put("Deny", {"ask": lambda acts, row, note: acts.deny(row.name, note)})

    def action_stop(self) -> None:
        """Stop the agent of the row, at its next call."""
        told: Carried = lambda acts, row, note: acts.stop(row.session, row.agent, note)  # noqa: E731
        by_alert: Carried = lambda acts, row, note: acts.stop(row.name, "", note)  # noqa: E731
        self._put("Stop", {"alert": by_alert, "agent": told, "seq": told, "ask": told})

    def action_resume(self) -> None:
        """Let go on whom somebody has stopped in the session of the row."""
        told: Carried = lambda acts, row, _note: acts.resume(row.session)  # noqa: E731
        self._put("Let go on", {"alert": told, "agent": told, "seq": told, "ask": told})

    def _put(self, verb: str, by_kind: "dict[str, Carried]") -> None:
        row = self._meant()
        carry = by_kind.get(row.kind) if row else None
        if row is None or carry is None:
            kinds = {"alert": "an alert", "ask": "a question", "agent": "an agent"}
            wanted = " or ".join(kinds[kind] for kind in kinds if kind in by_kind)
            self.notify(f"{verb}: put the cursor on {wanted} first (tab)", severity="warning")
            return
        if self.acts is None or (row.kind in {"agent", "seq"} and not row.session):
            self.notify(f"{verb}: this cannot be answered here", severity="warning")
            return
        acts = self.acts

        def answered(note: str | None) -> None:
            if note is not None:
                self._carry_out(lambda: carry(acts, row, note))

        text = self._asked_text(row)
        self.push_screen(Confirm(f"{verb}: {words.plain(row.title, 60)}", text), answered)

    @work(thread=True, group="answers")
    def _carry_out(self, carry: Callable[[], str]) -> None:
        try:
            self.post_message(Answered(carry()))
        except PointsmanError as error:
            said = f"{error}; {error.fix}" if error.fix else str(error)
            self.post_message(Answered(said, failed=True))

    def on_answered(self, message: Answered) -> None:
        """Say what became of it, and read again."""
        severity: Any = "error" if message.failed else "information"
        self.notify(words.plain(message.text, 400), severity=severity, markup=False, timeout=8)
        self.action_read()

    def action_read(self) -> None:
        """Read at once."""

    def _meant(self) -> _Row | None:
        pane = self.focused_pane()
        chosen = pane.selected if pane else None
        kind, _, rest = (chosen or "").partition(" ")
        if kind == "ask":
            one = self._question(rest)
            return (
                _Row(kind, rest, one.session, one.agent_id or "", one.binding.tool) if one else None
            )
        if kind == "alert":
            found = next((each for each in self.pending.alerts if str(each.number) == rest), None)
            return (
                _Row(kind, rest, found.session, found.agent_id or "", found.summary)
                if found
                else None
            )
        if kind == "agent" and chosen:
            session, agent = cells.agent_of(chosen)
            known = self.feed.agents.get((session, agent))
            return _Row(kind, rest, session, agent, f"{known.name if known else agent}, {session}")
        if kind == "seq":
            row = next((each for each in self.feed.rows if str(each["seq"]) == rest), None)
            if row is None:
                return None
            return _Row(kind, rest, *cells.key_of(row), f"{row['agent']}, {row['session']}")
        return None

    def _question(self, name: str) -> Approval | None:
        return next((each for each in self.pending.questions if each.id == name), None)

    def _asked_text(self, row: _Row) -> str:
        one = self._question(row.name) if row.kind == "ask" else None
        if one is not None:
            return question_text(one)
        agent = row.agent or "main, so all of its session"
        return words.whole({"what": row.title, "session": row.session, "agent": agent})


Carried = Callable[[Acts, _Row, str], str]

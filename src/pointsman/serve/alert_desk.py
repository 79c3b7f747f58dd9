"""Alerts and the people who answer them: the book, kept on disk; whom they have stopped."""

import time
from collections.abc import Callable
from dataclasses import replace

from pointsman.alerts.board import Board
from pointsman.alerts.book import Book
from pointsman.alerts.terms import Terms
from pointsman.model.alert import Finding
from pointsman.model.alerting import Alert, Change, Hold
from pointsman.model.errors import AlertError
from pointsman.store.alerts import AlertStore
from pointsman.store.holds import Holds

_MOST_WORDS = 2000


class AlertDesk:
    """One store with its book; ``told`` takes each change once it is kept.

    Raises:
        AlertError: from every method, where the store cannot be had.
    """

    def __init__(
        self,
        store: AlertStore,
        terms: Callable[[], Terms],
        cover: Callable[[str], str],
        board: Board | None = None,
    ) -> None:
        self.store = store
        self.holds = Holds(store)
        self.book = Book()
        self.told: Callable[[Change], None] = lambda _change: None
        self._terms = terms
        self._cover = cover
        self._board = board or Board()
        self._known: dict[tuple[str, str | None], Hold] = {}
        self._read = False

    def fresh(self) -> None:
        """Read the store anew where somebody else has written it."""
        if not self.store.changed():
            return
        if self.store.renewed:
            # Who was on hold in the file that is gone is known here still: nobody goes on by that.
            for hold in self._known.values():
                self.holds.put(hold)
            self.store.renewed = False
        since = time.time_ns() - int(self._terms().cool_down_s * 1e9)
        self.book.load(*self.store.alive(since))
        self._show_holds()
        self._read, self._board.unread = True, ""

    def show(self) -> None:
        """Let hooks see what is open."""
        self._board.show(self.book)

    def unreadable(self, error: Exception) -> None:
        """Hold everybody until it is known whom a person has stopped; who is known stays known."""
        # The book may be ahead of the disk: it is read anew before anything is tried again.
        self.store.close()
        if not self.store.path.exists():
            return  # Nobody has ever been stopped, or the whole state directory is gone.
        if not self._read:
            self._board.unread = str(error)

    def _show_holds(self) -> None:
        holds = self.holds.all()
        self._known = {(each.session, each.agent_id): each for each in holds}
        self._board.hold(holds)

    # --- what is found -----------------------------------------------------------------------

    def found(self, finding: Finding, *, lasting: bool) -> None:
        """Take in what was found."""
        changes = self.book.found(finding, self._terms(), lasting=lasting)
        if changes:
            self.keep(changes)
            return
        alert = self.book.of(finding)
        if alert is not None:
            self.store.saw(alert)

    def keep(self, changes: list[Change]) -> None:
        """Put changes on disk, then let them be told and done."""
        for change in changes:
            number = self.store.keep(change)
            if not number:
                # Somebody else was quicker: what is on disk counts.
                self._reload()
                return
            kept = replace(change, number=number)
            self.told(kept)
            if kept.does:
                self._do(kept)

    def _reload(self) -> None:
        self.book.load(*self.store.alive(time.time_ns() - int(self._terms().cool_down_s * 1e9)))

    def _do(self, change: Change) -> None:
        alert = change.alert
        agent = alert.agent_id if change.does == "stop-agent" else None
        if alert.session:
            self.hold(alert.session, agent, "the ladder of alerts", alert.summary, alert.number)

    # --- what people say ---------------------------------------------------------------------

    def acknowledge(self, number: int, by: str, note: str) -> Alert:
        """Take an alert up.

        Raises:
            AlertError: there is none, it is over, or somebody has taken it up.
        """
        self.fresh()
        change = self.book.acknowledged(number, by, self._said(note), time.time_ns())
        return self._answered(number, change)

    def resolve(self, number: int, by: str, note: str) -> Alert:
        """Say that an alert is over.

        Raises:
            AlertError: there is none, or it is over already.
        """
        self.fresh()
        change = self.book.resolved(number, by, self._said(note), time.time_ns())
        return self._answered(number, change)

    def _answered(self, number: int, change: Change | None) -> Alert:
        if change is not None:
            self.keep([change])
        alert = self.store.get(number)
        if change is None or alert.state is not change.after:
            by = f", by {alert.by}" if alert.by else ""
            raise AlertError(
                f"alert {number} is {alert.state.value} already{by}",
                fix=f"pointsman alerts show {number}",
            )
        self.show()
        return alert

    def stop(self, target: str, agent: str, by: str, reason: str, *, whole: bool) -> Hold:
        """Stop the agent of an alert, or with ``whole`` its session; or a session by its name.

        A main thread is its session. ``agent`` names a subagent by its id.

        Raises:
            AlertError: there is no such alert, or it is about no session.
        """
        self.fresh()
        number = int(target) if target.isdecimal() and len(target) < 19 else 0
        session, agent_id, why = target, agent or None, self._said(reason)
        if number:
            alert = self.store.get(number)
            session, agent_id = alert.session, agent_id or alert.agent_id
            why = why or f"alert {number}: {alert.summary}"
        if not session:
            raise AlertError(
                f"alert {number} is about no session: there is nobody to stop",
                fix=f"pointsman alerts show {number}",
            )
        return self.hold(session, None if whole else agent_id, by, why, number)

    def hold(self, session: str, agent: str | None, by: str, reason: str, alert: int) -> Hold:
        """Put an agent or a session on hold."""
        hold = Hold(
            session=session, agent_id=agent, by=by, reason=reason[:_MOST_WORDS],
            ns=time.time_ns(), alert=alert,
        )  # fmt: skip
        self.holds.put(hold)
        self._show_holds()
        return hold

    def resume(self, target: str, agent: str, by: str) -> tuple[str, int]:
        """Let go on who was stopped; return the session, and how many holds went.

        Raises:
            AlertError: nobody there is stopped.
        """
        self.fresh()
        number = int(target) if target.isdecimal() and len(target) < 19 else 0
        session = self.store.get(number).session if number else target
        gone = self.holds.release(session, agent or None, by, time.time_ns())
        self._show_holds()
        if not gone:
            raise AlertError(
                f"nobody is stopped in session {session!r}", fix="pointsman alerts stops"
            )
        return session, gone

    def _said(self, text: str) -> str:
        return self._cover(text)[:_MOST_WORDS]

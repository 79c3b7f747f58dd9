"""The terminal view: agents, decisions, alerts and limits, as the record has them."""

from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import DataTable, Footer, Input, Static

from pointsman.alerts.sources import APPROVAL
from pointsman.model.alerting import State
from pointsman.model.errors import PointsmanError
from pointsman.model.places import Places
from pointsman.screen import cells, words
from pointsman.screen.answering import Acts, Answering
from pointsman.screen.feed import Agent, Feed, News
from pointsman.screen.limits import Reached, reached
from pointsman.screen.ordering import ORDERS, about, ordered
from pointsman.screen.panes import Line, Pane
from pointsman.screen.pending import Pending, alert_text, pending, question_text
from pointsman.screen.sheets import Detail, Help
from pointsman.store.query import show

POLL_S = 0.5
PENDING_S = 1.0
LIMITS_S = 10.0
_STOPPED = frozenset({"deny", "ask", "modify"})
Filter = Callable[[dict[str, Any]], bool]
FILTERS: dict[str, Filter] = {
    "calls": lambda row: row["event"] == "PreToolUse" or words.verdict(row) in _STOPPED,
    "stopped": lambda row: words.verdict(row) in _STOPPED,
    "failed": lambda row: words.verdict(row) == "failed",
    "everything": lambda _row: True,
}
"""What `e` goes through; a call that is derived from another stands with that one."""
WHOLE = "*"
"""In the place of an agent: its whole session."""
_SHOWN = 500
_NO_ALERT = "Nothing is found wrong, and no limit is set."
_NO_AGENT = "No agent at work. Start one in a repository with the hooks (pointsman init)."


class Fresh(Message):
    """Something was read: the feed, what waits for a person, or the limits."""

    def __init__(
        self, *, news: News | None = None, waits: Pending | None = None,
        limits: list[Reached] | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.news = news
        self.waits = waits
        self.limits = limits


class WatchApp(Answering):
    """Shows a ``Feed`` and reads on; ``alive`` says which process the daemon is, if one runs.

    ``acts`` carries out what a person answers; without it the view only shows.
    """

    CSS_PATH = "app.tcss"
    TITLE = "pointsman watch"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (130, "-wide")]  # noqa: RUF012 - as Textual declares it
    VERTICAL_BREAKPOINTS = [(0, "-short"), (18, "-middle"), (30, "-tall")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("question_mark", "help", "Keys", key_display="?"),
        Binding("slash", "search", "Search", key_display="/"),
        Binding("e", "filter", "Filter"),
        Binding("f", "follow", "Follow"),
        Binding("s", "single", "Only this"),
        Binding("S", "session", show=False),
        Binding("o", "order", "Order"),
        *Answering.ANSWERS,
        Binding("r", "read", "Read", show=False),
        Binding("escape", "leave", "All", show=False),
    ]

    def __init__(
        self, places: Places, feed: Feed, alive: Callable[[], int | None], *,
        light: bool = False, acts: Acts | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        # The terminal's own colours: dark on a dark one, light on a light one.
        self.theme = "ansi-light" if light else "ansi-dark"
        self.feed = feed
        self.follow = True
        self.filter = "calls"
        self.text = ""
        self.only: tuple[str, str] | None = None
        self.order = ORDERS[0]
        self.acts = acts
        self.pending = Pending()
        self.limits: list[Reached] = []
        self.reading = False
        self._reading_limits = self._reading_pending = False
        self._places = places
        self._alive = alive

    def compose(self) -> ComposeResult:
        """Lay the panes out."""
        yield Static(id="top")
        yield Static(id="problem")
        with Vertical(id="panes"):
            with Vertical(id="left"):
                yield Pane("agents", cells.AGENTS, _NO_AGENT)
                yield Pane("alerts", cells.ALERTS, _NO_ALERT, headings=False)
            yield Pane("events", cells.EVENTS, "Nothing to show here: e changes the filter, escape "
                       "shows all.")  # fmt: skip
        yield Input(placeholder="words that must all occur", id="search", compact=True)
        yield Footer()

    def on_mount(self) -> None:
        """Begin to read."""
        self.query_one("#events", Pane).table.focus()
        self.read_on()
        self.set_interval(POLL_S, self.read_on)
        self.set_interval(LIMITS_S, self.read_limits)
        self.read_pending()
        self.set_interval(PENDING_S, self.read_pending)

    def read_on(self) -> None:
        """Read what is new, beside the screen; one reading at a time."""
        if not self.reading:
            self.reading = True
            self._read()

    @work(thread=True, group="feed")
    def _read(self) -> None:
        self.post_message(Fresh(news=self.feed.read()))

    def read_pending(self) -> None:
        """Read what waits for a person."""
        if not self._reading_pending:
            self._reading_pending = True
            self._read_pending()

    @work(thread=True, group="pending")
    def _read_pending(self) -> None:
        self.post_message(Fresh(waits=pending(self._places)))

    def read_limits(self) -> None:
        """Read how far everybody is from the limits: dearer, so more rarely."""
        if not self._reading_limits:
            self._reading_limits = True
            self._read_limits(self.feed.shown())

    @work(thread=True, group="limits")
    def _read_limits(self, agents: list[Agent]) -> None:
        self.post_message(Fresh(limits=reached(self._places, agents, self.feed.now())))

    def on_fresh(self, message: Fresh) -> None:
        """Take in what was read, and show it."""
        if message.news is not None:
            first = not self.feed.rows
            self.feed.take(message.news)
            self.reading = False
            if first:
                self.read_limits()
        if message.waits is not None:
            self.pending, self._reading_pending = message.waits, False
        if message.limits is not None:
            self.limits = message.limits
            self._reading_limits = False
        self.redraw()

    def redraw(self) -> None:
        """Show everything as it is now."""
        base = self.screen_stack[0] if self.screen_stack else None
        if base is None or not base.query("#top"):
            return  # On its way in or out.
        agents = ordered(self.feed.shown(), self.order)
        now = self.feed.now() // 10**6
        said = self.feed.problem or self.pending.problem
        base.query_one("#top", Static).update(self._top(agents, base.size.width))
        problem = base.query_one("#problem", Static)
        problem.set_class(bool(said), "shown")
        problem.update(Text(words.plain(said, 300)))
        held = self.pending.is_stopped
        pane = base.query_one("#agents", Pane)
        pane.show([cells.agent_line(each, now, stopped=held(*each.key)) for each in agents])
        pane.border_title = "agents" if self.order == ORDERS[0] else f"agents · by {self.order}"
        waiting = base.query_one("#alerts", Pane)
        waiting.show(self._alerts(now))
        waiting.border_title = self._waiting()
        events = base.query_one("#events", Pane)
        events.show([cells.event_line(row) for row in self._chosen()], bottom=self.follow)
        events.border_title = Text(self._title()).markup

    def _alerts(self, now: int) -> list[Line]:
        """Return what waits: questions, limits nearly reached, open alerts, other limits."""
        limits = [cells.limit_line(*each) for each in enumerate(self.limits)]
        near = sum(each.share >= cells.NEAR for each in self.limits)
        waits = self.pending
        asked = [cells.question_line(each, now) for each in waits.questions]
        # The question behind such an alert stands there itself.
        shown = [each for each in waits.alerts if each.detector != APPROVAL]
        shown.sort(key=lambda each: (each.state is State.ACKNOWLEDGED, each.severity != "critical"))
        open_ = [cells.alert_line(each, now) for each in shown]
        if not waits.watched:  # No daemon has kept alerts yet: what detectors found stands alone.
            open_ = [cells.finding_line(row) for row in reversed(self.feed.findings)]
        return [*asked, *limits[:near], *open_, *limits[near:]]

    def _waiting(self) -> str:
        """Return the heading of what waits."""
        asked = len(self.pending.questions)
        found = sum(each.detector != APPROVAL for each in self.pending.alerts)
        parts = [f"{asked} to answer" if asked else "", f"{found} open" if found else ""]
        return " · ".join(["alerts", *(part for part in parts if part)])

    def _chosen(self) -> list[dict[str, Any]]:
        """Return the events that are meant, the newest last."""
        keep, wanted = FILTERS[self.filter], self.text.lower().split()
        found = []
        for row in reversed(self.feed.rows):
            if "derived_from" in row and self.filter != "everything":
                continue
            if not keep(row) or not self._is_meant(row):
                continue
            said = " ".join(map(str, row.values())).lower() if wanted else ""
            if all(word in said for word in wanted):
                found.append(row)
            if len(found) == _SHOWN:
                break
        return found[::-1]

    def _is_meant(self, row: dict[str, Any]) -> bool:
        only = self.only
        return only is None or only in {cells.key_of(row), (row["session"], WHOLE)}

    def _title(self) -> str:
        parts = [self.filter if self.filter != "calls" else "decisions"]
        if self.only and self.only[1] == WHOLE:
            parts.append(f"of session {words.plain(self.only[0], 12)}")
        elif self.only:
            agent = self.feed.agents.get(self.only)
            parts.append(f"of {words.plain(agent.name if agent else self.only[1], 30)}")
        if self.text:
            parts.append(f"with {words.plain(self.text, 30)!r}")
        return f"{' '.join(parts)}{' · following' if self.follow else ''}"

    def _top(self, agents: list[Agent], width: int) -> Text:
        pid = self._alive()
        live = [agent for agent in agents if agent.state != "over"]
        nano, unpriced = sum(a.usd_nano for a in agents), sum(a.unpriced for a in agents)
        parts = [
            f"{len({agent.session for agent in live})} sessions",
            f"{len(live)} agents",
            f"{words.count(sum(agent.calls for agent in agents))} calls",
            f"✖ {words.count(sum(agent.denied for agent in agents))} denied",
            words.money(nano, unpriced),
            f"{words.count(sum(agent.tokens for agent in agents))} tokens",
        ]
        daemon = ("● daemon", "green") if pid else ("○ no daemon", "yellow")
        name = "pointsman watch  " if width >= 90 else ""
        return Text.assemble(
            name, daemon, "  ", "  ".join(parts), no_wrap=True, overflow="ellipsis"
        )

    # --- keys --------------------------------------------------------------------------------

    def action_help(self) -> None:
        """Show the keys."""
        self.push_screen(Help())

    def action_search(self) -> None:
        """Let words be typed."""
        box = self.query_one("#search", Input)
        box.add_class("shown")
        box.focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Narrow down while it is typed."""
        self.text = event.value
        self.redraw()

    def on_input_submitted(self) -> None:
        """Keep the words and go back to the events."""
        self.query_one("#search", Input).set_class(bool(self.text), "shown")
        self.query_one("#events", Pane).table.focus()

    def action_leave(self) -> None:
        """End the search, and show all agents again."""
        box = self.query_one("#search", Input)
        box.value, self.text, self.only = "", "", None
        box.remove_class("shown")
        self.query_one("#events", Pane).table.focus()
        self.redraw()

    def action_filter(self) -> None:
        """Go to the next filter."""
        names = list(FILTERS)
        self.filter = names[(names.index(self.filter) + 1) % len(names)]
        self.redraw()

    def action_follow(self) -> None:
        """Stay at the newest event, or no more."""
        self.follow = not self.follow
        self.redraw()

    def action_read(self) -> None:
        """Read at once."""
        self.read_on()
        self.read_pending()
        self.read_limits()

    def action_order(self) -> None:
        """Go to the next order of the agents."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self.redraw()

    def action_session(self) -> None:
        """Show the events of one session alone: that of the row."""
        meant = self._agent_meant()
        self.only = None if self.only is not None or meant is None else (meant[0], WHOLE)
        self.redraw()

    def action_single(self) -> None:
        """Show one agent's events alone: that of the row, or of the agent that is chosen."""
        if self.only is not None:
            self.only = None
        else:
            self.only = self._agent_meant()
        self.redraw()

    def _agent_meant(self) -> tuple[str, str] | None:
        pane = self.focused_pane()
        chosen = pane.selected if pane else None
        if chosen is None:
            return None
        if pane is not None and pane.id == "agents":
            return cells.agent_of(chosen)
        if chosen.startswith(("alert ", "ask ")):
            row = self._meant()
            return (row.session, row.agent) if row else None
        seq = chosen.removeprefix("seq ")
        return next((cells.key_of(row) for row in self.feed.rows if str(row["seq"]) == seq), None)

    def on_key(self, event: Any) -> None:
        """Stop following as soon as somebody looks back."""
        pane = self.focused_pane()
        back = {"up", "pageup", "home", "ctrl+home"}
        if event.key in back and pane is not None and pane.id == "events":
            self.follow = False

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show one thing whole."""
        chosen = event.row_key.value or ""
        kind, _, rest = chosen.partition(" ")
        if kind == "seq":
            self.push_screen(Detail(f"event {rest}", self._record(int(rest))))
        elif kind == "agent":
            agent = self.feed.agents.get(cells.agent_of(chosen))
            if agent is not None:
                text = about(agent, self.feed, self.pending)
                self.push_screen(Detail(words.plain(agent.name, 60), text))
        elif kind == "ask":
            one = self._question(rest)
            if one is not None:
                self.push_screen(Detail("question: y approves, n denies", question_text(one)))
        elif kind == "alert":
            self.push_screen(Detail(f"alert {rest}", self._alert(int(rest))))
        elif kind == "limit" and int(rest) < len(self.limits):
            self.push_screen(Detail("limit", cells.about_limit(self.limits[int(rest)])))

    def _alert(self, number: int) -> str:
        try:
            return alert_text(self._places, number)
        except PointsmanError as error:
            return f"{error}\nnext step: {error.fix}"

    def _record(self, seq: int) -> str:
        try:
            return words.whole(show(self.feed.ledger, seq))
        except PointsmanError as error:
            return f"{error}\nnext step: {error.fix}"

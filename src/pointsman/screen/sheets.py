"""What lies over the view: one thing whole, and the keys."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Input, Static

HELP = """\
tab, shift+tab   the next pane, the one before
↑ ↓ PgUp PgDn    move; Home and End go to the ends
enter            the whole record of what the cursor is on
s, S             only this agent; the whole session (again: all agents)
o                order of the agents: heard of last, cost, tokens, calls, denied
/                search in what is shown; escape ends it
e                filter: calls, what was stopped, what failed, everything
f                follow: stay at the newest event

a, R             take up the alert; say that it is over
y, n             approve or deny the question
x, c             stop the agent of the row at its next call; let its session go on
                 Each is asked back, with room for a word: enter does it, escape does not.

r                read again now
?                these keys
q                quit

decisions   ✖ denied   ? put to a person   ✎ changed   ✔ allowed   · no opinion   ! failed
agents      ● at work   ◐ waits   ◌ silent for five minutes   ○ over   ■ stopped by a person
alerts      ? a question that waits   ▲ critical   △ warning   ⇧ escalated   ✓ taken up

tokens and money are as far as the transcripts have been read; "+" after money: some
messages have no price.
"""


class Sheet(ModalScreen[None]):
    """Text that can be scrolled, closed with escape, enter or q."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter,question_mark", "close", "Close"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay the text out."""
        with VerticalScroll(classes="sheet") as sheet:
            sheet.border_title = Text(self._title).markup
            sheet.border_subtitle = "esc closes"
            # A Text and no markup: what agents write is shown, not obeyed.
            yield Static(Text(self._text), id="sheet-text")

    def on_mount(self) -> None:
        """Let the keys scroll at once."""
        self.query_one(VerticalScroll).focus()

    def action_close(self) -> None:
        """Go back to the view."""
        self.dismiss(None)

    def action_scroll(self, step: int) -> None:
        """Scroll by lines."""
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)


class Confirm(ModalScreen[str | None]):
    """What is about to be done, and a word to go with it: enter does it, escape does not."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "No")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title = title
        self._text = text

    def compose(self) -> ComposeResult:
        """Lay it out: what it is about above, the word below."""
        with Vertical(classes="confirm") as box:
            box.border_title = Text(self._title).markup
            box.border_subtitle = "enter does it · esc does not"
            with VerticalScroll():
                yield Static(Text(self._text), id="confirm-text")
            yield Input(placeholder="a word for the record and the agent (or none)", compact=True)

    def on_mount(self) -> None:
        """Let the word be typed at once."""
        self.query_one(Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Keep what is typed here from the search behind it."""
        event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do it, with what was typed."""
        event.stop()
        self.dismiss(event.value)

    def action_leave(self) -> None:
        """Do nothing."""
        self.dismiss(None)


class Detail(Sheet):
    """One record, agent or finding."""


class Help(Sheet):
    """The keys and the signs."""

    def __init__(self) -> None:
        super().__init__("Keys", HELP)

"""What lies over the view: one thing whole, and the keys."""

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

HELP = """\
tab, shift+tab   the next pane, the one before
↑ ↓ PgUp PgDn    move; Home and End go to the ends
enter            the whole record of what the cursor is on
s                only this agent (again: all agents)
/                search in what is shown; escape ends it
e                filter: calls, what was stopped, what failed, everything
f                follow: stay at the newest event
r                read again now
?                these keys
q                quit

decisions   ✖ denied   ? put to a person   ✎ changed   ✔ allowed   · no opinion   ! failed
agents      ● at work   ◐ waits   ◌ silent for five minutes   ○ over
alerts      ▲ critical   △ warning

tokens and money are as far as the transcripts have been read; "+" after money: some
messages have no price. To answer questions: pointsman approvals list
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


class Detail(Sheet):
    """One record, agent or finding."""


class Help(Sheet):
    """The keys and the signs."""

    def __init__(self) -> None:
        super().__init__("Keys", HELP)

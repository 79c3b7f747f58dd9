"""The tables of the view: rows by key, the cursor stays on what it is on."""

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.widgets import DataTable, Static

Line = tuple[str, Sequence[Text]]
"""A row's key and its cells."""


class Table(DataTable[Text]):
    """A table in which Home and End go to its ends, as in any list."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("home,g", "scroll_top", show=False),
        Binding("end,G", "scroll_bottom", show=False),
        Binding("j", "cursor_down", show=False),
        Binding("k", "cursor_up", show=False),
    ]


class Pane(Vertical):
    """A table with a title, and words where there is nothing in it.

    ``columns`` are the headings with their widths; 0 takes what is left.
    """

    def __init__(
        self, name: str, columns: Sequence[tuple[str, int]], empty: str, *, headings: bool = True
    ) -> None:
        super().__init__(id=name, classes="pane nothing")
        self._columns = columns
        self._empty = empty
        self._headings = headings
        self._shown: list[Line] = []
        self.border_title = name

    def compose(self) -> ComposeResult:
        """Make the table."""
        yield Table(cursor_type="row", cell_padding=0, show_header=self._headings)
        yield Static(self._empty, classes="empty")

    @property
    def table(self) -> Table:
        """The table itself."""
        return self.query_one(Table)

    def on_mount(self) -> None:
        """Put the headings in."""
        for heading, width in self._columns:
            self.table.add_column(heading, width=width or 10, key=heading)
        self.table.show_cursor = False

    def on_descendant_focus(self) -> None:
        """Show where the cursor is."""
        self.table.show_cursor = True

    def on_descendant_blur(self) -> None:
        """Leave the colours of the row as they are: keys go elsewhere now."""
        self.table.show_cursor = False

    def on_resize(self) -> None:
        """Give the widest column what is left."""
        taken = sum(width for _, width in self._columns)
        for heading, width in self._columns:
            if not width:
                left = max(10, self.size.width - taken - 1)
                for column in self.table.columns.values():
                    if column.key.value == heading and column.width != left:
                        column.width = left
                        self.table.refresh(layout=True)

    @property
    def selected(self) -> str | None:
        """The key of the row that the cursor is on."""
        at = self.table.cursor_row
        return self._shown[at][0] if 0 <= at < len(self._shown) else None

    def show(self, lines: Sequence[Line], *, bottom: bool = False) -> None:
        """Show these rows; with ``bottom`` the cursor goes to the last one."""
        new = list(lines)
        self.set_class(not new, "nothing")
        if new != self._shown:
            self._change(new)
        if bottom and new:
            self.table.move_cursor(row=len(new) - 1, animate=False)

    def _change(self, new: list[Line]) -> None:
        before, selected, count = self._shown, self.selected, len(self._shown)
        self._shown = new
        if new[:count] == before:
            for key, cells in new[count:]:
                self.table.add_row(*cells, key=key)
        elif [key for key, _ in new] == [key for key, _ in before]:
            for (key, cells), (_, old) in zip(new, before, strict=True):
                self._update(key, cells, old)
        else:
            self._anew(new, selected)

    def _anew(self, new: Sequence[Line], selected: str | None) -> None:
        table, top = self.table, self.table.scroll_y
        table.clear()
        for key, cells in new:
            table.add_row(*cells, key=key)
        # Nobody has chosen a row in a table that has no focus: it stays at its top.
        chosen = selected if self.has_focus_within else None
        place = next((at for at, (key, _) in enumerate(new) if key == chosen), 0)
        table.move_cursor(row=place, animate=False, scroll=False)
        table.scroll_to(y=top if chosen else 0, animate=False)

    def _update(self, key: str, cells: Sequence[Text], old: Sequence[Text]) -> None:
        for (heading, _), cell, was in zip(self._columns, cells, old, strict=True):
            if cell != was or cell.style != was.style:
                self.table.update_cell(key, heading, cell)

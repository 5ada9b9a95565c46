"""A widget of rows of text, for what changes many times a second."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget


class Rows(Widget):
    """Shows rows of text, and paints only those that differ from those before.

    A `Static` renders all of its lines for one that changed, and the blank ones below them.
    """

    def __init__(self, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id)
        self._rows: list[Text] = []

    @property
    def content(self) -> Text:
        """All rows as one text."""
        return Text("\n").join(self._rows)

    def show_rows(self, rows: Sequence[Text]) -> None:
        """Show other rows; one that does not fit ends in an ellipsis."""
        old, self._rows = self._rows, list(rows)
        both = zip_longest(map(_look, old), map(_look, rows))
        changed = [y for y, (before, after) in enumerate(both) if before != after]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def render_line(self, y: int) -> Strip:
        """One row."""
        width, style = self.size.width, self.rich_style
        if y >= len(self._rows):
            return Strip.blank(width, style)
        row = self._rows[y].copy()
        row.truncate(width, overflow="ellipsis")
        console = self.app.console
        # Rich gives its segments the styles of parts, not that of the whole.
        whole = style + console.get_style(row.style)
        strip = Strip(Segment.apply_style(row.render(console), whole))
        return strip.adjust_cell_length(width, style)


def _look(row: Text) -> tuple[Text, str | Style]:
    """What differs where a row looks otherwise: Rich compares texts without the style of the whole."""
    return row, row.style

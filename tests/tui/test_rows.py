"""Rows of text: what is shown of them, and that only rows which differ are drawn anew."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rich.style import Style
from rich.text import Text
from textual.app import App, ComposeResult
from textual.strip import Strip

from dragonnx.tui.widgets.rows import Rows


class _Counting(Rows):
    """Notes which of its rows are drawn."""

    def __init__(self) -> None:
        super().__init__(id="rows")
        self.drawn: list[int] = []

    def render_line(self, y: int) -> Strip:
        self.drawn.append(y)
        return super().render_line(y)


class _Shows(App[None]):
    CSS = "#rows { width: 12; height: 6; }"

    def compose(self) -> ComposeResult:
        yield _Counting()


def _drawn(*shown: Sequence[Text]) -> tuple[list[int], list[str], list[Style | None]]:
    """Which rows the last of these draws; then the texts of all, and the styles of their starts."""

    async def run() -> tuple[list[int], list[str], list[Style | None]]:
        app = _Shows()
        async with app.run_test(size=(20, 8)) as pilot:
            rows = app.query_one(_Counting)
            for each in shown:
                await pilot.pause()
                rows.drawn.clear()
                rows.show_rows(each)
            await pilot.pause()
            drawn = sorted(rows.drawn)
            strips = [Rows.render_line(rows, y) for y in range(6)]
            return drawn, [strip.text for strip in strips], [next(iter(s)).style for s in strips]

    return asyncio.run(run())


def test_only_rows_that_differ_are_drawn() -> None:
    before = [Text("one"), Text("two", "bold"), Text("three")]
    after = [Text("one"), Text("two", "dim"), Text("three"), Text("four")]
    assert _drawn(before, after)[0] == [1, 3]
    assert _drawn(after, before)[0] == [1, 3]
    assert _drawn(before, list(before))[0] == []


def test_a_row_that_does_not_fit_ends_in_an_ellipsis() -> None:
    texts = _drawn([Text("short"), Text("longer than a row")])[1]
    assert texts == ["short       ", "longer than…", *[" " * 12] * 4]


def test_a_row_keeps_its_style_and_those_of_its_parts() -> None:
    parts = Text.assemble(("red", "red"), " and ", style="bold")
    styles = _drawn([Text("whole", "bold"), parts])[2]
    assert all(style is not None and style.bold for style in styles[:2])
    red = styles[1].color if styles[1] else None
    assert red is not None
    assert red.name == "red"

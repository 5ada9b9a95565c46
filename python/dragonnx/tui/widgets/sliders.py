"""Sliders in lines of text: a name, a bar from one side to the other, a number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.text import Text
from textual import events
from textual.message import Message
from textual.widgets import Static

from dragonnx.editor.directions import Slider
from dragonnx.text import visible

REACH = 5.0
"""Of the bar, to each side."""
_NAME, _BAR, _NUMBER = 9, 11, 5


class Sliders(Static):
    """Shows sliders, as many as fit; a press on a bar sets one, the wheel moves it."""

    @dataclass
    class Set(Message):
        """A bar was pressed."""

        index: int
        amount: float

    @dataclass
    class Moved(Message):
        """The wheel was turned over one."""

        index: int
        by: int

    def __init__(self, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id, markup=False)
        self._sliders: Sequence[Slider] = ()
        self._selected = 0
        self._first = 0

    def show(self, sliders: Sequence[Slider], selected: int) -> None:
        """Show sliders, one of them selected."""
        self._sliders, self._selected = sliders, selected
        rows = max(self.size.height, 1)
        self._first = min(max(selected - rows // 2, 0), max(len(sliders) - rows, 0))
        shown = list(enumerate(sliders))[self._first : self._first + rows]
        lines = [_line(slider, selected=index == selected) for index, slider in shown]
        self.update(Text("\n").join(lines), layout=False)

    def on_resize(self, _event: events.Resize) -> None:
        """Show as many as fit now."""
        self.show(self._sliders, self._selected)

    def on_click(self, event: events.Click) -> None:
        """Set the slider whose bar was pressed; select it elsewhere on its line."""
        index = self._first + event.y
        if index < len(self._sliders):
            share = (event.x - _NAME - 1) / (_BAR - 1)
            slider = self._sliders[index]
            amount = slider.amount
            if 0 <= share <= 1:
                amount = round(2 * REACH * share - REACH, 1) * slider.scale
            self.post_message(self.Set(index, amount))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """More."""
        self._turned(event, 1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Less."""
        self._turned(event, -1)

    def _turned(self, event: events.MouseScrollUp | events.MouseScrollDown, by: int) -> None:
        event.stop()
        index = self._first + event.y
        if index < len(self._sliders):
            self.post_message(self.Moved(index, by))


def _line(slider: Slider, *, selected: bool) -> Text:
    name = visible(slider.name)
    name = name if len(name) <= _NAME else f"{name[: _NAME - 3]}..."
    bar = ["-"] * _BAR
    bar[_BAR // 2] = "+"
    if slider.is_known:
        amount = slider.amount / slider.scale
        at = (min(max(amount, -REACH), REACH) + REACH) / (2 * REACH)
        bar[round(at * (_BAR - 1))] = "O"
    number = f"{slider.amount:g}" if slider.is_known else "..."
    style = "reverse" if selected else ("bold" if slider.amount else "")
    return Text(f"{name:<{_NAME}} {''.join(bar)}{number:>{_NUMBER}}", style)

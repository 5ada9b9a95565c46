"""Text that others wrote, on the screen: shown as it is, no markup, and nothing that does not show.

Screens make what they show of names, paths and errors from these; Textual's own would take `[red]`
in a name for a colour, and send an escape in it to the terminal.
"""

from __future__ import annotations

from collections.abc import Collection

from rich.cells import cell_len
from rich.segment import Segment
from rich.text import Text
from textual.color import Color
from textual.filter import LineFilter
from textual.visual import VisualType
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from dragonnx.text import is_hidden, visible

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Words(Label):
    """A text, as it is.

    Args:
        text: It.
        id: Textual's name of it.
        classes: Its style classes.
    """

    def __init__(
        self,
        text: str = "",
        *,
        id: str | None = None,  # noqa: A002 Textual's word
        classes: str | None = None,
    ) -> None:
        super().__init__(visible(text), id=id, classes=classes, markup=False)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        """Show another text; the same as before is not painted again."""
        content = visible(content) if isinstance(content, str) else content
        if content != self.content:
            super().update(content, layout=layout)


class Choices(OptionList):
    """A list of texts, as they are.

    Args:
        texts: What to choose from.
        grey: Those that cannot be chosen, by their number.
    """

    def __init__(self, *texts: str, grey: Collection[int] = ()) -> None:
        options = (Option(visible(text), disabled=k in grey) for k, text in enumerate(texts))
        super().__init__(*options, markup=False)

    def show(self, *texts: str) -> None:
        """Offer other texts."""
        self.clear_options()
        self.add_options([Option(visible(text)) for text in texts])


class Line(Input):
    """A line to type in. What would not show has a sign in its place, and stays in the value."""

    @property
    def _value(self) -> Text:
        """What Textual draws: one character for each of the value, so that the cursor fits."""
        text = super()._value
        text.plain = "".join(_REPLACEMENT if is_hidden(c) else c for c in text.plain)
        return text


class NothingHidden(LineFilter):
    """The last look at each line: whatever was forgotten above, no control goes to the terminal."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:  # noqa: ARG002
        """The segments, as wide as they were."""
        return [
            segment if segment.text.isprintable() else segment._replace(text=_shown(segment.text))
            for segment in segments
        ]


def _shown(text: str) -> str:
    """A text of the same width without what is hidden."""
    return "".join(_REPLACEMENT * cell_len(c) if is_hidden(c) else c for c in text)

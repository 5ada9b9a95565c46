"""The side panel: model, latent, settings, mask, points with their distances, the loss."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.text import Text
from textual import events
from textual.message import Message

from dragonnx.document import Document, PointPair
from dragonnx.editor.editor import Editor
from dragonnx.editor.scene import live_pairs
from dragonnx.model.labels import label_text
from dragonnx.text import visible
from dragonnx.tui.drawing.cell_scene import label_of
from dragonnx.tui.drawing.sparkline import columns_of, plot, sparkline
from dragonnx.tui.widgets.rows import Rows

_WIDTH = 26
_LONG = 100
"""Pixels: of larger distances fractions are not told."""
_LOSS_ROWS = 3
_MOST_PLOT_ROWS = 6
"""Of the plot of distances, and its heading."""
_MARK = "bold white on bright_black"
"""Of the column of the plot whose step is shown."""
_FEWEST_ROWS = 3
"""Of points, however low the panel is."""


@dataclass(frozen=True)
class PanelState:
    """What the panel shows.

    Attributes:
        document: The document.
        pairs: Its points, the handles where they are now.
        selected: Which pair is selected.
        losses: Of the latest steps.
        model: The model's name.
        size: Its pictures' size.
        tool: The tool in use.
        mask_shown: Whether the mask is visible.
        plain: Whether only ASCII can be shown.
        label_count: How many classes the model has.
        psi: The model's own truncation; None while it is not open.
        distances: How far each handle was from its target before the first step of the drag and
            after each, [steps + 1, n].
        step: Which of these is shown.
    """

    document: Document
    pairs: tuple[PointPair, ...] = ()
    selected: int | None = None
    losses: tuple[float, ...] = ()
    model: str = ""
    size: str = ""
    tool: str = ""
    mask_shown: bool = True
    plain: bool = False
    label_count: int = 0
    psi: float | None = None
    distances: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0)))
    step: int = 0

    @classmethod
    def of(cls, editor: Editor, *, plain: bool) -> PanelState:
        """What the panel shows of an editor."""
        state, distances = editor.state, editor.scrub.distances()
        manifest = None if state.model is None else state.model.manifest
        result = None if state.running else state.document.result
        return cls(
            document=state.document,
            pairs=live_pairs(state),
            selected=state.selected,
            losses=state.losses,
            model="" if manifest is None else manifest.name,
            size="" if manifest is None else "{} x {}".format(*state.image_size),
            tool=state.tool.value,
            mask_shown=state.mask_shown,
            plain=plain,
            label_count=0 if manifest is None else manifest.label_dim,
            psi=None if manifest is None else manifest.truncation_psi,
            distances=distances,
            step=len(distances) - 1 if result is None else result.steps,
        )


class SidePanel(Rows):
    """Shows a `PanelState`; a press on a point's row selects it."""

    NAME = "Side panel"
    HELP = (
        "What the picture starts from, the settings, the mask and the tool; then each point's handle, "
        "target and distance. Click a point to pick up its handle, again for its target. "
        "Loss falls while a drag gets nearer. Click the plot of distances to look at that step. "
        "f hides the panel."
    )
    GROUPS = ("Picture", "Points", "Drag")
    """Headings of the actions that belong to it."""

    @dataclass
    class PointChosen(Message):
        """A row of the table of points was pressed."""

        index: int

    @dataclass
    class StepChosen(Message):
        """A place of the plot was pressed."""

        step: int

    def __init__(self, *, id: str) -> None:  # noqa: A002 Textual's word
        super().__init__(id=id)
        self._first_row = 0
        self._shown = range(0)
        self._plot_rows = range(0)
        self._steps: list[int] = []
        """Of the drag, for each column of the plot."""

    def show_or_hide(self) -> None:
        """Give its place to the canvas, or take it back."""
        self.display = not self.display

    def show(self, editor: Editor, *, plain: bool) -> None:
        """Show an editor's state, where only ASCII can be shown `plain`."""
        state = PanelState.of(editor, plain=plain)
        lines = facts_of(state)
        rows = rows_of(state)
        least = 2 * bool(state.distances.size)  # of the plot: its heading and a row
        room = self.size.height - len(lines) - 1 - _LOSS_ROWS - least
        shown = _shown(len(rows), max(room, _FEWEST_ROWS), state.selected)
        some = "" if len(shown) == len(rows) else f", {shown.start + 1} to {shown.stop} shown"
        lines.append(Text(f"Points ({len(rows)}{some})", "bold"))
        self._first_row, self._shown = len(lines), shown
        lines += rows[shown.start : shown.stop] or [Text("none: press Enter", "dim")]
        if state.losses:
            spark = sparkline(state.losses, _WIDTH, plain=state.plain)
            lines += [Text(""), Text(f"Loss {state.losses[-1]:.4g}", "bold"), Text(spark, "green")]
        free = min(max(self.size.height - len(lines), least), _MOST_PLOT_ROWS)
        plotted = plot_of(state, free - 1)
        self._plot_rows = range(len(lines) + 1, len(lines) + len(plotted))
        self._steps = columns_of(len(state.distances), _WIDTH) if plotted else []
        lines += plotted
        self.show_rows(lines)

    def on_click(self, event: events.Click) -> None:
        """Select the point whose row was pressed, or the step whose column of the plot was."""
        row = event.y - self._first_row - self.gutter.top
        column = event.x - self.gutter.left
        if 0 <= row < len(self._shown):
            self.post_message(self.PointChosen(self._shown[row]))
        elif event.y - self.gutter.top in self._plot_rows and 0 <= column < len(self._steps):
            self.post_message(self.StepChosen(self._steps[column]))


def facts_of(state: PanelState) -> list[Text]:
    """The lines above the points."""
    document, config = state.document, state.document.config
    mask = "none: all may move"
    if document.mask is not None:
        hidden = "" if state.mask_shown else ", hidden"
        mask = f"{100 * np.mean(document.mask):.0f} % may move{hidden}"
    rows = [
        ("Model", state.model or Path(document.model).name),
        ("Size", state.size),
        ("Start", document.start.describe()),
        (
            "Class",
            f"{label_text(document.start.label)} of {state.label_count}"
            if state.label_count
            else "",
        ),
        ("psi", psi_of(state)),
        ("Space", "W+" if config.space == "w+" else "W"),
        ("Preset", config.preset),
        ("Mask", mask),
        ("Tool", state.tool),
    ]
    lines = [
        Text.assemble((f"{name:<7}", "dim"), _fitting(visible(value), plain=state.plain))
        for name, value in rows
        if value
    ]
    return [*lines, Text("")]


def psi_of(state: PanelState) -> str:
    """The truncation, as a number where that is known; nothing for a latent, which has none."""
    start = state.document.start
    if start.w_plus is not None:
        return ""
    if start.truncation_psi is not None:
        return f"{start.truncation_psi:g}"
    return "the model's" if state.psi is None else f"{state.psi:g}, the model's"


def plot_of(state: PanelState, rows: int) -> list[Text]:
    """The distances of all steps: of the selected point, else the largest; the shown step marked."""
    if not state.distances.size:
        return []
    count = state.distances.shape[1]
    dragged = [k for k, pair in enumerate(state.pairs) if pair.takes_part]
    is_one = state.selected in dragged and len(dragged) == count > 1
    if is_one and state.selected is not None:
        curve = state.distances[:, dragged.index(state.selected)]
        what = f"Distance of {label_of(state.selected)}:"
    else:
        curve, what = state.distances.max(axis=1), "Distance"
    head = Text(f"{what} {curve[state.step]:.1f} px", "bold")
    columns = columns_of(len(curve), _WIDTH)
    at = int(np.argmin(np.abs(np.array(columns) - state.step)))
    lines = [Text(line, "cyan") for line in plot(curve.tolist(), _WIDTH, rows, plain=state.plain)]
    # In ASCII the bars are signs; else a reversed column would look like a higher or a lower bar.
    mark = "reverse" if state.plain else _MARK
    for line in lines:
        line.stylize(mark, at, at + 1)
    return [head, *lines]


def _fitting(value: str, *, plain: bool) -> str:
    """A value that fits beside its name; one that is cut says so."""
    room, end = _WIDTH - 7, "..." if plain else "…"
    return value if len(value) <= room else f"{value[: room - len(end)]}{end}"


def _shown(count: int, room: int, selected: int | None) -> range:
    """Which of the points are shown where not all fit: the selected one in the middle."""
    middle = count - 1 if selected is None else selected
    first = min(max(middle - room // 2, 0), max(count - room, 0))
    return range(first, min(first + room, count))


def rows_of(state: PanelState) -> list[Text]:
    """A line for each point: number, handle, target, distance."""
    rows = []
    for index, pair in enumerate(state.pairs):
        (x, y), target, distance = pair.handle, pair.target, pair.distance
        text = f"{label_of(index):>2} {x:.0f},{y:.0f}"
        if target is None or distance is None:
            text += " to ? (Enter)"
        elif not pair.is_on:
            text = f"{text} to {target[0]:.0f},{target[1]:.0f}"
            text = f"{text:<{_WIDTH - 3}}off"
        else:
            left = f"{distance:.1f}" if distance < _LONG else f"{distance:.0f}"
            text += f" to {target[0]:.0f},{target[1]:.0f}"
            if len(text) + len(left) >= _WIDTH:
                text = text.replace(" to ", ">").lstrip()
            text = f"{text:<{_WIDTH - len(left)}}{left}"
        rows.append(Text(text, "reverse" if index == state.selected else ""))
    return rows

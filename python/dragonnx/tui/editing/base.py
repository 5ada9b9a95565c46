"""What all editing shares: the history, the worker, the canvas, and showing all three."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from textual.screen import Screen

from dragonnx.document import Document, History, PointPair
from dragonnx.tui.autosave import Autosave
from dragonnx.tui.cells import CanvasMode
from dragonnx.tui.editing.tools import Tool
from dragonnx.tui.messages import DragProgressed
from dragonnx.tui.preferences import Preferences
from dragonnx.tui.scene import Scene
from dragonnx.tui.widgets.canvas import Canvas
from dragonnx.tui.widgets.side_panel import PanelState, SidePanel
from dragonnx.tui.widgets.status_line import StatusLine
from dragonnx.tui.worker import Worker
from dragonnx.types import Picture, Point

GREY = 40
"""Brightness of the canvas before the first picture."""


class EditorBase(Screen[None]):
    """The state of the editor, and the few ways to change and show it.

    Every change of the document goes through `edit`, which keeps undo, autosave, the picture and
    the panels right. Where a drag runs, it pauses first and the change is made after it.
    """

    def __init__(
        self, history: History, worker: Worker, autosave: Autosave, preferences: Preferences
    ) -> None:
        super().__init__()
        self.history = history
        self.worker = worker
        self.autosave = autosave
        self.preferences = preferences
        self.path: Path | None = None
        self.saved: Document = history.document
        self.picture: Picture | None = None
        self.pictured: Document | None = None
        self.image_size = (128, 128)
        """(width, height) of the model's pictures."""
        self.model_ready = False
        self.model_text = ""
        self.label_count = 0
        """How many classes the model has; 0 for one without."""
        self.cursor = (64, 64)
        self.selected: int | None = None
        self.tool = Tool.POINTS
        self.erases_to = False
        self.radius = 10.0
        self.mask_shown = True
        self.stroke: NDArray[np.bool_] | None = None
        self.corner: Point | None = None
        self.gripped: tuple[int, str] | None = None
        self.dragging = False
        self.progress: DragProgressed | None = None
        self.losses: tuple[float, ...] = ()
        self.resumable: Document | None = None
        self.drag_number = 0
        self.inverting = False
        self.stopping = False
        """Whether running work was told to end."""
        self.found_steps = 0
        """Steps of the running inversion."""
        self.photo: Picture | None = None
        """The photo that was recreated last, as the model's picture would show it."""
        self.photo_shown = False
        self.waiting: list[Callable[[], object]] = []

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self.history.document

    @property
    def busy(self) -> bool:
        """Whether a drag or an inversion runs."""
        return self.dragging or self.inverting

    @property
    def canvas(self) -> Canvas:
        """The canvas."""
        return self.query_one(Canvas)

    @property
    def changed(self) -> bool:
        """Whether there is something that was not saved."""
        return self.document is not self.saved

    def say(self, message: str, tone: str = "") -> None:
        """Tell the person something in the status line."""
        self.query_one(StatusLine).say(message, tone)

    def when_still(self, change: Callable[[], object]) -> None:
        """Do something at once, or after pausing a drag, or ending an inversion."""
        if self.busy:
            self.waiting.append(change)
            self.worker.pause()
            goes_on = "Pausing to let you edit; Space goes on."
            stays = "That ends it; the best so far stays, u takes it back."
            self.say(goes_on if self.dragging else stays)
        else:
            change()

    def become_still(self) -> list[Callable[[], object]]:
        """Note that nothing runs any more; returns the changes that waited for it."""
        self.dragging = self.inverting = self.stopping = False
        self.progress = None
        waiting, self.waiting = self.waiting, []
        return waiting

    def before_steps(self) -> None:
        """Keep running work from its next step until the screen is painted."""
        if self.busy:
            self.worker.give_way()
            self.call_after_refresh(self.worker.go_on)

    def edit(
        self, label: str, change: Callable[[Document], Document], merge_key: str | None = None
    ) -> None:
        """Change the document, after pausing a drag that runs.

        Args:
            label: What is done, for undo: "move point 1".
            change: From the document to the changed one; the same one is no edit.
            merge_key: Consecutive edits of one key are undone together.
        """

        def apply() -> None:
            if self.history.apply(label, change(self.document), merge_key):
                self.document_changed()

        self.when_still(apply)

    def document_changed(self) -> None:
        """Follow the document: autosave, the picture where it is another, canvas and panels."""
        document = self.document
        self.photo_shown = False
        self.autosave.note(document, self.path)
        if self.selected is not None and self.selected >= len(document.pairs):
            self.selected = len(document.pairs) - 1 if document.pairs else None
        if document.result is None:
            self.losses = ()
        if not self._same_picture(document):
            self.worker.show(document)
        self.show_all()

    def _same_picture(self, document: Document) -> bool:
        shown = self.pictured
        return (
            shown is not None
            and shown.model == document.model
            and shown.start is document.start
            and shown.result is document.result
        )

    def live_pairs(self) -> tuple[PointPair, ...]:
        """The pairs, the handles where a running drag has them; none while a photo is recreated."""
        pairs = self.document.pairs
        if self.inverting:  # they belong to the picture that was there before
            return ()
        if not self.dragging or self.progress is None:
            return pairs
        if len(self.progress.handles) != len(self.document.complete_pairs):
            return pairs
        places = iter(self.progress.handles.tolist())
        return tuple(
            pair if pair.target is None else replace(pair, handle=tuple(next(places)))
            for pair in pairs
        )

    def show_all(self) -> None:
        """Show the state on canvas, panel and title."""
        self.show_scene()
        self.show_panel()

    def show_scene(self) -> None:
        """Show the state on the canvas and the place in the status line."""
        width, height = self.image_size
        picture = self.picture
        if picture is None:
            picture = np.full((height, width, 3), GREY, np.uint8)
        if self.photo_shown and self.photo is not None and self.photo.shape == picture.shape:
            picture = self.photo
        mask = self.stroke if self.stroke is not None else self.document.mask
        if self.inverting or (mask is not None and mask.shape != picture.shape[:2]):
            mask = None
        rectangle = None
        if self.corner is not None:
            rectangle = (self.corner, (float(self.cursor[0]), float(self.cursor[1])))
        self.canvas.show(
            Scene(
                picture=picture,
                mask=mask if self.mask_shown or self.stroke is not None else None,
                pairs=self.live_pairs(),
                selected=self.selected,
                cursor=self.cursor,
                trails=self._trails(),
                brush=self.radius if self.tool.is_brush else None,
                rectangle=rectangle,
                moving=self.busy,
            )
        )
        self.query_one(StatusLine).show_place(*self.cursor, self.canvas.view.zoom)

    def show_panel(self) -> None:
        """Show the state in the side panel and the title."""
        plain = self.canvas.mode in (CanvasMode.ASCII,)
        self.query_one(SidePanel).show(
            PanelState(
                document=self.document,
                pairs=self.live_pairs(),
                selected=self.selected,
                losses=self.losses,
                model=self.model_text,
                size="{} x {}".format(*self.image_size) if self.model_ready else "",
                tool=self.tool.value,
                mask_shown=self.mask_shown,
                plain=plain,
                label_count=self.label_count,
            )
        )
        self.show_title()

    def show_title(self) -> None:
        """Show the file's name and whether it is saved."""
        name = self.path.name if self.path else "unsaved session"
        self.title = f"{name}{' *' if self.changed else ''}"

    def move_cursor(self, x: float, y: float) -> None:
        """Put the cross-hair on a pixel of the image."""
        width, height = self.image_size
        self.cursor = (min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1))

    def _trails(self) -> NDArray[np.float64]:
        if self.dragging and self.progress is not None:
            return self.progress.trace
        result = self.document.result
        if result is not None and result.steps:
            return result.trace
        return np.zeros((0, 0, 2))

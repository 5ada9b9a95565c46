"""Sliders along directions, beside the picture that follows them."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical

from dragonnx.editor.directions import Slider
from dragonnx.editor.editor import Editor
from dragonnx.editor.state import Part
from dragonnx.errors import InputError
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.screens.path import PathLine
from dragonnx.tui.widgets.literal import Line, Words
from dragonnx.tui.widgets.sliders import Sliders

_STEP, _LEAP = 0.2, 1.0


class DirectionsScreen(Dialog[None]):
    """Lies on the side panel. Every move is an edit that `u` takes back, once the dialog is left.

    Args:
        editor: Whose picture.
    """

    heading = "Directions"
    advice = (
        "How far the picture goes along directions of w: left and right move the selected one by 0.2, with "
        "Shift by 1, 0 takes it back; a click on the bar or the wheel does too. pc0, pc1, ... are the "
        "model's own, in standard deviations. Tab leads to a line for a file as InterFaceGAN, SeFa and "
        "GANSpace leave it (.npy, .npz, .pt), FILE#2 for the third in it, or pc42. Points and mask stay; "
        "what a drag reached goes along too. All of it is saved with the document. A model of StyleGAN3 turns "
        "and moves its picture too, by 2 degrees or 1 pixel, with Shift by 10 or 5."
    )
    lies_on_panel = True
    AUTO_FOCUS = ""
    CSS_PATH: ClassVar[list[str]] = ["dialog.tcss", "directions.tcss"]  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "select(-1)", "Up", show=False),
        Binding("down", "select(1)", "Down", show=False),
        Binding("left", f"move({-_STEP})", "Less", show=False),
        Binding("right", f"move({_STEP})", "More", show=False),
        Binding("shift+left", f"move({-_LEAP})", "Much less", show=False),
        Binding("shift+right", f"move({_LEAP})", "Much more", show=False),
        Binding("0,delete", "zero", "None", show=False),
        Binding("u,ctrl+z", "undo", "Undo", show=False),
        Binding("enter", "leave", "Done", show=False),
    ]

    def __init__(self, editor: Editor) -> None:
        super().__init__()
        self._editor = editor
        self._directions = editor.directions
        self._selected = ""
        """By name: more come, and the used ones go first."""
        self._unsubscribe = editor.state.subscribe(self._changed)

    def compose(self) -> ComposeResult:
        """The sliders, and a line for another one."""
        with Vertical(classes="dialog"):
            yield Words("Directions", classes="title")
            yield Sliders(id="sliders")
            with Horizontal(classes="row"):
                yield PathLine(placeholder="a file, or pc42 (Tab)", compact=True)
            yield Words(classes="problem")
            yield Words("←→ move, ⇧ by 1, 0 none", classes="hint")
            yield Buttons("", leave="Close")

    def on_mount(self) -> None:
        """Nothing has the focus: the keys are for the sliders, until Tab."""
        self._show()

    def on_unmount(self) -> None:
        """Look no more."""
        self._unsubscribe()

    def on_sliders_set(self, event: Sliders.Set) -> None:
        """Set the one whose bar was pressed."""
        event.stop()
        slider = self._sliders()[event.index]
        self._selected = slider.name
        self._attempt(event.amount)

    def on_sliders_moved(self, event: Sliders.Moved) -> None:
        """Move the one that the wheel was turned over."""
        event.stop()
        slider = self._sliders()[event.index]
        self._selected = slider.name
        self._attempt(slider.amount + event.by * _STEP * slider.scale)

    def action_select(self, by: int) -> None:
        """Select another slider."""
        sliders = self._sliders()
        at = min(max(self._at(sliders) + by, 0), len(sliders) - 1)
        self._selected = sliders[at].name
        self._show()

    def action_move(self, by: float) -> None:
        """Move the selected one."""
        sliders = self._sliders()
        slider = sliders[self._at(sliders)]
        self._attempt(slider.amount + by * slider.scale)

    def action_zero(self) -> None:
        """Take the selected one back."""
        self._attempt(0.0)

    def action_undo(self) -> None:
        """Take back the last edit."""
        self._editor.history.undo()

    def accept(self) -> None:
        """Offer what the line names."""
        line = self.query_one(Line)
        try:
            name = self._directions.add(line.value)
        except InputError as error:
            self.show_problem(f"{error}.")
            return
        self._selected = name
        line.value = ""
        self.set_focus(None)
        self._show()

    def _sliders(self) -> list[Slider]:
        return self._directions.sliders()

    def _at(self, sliders: list[Slider]) -> int:
        names = [slider.name for slider in sliders]
        return names.index(self._selected) if self._selected in names else 0

    def _attempt(self, amount: float) -> None:
        sliders = self._sliders()
        try:
            self._directions.move_to(sliders[self._at(sliders)].name, amount)
        except InputError as error:
            self.show_problem(f"{error}.")
        else:
            self.show_problem("")

    def _changed(self, parts: Part) -> None:
        if parts & (Part.DIRECTIONS | Part.FACTS) and self.query(Sliders):
            self._show()
        notice = self._editor.state.notice
        if Part.NOTICE in parts and notice.tone == "bad" and self.query(".problem"):
            self.show_problem(notice.line)

    def _show(self) -> None:
        sliders = self._sliders()
        self._selected = sliders[self._at(sliders)].name
        self.query_one(Sliders).show(sliders, self._at(sliders))

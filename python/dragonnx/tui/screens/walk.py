"""Asks where to walk from the picture, and what to write."""

from __future__ import annotations

from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from dragonnx.document import Document
from dragonnx.editor.answers import frames_of, new_file, yes_or_no
from dragonnx.editor.walks import FRAMES, WalkRequest, check_frames, waypoints_of
from dragonnx.errors import InputError
from dragonnx.media import ANIMATION_SUFFIXES, check_animation
from dragonnx.tui.screens.dialog import Buttons, Form
from dragonnx.tui.screens.path import PathLine
from dragonnx.tui.widgets.literal import Line, Words

_ROWS = (
    ("to", "To: seeds or files, with commas"),
    ("frames", "Pictures"),
    ("loop", "Back to this picture: yes or no"),
    ("path", "File: .webp, .gif or .mp4"),
)


class WalkScreen(Form[WalkRequest]):
    """A line for each part of a walk.

    Args:
        document: Where it begins.
        path: The file's name that stands there at first.
    """

    heading = "Walk"
    advice = (
        "An animation from this picture to others, evenly in w_plus. Name seeds, documents, pictures that "
        "dragonnx saved, or latents, with commas between them; they come in this order. With yes it "
        "goes back to this picture, and so without a halt when it is played again. x ends it, and then "
        "nothing is written."
    )

    def __init__(self, document: Document, path: Path) -> None:
        super().__init__()
        self._document = document
        self._values = {
            "to": str(document.start.seed + 1), "frames": str(FRAMES), "loop": "no", "path": str(path),
        }  # fmt: skip

    def compose(self) -> ComposeResult:
        """The lines."""
        with Vertical(classes="dialog"):
            yield Words("Walk from this picture to others", classes="title")
            for name, label in _ROWS:
                with Horizontal(classes="row"):
                    yield Words(label)
                    line = PathLine if name in ("to", "path") else Line
                    yield line(self._values[name], id=name, compact=True)
            yield Words(classes="problem")
            yield Words("Enter writes, → completes, Tab or ↑↓ moves, Esc leaves", classes="hint")
            yield Buttons("Write")

    def accept(self) -> None:
        """Answer, where everything fits."""
        text = self.texts(name for name, _ in _ROWS)
        try:
            to, frames = waypoints_of(text["to"], self._document), frames_of(text["frames"])
            check_frames(to, frames)
            path = new_file(text["path"], ANIMATION_SUFFIXES)
            check_animation(path)
            request = WalkRequest(to, frames, yes_or_no(text["loop"]), path)
        except InputError as error:
            self.show_problem(f"{error}.")
        else:
            self.dismiss(request)

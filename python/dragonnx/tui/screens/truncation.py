"""One picture at many truncations, to choose one."""

from __future__ import annotations

from collections.abc import Mapping

from dragonnx.editor.editor import Editor
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.screens.sheet_dialog import SheetDialog
from dragonnx.types import Picture

_PSIS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
"""As many as a small terminal shows at once."""
_USUAL = 0.7


class TruncationScreen(SheetDialog[float]):
    """From the average picture to the one that the model drew.

    Args:
        editor: Whose picture.
        mode: How pictures are shown.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    heading = "Truncation sweep"
    advice = (
        "The picture at truncation psi 0, the average picture of the model, up to 1, as the model drew it. "
        "Enter or a click chooses; points and mask stay, u undoes. y takes any other psi."
    )

    def __init__(self, editor: Editor, mode: CanvasMode, graphics: Graphics | None = None) -> None:
        psi = editor.document.start.truncation_psi
        wanted = _USUAL if psi is None else psi
        nearest = min(range(len(_PSIS)), key=lambda at: abs(_PSIS[at] - wanted))
        super().__init__(editor, mode, graphics, count=len(_PSIS), at=nearest)

    def begin_page(self, first: int, count: int) -> list[str]:
        """See `SheetDialog.begin_page`."""
        psis = _PSIS[first : first + count]
        self.editor.sheet.show_truncations(psis)
        return [f"psi {psi:g}" for psi in psis]

    def pictures(self, first: int) -> Mapping[int, Picture]:
        """See `SheetDialog.pictures`."""
        return {_PSIS.index(psi) - first: each for psi, each in self.editor.sheet.pictures.items()}

    def headline(self) -> str:
        """See `SheetDialog.headline`."""
        return f"{self.editor.document.start.describe()} at psi {_PSIS[self.selected]:g}"

    def end(self) -> None:
        """See `SheetDialog.end`."""
        self.editor.sheet.close()

    def accept(self) -> None:
        """Answer with what is selected."""
        self.dismiss(_PSIS[self.selected])

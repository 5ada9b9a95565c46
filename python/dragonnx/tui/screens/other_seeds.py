"""What came of the same edit on other seeds, to open one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual.binding import Binding, BindingType

from dragonnx.editor.editor import Editor
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.screens.sheet_dialog import SheetDialog
from dragonnx.types import Picture


class OtherSeedsScreen(SheetDialog[int]):
    """A page of results; it may be left while they are made.

    Args:
        editor: Whose edit.
        mode: How pictures are shown.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    heading = "The same edit on other seeds"
    advice = (
        "What the points and the mask of one document do to other seeds. Enter or a click opens one as a "
        "document; u brings back what was there. x ends what is still to be done. Esc leaves the sheet, "
        "the work goes on, and K shows it again, until another such edit or the end of the editor: both "
        "ask first whether to save what was not opened."
    )
    hint = "Enter or a click opens, x ends the rest, Esc leaves: it goes on, K comes back"
    buttons = ("Open", "End the rest")
    BINDINGS: ClassVar[list[BindingType]] = [Binding("x", "stop", "End the rest")]

    def __init__(self, editor: Editor, mode: CanvasMode, graphics: Graphics | None = None) -> None:
        self._others = editor.other_seeds
        super().__init__(editor, mode, graphics, count=len(self._others.seeds))

    def begin_page(self, first: int, count: int) -> list[str]:
        """See `SheetDialog.begin_page`."""
        return [str(seed) for seed in self._others.seeds[first : first + count]]

    def pictures(self, first: int) -> Mapping[int, Picture]:
        """See `SheetDialog.pictures`."""
        found = {}
        for tile, seed in enumerate(self._others.seeds[first:]):
            done = self._others.done.get(seed)
            if done is not None and done.picture is not None:
                found[tile] = done.picture
        return found

    def headline(self) -> str:
        """See `SheetDialog.headline`."""
        others, seed = self._others, self._others.seeds[self.selected]
        done = others.done.get(seed)
        if done is not None:
            what = done.told or f"could not be done: {done.failure}"
        else:
            what = "not done yet" if others.is_running else "not done"
        return f"Seed {seed}: {what} ({len(others.done)} of {len(others.seeds)} done)"

    def pictures_came(self) -> None:
        """Show how far it is, too."""
        super().pictures_came()
        self.show()

    def action_stop(self) -> None:
        """End what is still to be done."""
        self._others.stop()
        self.show_problem(self.editor.state.notice.line)

    def other(self) -> None:
        """The button for that."""
        self.action_stop()

    def accept(self) -> None:
        """Answer with what is selected, where it is done."""
        seed = self._others.seeds[self.selected]
        if seed in self._others.done:
            self.dismiss(seed)
        else:
            self.show_problem(f"Seed {seed} is not done yet.")

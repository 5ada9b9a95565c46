"""What is asked about files: opening, saving, exporting, leaving, lost work."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from dragonnx.document.archive import SUFFIX
from dragonnx.document.opening import OPENS
from dragonnx.document.outputs import OutputId
from dragonnx.document.recovery import LostWork
from dragonnx.editor.walks import WalkRequest
from dragonnx.tui.result_questions import ResultQuestions
from dragonnx.tui.screens.confirm import Choice, ConfirmScreen
from dragonnx.tui.screens.export import ExportScreen
from dragonnx.tui.screens.lost_work import LostWorkScreen
from dragonnx.tui.screens.path import PathScreen
from dragonnx.tui.screens.walk import WalkScreen

_OPEN_HELP = (
    "A document goes on where it was saved; a picture that dragonnx saved opens with its points; a "
    "latent becomes the start; a black and white picture of the right size becomes the mask; any "
    "other picture is a photo to invert."
)
_SAVE_HELP = "Everything: model, start, points, mask, settings, the drag and what it reached."
_UNSAVED = "The document has changes that are not saved."


class FileQuestions(ResultQuestions):
    """Asks about files."""

    def open(self) -> None:
        """What to open, and whether even though something would be lost."""

        def use(path: Path | None) -> None:
            if path is not None:
                self.open_path(path)

        recent = self.editor.files.recent()
        self.app.push_screen(
            PathScreen(f"Open: {OPENS}", "", advice=_OPEN_HELP, recent=recent), use
        )

    def open_path(self, path: Path) -> None:
        """Whether to open a file even though something would be lost."""
        # After a drag that runs: what it reaches is not saved.
        self.editor.state.when_idle(lambda: self._open(path), f"open {path.name}")

    def save(self) -> None:
        """Where to, where that is not known."""
        if self.editor.files.path is None:
            self.save_as()
        else:
            self.editor.files.save()

    def save_as(self, then: Callable[[], object] | None = None) -> None:
        """Where to save the document.

        Args:
            then: What to do once it is saved.
        """
        files = self.editor.files

        def use(path: Path | None) -> None:
            if path is not None and path == self.editor.state.path:
                self.attempt(lambda: files.save(path, then=then))
            elif path is not None:
                self._write(path, lambda replace: files.save(path, replace=replace, then=then))

        suggestion = str(files.suggested_document())
        self.app.push_screen(
            PathScreen("Save the document as", suggestion, suffixes=(SUFFIX,), advice=_SAVE_HELP),
            use,
        )

    def export(self) -> None:
        """What to export, and where to."""
        files = self.editor.files

        def use(chosen: tuple[OutputId, Path, int | None] | None) -> None:
            if chosen is not None:
                kind, path, quality = chosen
                self._write(
                    path, lambda replace: files.export(kind, path, quality, replace=replace)
                )

        self.when_idle(lambda: ExportScreen(self.editor.document, files.suggested_output), use)

    def walk(self) -> None:
        """Where to walk, and what to write."""
        files, document = self.editor.files, self.editor.document

        def use(request: WalkRequest | None) -> None:
            if request is not None:
                self._write(request.path, lambda replace: files.walk(request, replace=replace))

        self.when_idle(lambda: WalkScreen(document, files.suggested_walk()), use)

    def leave(self) -> None:
        """Whether to leave, where something would be lost; a drag pauses first."""
        self.editor.state.when_idle(self._leave, "let you leave")

    def conflict(self) -> None:
        """What to do with a file that others changed since it was read or written here."""
        files, path = self.editor.files, self.editor.files.changed_path
        if path is None:
            return

        def use(answer: str | None) -> None:
            if answer == "s":
                self.save_as()
            elif answer == "o":
                files.open(path)
            elif answer == "w":
                self.attempt(lambda: files.save(path, replace=True))

        fact = (
            f"{path} is not as it was when it was opened or saved here: another editor or program "
            "has changed it. Nothing was written. Opening theirs can be undone with u."
        )
        self.app.push_screen(
            ConfirmScreen(
                fact, Choice("s", "Save as"), Choice("o", "Open theirs"),
                Choice("w", "Overwrite theirs", loses=True),
            ),
            use,
        )  # fmt: skip

    def lost_work(self) -> None:
        """Which document to recover of those that other editors left behind."""
        lost_work, works = self.editor.lost_work, self.editor.lost_work.all()

        def use(work: LostWork | None) -> None:
            if work is None:
                lost_work.keep()
            else:
                lost_work.recover(work)

        if works:
            self.app.push_screen(LostWorkScreen(lost_work, works, self.mode()), use)

    def _leave(self) -> None:
        state = self.editor.state

        def use(answer: str | None) -> None:
            if answer == "y":
                end()
            elif answer == "s" and self.editor.files.path is None:
                self.save_as(then=end)
            elif answer == "s":
                self.attempt(lambda: self.editor.files.save(then=end))

        def end() -> None:
            self.let_results_go("leave", self.app.exit)

        if state.is_saved:
            end()
            return
        self.app.push_screen(
            ConfirmScreen(
                _UNSAVED, Choice("s", "Save and leave"), Choice("n", "Stay"),
                Choice("y", "Leave", loses=True),
            ),
            use,
        )  # fmt: skip

    def _open(self, path: Path) -> None:
        """Open a file, where another document would be left after asking."""

        def use(answer: str | None) -> None:
            if answer == "y":
                self.editor.files.open(path)

        if self.editor.state.is_saved or path.suffix.lower() != SUFFIX:
            self.editor.files.open(path)
            return
        self.app.push_screen(
            ConfirmScreen(_UNSAVED, Choice("n", "Cancel"), Choice("y", "Open anyway")), use
        )

    def _write(self, path: Path, write: Callable[[bool], object]) -> None:
        """Write, but never over a file without asking; `write` is told what was answered."""
        if not os.path.lexists(path):
            self.attempt(lambda: write(False))
            return

        def use(answer: str | None) -> None:
            if answer == "y":
                self.attempt(lambda: write(True))
            else:
                self.editor.state.say("Nothing was written.")

        self.app.push_screen(
            ConfirmScreen(
                f"{path} exists.", Choice("n", "Keep it"), Choice("y", "Replace", loses=True)
            ),
            use,
        )

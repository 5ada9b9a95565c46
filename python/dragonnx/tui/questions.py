"""What is asked before a command: each function opens dialogs and hands the answer to the editor."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.app import App

from dragonnx.document.archive import SUFFIX
from dragonnx.document.opening import OPENS
from dragonnx.document.outputs import OutputId
from dragonnx.document.recovery import LostWork
from dragonnx.drag.config import DragConfig
from dragonnx.editor.answers import label_of, psi_of, seed_of
from dragonnx.editor.editor import Editor
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.errors import InputError
from dragonnx.model.labels import label_text
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.model_choices import model_choices
from dragonnx.tui.screens.choice import ChoiceScreen
from dragonnx.tui.screens.confirm import Choice, ConfirmScreen
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.screens.export import ExportScreen
from dragonnx.tui.screens.lost_work import LostWorkScreen
from dragonnx.tui.screens.path import PathScreen
from dragonnx.tui.screens.photo import PhotoScreen
from dragonnx.tui.screens.prompt import PromptScreen
from dragonnx.tui.screens.settings import SettingsScreen

_SEED_HELP = "The seed decides the picture: the same seed, model, class and psi give the same one."
_PSI_HELP = (
    "How far pictures are from the average one: 0 is the average, 1 as the model drew them, below 1 "
    "plainer and cleaner. Empty means what suits the model. Points and mask stay."
)
_LABEL_HELP = (
    "The kind of thing that the model draws, by its number in the model's training data. Several, as "
    "0,3, each count in full; 0:0.7,3:0.3 gives them weights."
)
_MODEL_HELP = (
    "The bundled model, and those in your folder of models; or Tab and the path of a bundle folder. "
    "A model that fails leaves everything as it is."
)
_OPEN_HELP = (
    "A document goes on where it was saved; a picture that dragonnx saved opens with its points; a "
    "latent becomes the start; a black and white picture of the right size becomes the mask; any "
    "other picture is a photo to invert."
)
_SAVE_HELP = "Everything: model, start, points, mask, settings, the drag and what it reached."
_UNSAVED = "The document has changes that are not saved."


class Questions:
    """Asks, and calls the editor's commands with the answers.

    Args:
        app: Shows dialogs.
        editor: Gets the answers.
        mode: How pictures are shown just now.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    def __init__(
        self,
        app: App[Any],
        editor: Editor,
        mode: Callable[[], CanvasMode],
        graphics: Graphics | None = None,
    ) -> None:
        self._app = app
        self._editor = editor
        self._mode = mode
        self._graphics = graphics

    def ask(self, name: str) -> None:
        """Ask what the action of that id asks."""
        getattr(self, name)()

    # --- what a picture starts from -----------------------------------------------------------

    def type_seed(self) -> None:
        """A seed."""
        editor = self._editor
        seed = str(editor.document.start.seed)

        def use(text: str | None) -> None:
            if text is not None:
                editor.latent.use_seed(seed_of(text))

        self._app.push_screen(PromptScreen("Seed", seed, check=seed_of, advice=_SEED_HELP), use)

    def type_psi(self) -> None:
        """Truncation psi."""
        editor = self._editor
        psi = editor.document.start.truncation_psi

        def use(text: str | None) -> None:
            if text is not None:
                self.attempt(lambda: editor.latent.use_psi(psi_of(text)))

        self._app.push_screen(
            PromptScreen(
                "Truncation psi: empty is the model's", "" if psi is None else f"{psi:g}",
                check=psi_of, advice=_PSI_HELP,
            ),
            use,
        )  # fmt: skip

    def type_label(self) -> None:
        """The class."""
        editor = self._editor
        count = editor.latent.label_count()

        def use(text: str | None) -> None:
            if text is not None:
                self.attempt(lambda: editor.latent.use_label(label_of(text, count)))

        self._app.push_screen(
            PromptScreen(
                f"Class: 0 to {count - 1}", label_text(editor.document.start.label),
                check=lambda text: label_of(text, count), advice=_LABEL_HELP,
            ),
            use,
        )  # fmt: skip

    def choose_model(self) -> None:
        """A model, or a bundle folder."""

        def use(model: str | None) -> None:
            if model is not None:
                self._editor.latent.use_model(model)

        self._app.push_screen(
            ChoiceScreen(
                "Model", model_choices(), other="a bundle folder's path", advice=_MODEL_HELP
            ),
            use,
        )

    def contact_sheet(self) -> None:
        """One of the pictures of many seeds."""

        def use(seed: int | None) -> None:
            if seed is not None:
                self._editor.latent.use_seed(seed)

        self._when_idle(lambda: ContactSheetScreen(self._editor, self._mode(), self._graphics), use)

    def photo(self, path: Path | None = None) -> None:
        """Which photo to invert, and how."""
        photo = self._editor.photo

        def use(request: PhotoRequest | None) -> None:
            if request is not None:
                photo.invert(request)

        self._when_idle(lambda: PhotoScreen(path, photo.last_request), use)

    def settings(self) -> None:
        """The settings of the drag."""
        state, drag = self._editor.state, self._editor.drag

        def use(config: DragConfig | None) -> None:
            if config is not None:
                self.attempt(lambda: drag.use_settings(config))

        self._when_idle(
            lambda: SettingsScreen(
                state.document.config, drag.most_layers(), drag.usual_settings()
            ),
            use,
        )

    # --- files --------------------------------------------------------------------------------

    def open(self) -> None:
        """What to open, and whether even though something would be lost."""
        state = self._editor.state

        def use(path: Path | None) -> None:
            if path is None:
                return
            # After a drag that runs: what it reaches is not saved.
            state.when_idle(lambda: self._open(path), f"open {path.name}")

        self._app.push_screen(PathScreen(f"Open: {OPENS}", "", advice=_OPEN_HELP), use)

    def save(self) -> None:
        """Where to, where that is not known."""
        if self._editor.files.path is None:
            self.save_as()
        else:
            self._editor.files.save()

    def save_as(self, then: Callable[[], object] | None = None) -> None:
        """Where to save the document.

        Args:
            then: What to do once it is saved.
        """
        files = self._editor.files

        def use(path: Path | None) -> None:
            if path is not None and path == self._editor.state.path:
                self.attempt(lambda: files.save(path, then=then))
            elif path is not None:
                self._write(path, lambda replace: files.save(path, replace=replace, then=then))

        suggestion = str(files.suggested_document())
        self._app.push_screen(
            PathScreen("Save the document as", suggestion, suffixes=(SUFFIX,), advice=_SAVE_HELP),
            use,
        )

    def export(self) -> None:
        """What to export, and where to."""
        files = self._editor.files

        def use(chosen: tuple[OutputId, Path, int | None] | None) -> None:
            if chosen is not None:
                kind, path, quality = chosen
                self._write(
                    path, lambda replace: files.export(kind, path, quality, replace=replace)
                )

        self._when_idle(lambda: ExportScreen(self._editor.document, files.suggested_output), use)

    def leave(self) -> None:
        """Whether to leave, where something would be lost; a drag pauses first."""
        self._editor.state.when_idle(self._leave, "let you leave")

    def conflict(self) -> None:
        """What to do with a file that others changed since it was read or written here."""
        files, path = self._editor.files, self._editor.files.changed_path
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
        self._app.push_screen(
            ConfirmScreen(
                fact, Choice("s", "Save as"), Choice("o", "Open theirs"),
                Choice("w", "Overwrite theirs", loses=True),
            ),
            use,
        )  # fmt: skip

    def lost_work(self) -> None:
        """Which document to recover of those that other editors left behind."""
        lost_work, works = self._editor.lost_work, self._editor.lost_work.all()

        def use(work: LostWork | None) -> None:
            if work is None:
                lost_work.keep()
            else:
                lost_work.recover(work)

        if works:
            self._app.push_screen(LostWorkScreen(lost_work, works, self._mode()), use)

    # --- parts --------------------------------------------------------------------------------

    def attempt(self, command: Callable[[], object]) -> None:
        """Call a command, and say it where it refuses."""
        try:
            command()
        except InputError as error:
            self._editor.state.say(str(error))

    def _when_idle(self, make: Callable[[], Any], use: Callable[[Any], None]) -> None:
        """Open a dialog once nothing runs."""
        self._editor.state.when_idle(lambda: self._app.push_screen(make(), use))

    def _leave(self) -> None:
        state = self._editor.state

        def use(answer: str | None) -> None:
            if answer == "y":
                self._app.exit()
            elif answer == "s" and self._editor.files.path is None:
                self.save_as(then=self._app.exit)
            elif answer == "s":
                self.attempt(lambda: self._editor.files.save(then=self._app.exit))

        if state.is_saved:
            self._app.exit()
            return
        self._app.push_screen(
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
                self._editor.files.open(path)

        if self._editor.state.is_saved or path.suffix.lower() != SUFFIX:
            self._editor.files.open(path)
            return
        self._app.push_screen(
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
                self._editor.state.say("Nothing was written.")

        self._app.push_screen(
            ConfirmScreen(
                f"{path} exists.", Choice("n", "Keep it"), Choice("y", "Replace", loses=True)
            ),
            use,
        )

"""Opening, saving, exporting, leaving: what touches the disk. The worker does the writing."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual.message import Message

from dragonnx.document import Document, LatentStart, open_document, save_document
from dragonnx.document.archive import SUFFIX
from dragonnx.document.latents import current_w_plus
from dragonnx.document.outputs import Output, OutputId, free_path, output
from dragonnx.document.recipe import document_of
from dragonnx.drag.mask import is_mask, load_mask
from dragonnx.errors import InputError
from dragonnx.tui.editing.base import EditorBase
from dragonnx.tui.messages import FileOpened, PhotoOpened, WorkDone
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.export import ExportScreen
from dragonnx.tui.screens.path import PathScreen

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator

OPENS = f"{SUFFIX} document, picture, mask, .npz latent, photo"

_OPEN_HELP = (
    "A session goes on where it was saved; a picture that dragonnx saved opens with its points; a "
    "latent becomes the start; a black and white picture of the right size becomes the mask; any "
    "other picture is a photo to recreate."
)
_SAVE_HELP = "Everything: model, start, points, mask, settings, the drag and what it reached."


class FileEditing(EditorBase):
    """Files, by keys."""

    def action_open(self) -> None:
        """Ask what to open."""
        self.app.push_screen(
            PathScreen(f"Open: {OPENS}", "", must_exist=True, advice=_OPEN_HELP), self._open_asked
        )

    def action_save(self) -> None:
        """Save the session."""
        if self.path is None:
            self.action_save_as()
        else:
            path = self.path
            self.when_still(lambda: self.save_session(path))

    def action_save_as(self) -> None:
        """Save the session under a name."""
        suggestion = self.path or free_path(Path(), self._stem(), SUFFIX)
        self.app.push_screen(
            PathScreen(
                "Save the session as", str(suggestion), suffixes=(SUFFIX,), advice=_SAVE_HELP
            ),
            self._save_as_given,
        )

    def action_export(self) -> None:
        """Ask what to export and where to."""
        self.when_still(
            lambda: self.app.push_screen(
                ExportScreen(self._stem(), self.document),
                self._export_given,
            )
        )

    def action_leave(self) -> None:
        """Leave, after asking where there are changes."""
        if not self.changed:
            self.app.exit()
            return
        self.app.push_screen(
            ConfirmScreen("The session has changes that are not saved.", yes="Leave", no="Stay"),
            lambda leave: self.app.exit() if leave else None,
        )

    def save_session(self, path: Path) -> None:
        """Save the document in the worker."""
        document = self.document

        def job(generator: Generator) -> Message:
            preview = io.BytesIO()
            generator.image(current_w_plus(document, generator)).save(preview, "PNG")
            save_document(document, path, preview.getvalue())
            return WorkDone("save the session", (document, path))

        self.worker.task("save the session", job)

    def open_path(self, path: Path) -> None:
        """Open a document, a picture with its recipe, a latent, a mask, or a photo."""
        document = self.document
        suffix = path.suffix.lower()

        def job(generator: Generator) -> Message:
            opened = _read(path, suffix, document, generator)
            if opened is None:
                return PhotoOpened(path)
            return FileOpened(opened, path, suffix == SUFFIX)

        def read() -> None:
            self.say(f"Opening {path.name} ...")
            self.worker.task(f"open {path.name}", job)

        self.when_still(read)

    def on_file_opened(self, message: FileOpened) -> None:
        """Use what was opened."""
        message.stop()

        def use() -> None:
            self.selected = None
            self.resumable = None
            self.history.apply(f"open {message.path.name}", message.document)
            if message.is_document:
                self.path = message.path
                self.saved = message.document
            self.document_changed()
            self.say(f"Opened {message.path.name}; u brings back what was here.")

        self.when_still(use)

    def recovered(self, document: Document, saved_as: Path | None) -> None:
        """Go on with a session that an editor lost."""
        self.history.apply("recover", document)
        self.path = saved_as
        self.document_changed()
        self.say("Recovered. Save it with Ctrl+S; u brings back an empty session.", "good")

    def on_work_done(self, message: WorkDone) -> None:
        """Say that something was written."""
        message.stop()
        if message.what == "save the session":
            document, self.path = message.value
            self.saved = document
            self.autosave.note(self.document, self.path)
            self.show_title()
            self.say(f"Saved {self.path}.", "good")
        elif isinstance(message.value, Path):
            self.say(f"Wrote {message.value}.", "good")

    def export(self, export: Output, path: Path) -> None:
        """Write an output in the worker."""
        document = self.document
        self.say(f"Writing {path.name} ...")

        def job(generator: Generator) -> Message:
            export.write(document, generator, path)
            return WorkDone(f"write {path.name}", path)

        self.worker.task(f"write {path.name}", job)

    def _open_asked(self, path: Path | None) -> None:
        if path is None:
            return
        if not self.changed or path.suffix.lower() != SUFFIX:
            self.open_path(path)
            return
        self.app.push_screen(
            ConfirmScreen(
                "The session has changes that are not saved.", yes="Open anyway", no="Cancel"
            ),
            lambda sure: self.open_path(path) if sure else None,
        )

    def _save_as_given(self, path: Path | None) -> None:
        if path is not None:
            self._asking_first(path, self.save_session, asked=path == self.path)

    def _export_given(self, chosen: tuple[OutputId, Path] | None) -> None:
        if chosen is None:
            return
        export = output(chosen[0])
        self._asking_first(chosen[1], lambda path: self.export(export, path))

    def _asking_first(
        self, path: Path, write: Callable[[Path], None], *, asked: bool = False
    ) -> None:
        """Write, but never over a file without asking."""
        if asked or not path.exists():
            write(path)
            return
        self.app.push_screen(
            ConfirmScreen(f"{path} exists.", yes="Replace", no="Keep it"),
            lambda sure: write(path) if sure else self.say("Nothing was written."),
        )

    def _stem(self) -> str:
        if self.path is not None:
            return self.path.stem
        start = self.document.start
        name = f"seed{start.seed}" if start.w_plus is None else "latent"
        return f"{Path(self.document.model).name}-{name}"


def _read(path: Path, suffix: str, document: Document, generator: Generator) -> Document | None:
    """The document after opening a file; None for a photo, which is to be recreated first."""
    from PIL import Image

    from dragonnx.inversion.photo import load_photo
    from dragonnx.media import read_recipe

    if suffix == SUFFIX:
        return open_document(path)
    if suffix == ".npz":
        w_plus = generator.load_latent(path)
        return document.with_start(LatentStart(w_plus=w_plus, name=path.name))
    if suffix not in Image.registered_extensions():
        raise InputError(f"{path.name} cannot be opened: choose a {OPENS}")
    if suffix == ".png":
        try:
            recipe_values = read_recipe(path)
        except InputError:
            # A picture without a recipe may be a mask, else it is a photo.
            if is_mask(path):
                return document.with_mask(load_mask(path, generator.manifest.image_size))
        else:
            return document_of(recipe_values)
    load_photo(path)  # what cannot be recreated is refused before anything is asked
    return None

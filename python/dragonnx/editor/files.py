"""Opening, saving and exporting: what touches the disk. The worker does the reading and writing."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from dragonnx.document import Document
from dragonnx.document.archive import SUFFIX
from dragonnx.document.outputs import OutputId, free_path, output
from dragonnx.editor.answers import checked_target
from dragonnx.editor.document_file import DocumentFile, Replaces
from dragonnx.editor.events import (
    DocumentSaved,
    Exported,
    FileChanged,
    FileOpened,
    WalkEnded,
    WalkProgressed,
)
from dragonnx.editor.phase import Change, Idle
from dragonnx.editor.recent import Recent
from dragonnx.editor.state import EditorState, Part
from dragonnx.editor.walks import WalkRequest, check_frames
from dragonnx.errors import InputError
from dragonnx.media import ANIMATION_SUFFIXES, check_animation, check_quality
from dragonnx.paths import file_stem

_TAKEN_AS = {"mask": " as the mask", "latent": " as a latent"}
"""What a file is in the document that it was opened into."""


class FileCommands:
    """What can be done with files.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self._after_save: Change | None = None
        self._recent = Recent("files")
        self._stop_walk: threading.Event | None = None
        """Ends the walk that is written; None where none is."""
        self.last_written: Path | None = None
        """The picture, animation or other output that was exported last."""
        self.changed_path: Path | None = None
        """The file that others changed, where the document was to be saved: what to do is asked."""

    @property
    def path(self) -> Path | None:
        """The document's file, also while it is being made; None where it has none."""
        file = self._state.file
        return file.path or file.going_to

    def recent(self) -> list[str]:
        """Files that were opened or saved last and are there, the newest first."""
        return [each for each in self._recent.all() if Path(each).is_file()]

    def open(self, path: Path, index: int = 0) -> None:
        """Open a document, a picture with its recipe, a latent, a mask, or a photo.

        Args:
            path: The file.
            index: Which of several latents, from 0.
        """
        state = self._state

        def read() -> None:
            state.say(f"Opening {path.name} ...")
            state.jobs.open_file(path, state.document, index)

        state.when_idle(read, f"open {path.name}")

    def save(
        self, path: Path | None = None, *, replace: bool = False, then: Change | None = None
    ) -> None:
        """Save the document as it is shown; a drag pauses first.

        Where others changed its file since it was read or written here, nothing is written, and
        `Part.CONFLICT` has it asked what to do.

        Args:
            path: Where to; None where it was saved before or came from.
            replace: Whether whatever is there may be replaced.
            then: What to do once all is saved; nothing where that fails.

        Raises:
            InputError: There is no path yet, or nothing can or may be written there.
        """
        state = self._state
        target = path or self.path
        if target is None:
            raise InputError("the document has no file yet: name one")
        checked_target(target, (SUFFIX,))
        if target != self.path:
            _keep_existing(target, replace=replace)

        def write() -> None:
            self._after_save = then
            state.file.going_to = target
            own = state.file.digest if target == state.path else None
            replaces = Replaces.ANYTHING if replace else Replaces(own)
            state.jobs.save(state.document, target, replaces)

        state.when_idle(write, "save what is shown")

    def export(
        self, kind: OutputId, path: Path, quality: int | None = None, *, replace: bool = False
    ) -> None:
        """Write an output of the document.

        Args:
            kind: Which, as `dragonnx.document.outputs.OUTPUTS` has them.
            path: Where to.
            quality: Of a JPEG or WebP, 1 to 100; None is 95.
            replace: Whether a file that is there may be replaced.

        Raises:
            InputError: There is nothing to write, or nothing can or may be written there.
        """
        state, chosen = self._state, output(kind)
        if not chosen.is_possible(state.document):
            raise InputError(
                "there is no mask to write" if chosen.needs_mask else "nothing was dragged yet"
            )
        checked_target(path, chosen.suffixes)
        if kind == "animation":
            check_animation(path)
        check_quality(quality, [path])
        _keep_existing(path, replace=replace)
        state.say(f"Writing {path.name} ...")
        replaces = Replaces.ANYTHING if replace else Replaces.NOTHING
        state.when_idle(
            lambda: state.jobs.export(state.document, chosen, path, replaces, quality),
            "write what is shown",
        )

    def walk(self, request: WalkRequest, *, replace: bool = False) -> None:
        """Write a walk from the picture to others.

        Args:
            request: The walk.
            replace: Whether a file that is there may be replaced.

        Raises:
            InputError: There are too few frames, or nothing can or may be written there.
        """
        state, path = self._state, request.path
        check_frames(request.to, request.frames)
        checked_target(path, ANIMATION_SUFFIXES)
        check_animation(path)
        _keep_existing(path, replace=replace)
        replaces = Replaces.ANYTHING if replace else Replaces.NOTHING

        def write() -> None:
            self._stop_walk = threading.Event()
            state.say(f"Walking to {path.name} ... x ends it.")
            state.jobs.walk(state.document, request, replaces, self._stop_walk)

        state.when_idle(write, "walk from what is shown")

    def stop_walk(self) -> bool:
        """End a walk that is written; whether there is one."""
        if self._stop_walk is None:
            return False
        self._stop_walk.set()
        self._state.say("Ending the walk ...")
        return True

    def walk_progressed(self, event: WalkProgressed) -> None:
        """Say how far the walk is."""
        if self._stop_walk is not None and not self._stop_walk.is_set():
            self._state.say(f"Frame {event.made} of {event.total}. x ends the walk.")

    def walk_ended(self, _event: WalkEnded | None = None) -> None:
        """A walk is written, or was ended, or failed."""
        if self._stop_walk is not None and self._stop_walk.is_set():
            self._state.say("The walk was ended; nothing was written.")
        self._stop_walk = None

    def suggested_walk(self) -> Path:
        """Where a walk would be written."""
        return free_path(Path(), f"{self.suggested_stem()}-walk", ".webp")

    def suggested_document(self) -> Path:
        """Where the document would be saved."""
        return self._state.path or free_path(Path(), self.suggested_stem(), SUFFIX)

    def suggested_output(self, kind: OutputId) -> Path:
        """Where an output would be written: a file that does not exist yet."""
        chosen = output(kind)
        return free_path(Path(), self.suggested_stem() + chosen.tail, chosen.suffixes[0])

    def suggested_stem(self) -> str:
        """What files of this document are called as a rule."""
        state = self._state
        if state.path is not None:
            return state.path.stem
        start = state.document.start
        name = f"seed{start.seed}" if start.w_plus is None else file_stem(start.name) or "latent"
        return f"{Path(state.document.model).name}-{name}"

    def file_opened(self, event: FileOpened) -> None:
        """Use what was opened: a latent and a mask on the document as it is by now."""
        state = self._state

        self.remember(event.path)

        def use() -> None:
            state.selected = None
            document = _taken_over(event, state.document)
            # With a mask or a latent that is opened it is another drag.
            state.enter(Idle.on(document) if event.kind == "document" else Idle())
            state.apply(f"open {event.path.name}", document, file=_file(event))
            state.document_changed()
            told = self._can_go_on() + "".join(f" {note}." for note in event.notes)
            as_what = _TAKEN_AS.get(event.kind, "")
            state.say(f"Opened {event.path.name}{as_what}; u brings back what was here.{told}")

        state.when_idle(use)

    def document_saved(self, event: DocumentSaved) -> None:
        """Note what was saved, and where."""
        state = self._state
        file = state.file_of(event.document)
        file.path, file.saved, file.digest = event.path, event.document, event.digest
        self.remember(event.path)
        state.note_autosave()
        state.changed(Part.FACTS)
        state.say(f"Saved {event.path}.{self._can_go_on()}", "good")
        then, self._after_save = self._after_save, None
        if then is not None and state.is_saved:
            then()

    def remember(self, path: Path) -> None:
        """List a file among the recent ones."""
        self._recent.add(str(path.absolute()))

    def file_changed(self, event: FileChanged) -> None:
        """Have it asked what to do with a file that others changed."""
        self.save_failed()
        self.changed_path = event.path
        state = self._state
        state.say(f"{event.path.name} was changed by others; nothing was written.", "bad")
        state.when_idle(lambda: state.changed(Part.CONFLICT))

    def save_failed(self) -> None:
        """Forget what was to be done once all is saved."""
        self._after_save = self._state.file.going_to = None

    def exported(self, event: Exported) -> None:
        """Say that an output was written."""
        self.last_written = event.path
        self._state.say(f"Wrote {event.path}. V views it.{self._can_go_on()}", "good")

    def _can_go_on(self) -> str:
        """What can come next, where a drag paused."""
        state = self._state
        is_paused = isinstance(state.phase, Idle) and state.phase.paused is state.document
        return " The drag is paused; Space goes on." * is_paused


def _taken_over(event: FileOpened, document: Document) -> Document:
    if document.model == event.document.model:
        if event.kind == "mask":
            return document.with_mask(event.document.mask)
        if event.kind == "latent":
            return document.with_start(event.document.start)
    return event.document


def _file(event: FileOpened) -> DocumentFile | None:
    """The file of what was opened; a latent and a mask leave the document its own."""
    if event.kind == "document":
        return DocumentFile(event.path, event.document, event.digest)
    return DocumentFile() if event.kind == "picture" else None


def _keep_existing(path: Path, *, replace: bool) -> None:
    if not replace and os.path.lexists(path):
        raise InputError(f"{path} exists: choose another name, or say that it may be replaced")

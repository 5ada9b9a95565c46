"""The state of the editor, and the few ways to change it and to tell of the change."""

from __future__ import annotations

import enum
from collections.abc import Callable
from pathlib import Path
from typing import Literal, TypeAlias
from weakref import WeakKeyDictionary

from dragonnx.document import Document, History
from dragonnx.editor.autosave import Autosave
from dragonnx.editor.comparison import Comparison
from dragonnx.editor.document_file import DocumentFile
from dragonnx.editor.events import ModelOpened
from dragonnx.editor.jobs import Jobs
from dragonnx.editor.notices import Alert, Notice, Severity, Tone, next_step, subject
from dragonnx.editor.phase import Change, Dragging, Idle, Phase, Running, checked
from dragonnx.editor.phase import running as running_of
from dragonnx.editor.phase import stopping as after_stopping
from dragonnx.editor.phase import waiting as waiting_of
from dragonnx.editor.tools import Stroke, Tool
from dragonnx.text import visible
from dragonnx.types import Picture

End: TypeAlias = Literal["handle", "target"]
Marker: TypeAlias = tuple[int, End]
"""One of a pair's points: the pair's number from 0, and which end."""


class Part(enum.Flag):
    """Parts of the state that a view shows. A change tells which it concerns."""

    SCENE = enum.auto()
    """What lies on the canvas."""
    FACTS = enum.auto()
    """Model, start, settings, mask, points and losses in numbers; whether all is saved."""
    NOTICE = enum.auto()
    """What just happened, in a line."""
    ALERT = enum.auto()
    """Something that a line is not enough for."""
    JUMP = enum.auto()
    """The cross-hair went where the user did not point: a view that shows a part follows it."""
    PHOTO = enum.auto()
    """A photo was found: how to invert it is to be asked."""
    SHEET = enum.auto()
    """The contact sheet, or that of the same edit on other seeds, has another picture."""
    DIRECTIONS = enum.auto()
    """One more direction can be gone along."""
    CONFLICT = enum.auto()
    """The document's file was changed by others: what to do is to be asked."""


class EditorState:
    """What the editor knows. Commands change it; views look at it and are told of changes.

    Every change of the document goes through `edit`, which keeps undo, autosave, picture and views
    right. Where a drag runs, it pauses first and the change is made after it.

    Args:
        document: The first document.
        jobs: Does what takes long.
        autosave: Keeps a copy of the document.
        is_first_time: Whether the user has not yet placed points, as far as is known.
    """

    def __init__(
        self, document: Document, jobs: Jobs, autosave: Autosave, *, is_first_time: bool = True
    ) -> None:
        self.history = History(document)
        self.jobs = jobs
        self.autosave = autosave
        self.is_first_time = is_first_time
        self._files = WeakKeyDictionary({document: DocumentFile(saved=document)})
        """Of each document that was; edits of a document have its file."""
        self.model: ModelOpened | None = None
        """The model that is open."""
        self.picture: Picture | None = None
        self.pictured: Document | None = None
        """The document whose picture that is; None for one in between, or a coarse one."""
        self.comparison = Comparison()
        self.bare = False
        """Whether nothing is shown over the picture."""
        self.cursor = (64, 64)
        """The pixel (x, y) of the cross-hair."""
        self.selected: int | None = None
        """The selected pair's number from 0."""
        self.selected_end: End = "handle"
        """Which end of it."""
        self.is_held = False
        """Whether the arrows move the selected marker, and not the cross-hair alone."""
        self.gripped: Marker | None = None
        """The marker that the mouse moves."""
        self.tool = Tool.POINTS
        self.radius = 10.0
        """Of the brush, in pixels."""
        self.mask_shown = True
        self.stroke: Stroke | None = None
        """What is being painted."""
        self.losses: tuple[float, ...] = ()
        """Of the latest steps of a drag or an inversion."""
        self.notice = Notice()
        self.alert = Alert()
        self._phase: Phase = Idle.on(document)
        self._subject: tuple[object, ...] = ()
        """Of the notice and the alert."""
        self._views: list[Callable[[Part], object]] = []

    # --- looking ------------------------------------------------------------------------------

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self.history.document

    @property
    def phase(self) -> Phase:
        """What the editor does just now."""
        return self._phase

    @property
    def running(self) -> Running | None:
        """The drag or the inversion that runs, even if it was told to end."""
        return running_of(self._phase)

    @property
    def file(self) -> DocumentFile:
        """The document's file, and what is in it."""
        return self._files[self.document]

    def file_of(self, document: Document) -> DocumentFile:
        """The file of a document that was, as far as it can be undone to; else the present one."""
        return self._files.get(document, self.file)

    @property
    def path(self) -> Path | None:
        """The document's file, where it has one."""
        return self.file.path

    @property
    def is_saved(self) -> bool:
        """Whether nothing would be lost without the autosave."""
        return self.document is self.file.saved

    @property
    def title(self) -> str:
        """The document's name, with a star where it is not saved."""
        name = "unsaved document" if self.path is None else visible(self.path.name)
        return name if self.is_saved else f"{name} *"

    @property
    def is_model_open(self) -> bool:
        """Whether the model that is open is the document's."""
        return self.model is not None and self.model.model == self.document.model

    @property
    def image_size(self) -> tuple[int, int]:
        """(width, height) of the model's pictures."""
        return (128, 128) if self.model is None else self.model.manifest.image_size[::-1]

    @property
    def shows_document(self) -> bool:
        """Whether the picture is the document's, and not a coarse one."""
        shown, document = self.pictured, self.document
        return (
            shown is not None
            and shown.model == document.model
            and shown.start is document.start
            and shown.result is document.result
        )

    # --- telling ------------------------------------------------------------------------------

    def subscribe(self, view: Callable[[Part], object]) -> Callable[[], None]:
        """Tell a view of every change from now on; returns what ends that."""
        self._views.append(view)

        def unsubscribe() -> None:
            if view in self._views:
                self._views.remove(view)

        return unsubscribe

    def unsubscribe_all(self) -> None:
        """Tell no view anything any more."""
        self._views.clear()

    def changed(self, parts: Part = Part.SCENE | Part.FACTS) -> None:
        """Tell the views which parts changed; what was said before goes once it no longer holds."""
        if self._subject and self._subject != (now := subject(self)):
            self._subject = now
            self.notice = Notice(next_step(self), "hint")
            parts |= Part.NOTICE
            if self.alert.text and self.alert.severity == "information":
                self.alert = Alert()
                parts |= Part.ALERT
        for view in tuple(self._views):
            view(parts)

    def say(self, text: str, tone: Tone = "", heading: str = "") -> None:
        """Tell the user something in a line, as `Notice` has it; no name in it can do harm."""
        self.notice = Notice(visible(text), tone, visible(heading))
        self._subject = subject(self)
        self.changed(Part.NOTICE)

    def warn(self, heading: str, text: str, severity: Severity = "warning") -> None:
        """Tell the user something that a line is not enough for."""
        self.alert = Alert(heading, visible(text), severity)
        self._subject = subject(self)
        self.changed(Part.ALERT)

    # --- changing -----------------------------------------------------------------------------

    def enter(self, phase: Phase) -> None:
        """Go over to another phase.

        Raises:
            ValueError: It cannot follow the present one.
        """
        self._phase = checked(self._phase, phase)

    def when_idle(self, change: Change, purpose: str = "let you edit") -> None:
        """Do something at once, or after pausing a drag, or ending an inversion.

        Args:
            change: What to do.
            purpose: What a drag pauses for, for the user.
        """
        runs = self.running
        if runs is None:
            change()
            return
        self.enter(after_stopping(self._phase, change=change))
        self.jobs.pace.pause()
        pauses = f"Pausing to {purpose}; Space goes on."
        ends = "That ends it; the best so far stays, u takes it back."
        self.say(pauses if isinstance(runs, Dragging) else ends)

    def become_idle(self, paused: Document | None = None) -> tuple[Change, ...]:
        """Nothing runs any more.

        Args:
            paused: What a paused drag reached, where it can go on.

        Returns:
            What waited for this; the caller does it once it has taken over what was reached.
        """
        changes = waiting_of(self._phase)
        self.enter(Idle(paused))
        return changes

    def do_waiting(self, changes: tuple[Change, ...]) -> None:
        """Do what waited; where one of them starts something, the others wait again."""
        for change in changes:
            self.when_idle(change)

    def edit(
        self,
        label: str,
        change: Callable[[Document], Document],
        merge_key: str | None = None,
        told: Notice | None = None,
    ) -> None:
        """Change the document, after pausing a drag that runs.

        Args:
            label: What is done, for undo: "move point 1".
            change: From the document to the changed one; the same one is no edit.
            merge_key: Consecutive edits of one key are undone together.
            told: What to say once it is done.
        """

        def apply() -> None:
            if self.apply(label, change(self.document), merge_key):
                self.document_changed()
            if told is not None:
                self.say(told.text, told.tone)

        self.when_idle(apply)

    def apply(
        self,
        label: str,
        document: Document,
        merge_key: str | None = None,
        file: DocumentFile | None = None,
    ) -> bool:
        """Make another document the current one, without telling anybody; nothing runs.

        Args:
            label: As `edit` has it.
            document: The other one; the very same one is no edit.
            merge_key: As `edit` has it.
            file: Its file, where that is another one.

        Returns:
            Whether it was an edit.
        """
        file = file or self.file
        if not self.history.apply(label, document, merge_key):
            return False
        self._files[document] = file
        return True

    def document_changed(self) -> None:
        """Follow the document: autosave, the picture where it is another, the views."""
        document = self.document
        self.comparison.end()
        self.note_autosave()
        if self.selected is not None and self.selected >= len(document.pairs):
            self.selected = len(document.pairs) - 1 if document.pairs else None
            self.is_held = False
        if self.stroke is not None and document.mask is not self.stroke.before:
            self.stroke = None  # it goes on with a mask that is gone
        result = document.result
        self.losses = () if result is None else tuple(result.loss.tolist())
        if not self.shows_document:
            self.jobs.show(document)
        self.changed()

    def note_autosave(self) -> None:
        """Have the document autosaved as it is now."""
        picture = self.picture if self.shows_document else None
        self.autosave.note(self.document, self.path, self.file.digest, picture)

    def autosave_picture(self) -> None:
        """Have the copy that is autosaved show the picture, where it is the document's."""
        if self.shows_document and self.picture is not None:
            self.autosave.add_picture(self.document, self.picture)

    def put_cursor(self, x: float, y: float) -> None:
        """Put the cross-hair on the nearest pixel of the image; telling it is the caller's."""
        width, height = self.image_size
        self.cursor = (min(max(round(x), 0), width - 1), min(max(round(y), 0), height - 1))

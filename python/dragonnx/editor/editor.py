"""The editor without a screen: its state, its commands, and what it makes of events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dragonnx.document import Document, Recovery
from dragonnx.editor.autosave import Autosave
from dragonnx.editor.compare import CompareCommands
from dragonnx.editor.contact_sheet import ContactSheet
from dragonnx.editor.directions import DirectionCommands
from dragonnx.editor.drag import DragCommands
from dragonnx.editor.events import (
    AutosaveFailed,
    BeforeMade,
    DirectionsRead,
    DocumentSaved,
    DragEnded,
    DragProgressed,
    Event,
    Exported,
    FileChanged,
    FileOpened,
    InversionEnded,
    InversionProgressed,
    ModelChosen,
    ModelOpened,
    PhotoFound,
    PhotoRead,
    PictureMade,
    SheetPictureMade,
    Task,
    TaskFailed,
    WalkEnded,
    WalkProgressed,
)
from dragonnx.editor.files import FileCommands
from dragonnx.editor.jobs import Jobs
from dragonnx.editor.latent import LatentCommands
from dragonnx.editor.lost_work import LostWorkCommands
from dragonnx.editor.mask import MaskCommands
from dragonnx.editor.other_seeds import OtherSeeds
from dragonnx.editor.photo import PhotoCommands
from dragonnx.editor.pointer import PointerCommands
from dragonnx.editor.points import PointCommands
from dragonnx.editor.scene import Scene, scene_of
from dragonnx.editor.scrub import ScrubCommands
from dragonnx.editor.seed_events import SeedBatchEnded, SeedEdited, SeedsSaved
from dragonnx.editor.state import EditorState
from dragonnx.editor.undo import UndoCommands
from dragonnx.editor.wording import failure

if TYPE_CHECKING:
    from dragonnx.types import DeviceName, Precision

_RUNNING_TASKS = (Task.DRAG, Task.INVERT)


class Editor:
    """An editor. A front-end calls its commands, hands it the events, and shows its state.

    All methods are for one thread; `post` is called from others.

    Args:
        document: What to begin with.
        post: Takes events from any thread; they come back through `receive`.
        device: Where to compute.
        precision: Of convolutions.
        recovery: Where to autosave, and what was lost; the user's own by default.
        is_first_time: Whether the user is new, and gets the first hint.

    Attributes:
        state: What a view shows.
        points: Commands for points.
        mask: For the mask.
        pointer: For the cross-hair and the mouse.
        drag: For the drag.
        scrub: For looking at the steps of a drag.
        latent: For model, seed, class and truncation.
        directions: For going along directions of w.
        photo: For inverting a photo.
        compare: Before and after, and the bare picture.
        files: For opening, saving and exporting.
        history: Undo and redo.
        sheet: The contact sheet.
        other_seeds: The same edit on other seeds.
        lost_work: What another editor left behind.
    """

    def __init__(
        self,
        document: Document,
        post: Callable[[Event], object],
        *,
        device: DeviceName = "auto",
        precision: Precision = "auto",
        recovery: Recovery | None = None,
        is_first_time: bool = True,
    ) -> None:
        self._recovery = recovery = recovery or Recovery()
        self._post_to_view = post
        self._late: deque[Event] = deque()
        """What came after `close`, when nobody hands events back any more."""
        self._closed = False
        self._jobs = Jobs(self._post, device, precision)
        self._autosave = Autosave(recovery, self._post)
        self._keeps = False
        self.state = EditorState(document, self._jobs, self._autosave, is_first_time=is_first_time)
        self.points = PointCommands(self.state)
        self.mask = MaskCommands(self.state)
        self.pointer = PointerCommands(self.state, self.points, self.mask)
        self.scrub = ScrubCommands(self.state)
        self.drag = DragCommands(self.state, self.scrub)
        self.latent = LatentCommands(self.state)
        self.directions = DirectionCommands(self.state)
        self.photo = PhotoCommands(self.state)
        self.compare = CompareCommands(self.state)
        self.files = FileCommands(self.state)
        self.history = UndoCommands(self.state)
        self.sheet = ContactSheet(self.state)
        self.other_seeds = OtherSeeds(self.state, self.files, device, precision)
        self.lost_work = LostWorkCommands(self.state, recovery)
        self._receivers: dict[type[Event], Callable[[Any], None]] = {
            ModelOpened: self.latent.model_opened,
            ModelChosen: self.latent.model_chosen,
            PictureMade: self.latent.picture_made,
            BeforeMade: self.compare.before_made,
            DragProgressed: self.drag.progressed,
            DragEnded: self.drag.ended,
            PhotoFound: self.photo.photo_found,
            PhotoRead: self.photo.photo_read,
            InversionProgressed: self.photo.progressed,
            InversionEnded: self.photo.ended,
            FileOpened: self.files.file_opened,
            DocumentSaved: self.files.document_saved,
            FileChanged: self.files.file_changed,
            Exported: self.files.exported,
            SheetPictureMade: self.sheet.picture_made,
            DirectionsRead: self.directions.read,
            WalkProgressed: self.files.walk_progressed,
            WalkEnded: self.files.walk_ended,
            SeedEdited: self.other_seeds.edited,
            SeedBatchEnded: self.other_seeds.ended,
            SeedsSaved: self.other_seeds.saved,
            TaskFailed: self._task_failed,
            AutosaveFailed: self._autosave_failed,
        }

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self.state.document

    @property
    def scene(self) -> Scene:
        """What the canvas shows now."""
        return scene_of(self.state)

    def start(self) -> None:
        """Start the worker, and ask for the first picture."""
        self.state.say(f"Opening {self.document.model} ...")
        self.state.jobs.show(self.document)
        self._jobs.start()

    def close(self, *, keep: bool = False) -> None:
        """End the worker after what waits. No view is told of anything any more.

        Args:
            keep: Leave the autosaved copy to the next editor, since the user did not end this one; what
                is in the document's own file is not lost, and leaves none.
        """
        if not self._closed:
            self._closed = True
            self._keeps = keep
            self.state.unsubscribe_all()
            self.other_seeds.close(self._recovery if keep else None)
            self._jobs.close()

    def join(self, seconds: float | None = None) -> None:
        """Wait for the worker to end, after `close`; the autosaved copy goes if nothing is lost.

        What a drag or an inversion reached that ran until then is in the copy, where it stays.

        Args:
            seconds: How long to wait for a step that takes long; None for as long as it takes.
        """
        try:
            self._jobs.join(seconds)
            self.other_seeds.join(seconds)
            while self._late:
                event = self._late.popleft()
                if isinstance(event, DragEnded | InversionEnded | DocumentSaved):
                    self.receive(event)
        finally:
            self._autosave.close()
            is_lost = self._keeps and not self.state.is_saved
            self._autosave.leave(keep=is_lost or self._jobs.save_failed)

    def receive(self, event: Event) -> None:
        """Act on an event."""
        self._receivers[type(event)](event)

    def stop(self) -> None:
        """End the walk that is written, else the drag or the inversion."""
        if not self.files.stop_walk():
            self.drag.stop()

    def yield_to_screen(self) -> bool:
        """Keep a drag or an inversion from its next step until `go_on`; whether one runs."""
        if self.state.running is None:
            return False
        self._jobs.pace.yield_to_screen()
        return True

    def go_on(self) -> None:
        """Let a drag or an inversion make steps again."""
        self._jobs.pace.go_on()

    def _post(self, event: Event) -> None:
        if self._closed:
            self._late.append(event)
        else:
            self._post_to_view(event)

    def _task_failed(self, event: TaskFailed) -> None:
        """Say what went wrong; the editor goes on."""
        state = self.state
        if event.task in _RUNNING_TASKS and state.running is not None:
            waiting = state.become_idle()
            state.document_changed()
            state.do_waiting(waiting)
        if event.task is Task.WALK:
            self.files.walk_ended()
        if event.task is Task.SAVE:
            self.files.save_failed()
        failure(state, event.task, event.reason, event.subject)

    def _autosave_failed(self, event: AutosaveFailed) -> None:
        """Say that nothing protects the work."""
        self.state.warn("Autosave does not work", event.reason)

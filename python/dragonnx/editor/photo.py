"""A photo becomes the picture: watching it appear, taking over the latent."""

from __future__ import annotations

from pathlib import Path

from dragonnx.document import LatentStart
from dragonnx.editor.comparison import Comparison, Shown
from dragonnx.editor.document_file import DocumentFile
from dragonnx.editor.events import (
    InversionEnded,
    InversionProgressed,
    PhotoFound,
    PhotoRead,
    Task,
)
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.editor.phase import Inverting, Stopping, with_progress
from dragonnx.editor.state import EditorState, Part
from dragonnx.editor.wording import failure


class PhotoCommands:
    """What can be done with a photo, and following the inversion that runs.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state
        self.last_request: PhotoRequest | None = None
        """What was inverted last, and how."""
        self.found: Path | None = None
        """The photo that was opened last: how to invert it is to be asked."""

    def invert(self, request: PhotoRequest) -> None:
        """Invert a photo: its latent becomes the document's start."""
        state = self._state

        def start() -> None:
            self.last_request = request
            state.enter(Inverting(request.path.name))
            state.losses = ()
            state.say(f"Inverting {request.path.name} ...")
            state.jobs.invert(state.document, request)

        state.when_idle(start)

    def photo_found(self, event: PhotoFound) -> None:
        """Have it asked how to invert a photo that was opened."""
        self.found = event.path
        self._state.when_idle(lambda: self._state.changed(Part.PHOTO))

    def photo_read(self, event: PhotoRead) -> None:
        """Show the photo until there is a picture like it."""
        state = self._state
        state.comparison = Comparison(Shown.PHOTO, photo=event.photo)
        if not isinstance(state.phase, Stopping):
            note = f"{event.note}. " if event.note else ""
            state.say(f"{note}Inverting {event.name}: finding a good start ...")
        state.changed()

    def progressed(self, event: InversionProgressed) -> None:
        """Follow the inversion."""
        state, runs = self._state, self._state.running
        if not isinstance(runs, Inverting):
            return
        if runs.steps == 0:
            state.comparison.end()
        state.enter(with_progress(state.phase, Inverting(runs.photo, event.steps)))
        state.losses = event.losses
        state.picture, state.pictured = event.picture, None
        state.changed()
        if not isinstance(state.phase, Stopping):
            left = event.seconds_left
            is_photo = state.comparison.shown is Shown.PHOTO
            state.say(
                f"{'The photo. ' * is_photo}"
                f"Step {event.steps} of {event.total}, {event.psnr:.1f} dB"
                f"{'' if left is None else f', {_time(left)} left'}. "
                f"{'c: picture' if is_photo else 'x: enough, c: photo'}"
            )

    def ended(self, event: InversionEnded) -> None:
        """Take over the best so far, then make the edits that waited for it."""
        state = self._state
        waiting = state.become_idle()
        if event.w_plus is None:
            state.document_changed()
            state.say("Stopped before the first step; all is as before.")
        else:
            document = state.document.with_start(LatentStart(w_plus=event.w_plus, name=event.name))
            state.selected = None
            state.picture = event.picture
            state.pictured = None if event.is_preview else document
            # Another picture: saving it must not replace the document that was there.
            state.apply(f"invert {event.name}", document, file=DocumentFile())
            state.document_changed()
            if not waiting:
                state.say(
                    f"{event.steps} steps, {event.psnr:.1f} dB. "
                    "Now click what to move; c: photo, u: undo.",
                    "good",
                )
        state.do_waiting(waiting)
        if event.failure is not None:
            failure(state, Task.INVERT, event.failure)


def _time(seconds: float) -> str:
    """A time to wait, in a few characters."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

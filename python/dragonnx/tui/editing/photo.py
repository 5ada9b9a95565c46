"""A photo becomes the picture: asking for it, watching it appear, taking over the latent."""

from __future__ import annotations

from pathlib import Path

from dragonnx.document import LatentStart
from dragonnx.tui.editing.base import EditorBase
from dragonnx.tui.inversion_job import PhotoWish
from dragonnx.tui.messages import (
    InversionEnded,
    InversionProgressed,
    InversionStarted,
    PhotoOpened,
)
from dragonnx.tui.screens.photo import PhotoScreen


class PhotoEditing(EditorBase):
    """The inversion, by keys. The worker computes; its messages arrive here."""

    last_wish: PhotoWish | None = None

    def action_photo(self) -> None:
        """Ask for a photo and recreate it."""
        self.when_still(lambda: self._ask(None))

    def action_compare(self) -> None:
        """Show the photo, or again the picture."""
        if self.photo is None:
            self.say("There is no photo to compare with: P recreates one.")
            return
        self.photo_shown = not self.photo_shown
        self.show_scene()
        what = "the photo; c shows the picture" if self.photo_shown else "the picture"
        self.say(f"This is {what}.")

    def on_photo_opened(self, message: PhotoOpened) -> None:
        """Ask how to recreate a photo that was opened."""
        message.stop()
        self.when_still(lambda: self._ask(message.path))

    def recreate(self, wish: PhotoWish) -> None:
        """Recreate a photo in the worker."""

        def start() -> None:
            self.last_wish = wish
            self.inverting = True
            self.found_steps = 0
            self.resumable = None
            self.losses = ()
            self.say(f"Recreating {wish.path.name} ...")
            self.worker.invert(self.document, wish)

        self.when_still(start)

    def on_inversion_started(self, message: InversionStarted) -> None:
        """Show the photo until there is a picture like it."""
        message.stop()
        self.photo, self.photo_shown = message.photo, True
        if not self.stopping and not self.waiting:
            self.say(f"Recreating {message.name}: finding a good start ...")
        self.show_all()

    def on_inversion_progressed(self, message: InversionProgressed) -> None:
        """Follow the inversion."""
        message.stop()
        if not self.inverting:
            return
        self.before_steps()
        if self.found_steps == 0:
            self.photo_shown = False
        self.found_steps = message.steps
        self.losses = message.losses
        self.picture, self.pictured = message.picture, None
        self.show_scene()
        self.show_panel()
        if not self.waiting and not self.stopping:
            left = message.seconds_left
            self.say(
                f"{'The photo. ' * self.photo_shown}"
                f"Step {message.steps} of {message.total}, {message.psnr:.1f} dB"
                f"{'' if left is None else f', {_time(left)} left'}. x: enough, "
                f"c: {'picture' if self.photo_shown else 'photo'}"
            )

    def on_inversion_ended(self, message: InversionEnded) -> None:
        """Take over the best so far, then make the edits that waited for it."""
        message.stop()
        waiting = self.become_still()
        if message.w_plus is None:
            self.document_changed()
            self.say("Stopped before the first step; all is as before.")
        else:
            # A recovered session may have come meanwhile; the latent fits only its own model.
            same = self.document.model == message.document.model
            base = self.document if same else message.document
            document = base.with_start(LatentStart(w_plus=message.w_plus, name=message.name))
            self.selected = None
            self.picture = message.picture
            self.pictured = None if message.is_preview else document
            self.history.apply(f"recreate {message.name}", document)
            self.document_changed()
            if not waiting:
                self.say(
                    f"{message.steps} steps, {message.psnr:.1f} dB. "
                    "Now click what to move; c: photo, u: undo.",
                    "good",
                )
        for change in waiting:
            change()

    def _ask(self, path: Path | None) -> None:
        self.app.push_screen(PhotoScreen(path, self.last_wish), self._given)

    def _given(self, wish: PhotoWish | None) -> None:
        if wish is not None:
            self.recreate(wish)


def _time(seconds: float) -> str:
    """A time to wait, in a few characters."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"

"""Starting, pausing, stepping and ending the drag, and its settings."""

from __future__ import annotations

from dataclasses import replace

from dragonnx.document import Document
from dragonnx.drag.config import DragConfig
from dragonnx.drag.session import Outcome
from dragonnx.tui.editing.base import EditorBase
from dragonnx.tui.messages import DragEnded, DragProgressed
from dragonnx.tui.screens.settings import SettingsScreen
from dragonnx.types import Space


class DragEditing(EditorBase):
    """The drag, by keys. The worker computes; its messages arrive here."""

    def action_drag(self) -> None:
        """Start the drag, or pause it."""
        if self.dragging:
            self.worker.pause()
            self.say("Pausing after this step ...")
        elif self.inverting:
            self.action_stop()
        else:
            self._start(None)

    def action_step(self) -> None:
        """Make a single step."""
        if not self.busy:
            self._start(1)

    def action_stop(self) -> None:
        """End the drag or the inversion."""
        if self.busy:
            self.stopping = True
            self.worker.stop()
            self.say("Stopping after this step ...")
        elif self.resumable is not None:
            self.resumable = None
            self.history.finish_merging()
            self.say(Outcome.CANCELLED.advice)
        else:
            self.say("No drag runs.")

    def action_reset(self) -> None:
        """Back to the picture before any drag."""
        self.when_still(self._reset)

    def action_space(self) -> None:
        """W or W+."""

        def change(document: Document) -> Document:
            space: Space = "w" if document.config.space == "w+" else "w+"
            return document.with_config(replace(document.config, space=space))

        self.edit("W or W+", change)

    def action_settings(self) -> None:
        """Edit the settings."""
        self.when_still(
            lambda: self.app.push_screen(
                SettingsScreen(self.document.config, self.layer_limit, self._usual()),
                self._settings_given,
            )
        )

    layer_limit = 18
    """How many layers the model can train."""
    recommended: dict[str, float] = {}  # noqa: RUF012 replaced, never changed

    def _usual(self) -> dict[str, float]:
        """What applies where nothing is chosen: what suits the model, else the preset's."""
        config = self.document.config
        settings = DragConfig(preset=config.preset, space=config.space).settings(
            image_height=self.image_size[1],
            point_count=max(len(self.document.complete_pairs), 1),
            trainable_layers=self.layer_limit,
            recommended=self.recommended,
        )
        return {
            name: value
            for name, value in settings.to_dict().items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }

    def _settings_given(self, config: DragConfig | None) -> None:
        if config is not None and config != self.document.config:
            self.edit("settings", lambda d: d.with_config(config))
            self.say("Settings changed; the next drag uses them.")

    def _start(self, steps: int | None) -> None:
        document = self.document
        if not self.model_ready:
            self.say("The model is not open yet.")
            return
        if not document.complete_pairs:
            self.say("First place a handle point and its target: Enter or a click, twice.", "hint")
            return
        resume = document is self.resumable
        if not resume:
            self.drag_number += 1
            self.losses = ()
        self.dragging = True
        self.photo_shown = False
        self.progress = None
        unpaired = len(document.pairs) - len(document.complete_pairs)
        note = " The handle without a target stays out of it." if unpaired else ""
        self.say(("Going on." if resume else "Dragging ...") + note)
        self.worker.drag(document, resume=resume, steps=steps)

    def on_drag_progressed(self, message: DragProgressed) -> None:
        """Follow the drag."""
        message.stop()
        if not self.dragging:
            return
        self.before_steps()
        self.progress = message
        self.losses = message.losses
        if message.picture is not None:
            self.picture = message.picture
        self.show_scene()
        self.show_panel()
        if not self.waiting:
            self.say(
                f"Step {message.steps}, {message.steps_per_second:.1f} steps/s, "
                f"largest distance {message.distances.max():.1f} px"
            )

    def on_drag_ended(self, message: DragEnded) -> None:
        """Take over what the drag reached, then make the edits that waited for it."""
        message.stop()
        result = message.result
        waiting = self.become_still()
        if result.steps:
            document = self.document.with_result(result)
            self.picture = message.picture
            self.pictured = None if message.is_preview else document
            label = f"drag, {result.steps} steps"
            self.history.apply(label, document, f"drag {self.drag_number}")
            self.resumable = document if message.continues else None
            self.document_changed()
        else:
            self.show_all()
        for change in waiting:
            change()
        if not waiting:
            self._say_ended(message)

    def _say_ended(self, message: DragEnded) -> None:
        result = message.result
        distance = max((pair.distance or 0.0 for pair in self.document.complete_pairs), default=0.0)
        head = f"{result.steps} steps, {distance:.1f} px left. "
        if message.continues:
            self.say(f"{head}Paused; Space goes on, x ends.")
            return
        good = result.outcome == Outcome.REACHED.value
        self.say(head + message.advice, "good" if good else "hint")
        if result.outcome == Outcome.MAX_STEPS.value:
            self.notify(message.advice, title="Step limit", markup=False)

    def _reset(self) -> None:
        if self.document.result is None:
            self.say("The picture is as it was at the start.")
            return
        self.resumable = None
        self.losses = ()
        self.edit("reset", lambda d: d.at_start())
        self.say("Back at the start; u brings the drag back.")

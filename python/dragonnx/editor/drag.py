"""Starting, pausing, stepping and ending the drag, and its settings."""

from __future__ import annotations

from dataclasses import replace

from dragonnx.document import Document
from dragonnx.document.result import DragResult
from dragonnx.drag.config import DragConfig
from dragonnx.drag.mask import fixed_points_note
from dragonnx.drag.outcome import Outcome
from dragonnx.editor.answers import fitting_settings
from dragonnx.editor.events import DragEnded, DragProgressed, Task
from dragonnx.editor.notices import fixed_points_of
from dragonnx.editor.phase import Dragging, Idle, Inverting, Stopping, stopping, with_progress
from dragonnx.editor.scrub import ScrubCommands
from dragonnx.editor.state import EditorState
from dragonnx.editor.wording import failure
from dragonnx.types import Space

_MOST_LAYERS = 18
"""Of a model that is not open yet: the most that StyleGAN2 has."""
_NO_POINTS = "First place a handle point and its target: Enter or a click, twice."
_ALL_OFF = "Every point is switched off: select one with Tab, O switches it on."
_STOPPED = "Stopped."
_AFTER_STOP = "Space drags on, u undoes."
_AFTER_REACHED = "c shows before, e exports, u undoes."


class DragCommands:
    """What can be done with the drag, and following the one that runs.

    Args:
        state: The editor's.
        scrub: Knows which step is shown.
    """

    def __init__(self, state: EditorState, scrub: ScrubCommands) -> None:
        self._state = state
        self._scrub = scrub
        self._earlier: DragResult | None = None
        """The steps from which the drag goes on, where it began in the middle of another."""
        self._number = 0
        """Of the drag, so that all its parts are undone together."""

    def start_or_pause(self) -> None:
        """Start the drag, or pause it after the step that it is in; end an inversion."""
        state, runs = self._state, self._state.running
        if isinstance(runs, Dragging):
            state.enter(stopping(state.phase))
            state.jobs.pace.pause()
            state.say("Pausing after this step ...")
        elif isinstance(runs, Inverting):
            self.stop()
        else:
            self._start(None)

    def step(self) -> None:
        """Make a single step."""
        if self._state.running is None:
            self._start(1)

    def stop(self) -> None:
        """End the drag or the inversion; what it reached stays."""
        state, phase = self._state, self._state.phase
        if not isinstance(phase, Idle):
            state.enter(stopping(phase, for_good=True))
            state.jobs.pace.end()
            state.say("Stopping after this step ...")
        elif phase.paused is not None:
            state.enter(Idle())
            self._end(phase.paused)
            state.history.finish_merging()
            state.say(f"{_STOPPED} {_AFTER_STOP}")
        else:
            state.say("No drag runs.")

    def reset(self) -> None:
        """Back to the picture before any drag."""
        state = self._state

        def reset() -> None:
            if state.document.result is None:
                state.say("The picture is as it was at the start.")
                return
            state.enter(Idle())
            state.edit("reset", lambda d: d.at_start())
            state.say("Back at the start; u brings the drag back.")

        state.when_idle(reset)

    def switch_space(self) -> None:
        """W or W+."""

        def change(document: Document) -> Document:
            space: Space = "w" if document.config.space == "w+" else "w+"
            return document.with_config(replace(document.config, space=space))

        self._state.edit("W or W+", change)

    def use_settings(self, config: DragConfig) -> None:
        """Let the next drag use other settings.

        Raises:
            InputError: More layers than the model can move.
        """
        state = self._state
        fitting_settings(config, self.most_layers())
        if config != state.document.config:
            state.edit("settings", lambda d: d.with_config(config))
            state.say("Settings changed; the next drag uses them.")

    def most_layers(self) -> int:
        """How many layers a drag can move."""
        model = self._state.model
        return _MOST_LAYERS if model is None else model.manifest.trainable_layers

    def usual_settings(self, config: DragConfig | None = None) -> dict[str, float]:
        """What applies where nothing is chosen: what suits the model, else the preset's.

        Args:
            config: Whose preset and space count; None takes the document's.
        """
        state = self._state
        if state.model is None:
            return {}
        m = state.model.manifest
        config, mask = config or state.document.config, state.document.mask
        settings = DragConfig(preset=config.preset, space=config.space).settings(
            image_height=m.image_size[0],
            point_count=max(len(state.document.complete_pairs), 1),
            trainable_layers=m.trainable_layers,
            recommended=m.drag_settings,
            masked=mask is not None and not mask.all(),
        )
        return {
            name: value
            for name, value in settings.to_dict().items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }

    def progressed(self, event: DragProgressed) -> None:
        """Follow the drag."""
        state = self._state
        if not isinstance(state.running, Dragging):
            return
        state.enter(with_progress(state.phase, Dragging(event)))
        state.losses = event.losses
        if event.picture is not None:
            state.picture, state.pictured = event.picture, None
        state.changed()
        if not isinstance(state.phase, Stopping):
            state.say(
                f"Step {event.steps + self._steps_before}, {event.steps_per_second:.1f} steps/s, "
                f"largest distance {event.distances.max():.1f} px"
            )

    def ended(self, event: DragEnded) -> None:
        """Take over what the drag reached, then make the edits that waited for it."""
        state, document = self._state, event.document
        if document.result is not None and self._earlier is not None:
            document = replace(document, result=document.result.after(self._earlier))
        result = document.result
        steps = 0 if result is None else result.steps
        told_to_end = isinstance(state.phase, Stopping) and state.phase.for_good
        outcome = event.outcome
        if outcome is None and told_to_end:  # it paused before it could hear of that
            outcome = Outcome.CANCELLED
            if result is not None and result is not state.document.result:
                document = replace(document, result=result.ended())
        goes_on = outcome is None and event.failure is None
        waiting = state.become_idle(document if goes_on else None)
        if result is not None and steps:
            state.comparison.told_latent(result.latents[0])
            state.picture = event.picture
            state.pictured = None if event.is_preview else document
            state.apply(f"drag, {steps} steps", document, f"drag {self._number}")
        state.document_changed()
        state.do_waiting(waiting)
        if event.failure is not None:
            failure(state, Task.DRAG, event.failure)
        elif not waiting:
            self._say_ended(steps, outcome, "" if result is None else result.reason)

    def _end(self, paused: Document) -> None:
        """Have the document say that its drag does not go on."""
        state, result = self._state, paused.result
        if state.document is not paused or result is None or result.paused is None:
            return
        document = replace(paused, result=result.ended())
        if state.shows_document:
            state.pictured = document
        state.apply("end the drag", document, f"drag {self._number}")
        state.document_changed()

    @property
    def _steps_before(self) -> int:
        return 0 if self._earlier is None else self._earlier.steps

    def _start(self, steps: int | None) -> None:
        state, document, phase = self._state, self._state.document, self._state.phase
        if not state.is_model_open:
            state.say("The model is not open yet.")
            return
        if not document.complete_pairs:
            state.say(_ALL_OFF if any(not pair.is_on for pair in document.pairs) else _NO_POINTS,
                      "hint")  # fmt: skip
            return
        resume = isinstance(phase, Idle) and document is phase.paused
        if not resume:
            self._number += 1
            state.losses = ()
        state.enter(Dragging())
        if not resume:
            self._earlier = self._scrub.cut
        elif document.result is not None:  # which another editor may have made and saved
            self._earlier = document.result.earlier
        if resume or self._earlier is not None:
            state.comparison.end()
        else:
            state.comparison.begin_drag(state.picture if state.shows_document else None)
        note = " The handle without a target stays out of it." * document.waits_for_target
        state.say(("Going on." if resume or self._earlier is not None else "Dragging ...") + note)
        if steps is None and not resume and (fixed := fixed_points_of(document)):
            told = fixed_points_note(fixed, len(document.pairs))
            state.warn("Mask", f"{told[0].upper()}{told[1:]}.", "information")
        state.jobs.drag(document, resume=resume, steps=steps)

    def _say_ended(self, steps: int, outcome: Outcome | None, reason: str) -> None:
        state = self._state
        left = max((pair.distance or 0.0 for pair in state.document.complete_pairs), default=0.0)
        head = f"{steps} steps, {left:.1f} px left. "
        if outcome is None:
            state.say(f"{head}Paused; Space goes on, x ends.")
        elif outcome is Outcome.REACHED:
            state.say(f"Reached in {steps} steps. {_AFTER_REACHED}", "good")
        elif outcome is Outcome.CANCELLED:
            state.say(f"{head}{_STOPPED} {_AFTER_STOP}", "hint")
        elif outcome is Outcome.STALLED:
            state.say(f"{head}No nearer. {_AFTER_STOP}", "hint")
            state.warn("No progress", reason, "information")
        else:
            state.say(f"{head}Step limit. {_AFTER_STOP}", "hint")
            state.warn("Step limit", outcome.advice, "information")

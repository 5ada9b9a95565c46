"""A drag as an iterator: each step pulls the handles towards their targets and finds them again."""

from __future__ import annotations

import os
import threading
import time
from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragonnx import _core
from dragonnx.drag.adam import Adam
from dragonnx.drag.config import DragConfig, DragSettings
from dragonnx.drag.descriptor import Descriptor
from dragonnx.drag.mask import checked_mask, fixed_points, fixed_points_note
from dragonnx.drag.one_thread import OneThread
from dragonnx.drag.outcome import Outcome
from dragonnx.drag.points import checked_pairs, distances
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.progress import DragProgress, DragProgressFile, DragStep
from dragonnx.drag.progress_file import SavedProgress
from dragonnx.drag.stall import is_stalled, stall_reason
from dragonnx.drag.step import HostState, step_for
from dragonnx.errors import InputError
from dragonnx.log import logger, took
from dragonnx.model.generator import Generator
from dragonnx.model.given import checked_generator
from dragonnx.reading.values import flag, instance
from dragonnx.types import Float32, Points

_LEAST_SPREAD = {"principal": 0.1, "even": 1.0}
"""Share of the largest: below it directions of w are as one, since what spreads there is noise."""


class DragSession:
    """Drags handle points to target points by optimising a latent. Iterate over it for the steps.

    One thread at a time makes steps; others may read and save what was reached, and cancel.

    Args:
        generator: The model.
        w_plus: The latent to start from, [1, num_ws, w_dim]; it is not changed.
        handle_points: n points (x, y) on the image, in pixels.
        target_points: Where each is to go, likewise.
        mask: bool [H, W], True where pixels may move; None lets all move.
        config: What a user chose; the rest is what suits the model.
        keep_latents: Whether to keep the latent of every step, as an animation needs.

    Raises:
        InputError: A point, the mask, the latent or a setting does not fit the model, or is of
            another type; or there is a weight of a mask and none; or the system starts no more threads.
    """

    def __init__(
        self,
        generator: Generator,
        w_plus: ArrayLike,
        handle_points: ArrayLike,
        target_points: ArrayLike,
        mask: ArrayLike | None = None,
        config: DragConfig | None = None,
        *,
        keep_latents: bool = False,
    ) -> None:
        m = checked_generator(generator).manifest
        self._w_plus = generator.checked_w_plus(w_plus).copy()
        self._handles, self._targets = checked_pairs(handle_points, target_points, m.image_size)
        chosen = DragConfig() if config is None else instance(config, "config", DragConfig)
        if mask is None and chosen.lambda_mask is not None:
            raise InputError(
                "lambda_mask is the weight of a mask: give one, or leave lambda_mask out"
            )
        mask = checked_mask(mask, m.image_size)
        if mask is not None and (fixed := fixed_points(mask, self._handles, self._targets)):
            logger.warning("%s", fixed_points_note(fixed, len(self._handles)))
        self.settings: DragSettings = chosen.settings(
            image_height=m.image_size[0],
            point_count=len(self._handles),
            trainable_layers=m.trainable_layers,
            recommended=m.drag_settings,
            masked=mask is not None,
        )
        problem = DragProblem(
            settings=self.settings,
            target_points=self._targets,
            mask=mask,
            threads=_threads(generator.threads),
            basis=_basis(generator, self.settings),
            descriptor=_descriptor(generator, self.settings, self._w_plus),
        )
        self._method = step_for(generator, problem)
        self._file = DragProgressFile(generator, problem, self._w_plus, self._handles)
        self._cancelled = threading.Event()
        self._one_thread = OneThread("drag")
        # What was reached is one value, so that an interrupt at any moment leaves a whole step.
        self._progress = DragProgress(
            w_plus=self._w_plus,
            adam=Adam(self.settings.step_size, is_shared=self.settings.shared_moment),
            latents=(self._w_plus,) if flag(keep_latents, "keep_latents") else None,
        )
        self._state: HostState | None = None
        self._outcome: Outcome | None = None

    def __repr__(self) -> str:
        ended = "" if self._outcome is None else f", {self._outcome.value}"
        return (
            f"<DragSession: {self.steps} of at most {self.settings.max_steps} steps, "
            f"{self.distances.max():.1f} px to go{ended}>"
        )

    @property
    def w_plus(self) -> NDArray[np.float32]:
        """The latent as far as it got, [1, num_ws, w_dim]."""
        return self._progress.w_plus.copy()

    @property
    def handle_points(self) -> Points:
        """Where the handles are now, [n, 2]."""
        return self._at(self._progress).copy()

    @property
    def target_points(self) -> Points:
        """Where they are to go, [n, 2]."""
        return self._targets.copy()

    @property
    def distances(self) -> NDArray[np.float64]:
        """How far each handle is from its target, in pixels, [n]."""
        return distances(self._at(self._progress), self._targets)

    @property
    def steps(self) -> int:
        """How many steps were done, those before `resume` included."""
        return len(self._progress.steps)

    @property
    def done_steps(self) -> tuple[DragStep, ...]:
        """What each of them did."""
        return self._progress.steps

    @property
    def trace(self) -> Points:
        """Where the handles were before the first step and after each, [steps + 1, n, 2]."""
        return np.array([self._handles, *(step.handle_points for step in self._progress.steps)])

    @property
    def latents(self) -> NDArray[np.float32]:
        """The latent before the first step and after each, [steps + 1, num_ws, w_dim].

        Where they are not kept, the first and the last of these, [2, num_ws, w_dim].
        """
        progress = self._progress
        ends = (self._w_plus, progress.w_plus) if progress.steps else (self._w_plus,)
        return np.concatenate(ends if progress.latents is None else progress.latents)

    @property
    def outcome(self) -> Outcome | None:
        """How the drag ended; None while it has not."""
        return self._outcome

    @property
    def advice(self) -> str:
        """What the outcome means here and what to do, in a sentence or two; empty while there is none."""
        if self._outcome is Outcome.STALLED:
            steps, least = self.settings.stall_steps or self.steps, self.settings.stop_distance
            return stall_reason(self.trace, self._targets, steps, least)
        return self._outcome.advice if self._outcome else ""

    def cancel(self) -> None:
        """End the drag before its next step. May be called from any thread."""
        self._cancelled.set()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all that going on later takes to an .npz file, all or nothing.

        May be called from any thread, also while another one makes a step, which is not in it yet.

        Raises:
            InputError: The file cannot be written.
        """
        self._file.save(path, self._progress)

    def resume(self, path: str | os.PathLike[str]) -> None:
        """Go on where `save` was called, in place of what this session did.

        Model, start, points, mask and settings must be those of the session that was saved, but for
        `max_steps` and `stop_distance`. On the CPU, with the same versions and number of threads,
        further steps give the same bits as those of a drag that was never stopped. Elsewhere the
        last digits may differ, which the logger "dragonnx" says; on CUDA they may anyway, since
        cuDNN adds in an order that changes.

        Raises:
            InputError: The file cannot be read, belongs to another drag, or lacks the latents of
                its steps, which this session is to keep.
            StateError: Another thread is at work on this session.
        """
        with self._one_thread:
            self._go_on_from(self._file.load(path), f"{path}")

    def held(self) -> SavedProgress:
        """What `save` writes, for whoever keeps it elsewhere. May be called from any thread."""
        return self._file.held(self._progress)

    def take_over(self, saved: SavedProgress, place: str) -> bool:
        """Go on from what `held` gave, as `resume` does; whether it is of this drag.

        Args:
            saved: It; that of another drag changes nothing.
            place: Where it was kept, for users.

        Raises:
            InputError: Something in it is wrong, or the latents of its steps are missing.
            StateError: Another thread is at work on this session.
        """
        with self._one_thread:
            is_its = bool(saved.facts["key"] == self._file.key)
            if is_its:
                self._go_on_from(self._file.progress_of(saved, place), place)
            return is_its

    def __iter__(self) -> DragSession:
        return self

    def __next__(self) -> DragStep:
        """Do one step.

        Raises:
            StopIteration: The drag has ended; `outcome` says how.
            InputError: The optimisation left the range of numbers: the step size is too large.
            StateError: Another thread is at work on this session, or the generator was closed.
        """
        with self._one_thread:
            self._outcome = self._outcome or self._judge()
            if self._outcome is not None:
                raise StopIteration
            return self._do_step()

    def _go_on_from(self, progress: DragProgress, place: str) -> None:
        if self._progress.latents is None:
            progress = replace(progress, latents=None)
        elif progress.latents is None:
            raise InputError(
                f"{place} holds no latents of the steps that were done, which an animation needs: "
                "go on without one, or begin anew"
            )
        self._progress, self._outcome = progress, None

    def _do_step(self) -> DragStep:
        began = time.perf_counter()
        progress = self._progress
        state, losses = self._method.step(self._state_of(progress))
        step = DragStep(
            number=len(progress.steps) + 1,
            handle_points=state.handle_points.copy(),
            distances=distances(state.handle_points, self._targets),
            losses=losses,
            seconds=time.perf_counter() - began,
        )
        kept = progress.latents
        self._progress = DragProgress(
            w_plus=state.w_plus,
            adam=state.adam,
            steps=(*progress.steps, step),
            latents=None if kept is None else (*kept, state.w_plus),
        )
        self._state = state
        took(f"drag step {step.number}", step.seconds)
        return step

    def _state_of(self, progress: DragProgress) -> HostState:
        """What the next step takes: left by the last one, unless that was another session's."""
        if self._state is not None and self._state.w_plus is progress.w_plus:
            return self._state
        state = self._method.init(self._w_plus, self._handles)
        if not progress.steps:
            return state
        before = self._at(replace(progress, steps=progress.steps[:-1]))
        trace = before, self._at(progress)
        return self._method.later(state, progress.w_plus, trace, progress.adam)

    def _judge(self) -> Outcome | None:
        """Whether the drag is over before another step."""
        if (self.distances <= self.settings.stop_distance).all():
            return Outcome.REACHED
        if self._cancelled.is_set():
            return Outcome.CANCELLED
        patience, least = self.settings.stall_steps, self.settings.stop_distance
        if patience and is_stalled(self.trace, self._targets, patience, least):
            return Outcome.STALLED
        return Outcome.MAX_STEPS if self.steps >= self.settings.max_steps else None

    def _at(self, progress: DragProgress) -> Points:
        """Where the handles are then."""
        return progress.steps[-1].handle_points if progress.steps else self._handles


def _basis(generator: Generator, settings: DragSettings) -> Float32 | None:
    """See `DragProblem`."""
    if settings.coordinates == "w":
        return None
    return generator.principal_w().floored(_LEAST_SPREAD[settings.coordinates])


def _descriptor(generator: Generator, settings: DragSettings, w_plus: Float32) -> Descriptor | None:
    """See `DragProblem`."""
    if not settings.described_tracking:
        return None
    return Descriptor.of(generator.features(w_plus).features[0], generator.tracking_kernel)


def _threads(count: int | None) -> _core.Threads:
    """What the kernels may use."""
    try:
        return _core.Threads(count)
    except ValueError as error:
        raise InputError(f"no threads for the kernels of a drag: {error}") from error

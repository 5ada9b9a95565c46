"""How far a drag got: what its steps did, and what the next one needs of them."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx.drag.adam import Adam
from dragonnx.drag.config import DragSettings
from dragonnx.drag.points import distances
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.progress_file import (
    SavedProgress,
    key_of,
    read_progress,
    write_progress,
)
from dragonnx.errors import InputError
from dragonnx.log import logger
from dragonnx.model.drag_settings import MOST_STEPS
from dragonnx.model.generator import Generator
from dragonnx.reading.values import entry, items, text, whole
from dragonnx.runtime import runtime_version
from dragonnx.types import Array, Float32, Points

_OF_THE_END = ("max_steps", "stop_distance", "stall_steps")
"""Settings that change no step: a drag may go on with others."""
_MOST_TERMS = 32
LONGEST_WORD = 200
"""Characters of a term, a key, or where steps were computed."""


@dataclass(frozen=True, eq=False)
class DragStep:
    """What one step did. Its arrays cannot be written to.

    Attributes:
        number: From 1.
        handle_points: Where the handles are now, (x, y) in pixels, [n, 2].
        distances: How far each is from its target now, in pixels, [n].
        losses: The parts of the loss that this step descended, by term, weights included:
            "motion", and "mask" where one was painted.
        seconds: How long the step took.
    """

    number: int
    handle_points: Points
    distances: NDArray[np.float64]
    losses: Mapping[str, float]
    seconds: float

    def __post_init__(self) -> None:
        for array in (self.handle_points, self.distances):
            array.flags.writeable = False

    @property
    def loss(self) -> float:
        """All parts together (equation 1)."""
        return sum(self.losses.values())


@dataclass(frozen=True, eq=False)
class DragProgress:
    """A drag after some steps.

    Attributes:
        w_plus: The latent, [1, num_ws, w_dim].
        adam: The moments of the gradients so far.
        steps: What each step did.
        latents: Before the first step and after each, [1, num_ws, w_dim]; None where they are not
            kept.
    """

    w_plus: Float32
    adam: Adam
    steps: tuple[DragStep, ...] = ()
    latents: tuple[Float32, ...] | None = None


def checked_terms(found: object) -> tuple[str, ...]:
    """The names of the terms of a loss.

    Raises:
        InputError: They are no list of short texts.
    """
    return tuple(text(term, "terms", LONGEST_WORD) for term in items(found, "terms", _MOST_TERMS))


class DragProgressFile:
    """The progress file of one drag: it refuses what another one wrote.

    Args:
        generator: The model.
        problem: The drag.
        w_plus: The latent that it starts from, [1, num_ws, w_dim].
        handle_points: The handles there, [n, 2].

    Attributes:
        key: Of all that must be the same for its steps to go on.
    """

    def __init__(
        self, generator: Generator, problem: DragProblem, w_plus: Float32, handle_points: Points
    ) -> None:
        self._problem = problem
        self._w_plus = w_plus
        self._handle_points = handle_points
        settings = dataclasses.asdict(problem.settings)
        for name in _OF_THE_END:
            del settings[name]
        files = {name: record.sha256 for name, record in generator.manifest.files.items()}
        mask = np.zeros(0, bool) if problem.mask is None else problem.mask
        self._image_size = generator.manifest.image_size
        self.key = key_of(
            ["drag", settings, files], w_plus, handle_points, problem.target_points, mask
        )
        device = generator.device
        self._computed_on = (
            f"{device.name} in {device.precision}, {generator.threads or 'all'} threads, "
            f"{runtime_version()}"
        )

    def held(self, progress: DragProgress) -> SavedProgress:
        """What a file of it holds."""
        steps = progress.steps
        terms = list(steps[0].losses) if steps else []
        losses = [[step.losses[term] for term in terms] for step in steps]
        arrays: dict[str, Array] = {
            "w_plus": progress.w_plus,
            "mean": progress.adam.mean,
            "square": progress.adam.square,
            "trace": np.array([self._handle_points, *(step.handle_points for step in steps)]),
            "losses": np.array(losses, np.float64).reshape(len(steps), len(terms)),
            "seconds": np.array([step.seconds for step in steps], np.float64),
        }
        if progress.latents is not None:
            arrays["latents"] = np.concatenate(progress.latents)
        facts = {
            "key": self.key,
            "steps": len(steps),
            "terms": terms,
            "computed_on": self._computed_on,
        }
        return SavedProgress(facts, arrays)

    def save(self, path: str | os.PathLike[str], progress: DragProgress) -> None:
        """Write it, all or nothing.

        Raises:
            InputError: The file cannot be written.
        """
        saved = self.held(progress)
        write_progress(path, self.key, saved.facts, saved.arrays)

    def load(self, path: str | os.PathLike[str]) -> DragProgress:
        """Read what `save` wrote.

        Raises:
            InputError: The file cannot be read, or belongs to another drag.
        """
        refusal = (
            "it belongs to another drag: the model, the start, the points, the mask and the settings "
            "must be the same, but for step limit and stop distance"
        )
        saved = read_progress(path, self.key, refusal)
        try:
            return self.progress_of(saved, f"{path}")
        except InputError as error:
            raise InputError(f"{path}: {error}") from error

    def progress_of(self, saved: SavedProgress, place: str) -> DragProgress:
        """The progress that `held` told of, of this drag.

        Args:
            saved: It.
            place: Where it was, for users.

        Raises:
            InputError: Something in it is wrong, or does not fit together.
        """
        progress = self._checked(saved)
        if (before := saved.facts["computed_on"]) != self._computed_on:
            logger.info(
                "the drag in %s was computed on %s and goes on on %s: the last digits may differ "
                "from those of a drag that was never stopped", place, before, self._computed_on,
            )  # fmt: skip
        return progress

    def _checked(self, saved: SavedProgress) -> DragProgress:
        count = whole(entry(saved.facts, "steps"), "steps", 0, MOST_STEPS)
        text(entry(saved.facts, "computed_on"), "computed_on", LONGEST_WORD)
        w_plus = saved.array("w_plus", np.float32, self._w_plus.shape)
        adam = self._adam_of(saved, count)
        trace = saved.array("trace", np.float64, (count + 1, *self._handle_points.shape))
        height, width = self._image_size
        if (trace < 0).any() or (trace > (width - 1, height - 1)).any():
            raise InputError("trace leaves the image")
        latents = None
        if "latents" in saved.arrays:
            latents = saved.array("latents", np.float32, (count + 1, *self._w_plus.shape[1:]))
        if not (
            np.array_equal(trace[0], self._handle_points)
            and (count or np.array_equal(w_plus, self._w_plus))
            and (latents is None or np.array_equal(latents[-1:], w_plus))
        ):
            raise InputError("what it holds does not fit together")
        kept = None if latents is None else tuple(latent[None] for latent in latents)
        return DragProgress(w_plus, adam, tuple(self._steps_of(saved, trace[1:])), kept)

    def _adam_of(self, saved: SavedProgress, count: int) -> Adam:
        """The moments after so many steps."""
        settings = self._problem.settings
        shape = moments_shape(self._w_plus, settings) if count else ()
        is_shared = settings.shared_moment
        mean = saved.array("mean", np.float64, shape)
        square = saved.array("square", np.float64, (1,) * len(shape) if is_shared else shape)
        if (square < 0).any():
            raise InputError("square holds numbers below 0")
        return Adam(settings.step_size, count, mean, square, is_shared)

    def _steps_of(self, saved: SavedProgress, trace: Points) -> Iterator[DragStep]:
        """What the steps did that led to these places of the handles, [steps, n, 2]."""
        terms = checked_terms(entry(saved.facts, "terms"))
        losses = saved.array("losses", np.float64, (len(trace), len(terms)))
        seconds = saved.array("seconds", np.float64, (len(trace),))
        told = zip(trace, losses, seconds, strict=True)
        for number, (handle_points, parts, took) in enumerate(told, start=1):
            yield DragStep(
                number=number,
                handle_points=handle_points.copy(),
                distances=distances(handle_points, self._problem.target_points),
                losses=dict(zip(terms, parts.tolist(), strict=True)),
                seconds=float(took),
            )


def moments_shape(w_plus: Float32, settings: DragSettings) -> tuple[int, ...]:
    """The shape of the gradient that Adam takes: of all trained layers, or summed into one w."""
    layers = 1 if settings.space == "w" else settings.trainable_layers
    return (1, layers, w_plus.shape[2])

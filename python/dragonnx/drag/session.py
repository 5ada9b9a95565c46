"""A drag as an iterator: each step pulls the handles towards their targets and finds them again."""

from __future__ import annotations

import enum
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragonnx import _core
from dragonnx.drag.config import DragConfig, DragSettings
from dragonnx.drag.mask import checked_mask
from dragonnx.drag.points import checked_pairs, distances
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.step import HostState, step_for
from dragonnx.model.generator import Generator
from dragonnx.types import Points


class Outcome(enum.Enum):
    """How a drag ended."""

    REACHED = "reached"
    MAX_STEPS = "max_steps"
    CANCELLED = "cancelled"

    @property
    def advice(self) -> str:
        """What it means and what to do, in a sentence."""
        return _ADVICE[self]


_ADVICE = {
    Outcome.REACHED: "Every handle point reached its target point.",
    Outcome.MAX_STEPS: (
        "The step limit came before every target point was reached: allow more steps, take a "
        "larger step size, or choose target points that the model can show."
    ),
    Outcome.CANCELLED: "The drag was stopped; the picture is as far as it got.",
}


@dataclass(frozen=True)
class DragStep:
    """What one step did.

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

    @property
    def loss(self) -> float:
        """All parts together (equation 1)."""
        return sum(self.losses.values())


class DragSession:
    """Drags handle points to target points by optimising a latent. Iterate over it for the steps.

    Args:
        generator: The model.
        w_plus: The latent to start from, [1, num_ws, w_dim]; it is not changed.
        handle_points: n points (x, y) on the image, in pixels.
        target_points: Where each is to go, likewise.
        mask: bool [H, W], True where pixels may move; None lets all move.
        config: What a user chose; the rest is what suits the model.

    Raises:
        InputError: A point, the mask, the latent or a setting does not fit the model.
    """

    def __init__(
        self,
        generator: Generator,
        w_plus: ArrayLike,
        handle_points: ArrayLike,
        target_points: ArrayLike,
        mask: ArrayLike | None = None,
        config: DragConfig | None = None,
    ) -> None:
        m = generator.manifest
        self._w_plus = generator.checked_w_plus(w_plus).copy()
        self._handles, self._targets = checked_pairs(handle_points, target_points, m.image_size)
        self.settings: DragSettings = (config or DragConfig()).settings(
            image_height=m.image_size[0],
            point_count=len(self._handles),
            trainable_layers=m.trainable_layers,
            recommended=m.drag_settings,
        )
        problem = DragProblem(
            settings=self.settings,
            target_points=self._targets,
            mask=checked_mask(mask, m.image_size),
            threads=_core.Threads(generator.threads),
        )
        self._method = step_for(generator, problem)
        self._cancelled = threading.Event()
        self._state: HostState | None = None
        self._last_step: DragStep | None = None
        self._outcome: Outcome | None = None

    @property
    def w_plus(self) -> NDArray[np.float32]:
        """The latent as far as it got, [1, num_ws, w_dim]."""
        return (self._w_plus if self._state is None else self._state.w_plus).copy()

    @property
    def handle_points(self) -> Points:
        """Where the handles are now, [n, 2]."""
        return self._at().copy()

    @property
    def target_points(self) -> Points:
        """Where they are to go, [n, 2]."""
        return self._targets.copy()

    @property
    def distances(self) -> NDArray[np.float64]:
        """How far each handle is from its target, in pixels, [n]."""
        return distances(self._at(), self._targets)

    @property
    def steps(self) -> int:
        """How many steps were done."""
        return 0 if self._last_step is None else self._last_step.number

    @property
    def last_step(self) -> DragStep | None:
        """What the last step did; None before the first."""
        return self._last_step

    @property
    def outcome(self) -> Outcome | None:
        """How the drag ended; None while it has not."""
        return self._outcome

    def cancel(self) -> None:
        """End the drag before its next step. May be called from any thread."""
        self._cancelled.set()

    def __iter__(self) -> DragSession:
        return self

    def __next__(self) -> DragStep:
        """Do one step.

        Raises:
            StopIteration: The drag has ended; `outcome` says how.
            InputError: The optimisation left the range of numbers: the step size is too large.
        """
        if self._outcome is not None:
            raise StopIteration
        began = time.perf_counter()
        if self._state is None:
            self._state = self._method.init(self._w_plus, self._handles)
        self._outcome = self._judge()
        if self._outcome is not None:
            raise StopIteration
        after, losses = self._method.step(self._state)
        step = DragStep(
            number=self.steps + 1,
            handle_points=after.handle_points.copy(),
            distances=distances(after.handle_points, self._targets),
            losses=losses,
            seconds=time.perf_counter() - began,
        )
        # Both at once, so that an interrupt leaves a latent and the step that led to it.
        self._state, self._last_step = after, step
        return step

    def _judge(self) -> Outcome | None:
        """Whether the drag is over before another step."""
        if (self.distances <= self.settings.stop_distance).all():
            return Outcome.REACHED
        if self._cancelled.is_set():
            return Outcome.CANCELLED
        return Outcome.MAX_STEPS if self.steps >= self.settings.max_steps else None

    def _at(self) -> Points:
        return self._handles if self._state is None else self._state.handle_points

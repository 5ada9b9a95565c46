"""A drag as an iterator: each step pulls the handles towards their targets and finds them again."""

from __future__ import annotations

import enum
import threading
import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dragonnx import _core
from dragonnx.drag.adam import Adam
from dragonnx.drag.config import DragConfig, DragSettings
from dragonnx.drag.feature_source import Features, FeatureSource
from dragonnx.drag.mask import checked_mask
from dragonnx.drag.points import checked_pairs, distances
from dragonnx.drag.supervision import MaskTerm, supervise
from dragonnx.drag.tracking import reference_features, track
from dragonnx.errors import InputError
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
        motion_loss: The motion supervision part of the loss that this step descended.
        mask_loss: The mask part, its weight included; 0 without a mask.
        seconds: How long the step took.
    """

    number: int
    handle_points: Points
    distances: NDArray[np.float64]
    motion_loss: float
    mask_loss: float
    seconds: float

    @property
    def loss(self) -> float:
        """Both parts together (equation 1)."""
        return self.motion_loss + self.mask_loss


class DragSession:
    """Drags handle points to target points by optimising a latent. Iterate over it for the steps.

    Args:
        generator: The model.
        w_plus: The latent to start from, [1, num_ws, w_dim]; it is not changed.
        handle_points: n points (x, y) on the image, in pixels.
        target_points: Where each is to go, likewise.
        mask: bool [H, W], True where pixels may move; None lets all move.
        config: What a person chose; the rest is what suits the model.

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
        self._mask = checked_mask(mask, m.image_size)
        self.settings: DragSettings = (config or DragConfig()).settings(
            image_height=m.image_size[0],
            point_count=len(self._handles),
            trainable_layers=m.trainable_layers,
            recommended=m.drag_settings,
        )
        self._source = FeatureSource(
            generator,
            self.settings,
            len(self._handles),
            whole=self._mask is not None or not self.settings.windows,
        )
        self._threads = _core.Threads(generator.threads)
        self._adam = Adam(self.settings.step_size)
        self._cancelled = threading.Event()
        self._started: _Started | None = None
        self._steps = 0
        self._last_step: DragStep | None = None
        self._outcome: Outcome | None = None

    @property
    def w_plus(self) -> NDArray[np.float32]:
        """The latent as far as it got, [1, num_ws, w_dim]."""
        return self._w_plus.copy()

    @property
    def handle_points(self) -> Points:
        """Where the handles are now, [n, 2]."""
        return self._handles.copy()

    @property
    def target_points(self) -> Points:
        """Where they are to go, [n, 2]."""
        return self._targets.copy()

    @property
    def distances(self) -> NDArray[np.float64]:
        """How far each handle is from its target, in pixels, [n]."""
        return distances(self._handles, self._targets)

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
        if self._started is None:
            self._started = self._start()
        self._outcome = self._judge()
        if self._outcome is not None:
            raise StopIteration
        state = self._started
        features = self._source.around(state.features, self._handles)
        loss = supervise(
            features.windows,
            self._handles,
            self._targets,
            self.settings,
            state.fixed,
            self._threads,
        )
        w_plus = self._updated(self._source.pullback(features, loss.grad_features))
        features = self._source.at(w_plus, self._handles)
        handles = track(features.windows, self._handles, state.references, self.settings)
        step = DragStep(
            number=self._steps + 1,
            handle_points=handles.copy(),
            distances=distances(handles, self._targets),
            motion_loss=loss.motion_loss,
            mask_loss=loss.mask_loss,
            seconds=time.perf_counter() - began,
        )
        # All at once, so that an interrupt leaves a latent and the handles that belong to it.
        state.features, self._w_plus, self._handles, self._steps, self._last_step = (
            features, w_plus, handles, step.number, step
        )  # fmt: skip
        return step

    def _start(self) -> _Started:
        """The feature map before the first step, and what later steps compare with."""
        features = self._source.at(self._w_plus, self._handles)
        fixed = None
        if self._mask is not None:
            plan = _core.MaskPlan(self._mask, features.windows.plan.feature_size)
            fixed = MaskTerm(plan, features.windows.values[0].copy())
        return _Started(features, reference_features(features.windows, self._handles), fixed)

    def _judge(self) -> Outcome | None:
        """Whether the drag is over before another step."""
        if (self.distances <= self.settings.stop_distance).all():
            return Outcome.REACHED
        if self._cancelled.is_set():
            return Outcome.CANCELLED
        return Outcome.MAX_STEPS if self._steps >= self.settings.max_steps else None

    def _updated(self, gradient: NDArray[np.float32]) -> NDArray[np.float32]:
        """The latent after one Adam step on its first layers."""
        layers = self.settings.trainable_layers
        gradient = gradient[:, :layers]
        if self.settings.space == "w":
            # One w behind all trained layers: its gradient is the sum of theirs.
            gradient = gradient.sum(axis=1, keepdims=True)
        w_plus = self._w_plus.copy()
        w_plus[:, :layers] += self._adam.update(gradient)
        if not np.isfinite(w_plus).all():
            raise InputError(
                f"the drag diverged after {self._steps} steps: take a smaller step size than "
                f"{self.settings.step_size:g}"
            )
        return w_plus


@dataclass
class _Started:
    """What a running drag carries from step to step."""

    features: Features
    references: NDArray[np.float32]
    fixed: MaskTerm | None

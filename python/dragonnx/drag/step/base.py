"""What every way to do a step has in common, wherever it computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, TypeVar

from dragonnx.types import Float32, Points


class DragState(Protocol):
    """What a drag carries from step to step. A value: a step gives a new one."""

    @property
    def w_plus(self) -> Float32:
        """The latent, [1, num_ws, w_dim]."""
        ...

    @property
    def handle_points(self) -> Points:
        """Where the handles are in the latent's image, (x, y) in pixels, [n, 2]."""
        ...


State = TypeVar("State", bound=DragState)


class StepMethod(Protocol[State]):
    """A way to do a step: motion supervision, one Adam step, point tracking."""

    def init(self, w_plus: Float32, handle_points: Points) -> State:
        """The state before the first step.

        Args:
            w_plus: The latent to start from, [1, num_ws, w_dim].
            handle_points: The handles in its image, [n, 2].
        """
        ...

    def step(self, state: State) -> tuple[State, Mapping[str, float]]:
        """The state after one more step, and the losses that it descended, by term.

        Raises:
            InputError: The optimisation left the range of numbers.
        """
        ...

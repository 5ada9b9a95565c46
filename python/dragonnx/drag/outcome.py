"""How a drag ended: a word for programs, a sentence for users."""

from __future__ import annotations

import enum


class Outcome(enum.Enum):
    """How a drag ended."""

    REACHED = "reached"
    STALLED = "stalled"
    MAX_STEPS = "max_steps"
    CANCELLED = "cancelled"

    @property
    def advice(self) -> str:
        """What it means and what to do, in a sentence."""
        return _ADVICE[self]


_ADVICE = {
    Outcome.REACHED: "Every handle point reached its target point.",
    Outcome.STALLED: (
        "The handles come no nearer to their targets: choose nearer targets, handles on clearer features "
        "such as corners and edges, or let a larger region move."
    ),
    Outcome.MAX_STEPS: (
        "The step limit came before every target point was reached: allow more steps, take a "
        "larger step size, or choose target points that the model can show."
    ),
    Outcome.CANCELLED: "The drag was stopped; the picture is as far as it got.",
}

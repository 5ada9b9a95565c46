"""What a paused drag needs beside its result to go on as if it had never been paused."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dragonnx.drag.progress import LONGEST_WORD, checked_terms
from dragonnx.drag.progress_file import SavedProgress
from dragonnx.errors import InputError
from dragonnx.reading import values
from dragonnx.reading.array_values import checked_array
from dragonnx.types import Array, Float32, Float64, Points


@dataclass(frozen=True, eq=False)
class PausedDrag:
    """A drag that was paused after some steps: what a result does not tell.

    Attributes:
        key: Of all that must be the same for it to go on, as progress files have it.
        terms: The parts of its loss.
        computed_on: Where its steps were computed, for users.
        mean: Of Adam, [1, layers, w_dim].
        square: Likewise, or [1, 1, 1] where all share it.
        losses: Of each step and term, [steps, terms].
        seconds: That each step took, [steps].

    Raises:
        InputError: A value is of another type or out of range, or the arrays do not belong together.
    """

    key: str
    terms: tuple[str, ...]
    computed_on: str
    mean: Float64
    square: Float64
    losses: Float64
    seconds: Float64

    def __post_init__(self) -> None:
        terms = checked_terms(self.terms)
        mean = checked_array(self.mean, "mean", (1, "layers", "w_dim"), np.float64)
        square = checked_array(self.square, "square", (1, "layers", "w_dim"), np.float64)
        losses = checked_array(self.losses, "losses", ("steps", len(terms)), np.float64)
        if square.shape not in (mean.shape, (1, 1, 1)):
            raise InputError(
                f"square must have the shape of mean or [1, 1, 1], not {list(square.shape)}"
            )
        if (square < 0).any():
            raise InputError("square holds numbers below 0")
        if not len(losses):
            raise InputError("losses must be of one step at least")
        values.set_fields(
            self,
            key=values.text(self.key, "key", LONGEST_WORD),
            terms=terms,
            computed_on=values.text(self.computed_on, "computed_on", LONGEST_WORD),
            mean=mean,
            square=square,
            losses=losses,
            seconds=checked_array(self.seconds, "seconds", (len(losses),), np.float64),
        )

    @classmethod
    def of(cls, saved: SavedProgress) -> PausedDrag:
        """Of what a progress file would hold."""
        facts, arrays = saved.facts, saved.arrays
        return cls(
            key=facts["key"],
            terms=tuple(facts["terms"]),
            computed_on=facts["computed_on"],
            mean=arrays["mean"],
            square=arrays["square"],
            losses=arrays["losses"],
            seconds=arrays["seconds"],
        )

    @property
    def steps(self) -> int:
        """How many steps it made."""
        return len(self.losses)

    def arrays(self) -> dict[str, Array]:
        """Its arrays by name."""
        return {
            "mean": self.mean, "square": self.square, "losses": self.losses, "seconds": self.seconds
        }  # fmt: skip

    def saved(self, trace: Points, w_plus: Float32, latents: Float32 | None) -> SavedProgress:
        """What a progress file of it would hold.

        Args:
            trace: Its handles, [steps + 1, n, 2].
            w_plus: What it reached, [1, num_ws, w_dim].
            latents: Before its first step and after each; None where they are not kept.
        """
        facts = {
            "key": self.key,
            "steps": self.steps,
            "terms": list(self.terms),
            "computed_on": self.computed_on,
        }
        arrays = {**self.arrays(), "trace": trace, "w_plus": w_plus}
        return SavedProgress(facts, arrays if latents is None else {**arrays, "latents": latents})

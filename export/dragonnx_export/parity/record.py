"""How far the outputs of graphs lie from torch: measured, written down, held to their bounds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import DragonnxError
from dragonnx.model.facts import ParityRecord

VALUE_TOLERANCE = 2e-5
GRADIENT_TOLERANCE = 1e-4


class ParityError(DragonnxError):
    """A graph gives something else than torch."""


@dataclass(frozen=True)
class Difference:
    """Between one output and its reference, for one seed."""

    absolute: float
    relative: float
    seed: int

    @classmethod
    def between(
        cls, measured: NDArray[Any], expected: NDArray[np.float64], seed: int
    ) -> Difference:
        """The largest, absolute and over the reference's largest absolute value.

        Of a reference that is zero everywhere, as where all is clamped, nothing may differ.
        """
        absolute, scale = (float(np.abs(each).max()) for each in (measured - expected, expected))
        if scale == 0:
            return cls(absolute, 0.0 if absolute == 0 else math.inf, seed)
        return cls(absolute, absolute / scale, seed)


def parity_record(
    reference: str,
    graph: str,
    output: str,
    found: Sequence[Difference],
    *,
    value_reason: str,
    gradient_reason: str,
) -> ParityRecord:
    """The record of an output, whose bound is that of values, or of gradients by its name."""
    gradient = output.startswith("grad_")
    # A maximum of NaN must be NaN, which Python's max does not promise.
    return ParityRecord(
        graph=graph,
        output=output,
        reference=reference,
        max_absolute=_two_digits(float(np.max([each.absolute for each in found]))),
        max_relative=_two_digits(float(np.max([each.relative for each in found]))),
        tolerance=GRADIENT_TOLERANCE if gradient else VALUE_TOLERANCE,
        reason=gradient_reason if gradient else value_reason,
        seeds=tuple(sorted({each.seed for each in found})),
    )


def refuse_failed(records: Sequence[ParityRecord], what: str) -> None:
    """Refuse graphs that do not equal torch.

    Args:
        records: All that was measured.
        what: What the graphs were made from, for the message.

    Raises:
        ParityError: Some output exceeds its tolerance; the message names them all.
    """
    failed = [r for r in records if not r.max_relative <= r.tolerance]
    if failed:
        listed = "; ".join(
            f"{r.graph}.{r.output} differs from {r.reference} by {r.max_relative:.1e} "
            f"(bound {r.tolerance:.0e})"
            for r in failed
        )
        raise ParityError(f"the exported graphs do not equal the {what}: {listed}")


def _two_digits(value: float) -> float:
    """More digits of a rounding error say nothing."""
    return float(f"{value:.1e}")

"""What a drag is to do: everything that stays the same from its first step to its last."""

from __future__ import annotations

from dataclasses import dataclass

from dragonnx import _core
from dragonnx.drag.config import DragSettings
from dragonnx.drag.descriptor import Descriptor
from dragonnx.types import Float32, Mask, Points


@dataclass(frozen=True, eq=False)
class DragProblem:
    """Checked and complete.

    Attributes:
        settings: What the drag runs with.
        target_points: Where the handles are to go, (x, y) in pixels, [n, 2].
        mask: bool [H, W], True where pixels may move; None where all may.
        threads: What the kernels may use.
        basis: The coordinates that Adam descends in, a direction of w a row, [k, w_dim]; None for w
            itself.
        descriptor: What maps features before point tracking compares them; None for nothing.
    """

    settings: DragSettings
    target_points: Points
    mask: Mask | None
    threads: _core.Threads
    basis: Float32 | None = None
    descriptor: Descriptor | None = None

    @property
    def around(self) -> int:
        """How many cells on each side of a cell point tracking reads with it."""
        return self.descriptor.around if self.descriptor else 0

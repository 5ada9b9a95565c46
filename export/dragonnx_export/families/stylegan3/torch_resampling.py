"""Raising and lowering the rate of maps in torch: zeros between, a filter, every so many-th cell."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

_BLOCK = 32
"""Cells that one product gives. Larger ones multiply with more zeros, smaller ones copy more."""


@dataclass(frozen=True)
class Resampling:
    """What is done along both axes of a map.

    Attributes:
        up: The cell i goes to `up * i + before` in a row of zeros.
        down: Of what the filter gives of that row, every so many-th cell is kept.
        before: Cells before the first one; it is cut off where that is negative.
        length: How many are kept.
    """

    up: int
    down: int
    before: int
    length: int

    def of(self, x: Tensor, taps: Tensor) -> Tensor:
        """[1, C, h, w] to [1, C, length, length], with a filter [k].

        Products with a small matrix, the same for every block of cells: in torch they are much faster
        than convolutions of one channel.
        """
        matrix, first, step = self._block(taps)
        blocks = -(-self.length // len(matrix))
        read = (blocks - 1) * step + matrix.shape[1]
        for axis in (2, 3):
            after = read + first - x.shape[axis]
            x = F.pad(x, [-first, after] if axis == 3 else [0, 0, -first, after])
            each = x.unfold(axis, matrix.shape[1], step)
            if axis == 2:  # (1, C, blocks, w, read)
                x = (matrix @ each.transpose(3, 4)).flatten(2, 3)[:, :, : self.length]
            else:
                x = (each @ matrix.T).flatten(3, 4)[..., : self.length]
        return x

    def _block(self, taps: Tensor) -> tuple[Tensor, int, int]:
        """What a block of kept cells is of those that it reads.

        Returns:
            The product's matrix [kept, read]; the cell that the first block reads first, negative where
            that is a zero before the map; and how many cells further each other block begins.
        """
        size = _BLOCK + -_BLOCK % self.up
        last = (size - 1) * self.down + len(taps) - 1
        first, end = -(self.before // self.up), (last - self.before) // self.up + 1
        kept = torch.arange(size)[:, None] * self.down
        tap = torch.arange(first, end) * self.up + self.before - kept
        read = (tap >= 0) & (tap < len(taps))
        matrix = torch.where(read, taps.flip(0)[tap.clamp(0, len(taps) - 1)], 0)
        return matrix, first, size * self.down // self.up

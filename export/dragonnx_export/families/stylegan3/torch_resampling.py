"""Raising and lowering the rate of maps in torch: zeros between, a filter, every so many-th cell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

_BLOCK = 48
"""Cells that one product gives. Larger ones multiply with more zeros, smaller ones take more calls."""


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
        for axis in (3, 2):  # along rows of the map first, as the format's own code does
            blocks = _Blocks(axis, x.shape[axis], self.length, *self._block(taps))
            x = _Products.apply(x, blocks)
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


@dataclass(frozen=True)
class _Blocks:
    """Cells along an axis, each a product of some that are read; see `Resampling._block`."""

    axis: int
    cells: int
    kept: int
    matrix: Tensor
    first: int
    step: int

    def __iter__(self) -> Iterator[tuple[slice, slice, Tensor]]:
        """Which cells a block gives, which it reads, and its matrix. What lies beyond the map is zero."""
        size, reads = self.matrix.shape
        for number, start in enumerate(range(0, self.kept, size)):
            given = slice(start, min(start + size, self.kept))
            lowest = self.first + number * self.step
            read = slice(max(lowest, 0), min(lowest + reads, self.cells))
            rows = slice(given.stop - given.start)
            yield given, read, self.matrix[rows, read.start - lowest : read.stop - lowest]

    def some(self, x: Tensor, cells: slice) -> Tensor:
        """Some cells along the axis."""
        return x[:, :, cells] if self.axis == 2 else x[..., cells]

    def product(self, matrix: Tensor, x: Tensor) -> Tensor:
        """A matrix times what lies along the axis."""
        return matrix @ x if self.axis == 2 else x @ matrix.T


class _Products(torch.autograd.Function):
    """All blocks of an axis. Torch's own way back through them would add up a whole map for each."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, blocks: _Blocks) -> Tensor:
        ctx.blocks = blocks
        parts = [blocks.product(matrix, blocks.some(x, read)) for _, read, matrix in blocks]
        return torch.cat(parts, dim=blocks.axis)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        blocks, (grad,) = ctx.blocks, grads
        shape = list(grad.shape)
        shape[blocks.axis] = blocks.cells
        given_back = grad.new_zeros(shape)
        for given, read, matrix in blocks:
            of_block = blocks.product(matrix.T, blocks.some(grad, given))
            blocks.some(given_back, read).add_(of_block)
        return given_back, None

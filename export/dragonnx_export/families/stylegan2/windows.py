"""Windows in a graph: a layer's output is computed only where it is needed.

Once styles are fixed a StyleGAN2 network is local, since demodulation depends on weights and styles
alone: from the cut on, each block computes one window around each handle, and windows are a batch
axis. What belongs to a window comes as inputs, so that any number and size of windows fits one graph:

    rows_R, columns_R              int64 [n, s + 2]: which rows and columns of the block of
                                   resolution R a window's first layer gives; one beyond each side
                                   of what its second layer gives, so -1 or the block's size may occur
    row_filter_R, column_filter_R  float32 [n, 1, s + 2, m]: those rows of the low-pass filter that
                                   follows the transposed convolution, whose output has m of them;
                                   zero outside the image, where the next layer is to see zeros

Filtering and cutting out are one pair of matrix products, and so is their adjoint. A residual block's
skip layer is upsampled by the same filter: its cells stand where the middle tap of the transposed
convolution puts them, in every other of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from onnx import TensorProto

from dragonnx_export.families.stylegan2.layers import SynthesisBlock, SynthesisLayer
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant


@dataclass(frozen=True)
class Window:
    """The inputs that tell one block's windows, by tensor name."""

    resolution: int
    size: tuple[int, int]
    rows: str
    columns: str
    row_filter: str
    column_filter: str

    @classmethod
    def declare(cls, graph: GraphBuilder, resolution: int, size: tuple[int, int]) -> Window:
        """Declare the window inputs of a block of that size: height, width."""
        window = cls(resolution, size, *(f"{kind}_{resolution}" for kind in
                     ("rows", "columns", "row_filter", "column_filter")))  # fmt: skip
        for name in (window.rows, window.columns):
            graph.input(name, ["windows", f"side_{name}"], TensorProto.INT64)
        for name in (window.row_filter, window.column_filter):
            graph.input(name, ["windows", 1, f"side_{name}", f"source_{name}"])
        return window

    def filtered(self, graph: GraphBuilder, x: str) -> str:
        """The low-pass filtered windows [n, C, s + 2, s + 2] of x [n or 1, C, m, m]."""
        rows = graph.op("MatMul", self.row_filter, x)
        return graph.op("MatMul", rows, _transposed(graph, self.column_filter))

    def filtered_adjoint(self, graph: GraphBuilder, grad: str) -> str:
        """dL/dx [n, C, m, m] from dL/d(filtered) [n, C, s + 2, s + 2]."""
        rows = graph.op("MatMul", _transposed(graph, self.row_filter), grad)
        return graph.op("MatMul", rows, self.column_filter)

    def upsampled(self, graph: GraphBuilder, x: str) -> str:
        """The windows [n, C, s, s] of x [n or 1, C, k, k] at twice its size."""
        rows = graph.op("MatMul", self._upsampling(graph, self.row_filter), x)
        columns = self._upsampling(graph, self.column_filter)
        return graph.op("MatMul", rows, _transposed(graph, columns))

    def upsampled_adjoint(self, graph: GraphBuilder, grad: str) -> str:
        """dL/dx [n, C, k, k] from dL/d(upsampled) [n, C, s, s]."""
        rows = _transposed(graph, self._upsampling(graph, self.row_filter))
        return graph.op(
            "MatMul",
            graph.op("MatMul", rows, grad),
            self._upsampling(graph, self.column_filter),
        )

    def inside(self, graph: GraphBuilder) -> str:
        """1 where a cell lies inside the image, else 0: [n, 1, s + 2, s + 2]."""
        rows, columns = (
            graph.op("Cast", _is_inside(graph, cells, length), to=TensorProto.FLOAT)
            for cells, length in zip((self.rows, self.columns), self.size, strict=True)
        )
        vertical = graph.reshape(rows, (0, 1, -1, 1))
        return graph.op("Mul", vertical, graph.reshape(columns, (0, 1, 1, -1)))

    def noise(self, graph: GraphBuilder, layer: SynthesisLayer, values: Constant) -> str:
        """The windows of a layer's noise [1, 1, height, width], zero outside the image."""
        height, width = self.size
        rows = _selector(graph, self.rows, layer, height)
        columns = _transposed(graph, _selector(graph, self.columns, layer, width))
        everywhere = graph.constant(values)
        return graph.op("MatMul", graph.op("MatMul", rows, everywhere), columns)

    def _upsampling(self, graph: GraphBuilder, filter_: str) -> str:
        """The upsampling by two of the second layer's cells, [n, 1, s, k]."""
        first, end = np.array([1, 1], np.int64), np.array([-1, np.iinfo(np.int64).max], np.int64)
        axes, steps = np.array([2, 3], np.int64), np.array([1, 2], np.int64)
        arguments = (graph.constant(part) for part in (first, end, axes, steps))
        return graph.op("Slice", filter_, *arguments)


def declare_windows(
    graph: GraphBuilder, cut: int | None, blocks: Sequence[SynthesisBlock]
) -> dict[int, Window]:
    """The windows of the blocks from the cut on, by resolution; none where there is no cut."""
    if cut is None:
        return {}
    return {
        block.resolution: Window.declare(graph, block.resolution, block.layers[-1].size)
        for block in blocks
        if block.resolution >= cut
    }


def map_shape(layer: SynthesisLayer, window: Window | None = None) -> list[int | str]:
    """The shape of a layer's output, for the declaration of an input or output."""
    if window is None:
        return ["batch", layer.outputs, *layer.size]
    name = f"layer_{layer.index}"
    return ["windows", layer.outputs, f"height_{name}", f"width_{name}"]


def _transposed(graph: GraphBuilder, matrix: str) -> str:
    return graph.op("Transpose", matrix, perm=[0, 1, 3, 2])


def _selector(graph: GraphBuilder, cells: str, layer: SynthesisLayer, length: int) -> str:
    """One-hot rows [n, 1, cells, length] that pick the cells that a layer gives."""
    if not layer.upsamples:  # the second layer gives one cell less on each side
        bounds = (graph.constant(np.array([k], np.int64)) for k in (1, -1, 1))
        cells = graph.op("Slice", cells, *bounds)
    everywhere = graph.constant(np.arange(length, dtype=np.int64))
    chosen = graph.op("Equal", graph.reshape(cells, (0, 1, -1, 1)), everywhere)
    return graph.op("Cast", chosen, to=TensorProto.FLOAT)


def _is_inside(graph: GraphBuilder, cells: str, length: int) -> str:
    first, end = (graph.constant(np.array(k, np.int64)) for k in (-1, length))
    return graph.op("And", graph.op("Greater", cells, first), graph.op("Less", cells, end))

"""Windows in a graph: a layer's output is computed only where it is needed.

Once styles are fixed a StyleGAN2 network is local, since demodulation depends on weights and styles
alone: from the cut on, each block computes one window around each handle, and windows are a batch
axis. What belongs to a window comes as inputs, so that any number and size of windows fits one graph:

    row_taps_R      float32 [n, 1, s + 2, m + 1]: for the block of resolution R, those rows of the
                    low-pass filter that follows the transposed convolution, whose output has m of
                    them, which a window's first layer gives; one beyond each side of what its second
                    layer gives. They are zero outside the image, where the next layer is to see zeros
    column_taps_R   float32 [n, 1, m + 1, s + 2]: likewise its columns, turned
    cells_R         int64 [n, 1, s + 2, s + 2]: which cells of the map these are, counted row by row;
                    the number of cells stands for all that lie outside
    inner_cells_R   int64 [n, 1, s, s]: which cells the second layer gives

Filtering and cutting out are one pair of matrix products, and so is their adjoint. The last tap of a
row reads one more row that the transposed convolution gives, where nothing but its bias is: the tap
is what the other taps lack to a sum of one, or of zero outside the image. So the bias passes the
filter unchanged and vanishes outside, and nothing needs to be masked.

A residual block's skip layer is upsampled by the same filter: its cells stand where the middle tap
of the transposed convolution puts them, in every other of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from onnx import TensorProto

from dragonnx_export.families.stylegan2.layers import SynthesisBlock, SynthesisLayer
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant

_ROWS, _COLUMNS = 2, 3


class Window:
    """One block's windows. What a graph reads of them becomes its input when first asked for.

    Args:
        graph: Where nodes and inputs go.
        resolution: The block's.
    """

    def __init__(self, graph: GraphBuilder, resolution: int) -> None:
        self._graph = graph
        self._resolution = resolution
        self._declared: set[str] = set()

    def upsampled_convolution(self, x: str, kernel: str, bias: str) -> str:
        """The windows [n, C, s + 2, s + 2] of x [n or 1, I, k, k] at twice its size.

        Args:
            x: The input of a convolution that upsamples.
            kernel: Its weights [I, C, 3, 3].
            bias: What is added inside the image, [C].
        """
        options = {"strides": [2, 2], "output_padding": [1, 1]}
        x = self._graph.op("ConvTranspose", x, kernel, bias, **options)
        return self._graph.op(
            "MatMul", self._graph.op("MatMul", self._row_taps(), x), self._column_taps()
        )

    def filtered_adjoint(self, grad: str) -> str:
        """The gradient [n, C, m + 1, m + 1] at the transposed convolution's output."""
        rows, columns = (
            self._graph.op("Transpose", taps, perm=[0, 1, 3, 2])
            for taps in (self._row_taps(), self._column_taps())
        )
        return self._graph.op("MatMul", self._graph.op("MatMul", rows, grad), columns)

    def upsampled(self, x: str) -> str:
        """The windows [n, C, s, s] of x [n or 1, C, k, k] at twice its size."""
        rows, columns = self._upsampling()
        return self._graph.op("MatMul", self._graph.op("MatMul", rows, x), columns)

    def upsampled_adjoint(self, grad: str) -> str:
        """dL/dx [n, C, k, k] from dL/d(upsampled) [n, C, s, s]."""
        rows, columns = (
            self._graph.op("Transpose", taps, perm=[0, 1, 3, 2]) for taps in self._upsampling()
        )
        return self._graph.op("MatMul", self._graph.op("MatMul", rows, grad), columns)

    def noise(self, cells: Constant, *, upsamples: bool) -> str:
        """The windows [n, 1, ...] of a layer's noise, which is zero outside the image."""
        inner = "" if upsamples else "inner_"
        r = self._resolution
        shape: list[int | str] = ["windows", 1, f"{inner}rows_{r}", f"{inner}columns_{r}"]
        indices = self._input(f"{inner}cells", shape, TensorProto.INT64)
        return self._graph.op("Gather", self._graph.constant(cells), indices)

    def _row_taps(self) -> str:
        r = self._resolution
        return self._input("row_taps", ["windows", 1, f"rows_{r}", f"source_rows_{r}"])

    def _column_taps(self) -> str:
        r = self._resolution
        return self._input("column_taps", ["windows", 1, f"source_columns_{r}", f"columns_{r}"])

    def _input(
        self,
        kind: str,
        shape: Sequence[int | str],
        dtype: int = TensorProto.FLOAT,
    ) -> str:
        name = f"{kind}_{self._resolution}"
        if name not in self._declared:
            self._declared.add(name)
            self._graph.input(name, shape, dtype)
        return name

    def _upsampling(self) -> tuple[str, str]:
        """The upsampling by two of the second layer's cells, [n, 1, s, k] and [n, 1, k, s]."""
        first, end = np.array([1, 1], np.int64), np.array([-1, -1], np.int64)
        axes = np.array([_ROWS, _COLUMNS], np.int64)

        def every_other(taps: str, along: int) -> str:
            steps = np.where(axes == along, 2, 1)
            arguments = (self._graph.constant(part) for part in (first, end, axes, steps))
            return self._graph.op("Slice", taps, *arguments)

        return (
            every_other(self._row_taps(), _COLUMNS),
            every_other(self._column_taps(), _ROWS),
        )


def windows_of(
    graph: GraphBuilder, cut: int | None, blocks: Sequence[SynthesisBlock]
) -> dict[int, Window]:
    """The windows of the blocks from the cut on, by resolution; none where there is no cut."""
    if cut is None:
        return {}
    return {
        block.resolution: Window(graph, block.resolution)
        for block in blocks
        if block.resolution >= cut
    }


def map_shape(layer: SynthesisLayer, window: Window | None = None) -> list[int | str]:
    """The shape of a layer's output, for the declaration of an input or output."""
    if window is None:
        return [1, layer.outputs, *layer.size]
    inner = "" if layer.upsamples else "inner_"
    sides = (f"{inner}{side}_{layer.resolution}" for side in ("rows", "columns"))
    return ["windows", layer.outputs, *sides]

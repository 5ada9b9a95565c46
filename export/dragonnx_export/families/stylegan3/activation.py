"""The filtered leaky ReLU: raise the rate, bend and clamp, lower it; and the way back.

What is bent at the raised rate is not kept, since it is 4 to 16 times the map that it comes from: the
pullback raises that once more, for the slopes.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan3.layers import LEAK, SynthesisLayer
from dragonnx_export.families.stylegan3.windows import LayerWindow
from dragonnx_export.graphs.builder import GraphBuilder

_RAISED_BYTES_PER_PIXEL = 672
"""Of a map at the raised rate, for a pixel of the image: the largest have four times as many, of which a
pullback needs four. Smaller parts read the matrices, which at 1024 px have 9 MB, too often."""
_BAND = 128
"""Rows of a resampling matrix that are one product: those of 512 px read a seventh of the map then."""
_STEEP = 1e30
"""Makes of any number that is not tiny one beyond 1, within float32."""


def raised(
    graph: GraphBuilder, layer: SynthesisLayer, convolved: str, window: LayerWindow | None = None
) -> str:
    """A convolution's map, bias added, at the raised rate; the activation's gain is in it."""
    if window:
        return window.raised(convolved)
    if _is_plain(layer):
        return convolved
    matrix = layer.raise_rows.values
    return _along_rows(graph, matrix, _along_columns(graph, matrix, convolved))


def activated(
    graph: GraphBuilder, layer: SynthesisLayer, convolved: str, window: LayerWindow | None = None
) -> str:
    """The layer's output [1, outputs, out_size, out_size], or windows of it."""
    if window:
        return window.lowered(_bent(graph, layer, window.raised(convolved)))
    parts = [
        _activated(
            graph,
            layer,
            _some(graph, convolved, part, axis=1, length=layer.facts.outputs),
            len(part),
        )
        for part in _parts(layer)
    ]
    return graph.stack(parts, axis=1)


def activation_backward(
    graph: GraphBuilder,
    layer: SynthesisLayer,
    convolved: str,
    grad: str,
    window: LayerWindow | None = None,
) -> str:
    """The gradient of the convolution's map from that of the layer's output."""
    if window:
        slopes = _slopes(graph, layer, window.raised(convolved))
        grad = _times(graph, window.lowered_adjoint(grad), slopes)
        return window.raised_adjoint(grad)
    parts = []
    for part in _parts(layer):
        own, own_grad = (
            _some(graph, each, part, axis=1, length=layer.facts.outputs)
            for each in (convolved, grad)
        )
        parts.append(_backward(graph, layer, own, own_grad, len(part)))
    return graph.stack(parts, axis=1)


def _parts(layer: SynthesisLayer) -> list[range]:
    """The channels in parts, so that little lies at the raised rate at a time."""
    facts = layer.facts
    bytes_of_all = 4 * facts.outputs * facts.raised_size**2
    most = _RAISED_BYTES_PER_PIXEL * layer.resolution**2
    count = min(-(-bytes_of_all // most), facts.outputs)
    ends = [facts.outputs * part // count for part in range(count + 1)]
    return [range(first, end) for first, end in pairwise(ends)]


def _activated(graph: GraphBuilder, layer: SynthesisLayer, convolved: str, channels: int) -> str:
    x = _bent(graph, layer, raised(graph, layer, convolved))
    if layer.facts.radial:
        kernel = graph.constant(layer.radial_kernel.first(channels))
        return graph.op("Conv", x, kernel, strides=[layer.facts.down] * 2, group=channels)
    matrix = layer.lower_rows.values
    return _along_columns(graph, matrix, _along_rows(graph, matrix, x))


def _bent(graph: GraphBuilder, layer: SynthesisLayer, x: str) -> str:
    """What is raised, through the leaky ReLU and the clamp."""
    if not layer.facts.colour:
        x = graph.op("LeakyRelu", x, alpha=LEAK)
    if (clamp := layer.facts.clamp) is not None:
        x = graph.op("Clip", x, graph.constant(-clamp), graph.constant(clamp))
    return x


def _slopes(graph: GraphBuilder, layer: SynthesisLayer, x: str) -> list[str]:
    """Factors of the gradient where x, which is raised, goes through `_bent`.

    They come before the gradient in the file, so that they are made after it: see `pull_back`.
    """
    factors = []
    if not layer.facts.colour:
        positive = graph.op("HardSigmoid", x, alpha=_STEEP, beta=0.0)
        factors.append(graph.op("Clip", positive, graph.constant(LEAK), graph.constant(1.0)))
    if layer.facts.clamp is not None:
        factors.append(_unclamped(graph, layer, layer.facts.clamp, x))
    return factors


def _times(graph: GraphBuilder, grad: str, slopes: list[str]) -> str:
    for slope in slopes:
        grad = graph.op("Mul", grad, slope)
    return grad


def _backward(
    graph: GraphBuilder, layer: SynthesisLayer, convolved: str, grad: str, channels: int
) -> str:
    facts = layer.facts
    x = raised(graph, layer, convolved)
    slopes = _slopes(graph, layer, x)
    if facts.radial:
        grad = _radial_adjoint(graph, layer, grad, channels)
    else:
        adjoint = layer.lower_rows.values.T
        grad = _along_rows(graph, adjoint, _along_columns(graph, adjoint, grad))
    grad = _times(graph, grad, slopes)
    if x == convolved:
        return grad
    adjoint = layer.raise_rows.values.T
    return _along_columns(graph, adjoint, _along_rows(graph, adjoint, grad))


def _along_rows(graph: GraphBuilder, matrix: NDArray[np.float32], maps: str) -> str:
    """A banded matrix times maps from the left: [out, in] and [1, C, in, w] give [1, C, out, w]."""
    return _along(graph, matrix, maps, axis=2)


def _along_columns(graph: GraphBuilder, matrix: NDArray[np.float32], maps: str) -> str:
    """The same from the right: [out, in] and [1, C, h, in] give [1, C, h, out]."""
    return _along(graph, matrix, maps, axis=3)


def _along(graph: GraphBuilder, matrix: NDArray[np.float32], maps: str, axis: int) -> str:
    parts = []
    for rows, read in _bands(matrix):
        part = _some(graph, maps, read, axis=axis, length=matrix.shape[1])
        band = matrix[rows.start : rows.stop, read.start : read.stop]
        factors = (graph.constant(band), part) if axis == 2 else (part, graph.constant(band.T))
        parts.append(graph.op("MatMul", *factors))
    return graph.stack(parts, axis=axis)


def _bands(matrix: NDArray[np.float32]) -> list[tuple[range, range]]:
    """Rows of a matrix in parts, and what each part reads: of a large one little is not zero."""
    count = -(-len(matrix) // _BAND)
    ends = [len(matrix) * part // count for part in range(count + 1)]
    bands = []
    for first, end in pairwise(ends):
        used = np.flatnonzero(matrix[first:end].any(axis=0))
        read = (
            range(int(used[0]), int(used[-1]) + 1)
            if count > 1 and len(used)
            else range(matrix.shape[1])
        )
        bands.append((range(first, end), read))
    return bands


def _some(graph: GraphBuilder, maps: str, part: range, axis: int, length: int) -> str:
    """Some rows, columns or channels of maps; all of them are the maps."""
    if len(part) == length:
        return maps
    bounds = ([part.start], [part.stop], [axis])
    return graph.op("Slice", maps, *(graph.constant(np.array(n, np.int64)) for n in bounds))


def _unclamped(graph: GraphBuilder, layer: SynthesisLayer, clamp: float, x: str) -> str:
    """1 where an activation is within its bounds and 0 beyond: where |x - middle| < half."""
    lowest = -clamp if layer.facts.colour else -clamp / LEAK
    middle, half = (clamp + lowest) / 2, (clamp - lowest) / 2
    distance = graph.op("Abs", graph.op("Sub", x, graph.constant(middle)) if middle else x)
    return graph.op("HardSigmoid", distance, alpha=-_STEEP, beta=half * _STEEP)


def _radial_adjoint(graph: GraphBuilder, layer: SynthesisLayer, grad: str, channels: int) -> str:
    """As `SynthesisLayer.radial_adjoint` says: a convolution, and its maps woven into one."""
    facts = layer.facts
    down = facts.down
    side = -(-facts.down_taps // down)
    reach = side - 1
    kernel = graph.constant(layer.radial_adjoint.first(channels * down * down))
    maps = graph.op("Conv", grad, kernel, pads=[reach] * 4, group=channels)
    steps = facts.out_size + reach
    maps = graph.reshape(maps, (channels, down, down, steps, steps))
    maps = graph.op("Transpose", maps, perm=[0, 3, 1, 4, 2])
    maps = graph.reshape(maps, (1, channels, steps * down, steps * down))
    if steps * down == facts.raised_size:
        return maps
    first, end = np.array([0, 0], np.int64), np.array([facts.raised_size] * 2, np.int64)
    arguments = (first, end, np.array([2, 3], np.int64))
    return graph.op("Slice", maps, *(graph.constant(part) for part in arguments))


def _is_plain(layer: SynthesisLayer) -> bool:
    """Whether raising the rate changes nothing."""
    rows = layer.raise_rows.values
    return bool(rows.shape[0] == rows.shape[1] and (rows == np.eye(len(rows))).all())

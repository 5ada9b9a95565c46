"""The features that the first layer reads: waves across the plane, turned and moved by a w."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from dragonnx_export.families.stylegan3.layers import FirstFeatures
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.row_product import row_product

_TURN = ((1.0, 0.0), (0.0, 1.0)), ((0.0, -1.0), (1.0, 0.0))
"""A rotation is the cosine times the first of these, and the sine times the second."""


@dataclass(frozen=True)
class _Waves:
    """Names of tensors on the way from w to the waves.

    Attributes:
        length: Of (cosine, sine) before they were divided by it, [1, 1].
        unit: (cosine, sine, x, y) after that, [1, 4].
        rotation: [2, 2].
        turned: Frequencies turned, [C, 2].
        placement: Of the whole plane, moved and transformed but not turned, [2, 3].
        placed: Frequencies of the waves [C, 2], and how far each was shifted [C, 1], side by side.
        norm: Of these frequencies, [C, 1].
        fading: Their amplitudes before they are clipped to 0 .. 1, [C, 1].
        angle: In radians at every place, [1, C, h, w].
        amplitude: [1, C, 1, 1].
    """

    length: str
    unit: str
    rotation: str
    turned: str
    placement: str
    placed: str
    norm: str
    fading: str
    angle: str
    amplitude: str


def first_features(graph: GraphBuilder, first: FirstFeatures, w: str) -> str:
    """From w [1, w_dim] to [1, C, h, w]."""
    waves = _waves(graph, first, w)
    sines = graph.op("Mul", graph.op("Sin", waves.angle), waves.amplitude)
    return graph.op("Conv", sines, graph.constant(first.weight))


def first_backward(graph: GraphBuilder, first: FirstFeatures, w: str, grad: str) -> str:
    """The gradient of w [1, w_dim] from that of the features. What w makes of the waves is small, and made again."""
    waves = _waves(graph, first, w)
    channels = first.channels
    turned_back = first.weight.values.transpose(1, 0, 2, 3)
    grad = graph.op("Conv", grad, graph.constant(turned_back))  # of the waves
    faded = graph.sum(graph.op("Mul", grad, graph.op("Sin", waves.angle)), (0, 2, 3))
    grad_angle = graph.op(
        "Mul", graph.op("Mul", grad, graph.op("Cos", waves.angle)), waves.amplitude
    )
    # An angle is 2 pi (x fx + y fy + shift): sums over the map with the places as weights.
    columns = graph.sum(grad_angle, (0, 2))  # (C, w)
    rows = graph.sum(grad_angle, (0, 3))  # (C, h)
    places = graph.constant((2 * math.pi * first.places.astype(np.float64))[:, None])
    ones = graph.constant(np.full((len(first.places), 1), 2 * math.pi))
    along = [
        graph.op("MatMul", part, by)
        for part, by in ((columns, places), (rows, places), (columns, ones))
    ]
    grad_placed = graph.stack(along, axis=1)  # (C, 3)
    fading = graph.op(
        "Mul", graph.reshape(faded, (channels, 1)), _fading_slope(graph, first, waves)
    )
    by_frequency = graph.op("Mul", _columns(graph, waves.placed, 0, 2), fading)
    nothing = graph.constant(np.zeros((channels, 1)))
    grad_placed = graph.op("Add", grad_placed, graph.op("Concat", by_frequency, nothing, axis=1))
    return _turn_backward(graph, first, waves, grad_placed)


def _waves(graph: GraphBuilder, first: FirstFeatures, w: str) -> _Waves:
    channels, size = first.channels, len(first.places)
    turn = row_product(graph, w, first.turn_weight, first.turn_bias)
    direction = _columns(graph, turn, 0, 2)
    squared = graph.sum(graph.op("Mul", direction, direction), (1,), keepdims=True)
    length = graph.op("Sqrt", squared)
    unit = graph.op("Div", turn, length)
    parts = [
        graph.op("Mul", _columns(graph, unit, at, at + 1), graph.constant(np.array(basis)))
        for at, basis in enumerate(_TURN)
    ]
    rotation = graph.op("Add", *parts)
    turned = graph.op("MatMul", graph.constant(first.freqs), rotation)
    shift = graph.reshape(_columns(graph, unit, 2, 4), (2, 1))
    moved = graph.op("Mul", shift, graph.constant(first.transform[2:]))
    placement = graph.op("Sub", graph.constant(first.transform[:2]), moved)
    placed = graph.op("MatMul", turned, placement)
    freqs = _columns(graph, placed, 0, 2)
    norm = graph.op("Sqrt", graph.sum(graph.op("Mul", freqs, freqs), (1,), keepdims=True))
    width = first.rate / 2 - first.bandwidth
    fading = graph.op("Mul", norm, graph.constant(-1 / width))
    fading = graph.op("Add", fading, graph.constant(1 + first.bandwidth / width))
    amplitude = graph.op("Clip", fading, graph.constant(0.0), graph.constant(1.0))
    shifts = graph.op("Add", _columns(graph, placed, 2, 3), graph.constant(first.phases[:, None]))
    angles = []
    for at, shape in enumerate(((1, 1, 1, size), (1, 1, size, 1))):
        along = graph.reshape(_columns(graph, placed, at, at + 1), (1, channels, 1, 1))
        moved = graph.op("Mul", along, graph.constant(first.places.reshape(shape)))
        angles.append(
            moved if at else graph.op("Add", moved, graph.reshape(shifts, (1, channels, 1, 1)))
        )
    # Whole waves are left out before they cost the sine digits.
    parts = [graph.op("Sub", part, graph.op("Round", part)) for part in angles]
    angle = graph.op("Mul", graph.op("Add", *parts), graph.constant(2 * math.pi))
    return _Waves(
        length=length,
        unit=unit,
        rotation=rotation,
        turned=turned,
        placement=placement,
        placed=placed,
        norm=norm,
        fading=fading,
        angle=angle,
        amplitude=graph.reshape(amplitude, (1, channels, 1, 1)),
    )


def _fading_slope(graph: GraphBuilder, first: FirstFeatures, waves: _Waves) -> str:
    """By how much a wave's amplitude grows with its frequency, over that frequency's norm, [C, 1]."""
    width = first.rate / 2 - first.bandwidth
    below = graph.op("Less", waves.fading, graph.constant(1.0))
    above = graph.op("Greater", waves.fading, graph.constant(0.0))
    within = graph.op("And", below, above)
    slope = graph.op("Div", graph.constant(-1 / width), waves.norm)
    return graph.op("Where", within, slope, graph.constant(0.0))


def _turn_backward(graph: GraphBuilder, first: FirstFeatures, waves: _Waves, grad: str) -> str:
    """From the gradient of what is placed [C, 3] to that of w."""
    turned = graph.op("Transpose", waves.turned, perm=[1, 0])
    grad_placement = graph.op("MatMul", turned, grad)  # (2, 3)
    back = graph.constant(-first.transform[2:].T)
    grad_shift = graph.reshape(graph.op("MatMul", grad_placement, back), (1, 2))
    placement = graph.op("Transpose", waves.placement, perm=[1, 0])
    freqs = graph.constant(first.freqs.values.T)
    grad_rotation = graph.op("MatMul", freqs, graph.op("MatMul", grad, placement))  # (2, 2)
    grad_turn = [
        graph.reshape(
            graph.sum(graph.op("Mul", grad_rotation, graph.constant(np.array(basis))), (0, 1)),
            (1, 1),
        )
        for basis in _TURN
    ]
    grad_unit = graph.op("Concat", *grad_turn, grad_shift, axis=1)
    # All four were divided by the length of the first two.
    along = graph.sum(graph.op("Mul", grad_unit, waves.unit), (1,), keepdims=True)
    direction = graph.op("Mul", waves.unit, graph.constant(np.array([[1.0, 1.0, 0.0, 0.0]])))
    across = graph.op("Sub", grad_unit, graph.op("Mul", direction, along))
    grad_raw = graph.op("Div", across, waves.length)
    return graph.op("Gemm", grad_raw, graph.constant(first.turn_weight), transB=1)


def _columns(graph: GraphBuilder, matrix: str, start: int, end: int) -> str:
    """Some columns of a matrix."""
    numbers = ([start], [end], [1])
    return graph.op("Slice", matrix, *(graph.constant(np.array(n, np.int64)) for n in numbers))

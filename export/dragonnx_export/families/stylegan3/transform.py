"""Turning and moving what a latent shows, as a change of its first w, which the input alone reads.

From that w the input takes (cosine, sine, x, y): a rotation and a translation. A picture that is turned and
moved besides has other four of these, and the smallest change of w that gives them is a product with a
constant matrix.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray

from dragonnx_export.families.stylegan3.layers import FirstFeatures, SynthesisLayers
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.row_product import row_product
from dragonnx_export.graphs.weight_file import WeightFile

_TURN = ((1.0, 0.0), (0.0, 1.0)), ((0.0, -1.0), (1.0, 0.0))
"""A rotation is the cosine times the first of these, and the sine times the second."""
_NEARLY = 1e-5
"""Of float32 numbers that a checkpoint holds."""


def can_be_moved(first: FirstFeatures) -> bool:
    """Whether w decides of rotation and translation, and the checkpoint's own transform keeps angles."""
    matrix = first.transform.astype(np.float64)
    linear = matrix[:2, :2]
    size = np.linalg.det(linear)
    keeps_angles = size > 0 and np.allclose(
        linear.T @ linear, size * np.eye(2), atol=_NEARLY * size
    )
    is_affine = np.allclose(matrix[2], (0, 0, 1), atol=_NEARLY)
    weight = first.turn_weight.values
    return bool(keeps_angles and is_affine and np.linalg.matrix_rank(weight) == weight.shape[1])


def transform_graph(network: SynthesisLayers, weights: WeightFile) -> onnx.ModelProto:
    """Inputs w_plus [1, num_ws, w_dim] and motion [1, 4]; output moved_w_plus, shaped as w_plus.

    The motion is the cosine and the sine of an angle by which x is turned towards y, and how far all is
    moved then along x and y, in widths of the image. The image is turned around its middle.
    """
    graph = GraphBuilder("transform", weights)
    a, first = network.architecture, network.first
    shape = [1, a.num_ws, a.w_dim]
    w_plus, motion = graph.input("w_plus", shape), graph.input("motion", [1, 4])
    w = _part(graph, w_plus, 0, 1, axis=1)
    w = graph.reshape(w, (1, a.w_dim))
    weight = first.turn_weight.values
    turn = row_product(graph, w, first.turn_weight, first.turn_bias)
    direction = _part(graph, turn, 0, 2, axis=1)
    squared = graph.sum(graph.op("Mul", direction, direction), (1,), keepdims=True)
    length = graph.op("Sqrt", squared)
    unit = graph.op("Div", turn, length)
    back = _rotation(graph, motion)
    direction = graph.op("MatMul", _part(graph, unit, 0, 2, axis=1), back)
    # The checkpoint's own transform comes between: it turns around another place, and may scale.
    centre = graph.constant(first.transform[None, :2, 2])
    shift = graph.op("Sub", _part(graph, unit, 2, 4, axis=1), centre)
    shift = graph.op("MatMul", shift, graph.op("Transpose", back, perm=[1, 0]))
    scaled = graph.constant(first.transform[:2, :2].T)
    shift = graph.op("Add", graph.op("Add", shift, centre),
                     graph.op("MatMul", _part(graph, motion, 2, 4, axis=1), scaled))  # fmt: skip
    asked = graph.op("Mul", graph.op("Concat", direction, shift, axis=1), length)
    change = graph.op("MatMul", graph.op("Sub", asked, turn), graph.constant(_smallest(weight)))
    moved = graph.reshape(graph.op("Add", w, change), (1, 1, a.w_dim))
    rest = _part(graph, w_plus, 1, a.num_ws, axis=1)
    graph.output("moved_w_plus", graph.op("Concat", moved, rest, axis=1), shape)
    return graph.model()


def _smallest(weight: NDArray[np.float32]) -> NDArray[np.float64]:
    """From a change of what [w_dim, 4] makes of w to the smallest change of w that makes it, [4, w_dim]."""
    return np.asarray(np.linalg.pinv(weight.astype(np.float64)), np.float64)


def _rotation(graph: GraphBuilder, motion: str) -> str:
    """[2, 2]: rows times it are turned back."""
    parts = [
        graph.op("Mul", _part(graph, motion, at, at + 1, axis=1), graph.constant(np.array(basis)))
        for at, basis in enumerate(_TURN)
    ]
    return graph.op("Add", *parts)


def _part(graph: GraphBuilder, tensor: str, start: int, end: int, axis: int) -> str:
    bounds = ([start], [end], [axis])
    return graph.op("Slice", tensor, *(graph.constant(np.array(n, np.int64)) for n in bounds))

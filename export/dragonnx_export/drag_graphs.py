"""Authors the graphs that belong to the method and not to a model: `dragonnx.drag.graphs`.

    python -m dragonnx_export.drag_graphs python/dragonnx/drag/graphs

Letters: n windows of s x t cells of a feature map [1, C, h, w]; an image of H x W pixels.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx

from dragonnx_export.graphs.builder import GraphBuilder

_MAP = (1, "C", "h", "w")
_WINDOWS = ("n", "C", "s", "t")


def take_windows() -> onnx.ModelProto:
    """Windows of a map.

    Inputs: features [1, C, h, w]; rows [n, 1, s, h] and columns [n, 1, t, w], one-hot: which of the
    map's each window holds. Output: windows [n, C, s, t].
    """
    graph = GraphBuilder("take_windows")
    features = graph.input("features", _MAP)
    rows = graph.input("rows", ("n", 1, "s", "h"))
    columns = graph.input("columns", ("n", 1, "t", "w"))
    taken = graph.op("MatMul", rows, features)
    taken = graph.op("MatMul", taken, graph.op("Transpose", columns, perm=[0, 1, 3, 2]))
    graph.output("windows", taken, _WINDOWS)
    return graph.model()


def put_windows() -> onnx.ModelProto:
    """The adjoint of `take_windows`: the gradient of a map from that of its windows.

    Inputs: grad_windows [n, C, s, t]; flat_rows [n * s, h], the rows of all windows one below the
    other; columns [n, 1, t, w]. Output: grad_features [1, C, h, w].
    """
    graph = GraphBuilder("put_windows")
    grad = graph.input("grad_windows", _WINDOWS)
    flat_rows = graph.input("flat_rows", ("rows", "h"))
    columns = graph.input("columns", ("n", 1, "t", "w"))
    # The sum over windows is part of a product, so that no map is made for each of them.
    grad = graph.op("Transpose", graph.op("MatMul", grad, columns), perm=[1, 3, 0, 2])
    grad = graph.op("MatMul", graph.reshape(grad, (0, 0, -1)), flat_rows)
    grad = graph.op("Transpose", grad, perm=[0, 2, 1])
    grad = graph.op("Unsqueeze", grad, graph.constant(np.array([0], np.int64)))
    graph.output("grad_features", grad, _MAP)
    return graph.model()


def mask_penalty() -> onnx.ModelProto:
    """The mask penalty (paper, equation 1, second term) of some channels, and its gradient.

    `loss = weight * sum over (c, y, x) of fixed * |F^ - F0^|`, F^ being F resized to the image. Its
    gradient is that of the signs through the adjoint of resizing, a product with a matrix on each
    side. Resizing is linear, hence `loss = sum of gradient * (F - F0)`.

    Signs near zero want every bit of the difference, and Resize keeps them in any precision. The
    products take signs, and where the image is 2, 4, 8 ... times the map's size taps of few bits: both
    are exact in TF32.

    Inputs: features and reference [1, C, h, w]; size int64 [4], the shape [1, C, H, W]; fixed
    [1, 1, H, W], 0 where the image may move and 1 elsewhere; adjoint_rows [h, H] and adjoint_columns
    [W, w], the taps of resizing; weight [1]; grad_before [1, C, h, w]. Outputs: grad_features
    [1, C, h, w], grad_before with the gradient added, which may lie in its place; loss [1].
    """
    graph = GraphBuilder("mask_penalty")
    features, reference = graph.input("features", _MAP), graph.input("reference", _MAP)
    size = graph.input("size", (4,), onnx.TensorProto.INT64)
    fixed = graph.input("fixed", (1, 1, "H", "W"))
    adjoint_rows = graph.input("adjoint_rows", ("h", "H"))
    adjoint_columns = graph.input("adjoint_columns", ("W", "w"))
    weight = graph.input("weight", (1,))
    before = graph.input("grad_before", _MAP)
    difference = graph.op("Sub", features, reference)
    resized = graph.op("Resize", difference, "", "", size, mode="linear")  # half-pixel centres
    slopes = graph.op("Mul", graph.op("Sign", resized), fixed)
    grad = graph.op("MatMul", slopes, adjoint_columns)
    grad = graph.op("Mul", graph.op("MatMul", adjoint_rows, grad), weight)
    loss = graph.sum(graph.op("Mul", grad, difference), (1, 2, 3))
    graph.output("loss", loss, (1,))
    graph.output("grad_features", graph.op("Add", before, grad), _MAP)
    return graph.model()


def all_graphs() -> Mapping[str, onnx.ModelProto]:
    """Every graph by its name."""
    return {made.graph.name: made for made in (take_windows(), put_windows(), mask_penalty())}


def main() -> None:
    """Write all of them into a folder."""
    folder = Path(sys.argv[1])
    for name, model in all_graphs().items():
        onnx.checker.check_model(model, full_check=True)
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()

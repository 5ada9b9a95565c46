"""An image as it is shown: what `dragonnx.model.picture` makes of it, number by number."""

from __future__ import annotations

from onnx import TensorProto

from dragonnx_export.graphs.builder import GraphBuilder


def pixels(graph: GraphBuilder, image: str) -> str:
    """From [1, C, H, W], about -1 to 1, to uint8 [1, H, W, C]: a quarter of the bytes."""
    shades = graph.op("Mul", graph.op("Add", image, graph.constant(1.0)), graph.constant(127.5))
    rounded = graph.op("Round", shades)  # half to even, as NumPy rounds
    clipped = graph.op("Clip", rounded, graph.constant(0.0), graph.constant(255.0))
    whole = graph.op("Cast", clipped, to=TensorProto.UINT8)
    return graph.op("Transpose", whole, perm=[0, 2, 3, 1])

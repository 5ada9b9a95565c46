"""Where in a graph most of its products are done: what follows is short, and works on the largest maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dragonnx.model.checking.graph import Run
from dragonnx.model.checking.tensor import Tensor

_KINDS = ("Conv", "ConvTranspose")


def late_node(nodes: Sequence[Run], tensors: Mapping[str, Tensor], most: float) -> str | None:
    """The name of the first convolution from which on at most such a part of all products is done.

    Args:
        nodes: Of a graph, in their order.
        tensors: All of a run, by name.
        most: The part, 0 to 1.

    Returns:
        None where there is none, or it has no name.
    """
    products = [_products(node, tensors) for node in nodes]
    left = total = sum(products)
    for node, count in zip(nodes, products, strict=True):
        if count and left <= most * total:
            return node.message.name or None
        left -= count
    return None


def _products(node: Run, tensors: Mapping[str, Tensor]) -> int:
    """Of a convolution: for each pixel that it reads, or makes, those with a slice of its weights."""
    if node.kind not in _KINDS:
        return 0
    x, weights = (tensors[name] for name in node.inputs[:2])
    pixels = x if node.kind == "ConvTranspose" else tensors[node.outputs[0]]
    return pixels.size * weights.size // weights.shape[0]

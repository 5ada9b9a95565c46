"""Two graphs on one weight file: an image's features, and its distance from others with gradient.

Both take an image [1, 3, height, width] of any size from 16 x 16 on, about -1 to 1. What
`perceptual_features` gives, under names such as `target_relu1_2`, `perceptual_distance` takes.

Backward, with y a compared layer, n its length over channels, u = y / (n + e) and c = 2 / (h w):

    dD/du = c * head * (u - target),      dD/dy = (dD/du - u * sum(u * dD/du)) / (n + e).

The exact Jacobian has y / n for the first u, which is the same as long as n is far above e = 1e-10;
where n is 0, the ReLU's gradient is. A ReLU lets the gradient through where its output is positive.
A maximum that several cells of its window share is shared: each gets an equal part (torch gives the
first one all). Behind a ReLU that matters only in flat parts of an image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto

from dragonnx_export.graphs.adjoint_kernel import adjoint_kernel
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.perceptual.network import EPSILON, SCALE, SHIFT, Float32, PerceptualNetwork

_IMAGE_SHAPE = (1, 3, "height", "width")
_POOL = {"kernel_shape": [2, 2], "strides": [2, 2]}


@dataclass(frozen=True)
class _Stage:
    """What the backward pass needs of the convolutions between two pooling layers.

    Attributes:
        activations: The ReLUs' outputs; the last one is compared.
        pooled: What the next stage takes; None after the last.
    """

    activations: tuple[str, ...]
    pooled: str | None


@dataclass(frozen=True)
class _Unit:
    """Features divided by their length over channels, and that length with epsilon."""

    features: str
    length: str


def features_graph(network: PerceptualNetwork, weights: WeightFile) -> onnx.ModelProto:
    """Input image; outputs target_reluN_M, each [1, C, h, w] of length 1 over C."""
    graph = GraphBuilder("perceptual_features", weights)
    for layer, channels, stage in zip(
        network.layers, network.channels, _forward(graph, network), strict=True
    ):
        unit = _unit(graph, stage.activations[-1])
        graph.output(f"target_{layer}", unit.features, _target_shape(layer, channels))
    return graph.model()


def distance_graph(network: PerceptualNetwork, weights: WeightFile) -> onnx.ModelProto:
    """Inputs image and every target_reluN_M; outputs distance [] and grad_image, shaped as image."""
    graph = GraphBuilder("perceptual_distance", weights)
    stages = _forward(graph, network)
    distances: list[str] = []
    grad_features: list[str] = []
    for position, (layer, channels, stage) in enumerate(
        zip(network.layers, network.channels, stages, strict=True)
    ):
        target = graph.input(f"target_{layer}", _target_shape(layer, channels))
        head = network.heads[position] if network.heads else None
        distance, grad = _compare(graph, stage.activations[-1], target, head)
        distances.append(distance)
        grad_features.append(grad)
    total = distances[0]
    for distance in distances[1:]:
        total = graph.op("Add", total, distance)
    grad_input: str | None = None
    for position in reversed(range(len(stages))):
        stage, grad = stages[position], grad_features[position]
        if grad_input is not None:
            assert stage.pooled, "only the last stage is not pooled"  # noqa: S101
            pulled = _pool_backward(graph, stage.activations[-1], stage.pooled, grad_input)
            grad = graph.op("Add", grad, pulled)
        for output, convolution in zip(
            reversed(stage.activations), reversed(network.stages[position]), strict=True
        ):
            # Where, on the CPU, takes one thread and five times as long as these three.
            positive = graph.op("Greater", output, graph.constant(0.0))
            grad = graph.op("Mul", grad, graph.op("Cast", positive, to=TensorProto.FLOAT))
            kernel = adjoint_kernel(graph, convolution.weight)
            grad = graph.op("Conv", grad, kernel, pads=[1] * 4)
        grad_input = grad
    assert grad_input, "there are stages"  # noqa: S101
    grad_image = graph.op("Div", grad_input, _per_colour(graph, SCALE))
    graph.output("distance", total, [])
    graph.output("grad_image", grad_image, _IMAGE_SHAPE)
    return graph.model()


def _forward(graph: GraphBuilder, network: PerceptualNetwork) -> list[_Stage]:
    image = graph.input("image", _IMAGE_SHAPE)
    # Not folded into the first convolution, which pads the scaled image with zeros.
    shifted = graph.op("Sub", image, _per_colour(graph, SHIFT))
    x = graph.op("Div", shifted, _per_colour(graph, SCALE))
    stages: list[_Stage] = []
    for position, layers in enumerate(network.stages, 1):
        activations = []
        for layer in layers:
            weight, bias = graph.constant(layer.weight), graph.constant(layer.bias)
            x = graph.op("Relu", graph.op("Conv", x, weight, bias, pads=[1] * 4))
            activations.append(x)
        pooled = graph.op("MaxPool", x, **_POOL) if position < len(network.stages) else None
        stages.append(_Stage(tuple(activations), pooled))
        x = pooled or x
    return stages


def _unit(graph: GraphBuilder, y: str) -> _Unit:
    squares = graph.sum(graph.op("Mul", y, y), (1,), keepdims=True)
    length = graph.op("Add", graph.op("Sqrt", squares), graph.constant(EPSILON))
    return _Unit(graph.op("Div", y, length), length)


def _compare(graph: GraphBuilder, y: str, target: str, head: Float32 | None) -> tuple[str, str]:
    """The distance of a layer's output y from the target, [], and its gradient by y."""
    unit = _unit(graph, y)
    difference = graph.op("Sub", unit.features, target)
    weighted = difference
    if head is not None:
        weighted = graph.op("Mul", difference, graph.constant(head[None, :, None, None]))
    squares = graph.op("Mul", weighted, difference)
    over_map = graph.constant(np.array([2, 3], np.int64))
    distance = graph.sum(graph.op("ReduceMean", squares, over_map, keepdims=0), (0, 1))
    # The map's size is that of the lengths, [1, 1, h, w].
    cells = graph.op("Cast", graph.op("Size", unit.length), to=TensorProto.FLOAT)
    along = graph.sum(graph.op("Mul", weighted, unit.features), (1,), keepdims=True)
    across = graph.op("Sub", weighted, graph.op("Mul", along, unit.features))
    factor = graph.op("Div", graph.op("Div", graph.constant(2.0), cells), unit.length)
    return distance, graph.op("Mul", across, factor)


def _pool_backward(graph: GraphBuilder, y: str, pooled: str, grad: str) -> str:
    """The gradient by y from that by its maxima over squares of 2 x 2.

    An odd last row or column, which the forward pass leaves out, gets zeros.
    """
    largest = _doubled(graph, pooled)
    covered = graph.op("Shape", largest, start=2)
    start, axes = graph.constant(np.zeros(2, np.int64)), graph.constant(np.array([2, 3], np.int64))
    inside = graph.op("Slice", y, start, covered, axes)
    hit = graph.op("Cast", graph.op("Equal", inside, largest), to=TensorProto.FLOAT)
    # The mean of a window's hits is a quarter of their number.
    share = graph.op("Div", grad, graph.op("AveragePool", hit, **_POOL))
    quarter = graph.op("Mul", share, graph.constant(0.25))
    spread = graph.op("Mul", hit, _doubled(graph, quarter))
    missing = graph.op("Sub", graph.op("Shape", y, start=2), covered)
    pads = graph.op("Concat", graph.constant(np.zeros(6, np.int64)), missing, axis=0)
    return graph.op("Pad", spread, pads)


def _doubled(graph: GraphBuilder, x: str) -> str:
    """Each cell as a square of 2 x 2."""
    scales = graph.constant([1.0, 1.0, 2.0, 2.0])
    return graph.op(
        "Resize",
        x,
        "",
        scales,
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )


def _per_colour(graph: GraphBuilder, values: tuple[float, ...]) -> str:
    return graph.constant(np.array(values, np.float32)[None, :, None, None])


def _target_shape(layer: str, channels: int) -> tuple[int | str, ...]:
    return (1, channels, f"{layer}_height", f"{layer}_width")

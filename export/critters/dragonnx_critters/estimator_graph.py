"""The landmark estimator as one ONNX file, image in, points out: writing it, and running it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from torch import nn

from dragonnx.runtime import CPU, Device, Graph
from dragonnx_critters.estimator import (
    IMAGE_SIZE,
    MAP_SIDE,
    POOLING,
    FindLandmarks,
    LandmarkEstimator,
    cell_centres,
    mirror_averaged,
)
from dragonnx_critters.landmarks import LANDMARK_NAMES
from dragonnx_export.graphs.builder import GraphBuilder


def open_estimator(path: Path) -> FindLandmarks:
    """Load the estimator from its file.

    Raises:
        BundleError: ONNX Runtime cannot load the file.
    """
    graph = Graph(path, Device(CPU))
    return mirror_averaged(lambda images: graph.run({"image": images})[0]["points"])


def estimator_graph(estimator: LandmarkEstimator) -> onnx.ModelProto:
    """Input image [N, 3, 256, 256], -1 to 1; output points [N, landmarks, 2], (x, y) in pixels."""
    graph = GraphBuilder("landmarks")
    image = graph.input("image", ("N", 3, IMAGE_SIZE, IMAGE_SIZE))
    pooled = {"kernel_shape": [POOLING] * 2, "strides": [POOLING] * 2}
    x = graph.op("AveragePool", image, **pooled)
    passed = []
    for down, along in zip(estimator.down, estimator.along, strict=True):
        x = graph.op("Relu", _convolved(graph, x, down))
        x = graph.op("Relu", _convolved(graph, x, along))
        passed.append(x)
    for up, across, before in zip(
        estimator.up, reversed(estimator.across), passed[-2::-1], strict=True
    ):
        wider = graph.op("Resize", x, "", graph.constant([1.0, 1.0, 2.0, 2.0]), mode="nearest",
                         coordinate_transformation_mode="asymmetric", nearest_mode="floor")  # fmt: skip
        x = graph.op("Relu", graph.op("Add", _convolved(graph, wider, up),
                                      _convolved(graph, before, across)))  # fmt: skip
    scores = _convolved(graph, x, estimator.scores)
    flat = graph.reshape(scores, (0, len(LANDMARK_NAMES), MAP_SIDE * MAP_SIDE))
    share = graph.op("Softmax", flat, axis=2)
    # Mean places are products of the shares with every cell's x and y.
    centres = cell_centres().numpy()
    x_of_cell, y_of_cell = np.tile(centres, MAP_SIDE), np.repeat(centres, MAP_SIDE)
    points = graph.op("MatMul", share, graph.constant(np.stack([x_of_cell, y_of_cell], axis=1)))
    graph.output("points", points, ("N", len(LANDMARK_NAMES), 2))
    model = graph.model()
    onnx.checker.check_model(model, full_check=True)
    return model


def _convolved(graph: GraphBuilder, x: str, layer: nn.Module) -> str:
    assert isinstance(layer, nn.Conv2d), "the estimator is made of convolutions"  # noqa: S101
    assert layer.bias is not None, "with biases"  # noqa: S101
    weight, bias = (graph.constant(p.detach().numpy()) for p in (layer.weight, layer.bias))
    pad = layer.kernel_size[0] // 2
    return graph.op("Conv", x, weight, bias, pads=[pad] * 4, strides=list(layer.stride))

"""The mapping network: z (and a label) to w, before truncation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Protocol

import numpy as np
import onnx
from numpy.typing import NDArray

from dragonnx_export.families.checkpoint import MappingArchitecture
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.weight_file import WeightFile

LEAK = 0.2
SQRT2 = math.sqrt(2)


class MappingCheckpoint(Protocol):
    """A checkpoint with such a network, under NVIDIA's names."""

    @property
    def architecture(self) -> MappingArchitecture: ...  # noqa: D102
    @property
    def weights(self) -> Mapping[str, NDArray[np.float32]]: ...  # noqa: D102


def mapping_graph(checkpoint: MappingCheckpoint, weights: WeightFile) -> onnx.ModelProto:
    """Inputs z [N, z_dim] and, for a conditional generator, label [N, label_dim] as one-hot rows.

    Output w [N, w_dim].
    """
    architecture, arrays = checkpoint.architecture, checkpoint.weights
    graph = GraphBuilder("mapping", weights)
    x = _normalise(graph, graph.input("z", ["batch", architecture.z_dim]))
    if architecture.label_dim:
        label = graph.input("label", ["batch", architecture.label_dim])
        gain = 1 / np.sqrt(architecture.label_dim)
        weight = graph.constant(arrays["mapping.embed.weight"] * gain)
        embedded = graph.op(
            "Gemm", label, weight, graph.constant(arrays["mapping.embed.bias"]), transB=1
        )
        x = graph.op("Concat", x, _normalise(graph, embedded), axis=1)
    multiplier = architecture.mapping_lr_multiplier
    for index in range(architecture.mapping_layers):
        stored = arrays[f"mapping.fc{index}.weight"]
        # The leaky ReLU's gain of sqrt 2 moves into the layer, since it is homogeneous.
        weight = graph.constant(stored * (multiplier * SQRT2 / np.sqrt(stored.shape[1])))
        bias = graph.constant(arrays[f"mapping.fc{index}.bias"] * (multiplier * SQRT2))
        x = graph.op("LeakyRelu", graph.op("Gemm", x, weight, bias, transB=1), alpha=LEAK)
    graph.output("w", x, ["batch", architecture.w_dim])
    return graph.model()


def _normalise(graph: GraphBuilder, x: str) -> str:
    """Scale each row to a mean square of one."""
    axes = graph.constant(np.array([1], np.int64))
    mean_square = graph.op("ReduceMean", graph.op("Mul", x, x), axes, keepdims=1)
    norm = graph.op("Sqrt", graph.op("Add", mean_square, graph.constant(1e-8)))
    return graph.op("Div", x, norm)

"""Every node kind in every graph has a float32 CUDA kernel, so that nothing falls back mid-graph.

No GPU runs these tests: the list is what ONNX Runtime's documentation of its kernels
(docs/OperatorKernels.md, CUDAExecutionProvider) names for opset 18 and the types that the graphs use.
"""

from __future__ import annotations

from pathlib import Path

import onnx
from support.perceptual_weights import saved, vgg_state
from support.random_checkpoints import CLAMPED, LABELLED, RESNET, random_checkpoint

from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.perceptual.graphs import distance_graph, features_graph
from dragonnx_export.perceptual.network import read_network

FLOAT32 = {
    "Abs", "Add", "Clip", "Concat", "Conv", "ConvTranspose", "Div", "Gather", "Gemm", "Greater",
    "Identity", "LeakyRelu", "Less", "MatMul", "Mul", "Reciprocal", "ReduceMean", "ReduceSum",
    "Reshape", "Slice", "Sqrt", "Sub", "Transpose", "Where",
}  # fmt: skip
WINDOWS = {"And", "Cast", "Equal"}
"""On booleans, to float32, and on int64: also registered for CUDA."""

POOLING = {"AveragePool", "MaxPool", "Pad", "Relu", "Resize"}
SIZES = {"Shape", "Size"}
"""Of maps, not their values; ONNX Runtime computes with them on the CPU, which moves no map."""


def test_no_node_falls_back(tmp_path: Path) -> None:
    seen: set[str] = set()
    for name, architecture in {"clamped": CLAMPED, "labelled": LABELLED, "resnet": RESNET}.items():
        folder = tmp_path / name
        write_bundle(random_checkpoint(architecture), folder, ExportOptions(name="x"))
        for path in folder.glob("*.onnx"):
            kinds = {node.op_type for node in onnx.load(path, load_external_data=False).graph.node}
            assert kinds <= FLOAT32 | WINDOWS, path.name
            assert kinds <= FLOAT32 or "_" in path.stem, "only windows handle whole numbers"
            seen |= kinds
    assert seen == FLOAT32 | WINDOWS, "the list holds what is used, no more"


def test_no_node_of_a_perceptual_network_falls_back(tmp_path: Path) -> None:
    vgg = read_network(saved(tmp_path / "vgg.pth", vgg_state()))
    weights = WeightFile()
    kinds = {
        node.op_type
        for model in (features_graph(vgg, weights), distance_graph(vgg, weights))
        for node in model.graph.node
    }
    assert kinds <= FLOAT32 | WINDOWS | POOLING | SIZES

"""Every node kind in every graph has a CUDA kernel, so that nothing falls back mid-graph, and nodes are few.

No GPU runs these tests: the list is what ONNX Runtime's documentation of its kernels
(docs/OperatorKernels.md, CUDAExecutionProvider) names for opset 18 and the types that the graphs use.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import onnx
from support.perceptual_weights import saved, vgg_state
from support.random_checkpoints import CLAMPED, LABELLED, PLAIN, RESNET, random_checkpoint

from dragonnx.runtime.ort import onnxruntime
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.families.stylegan2.features import features_graph
from dragonnx_export.families.stylegan2.pullback import pullback_graph
from dragonnx_export.families.stylegan2.synthesis import SynthesisLayers
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.perceptual import graphs as perceptual
from dragonnx_export.perceptual.network import read_network

FLOAT32 = {
    "Abs", "Add", "Clip", "Concat", "Conv", "ConvTranspose", "Div", "Gather", "Gemm", "Greater",
    "HardSigmoid", "Identity", "LeakyRelu", "Less", "MatMul", "Mul", "Reciprocal", "ReduceMean", "ReduceSum",
    "Reshape", "Slice", "Split", "Sqrt", "Sub", "Transpose", "Where",
}  # fmt: skip
PIXELS = {"Cast", "Round"}
"""To whole numbers of 8 bits, which are then transposed: registered for CUDA in that type too."""

COMPARING = {"Cast", "Equal"}
"""To float32, of float32."""
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
            assert kinds <= FLOAT32 | PIXELS, path.name
            assert kinds <= FLOAT32 or path.stem in {"image", "preview"}, path.name
            seen |= kinds
    assert seen == FLOAT32 | PIXELS, "the list holds what is used, no more"


def test_a_step_in_windows_has_few_nodes(tmp_path: Path) -> None:
    """Each is a kernel launch. The layers are those of the published size, with fewer channels."""
    channels = {4: 8, 8: 8, 16: 8, 32: 8, 64: 8, 128: 4}
    network = SynthesisLayers.of(
        random_checkpoint(dataclasses.replace(PLAIN, resolution=128, channels=channels))
    )
    weights = WeightFile()
    in_files = optimised = 0
    models = [
        features_graph(network, weights, 128, cut=16),
        pullback_graph(network, weights, 128, trainable_layers=6, cut=16),
    ]
    weights.write(tmp_path)
    for model in models:
        path, optimised_path = tmp_path / "graph.onnx", tmp_path / "optimised.onnx"
        path.write_bytes(model.SerializeToString())
        options = onnxruntime().SessionOptions()
        options.optimized_model_filepath = str(optimised_path)
        options.log_severity_level = 3
        # What comes after is for the CPU alone.
        level = onnxruntime().GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.graph_optimization_level = level
        onnxruntime().InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        in_files += len(model.graph.node)
        optimised += len(onnx.load(optimised_path).graph.node)
    assert in_files <= 270
    assert optimised <= 250


def test_no_node_of_a_perceptual_network_falls_back(tmp_path: Path) -> None:
    vgg = read_network(saved(tmp_path / "vgg.pth", vgg_state()))
    weights = WeightFile()
    kinds = {
        node.op_type
        for model in (
            perceptual.features_graph(vgg, weights),
            perceptual.distance_graph(vgg, weights),
        )
        for node in model.graph.node
    }
    assert kinds <= FLOAT32 | COMPARING | POOLING | SIZES

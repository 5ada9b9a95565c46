"""The builder of graphs: outputs by name without nodes of their own, tensors packed and split."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto

from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.packed import Packed

ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)


def run(graph: GraphBuilder, folder: Path) -> tuple[dict[str, np.ndarray], Counter[str]]:
    """What a graph of the input x gives for ROWS, and how many nodes of which kind it has."""
    model = graph.model()
    onnx.checker.check_model(model, full_check=True)
    path = folder / "graph.onnx"
    path.write_bytes(model.SerializeToString())
    kinds = Counter(node.op_type for node in model.graph.node)
    return Graph(path, Device(CPU)).run({"x": ROWS})[0], kinds


def test_an_output_is_the_tensor_itself(tmp_path: Path) -> None:
    graph = GraphBuilder("g")
    x = graph.input("x", [3, 2])
    first = graph.op("Add", x, graph.constant(1.0))
    early = graph.op("Mul", first, graph.constant(2.0))
    name = graph.output("first", first, [3, 2])
    assert name == "first"
    # Both names are understood from now on.
    late = graph.op("Sub", graph.op("Add", name, early), first)
    graph.output("late", late, [3, 2])
    given, kinds = run(graph, tmp_path)
    np.testing.assert_array_equal(given["first"], ROWS + 1)
    np.testing.assert_array_equal(given["late"], 2 * (ROWS + 1))
    assert "Identity" not in kinds


def test_what_has_a_name_already_is_copied(tmp_path: Path) -> None:
    graph = GraphBuilder("g")
    x = graph.input("x", [3, 2])
    twice = graph.op("Add", x, x)
    graph.output("same", x, [3, 2])
    graph.output("constant", graph.constant(ROWS), [3, 2])
    graph.output("twice", twice, [3, 2])
    graph.output("again", twice, [3, 2])
    given, kinds = run(graph, tmp_path)
    np.testing.assert_array_equal(given["same"], ROWS)
    np.testing.assert_array_equal(given["constant"], ROWS)
    np.testing.assert_array_equal(given["twice"], 2 * ROWS)
    np.testing.assert_array_equal(given["again"], 2 * ROWS)
    assert kinds == {"Add": 1, "Identity": 3}


def test_outputs_may_be_whole_numbers(tmp_path: Path) -> None:
    graph = GraphBuilder("g")
    x = graph.input("x", [3, 2])
    graph.output("bytes", graph.op("Cast", x, to=TensorProto.UINT8), [3, 2], TensorProto.UINT8)
    given, _ = run(graph, tmp_path)
    assert given["bytes"].dtype == np.uint8
    np.testing.assert_array_equal(given["bytes"], ROWS)


def test_what_is_packed_is_split_once_and_only_where_it_is_asked_for(tmp_path: Path) -> None:
    graph = GraphBuilder("g")
    packed = Packed(graph, graph.input("x", [3, 2]), 3)
    one = Packed(graph, graph.stack([packed.part(2)]), 1)
    turned = graph.stack([one.part(0), packed.part(0)], axis=1)
    graph.output("turned", turned, [1, 4])
    given, kinds = run(graph, tmp_path)
    np.testing.assert_array_equal(given["turned"], [[4, 5, 0, 1]])
    assert kinds == {"Split": 1, "Concat": 1}

"""A row times a matrix in a graph: what it gives, and how little of it float32 loses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant
from dragonnx_export.graphs.row_product import row_product


@pytest.mark.parametrize(
    ("length", "bias"), [(1, [0.5]), (7, [0.5]), (12, [1.0, 2.0, 3.0, 4.0, 5.0]), (48, [0.0])]
)
def test_it_is_the_product_and_the_bias(length: int, bias: list[float], tmp_path: Path) -> None:
    random = np.random.default_rng(length)
    matrix = random.integers(-9, 9, (length, 5))  # whole numbers: float32 sums them without loss
    row = random.integers(-9, 9, (1, length)).astype(np.float32)
    found = _run(tmp_path, matrix, bias, row)
    np.testing.assert_array_equal(found, row @ matrix + np.float32(bias))


def test_of_512_terms_it_loses_less_than_a_sum_of_one_after_the_other(tmp_path: Path) -> None:
    """Root mean square, of that of the result: 1.1e-7, where the plain product has 2.9e-7."""
    random = np.random.default_rng(0)
    matrix = random.standard_normal((512, 512), np.float32)
    row = random.standard_normal((1, 512), np.float32)
    expected = row.astype(np.float64) @ matrix.astype(np.float64)
    error = _run(tmp_path, matrix, [0.0], row) - expected
    assert np.sqrt(np.square(error).mean() / np.square(expected).mean()) < 1.7e-7


def _run(folder: Path, matrix: np.ndarray, bias: list[float], row: np.ndarray) -> np.ndarray:
    graph = GraphBuilder("product")
    product = row_product(graph, graph.input("row", row.shape), Constant.of(matrix * 1.0), bias)
    graph.output("product", product, [1, matrix.shape[1]])
    file = folder / "product.onnx"
    file.write_bytes(graph.model().SerializeToString())
    return Graph(file, Device(CPU)).run({"row": row})[0]["product"]

"""A row times a matrix, summed so that float32 loses little."""

from __future__ import annotations

import math

from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant, Values


def row_product(graph: GraphBuilder, row: str, matrix: Constant, bias: Constant | Values) -> str:
    """A row [1, K] times a matrix [K, N], plus a bias [N] or [1]: [1, N].

    ONNX Runtime adds up the K terms of a single row one after the other. In about sqrt(K) parts, whose
    sums are added then, the error is a third at K = 512, in the same time. It would be the same at every
    place of a map, where later filters do not take it away as they do that of a convolution.
    """
    length, width = matrix.values.shape
    parts = _divisor_up_to(math.isqrt(length), length)
    if parts == 1:
        return graph.op("Gemm", row, graph.constant(matrix), graph.constant(bias))
    rows = graph.reshape(row, (parts, 1, length // parts))
    matrices = graph.constant(matrix.shaped(parts, length // parts, width))
    sums = graph.sum(graph.op("MatMul", rows, matrices), (0,))
    return graph.op("Add", sums, graph.constant(bias))


def _divisor_up_to(most: int, number: int) -> int:
    return max(divisor for divisor in range(1, most + 1) if number % divisor == 0)

"""Raising and lowering the rate of maps, as matrices: filters, zeros between and borders in one.

A filter that is separable is a product with a matrix from each side. The adjoint of that is the product
with the transposed matrices, so forward and back cannot disagree about borders.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan3.architecture import Layer

_Matrix = NDArray[np.float64]


def raising(layer: Layer, taps: _Matrix) -> _Matrix:
    """From a row of the convolution's map to the raised rate, [raised_size, convolved_size].

    Args:
        layer: Its sizes.
        taps: Of its filter [up_taps].
    """
    cells = layer.convolved_size
    matrix = np.zeros((layer.raised_size, cells))
    # Cell i lies at up * i + padding in what the filter reads; output t is the sum over the taps
    # j of filter[j] at t + taps - 1 - j, a convolution that stays within the map.
    for cell in range(cells):
        first = layer.up * cell + layer.padding[0] - (layer.up_taps - 1)
        for tap, value in enumerate(taps):
            if 0 <= first + tap < layer.raised_size:
                matrix[first + tap, cell] = value
    return matrix


def lowering(layer: Layer, taps: _Matrix) -> _Matrix:
    """From a row at the raised rate to the layer's output, [out_size, raised_size].

    Args:
        layer: Its sizes.
        taps: Of its filter [down_taps].
    """
    matrix = np.zeros((layer.out_size, layer.raised_size))
    for cell in range(layer.out_size):
        first = cell * layer.down
        matrix[cell, first : first + layer.down_taps] = taps[::-1]
    return matrix

"""The operators that a graph may have: what the exporter writes, and has written.

None of them runs a graph of its own, reads a file, or keeps a state. Sines, of which StyleGAN3 makes its
first features, are for the next family. What another one needs is added here, with its rule; the
exporter's tests check that its graphs are within this list.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dragonnx.model.checking import convolutions, rules

OPSETS = range(18, 22)
"""Versions of ONNX's operators in which those below mean the same."""
IR_VERSIONS = range(8, 11)
"""Of the file format. ONNX Runtime 1.21 knows no later ones."""
_MANY = 256

Kind = Literal["f", "i", "s", "ints"]
"""The field of an attribute that holds its value."""


@dataclass(frozen=True)
class Operator:
    """What a node of one kind may look like.

    Attributes:
        rule: What it gives.
        fewest: Inputs that it takes at least.
        most: Inputs that it takes at most.
        attributes: Those that it may have.
        multiplies: Whether its cost is more than in proportion to what it reads and writes. Of
            constants alone it would be computed while the graph is loaded.
        is_known: Whether what it gives may be known whatever its input holds.
    """

    rule: rules.Rule
    fewest: int
    most: int
    attributes: Mapping[str, Kind] = field(default_factory=dict)
    multiplies: bool = False
    is_known: bool = False


_MAPS: Mapping[str, Kind] = {"pads": "ints", "strides": "ints", "group": "i"}
_POOL: Mapping[str, Kind] = {"kernel_shape": "ints", "strides": "ints"}
_KEEPS: Mapping[str, Kind] = {"keepdims": "i"}

OPERATORS: Mapping[str, Operator] = {
    "Abs": Operator(rules.elementwise, 1, 1),
    "Add": Operator(rules.arithmetic, 2, 2),
    "And": Operator(rules.conjunction, 2, 2),
    "AveragePool": Operator(convolutions.pooling, 1, 1, _POOL, multiplies=True),
    "Cast": Operator(rules.cast, 1, 1, {"to": "i"}),
    "Clip": Operator(rules.clip, 1, 3),
    "Concat": Operator(rules.concatenation, 1, _MANY, {"axis": "i"}),
    "Conv": Operator(convolutions.convolution, 2, 3, _MAPS, multiplies=True),
    "ConvTranspose": Operator(
        convolutions.transposed_convolution,
        2,
        3,
        {**_MAPS, "output_padding": "ints"},
        multiplies=True,
    ),
    "Cos": Operator(rules.elementwise, 1, 1),
    "Div": Operator(rules.quotient, 2, 2),
    "Equal": Operator(rules.comparison, 2, 2),
    "Gather": Operator(rules.gather, 2, 2, {"axis": "i"}),
    "Gemm": Operator(rules.linear, 2, 3, {"transB": "i"}, multiplies=True),
    "Greater": Operator(rules.comparison, 2, 2),
    "HardSigmoid": Operator(rules.elementwise, 1, 1, {"alpha": "f", "beta": "f"}),
    "Identity": Operator(rules.identity, 1, 1),
    "LeakyRelu": Operator(rules.elementwise, 1, 1, {"alpha": "f"}),
    "Less": Operator(rules.comparison, 2, 2),
    "MatMul": Operator(rules.matrix_product, 2, 2, multiplies=True),
    "MaxPool": Operator(convolutions.pooling, 1, 1, _POOL, multiplies=True),
    "Mul": Operator(rules.arithmetic, 2, 2),
    "Pad": Operator(rules.padding, 2, 2),
    "Reciprocal": Operator(rules.elementwise, 1, 1),
    "ReduceMean": Operator(rules.reduction, 2, 2, _KEEPS),
    "ReduceSum": Operator(rules.reduction, 2, 2, _KEEPS),
    "Relu": Operator(rules.elementwise, 1, 1),
    "Reshape": Operator(rules.reshaping, 2, 2),
    "Resize": Operator(
        rules.resizing,
        3,
        3,
        {"mode": "s", "nearest_mode": "s", "coordinate_transformation_mode": "s"},
    ),
    "Round": Operator(rules.elementwise, 1, 1),
    "Shape": Operator(rules.shape_of, 1, 1, {"start": "i"}, is_known=True),
    "Sign": Operator(rules.elementwise, 1, 1),
    "Sin": Operator(rules.elementwise, 1, 1),
    "Size": Operator(rules.size_of, 1, 1, is_known=True),
    "Slice": Operator(rules.slicing, 4, 5),
    "Split": Operator(rules.split, 1, 1, {"axis": "i", "num_outputs": "i"}),
    "Sqrt": Operator(rules.elementwise, 1, 1),
    "Sub": Operator(rules.difference, 2, 2),
    "Transpose": Operator(rules.transposition, 1, 1, {"perm": "ints"}),
    "Unsqueeze": Operator(rules.unsqueezing, 2, 2),
    "Where": Operator(rules.choice, 3, 3),
}

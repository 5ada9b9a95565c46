"""The rules of operators against the onnx package's own inference of types and shapes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from dragonnx.errors import BundleError
from dragonnx.model.checking.operators import OPERATORS
from dragonnx.model.checking.rules import MOST_VALUES
from dragonnx.model.checking.schema import FLOAT, INT64
from dragonnx.model.checking.tensor import Tensor

Array = np.ndarray
Found = list[tuple[int, tuple[int, ...]]]

BROADCASTING = ("Add", "Sub", "Mul", "Div", "Equal", "Greater", "Less", "MatMul")
side = st.integers(1, 7)
small = st.integers(-3, 3)


def ours(kind: str, inputs: Sequence[Array], attributes: dict[str, Any], outputs: int) -> Found:
    def tensor(array: Array) -> Tensor:
        values = tuple(array.ravel().tolist()) if array.size <= MOST_VALUES else None
        element = INT64 if array.dtype == np.int64 else FLOAT
        return Tensor(element, array.shape, values, is_constant=True)

    given_inputs = [tensor(array) for array in inputs]
    found = OPERATORS[kind].rule(given_inputs, attributes, outputs)
    return [(each.type, each.shape) for each in found]


def theirs(kind: str, inputs: Sequence[Array], attributes: dict[str, Any], outputs: int) -> Found:
    names = [f"i{n}" for n in range(len(inputs))]
    results = [f"o{n}" for n in range(outputs)]
    node = helper.make_node(kind, names, results, **attributes)
    constants = [numpy_helper.from_array(a, n) for a, n in zip(inputs, names, strict=True)]
    values = [onnx.ValueInfoProto(name=name) for name in results]
    graph = helper.make_graph([node], "g", [], values, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
    kinds = [value.type.tensor_type for value in inferred.graph.output]
    return [(k.elem_type, tuple(dim.dim_value for dim in k.shape.dim)) for k in kinds]


def check(kind: str, *inputs: Array, outputs: int = 1, **attributes: object) -> None:
    """What a rule takes is what onnx says; what it refuses is not of interest."""
    try:
        found = ours(kind, inputs, attributes, outputs)
    except BundleError:
        assume(False)
    assert found == theirs(kind, inputs, attributes, outputs)


def floats(*shape: int) -> Array:
    return np.zeros(shape, np.float32)


def whole(*values: int) -> Array:
    return np.array(values, np.int64)


@given(st.sampled_from(BROADCASTING), st.lists(side, max_size=4), st.data())
def test_two_tensors(kind: str, shape: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(shape)))
    other = [data.draw(st.sampled_from((1, length))) for length in shape[start:]]
    if kind == "MatMul":
        shape, other = [*shape, data.draw(side)], [*other, shape[-1] if shape else 1, 3]
        shape[-1] = other[-2]
    check(kind, floats(*shape), floats(*other))


@given(side, st.integers(1, 3), side, st.lists(side, min_size=4, max_size=4), st.data())
def test_convolutions(
    count: int, groups: int, outputs: int, sides: list[int], data: st.DataObject
) -> None:
    height, width, *kernel = sides
    attributes: dict[str, object] = {
        "group": groups,
        "pads": data.draw(st.lists(st.integers(0, 3), min_size=4, max_size=4)),
        "strides": data.draw(st.lists(st.integers(1, 3), min_size=2, max_size=2)),
    }
    x = floats(2, count * groups, height, width)
    if data.draw(st.booleans()):
        check("Conv", x, floats(outputs * groups, count, *kernel), **attributes)
    else:
        further = data.draw(st.lists(st.integers(0, 2), min_size=2, max_size=2))
        weight = floats(count * groups, outputs, *kernel)
        check("ConvTranspose", x, weight, output_padding=further, **attributes)


@given(st.sampled_from(("MaxPool", "AveragePool")), st.lists(side, min_size=6, max_size=6))
def test_pooling(kind: str, sides: list[int]) -> None:
    check(kind, floats(1, 2, *sides[:2]), kernel_shape=sides[2:4], strides=sides[4:])


@given(st.lists(side, min_size=1, max_size=4), st.data())
def test_parts(shape: list[int], data: st.DataObject) -> None:
    rank, number = len(shape), st.integers(-9, 9) | st.sampled_from((2**62, -(2**62)))
    axis, step = data.draw(st.integers(-rank, rank - 1)), data.draw(st.sampled_from((-2, -1, 1, 3)))
    ends = sorted(data.draw(st.tuples(number, number)), reverse=step < 0)
    check("Slice", floats(*shape), *map(whole, (*ends, axis, step)))


@given(st.lists(side, min_size=1, max_size=4), st.data())
def test_other_shapes(shape: list[int], data: st.DataObject) -> None:
    asked = data.draw(st.permutations(shape))
    kept = [at for at, length in enumerate(asked) if length == shape[at]]
    for at in data.draw(st.sets(st.sampled_from(kept))) if kept else ():
        asked[at] = 0
    if data.draw(st.booleans()):
        asked[data.draw(st.integers(0, len(asked) - 1))] = -1
    check("Reshape", floats(*shape), whole(*asked))


@given(st.lists(side, max_size=3), st.lists(small, min_size=1, max_size=2))
def test_further_axes(shape: list[int], axes: list[int]) -> None:
    check("Unsqueeze", floats(*shape), whole(*axes))


@given(st.sampled_from(("ReduceSum", "ReduceMean")), st.integers(0, 1), st.data())
def test_sums(kind: str, keepdims: int, data: st.DataObject) -> None:
    shape = data.draw(st.lists(side, min_size=1, max_size=4))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1))
    signed = (axis - len(shape) * data.draw(st.booleans()) for axis in axes)
    check(kind, floats(*shape), whole(*signed), keepdims=keepdims)


@given(st.lists(side, min_size=1, max_size=3), st.lists(side, max_size=2), small)
def test_gathering(shape: list[int], indices: list[int], axis: int) -> None:
    check("Gather", floats(*shape), np.zeros(indices, np.int64), axis=axis)


@given(st.lists(side, min_size=1, max_size=3), side, small)
def test_one_after_the_other(shape: list[int], length: int, axis: int) -> None:
    other = list(shape)
    other[axis % len(shape)] = length
    check("Concat", floats(*shape), floats(*other), floats(*shape), axis=axis)


@given(st.lists(side, min_size=1, max_size=3), small, st.integers(1, 4))
def test_equal_parts(shape: list[int], axis: int, count: int) -> None:
    check("Split", floats(*shape), outputs=count, axis=axis, num_outputs=count)


@given(st.lists(side, min_size=1, max_size=4), st.data())
def test_other_forms(shape: list[int], data: st.DataObject) -> None:
    rank = len(shape)
    check("Transpose", floats(*shape), perm=data.draw(st.permutations(range(rank))))
    check("Shape", floats(*shape), start=data.draw(st.integers(-rank, rank - 1)))
    check("Size", floats(*shape))
    check("Cast", floats(*shape), to=data.draw(st.sampled_from((1, 2, 7, 9))))
    pads = data.draw(st.lists(st.integers(0, 3), min_size=2 * rank, max_size=2 * rank))
    check("Pad", floats(*shape), whole(*pads))


@given(side, side, side, st.booleans())
def test_linear_layers(rows: int, inputs: int, outputs: int, turned: bool) -> None:
    weight = floats(outputs, inputs) if turned else floats(inputs, outputs)
    check("Gemm", floats(rows, inputs), weight, floats(outputs), transB=int(turned))


@settings(max_examples=20)
@given(st.lists(st.integers(1, 3), min_size=4, max_size=4))
def test_larger_maps(factors: list[int]) -> None:
    shape = (1, 2, 5, 4)
    scales = np.array(factors, np.float32)
    attributes: dict[str, Any] = {
        "mode": "nearest",
        "nearest_mode": "floor",
        "coordinate_transformation_mode": "asymmetric",
    }
    given_inputs = [Tensor(FLOAT, shape), None, Tensor(FLOAT, (4,), tuple(scales.tolist()))]
    encoded = {name: value.encode() for name, value in attributes.items()}
    (found,) = OPERATORS["Resize"].rule(given_inputs, encoded, 1)
    node = helper.make_node("Resize", ["x", "", "s"], ["y"], **attributes)
    x = helper.make_tensor_value_info("x", FLOAT, shape)
    graph = helper.make_graph(
        [node], "g", [x], [onnx.ValueInfoProto(name="y")], [numpy_helper.from_array(scales, "s")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    kind = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph.output[0].type
    assert found.shape == tuple(dim.dim_value for dim in kind.tensor_type.shape.dim)

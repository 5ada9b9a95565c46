"""A stranger's network that is run as it comes: one file, checked before ONNX Runtime sees it.

A bundle's graphs are the exporter's, and nothing else may be in them. Here a file of another program
comes, so more is let through: descriptions, weights in the file itself, the operators of networks that
look at pictures. What it may not do is the same: name another file, hold graphs within nodes or
functions, use operators of other domains, or take more memory than is allowed.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dragonnx.errors import BundleError
from dragonnx.model.checking.foreign_rules import COSTLY, RULES, folded
from dragonnx.model.checking.graph import Run, nodes_of, run_bytes
from dragonnx.model.checking.rules import MOST_VALUES
from dragonnx.model.checking.schema import FLOAT, INT64, STRANGERS, parse_model
from dragonnx.model.checking.tensor import Tensor, require
from dragonnx.model.checking.wire import check_wire
from dragonnx.reading.values import shown

LARGEST = 128 * 2**20
"""Bytes of a file. The largest detector of faces that is in use has 110 MB."""
OPSETS = range(9, 22)
_RUN_BYTES = 2**29
"""The largest detectors take some 100 MB for pictures of 640 x 640 pixels."""
_CONSTANT_BYTES = 64 * 2**20
"""What may be computed while it is loaded, beside its own data."""
_DOMAINS = ("", "ai.onnx")
_TENSOR = 4
_ATTRIBUTE_FIELDS = {1: "f", 2: "i", 3: "s", 4: "t", 6: "floats", 7: "ints"}
"""By the type of an attribute, as ONNX numbers them."""
_INLINE = {FLOAT: ("f", "float_data"), INT64: ("q", "int64_data")}
_QUANTISED = ("Quantize", "Dequantize", "Integer", "QLinear")


@dataclass(frozen=True)
class ForeignGraph:
    """What a stranger's network takes and gives.

    Attributes:
        input: The name of its one input.
        image_size: (height, width) of the pictures [1, 3, height, width] that come.
        outputs: The shape of each output for such a picture.
    """

    input: str
    image_size: tuple[int, int]
    outputs: Mapping[str, tuple[int, ...]]


def check_foreign(content: bytes, usual: tuple[int, int]) -> ForeignGraph:
    """Refuse a network that is none of pictures, or may not be run.

    Args:
        content: Its file.
        usual: (height, width) of the pictures for one that takes any.

    Raises:
        BundleError: It is refused; the message says why, without the file.
    """
    check_wire(content)
    model = parse_model(content, STRANGERS, LARGEST)
    versions = {entry.domain: entry.version for entry in model.opset_import}
    version = versions.get("", versions.get("ai.onnx"))
    require(
        version in OPSETS,
        "it is of version {} of ONNX's operators, and {} to {} are known",
        version,
        OPSETS[0],
        OPSETS[-1],
    )
    graph = model.graph
    runs = nodes_of(graph)
    tensors = {each.name: _constant(each) for each in graph.initializer}
    require(len(tensors) == len(graph.initializer), "two of its constants have one name")
    # Older files name their constants as inputs too.
    inputs = [value for value in graph.input if value.name not in tensors]
    require(len(inputs) == 1, "it takes {} inputs, and one picture is given", len(inputs))
    name, size = inputs[0].name, _image_size(inputs[0], usual)
    tensors[name] = Tensor(FLOAT, (1, 3, *size))
    _check_nodes(runs, tensors)
    outputs: dict[str, tuple[int, ...]] = {}
    for value in graph.output:
        known = value.name in tensors and value.name not in outputs
        require(known, "no node gives its output {}, or it has it twice", value.name)
        require(tensors[value.name].type == FLOAT, "its output {} is no float32", value.name)
        outputs[value.name] = tensors[value.name].shape
    needed = run_bytes(runs, tensors, [name], list(outputs))
    require(needed <= _RUN_BYTES, "a run would take {} bytes of memory", needed)
    return ForeignGraph(name, size, outputs)


def _image_size(value: Any, usual: tuple[int, int]) -> tuple[int, int]:
    """Height and width of the pictures that an input takes."""
    kind = value.type.tensor_type
    dims = [
        dim.dim_value if dim.WhichOneof("value") == "dim_value" else 0 for dim in kind.shape.dim
    ]
    fits = kind.elem_type == FLOAT and len(dims) == 4 and max(dims, default=0) <= 2048
    fits = fits and dims[0] in (-1, 0, 1) and dims[1] in (-1, 0, 3)
    require(fits, "its input is no picture [1, 3, height, width] of float32")
    height, width = (dim if dim > 0 else free for dim, free in zip(dims[2:], usual, strict=True))
    return height, width


def _check_nodes(nodes: Sequence[Run], tensors: dict[str, Tensor]) -> None:
    """Add what nodes give."""
    own = sum(tensor.bytes for tensor in tensors.values() if tensor.is_constant)
    made = 0
    for node in nodes:
        kind = node.kind
        if node.message.domain not in _DOMAINS or kind not in RULES:
            quantised = any(word in kind for word in _QUANTISED)
            raise BundleError(
                f"it has an operator {shown(kind)} that is not run here"
                f"{': it is quantised, and its float32 version is wanted' * quantised}"
            )
        try:
            inputs = [_earlier(name, tensors) for name in node.inputs]
            attributes = _attributes(node.message)
            given = [tensor for tensor in inputs if tensor is not None]
            constant = kind != "Shape" and all(tensor.is_constant for tensor in given)
            require(not (constant and kind in COSTLY), "it would compute constants at each start")
            require(bool(node.inputs) or kind == "Constant", "it takes nothing")
            results = RULES[kind](inputs, attributes, len(node.outputs))
            require(len(results) >= len(node.outputs), "it gives {} outputs", len(node.outputs))
        except (
            BundleError, TypeError, IndexError, KeyError, ValueError, ArithmeticError, AttributeError
        ) as error:  # fmt: skip
            # A rule that meets an attribute or a number of inputs that no such operator has.
            raise BundleError(
                f"its node {shown(node.message.name)} ({kind}) cannot be used: {error}"
            ) from error
        for name, result in zip(node.outputs, results, strict=False):
            require(name not in tensors, "it has {} twice", name)
            tensor = folded(kind, inputs, attributes, result)._replace(is_constant=constant)
            made += tensor.bytes if constant else 0
            require(made <= _CONSTANT_BYTES + 4 * own, "loading it takes {} bytes of memory", made)
            require(tensor.bytes <= _RUN_BYTES, "a run would take {} bytes of memory", tensor.bytes)
            if name:
                tensors[name] = tensor


def _earlier(name: str, tensors: Mapping[str, Tensor]) -> Tensor | None:
    """What comes for an input of a node; None where it is left out."""
    require(name == "" or name in tensors, "nothing before it gives {}", name)
    return tensors.get(name)


def _attributes(node: Any) -> dict[str, Any]:
    """The values of a node's attributes."""
    values: dict[str, Any] = {}
    for attribute in node.attribute:
        field = _ATTRIBUTE_FIELDS.get(attribute.type)
        if field is None or attribute.name in values:
            raise BundleError(f"its attribute {shown(attribute.name)} is not known")
        value = getattr(attribute, field)
        if field == "t":
            value = _constant(value)
        values[attribute.name] = list(value) if field in ("ints", "floats") else value
    return values


def _constant(tensor: Any) -> Tensor:
    """A constant, with its values where they are few; its data is in the file itself.

    Raises:
        BundleError: It is in another file, of another type, or not whole.
    """
    name, kind = shown(tensor.name), tensor.data_type
    inside = tensor.data_location == 0 and not tensor.external_data
    require(inside, "its constant {} lies in another file, and one file alone is read", tensor.name)
    if kind not in _INLINE:
        raise BundleError(
            f"its constant {name} is of a type that is not run here: a network in float32 is wanted"
        )
    shape = tuple(tensor.dims)
    require(
        len(shape) <= 6 and min(shape, default=0) >= 0, "a constant of the shape {}", list(shape)
    )
    found = Tensor(kind, shape, None, True)
    letter, field = _INLINE[kind]
    numbers = getattr(tensor, field)
    whole = len(tensor.raw_data) == found.bytes if tensor.raw_data else len(numbers) == found.size
    require(whole, "its constant {} is not whole", tensor.name)
    if found.size > MOST_VALUES:
        return found
    if tensor.raw_data:
        numbers = struct.unpack(f"<{found.size}{letter}", tensor.raw_data)
    return found._replace(values=tuple(numbers))

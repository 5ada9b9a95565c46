"""One graph's file: what is in it, what it gives for certain inputs, and what it takes to load and run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dragonnx.errors import BundleError
from dragonnx.model.checking.constants import constant
from dragonnx.model.checking.operators import IR_VERSIONS, OPERATORS, OPSETS, Operator
from dragonnx.model.checking.schema import parse_model
from dragonnx.model.checking.tensor import Tensor, require
from dragonnx.reading.values import shown

MOST_NODES = 4096
"""And inputs, outputs, constants; the largest of StyleGAN2 at 1024 px has 450 nodes."""
_LOADED = 4
_LOADED_BESIDES = 64 * 2**20
"""While it loads a graph, ONNX Runtime turns weights around and lays them out as its kernels like them: so
many times the data that the graph has, and so many bytes besides, are let through."""
_DOMAINS = ("", "ai.onnx")
_ATTRIBUTE_TYPES = {"f": 1, "i": 2, "s": 3, "ints": 7}
"""By the field of the value, as ONNX numbers them."""


@dataclass(frozen=True)
class Free:
    """An axis whose length a graph leaves to whoever runs it; it is checked with one.

    Attributes:
        length: The one.
    """

    length: int


@dataclass(frozen=True)
class Declared:
    """An input or output as a graph declares it.

    Attributes:
        type: Of its elements, as ONNX numbers them.
        axes: Their lengths.
    """

    type: int
    axes: tuple[int | Free, ...]

    @property
    def tensor(self) -> Tensor:
        """What comes in a run."""
        lengths = (axis.length if isinstance(axis, Free) else axis for axis in self.axes)
        return Tensor(self.type, tuple(lengths))

    def fixes(self, other: Declared) -> bool:
        """Whether it has a length where another of the same shape leaves it free."""
        pairs = zip(self.axes, other.axes, strict=True)
        return any(isinstance(free, Free) and not isinstance(axis, Free) for axis, free in pairs)


@dataclass(frozen=True)
class Graph:
    """A graph that was checked.

    Attributes:
        inputs: The names of what it takes.
        outputs: What it gives, by name.
        run_bytes: What lies in memory at most at one time of a run, weights aside.
    """

    inputs: frozenset[str]
    outputs: Mapping[str, Declared]
    run_bytes: int


def check_graph(content: bytes, files: Mapping[str, int], given: Mapping[str, Declared]) -> Graph:
    """Refuse a graph that holds anything but known operators on these inputs and this data.

    Args:
        content: The graph's file.
        files: The size of each file in which weights may lie, by name.
        given: What it may take.

    Raises:
        BundleError: It holds something else, would fail in a run with such inputs, or takes more to
            load than its data explains. The message says what, without the file.
    """
    model = parse_model(content)
    _check_versions(model)
    graph = model.graph
    lengths = _Lengths()
    nodes, tensors = _tensors(graph, files, given, lengths)
    made = {name for node in nodes for name in node.outputs}
    outputs: dict[str, Declared] = {}
    for value in graph.output:
        known = value.name in made and value.name not in outputs
        require(known, "no node gives its output {}", value.name)
        outputs[value.name] = lengths.declared(value, tensors[value.name])
    inputs = frozenset(value.name for value in graph.input)
    return Graph(inputs, outputs, run_bytes(nodes, tensors, inputs, frozenset(outputs)))


def nodes_and_tensors(
    content: bytes, files: Mapping[str, int], given: Mapping[str, Declared]
) -> tuple[list[Run], dict[str, Tensor]]:
    """The nodes of a graph, in their order, and all tensors of a run, by name.

    Args:
        content: The graph's file.
        files: The size of each file in which weights may lie, by name.
        given: What it may take.

    Raises:
        BundleError: As `check_graph` does.
    """
    return _tensors(parse_model(content).graph, files, given, _Lengths())


def _tensors(
    graph: Any, files: Mapping[str, int], given: Mapping[str, Declared], lengths: _Lengths
) -> tuple[list[Run], dict[str, Tensor]]:
    nodes = nodes_of(graph)
    tensors: dict[str, Tensor] = {}
    for value in graph.input:
        _check_new(value.name, tensors)
        tensors[value.name] = _input(value, given, lengths)
    for initializer in graph.initializer:
        _check_new(initializer.name, tensors)
        try:
            tensors[initializer.name] = constant(initializer, files)
        except BundleError as error:
            name = shown(initializer.name)
            raise BundleError(f"its constant {name} cannot be used: {error}") from error
    named = [node.name for node in graph.node if node.name]
    require(len(set(named)) == len(named), "two nodes have one name")
    _check_nodes(nodes, tensors, files)
    return nodes, tensors


class Run(NamedTuple):
    """A node as it is run, and what is asked of it more than once."""

    kind: str
    inputs: list[str]
    outputs: list[str]
    message: Any


def nodes_of(graph: Any) -> list[Run]:
    """The nodes of a graph, in their order.

    Raises:
        BundleError: There are more of them, or of other parts, than any graph has.
    """
    most = max(map(len, (graph.node, graph.initializer, graph.input, graph.output)))
    require(
        most <= MOST_NODES,
        "it has {} nodes or constants, and at most {} are known",
        most,
        MOST_NODES,
    )
    return [Run(node.op_type, list(node.input), list(node.output), node) for node in graph.node]


class _Lengths:
    """The lengths of axes that a graph knows by name."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def declared(self, value: Any, tensor: Tensor) -> Declared:
        """How a graph declares what comes as this tensor; refused where it says something else."""
        kind = value.type.tensor_type
        dims = kind.shape.dim
        fits = kind.elem_type == tensor.type and len(dims) == len(tensor.shape)
        if not fits or not all(map(self._fits, dims, tensor.shape)):
            raise BundleError(f"its {shown(value.name)} is not {tensor}")
        axes = (
            Free(length) if dim.WhichOneof("value") == "dim_param" else length
            for dim, length in zip(dims, tensor.shape, strict=True)
        )
        return Declared(tensor.type, tuple(axes))

    def _fits(self, dim: Any, length: int) -> bool:
        if dim.WhichOneof("value") == "dim_param":
            return self._known.setdefault(dim.dim_param, length) == length
        return bool(dim.dim_value == length)


def _check_versions(model: Any) -> None:
    versions = [(entry.domain, entry.version) for entry in model.opset_import]
    known = len(versions) == 1 and versions[0][0] in _DOMAINS and versions[0][1] in OPSETS
    require(known, "it needs operators that this dragonnx does not know: {}", repr(versions))
    known = model.ir_version in IR_VERSIONS
    require(known, "it is of a format that this dragonnx does not know, {}", model.ir_version)


def _input(value: Any, given: Mapping[str, Declared], lengths: _Lengths) -> Tensor:
    """What comes for a declared input."""
    require(value.name in given, "it takes {}, which nothing gives it", value.name)
    tensor = given[value.name].tensor
    fixed = lengths.declared(value, tensor).fixes(given[value.name])
    require(not fixed, "its {} has a fixed length where any may come", value.name)
    return tensor


def _check_new(name: str, tensors: Mapping[str, Tensor]) -> None:
    require(name != "" and name not in tensors, "it has {} twice", name)


def _check_nodes(
    nodes: Iterable[Run], tensors: dict[str, Tensor], files: Mapping[str, int]
) -> None:
    """Add what nodes give; refuse those of which loading would compute too much."""
    data = sum(tensor.bytes for tensor in tensors.values() if tensor.is_constant)
    # Constants may lie in one another, and then are more than their files.
    most = _LOADED * min(data, sum(files.values())) + _LOADED_BESIDES
    loaded = 0
    for node in nodes:
        operator = OPERATORS.get(node.kind) if node.message.domain in _DOMAINS else None
        if operator is None:
            raise BundleError(
                f"it has an operator {shown(node.kind)} that no graph of dragonnx has: it may be for a "
                "newer dragonnx"
            )
        try:
            loaded += _add_outputs(node, operator, tensors)
            require(loaded <= most, "loading all before it takes {} bytes of memory", loaded)
        except BundleError as error:
            name = f"{shown(node.message.name)} ({node.kind})"
            raise BundleError(f"its node {name} cannot be used: {error}") from error


def _add_outputs(node: Run, operator: Operator, tensors: dict[str, Tensor]) -> int:
    """Add what a node gives; how many bytes of constants it reads and makes."""
    fits = operator.fewest <= len(node.inputs) <= operator.most
    require(fits, "it takes {} inputs", len(node.inputs))
    inputs = [_earlier(name, tensors) for name in node.inputs]
    outputs = operator.rule(inputs, _attributes(node.message, operator), len(node.outputs))
    require(len(outputs) == len(node.outputs), "it gives {} outputs", len(node.outputs))
    read, is_constant = 0, True
    for tensor in inputs:
        if tensor is None:
            continue
        if tensor.is_constant:
            read += tensor.bytes
        else:
            is_constant = operator.is_known  # as a shape may be, whatever it is of
    require(not (is_constant and operator.multiplies), "it would compute constants at each start")
    for name, (kind, shape, values, _) in zip(node.outputs, outputs, strict=True):
        _check_new(name, tensors)
        tensors[name] = tensor = Tensor(kind, shape, values, is_constant)
        if is_constant:
            read += tensor.bytes
    return read


def _earlier(name: str, tensors: Mapping[str, Tensor]) -> Tensor | None:
    """What comes for an input of a node; None where it is left out."""
    found = tensors.get(name)
    require(found is not None or name == "", "nothing before it gives {}", name)
    return found


def _attributes(node: Any, operator: Operator) -> dict[str, Any]:
    """The values of a node's attributes."""
    values: dict[str, Any] = {}
    for attribute in node.attribute:
        name = attribute.name
        kind = operator.attributes.get(name)
        if kind is None or name in values or attribute.type != _ATTRIBUTE_TYPES[kind]:
            raise BundleError(f"its attribute {shown(name)} is not known")
        value = getattr(attribute, kind)
        values[name] = list(value) if kind == "ints" else value
    return values


def run_bytes(
    nodes: Sequence[Run],
    tensors: Mapping[str, Tensor],
    inputs: Collection[str],
    outputs: Collection[str],
) -> int:
    """What lies in memory at most at one time of a run: each tensor until its last use."""
    sizes = {name: 0 if tensor.is_constant else tensor.bytes for name, tensor in tensors.items()}
    last = {name: at for at, node in enumerate(nodes) for name in (*node.inputs, *node.outputs)}
    for name in (*inputs, *outputs):
        last.pop(name, None)
    living = most = sum(sizes[name] for name in inputs)
    ended = [0] * len(nodes)
    for name, at in last.items():
        ended[at] += sizes.get(name, 0)
    for node, gone in zip(nodes, ended, strict=True):
        living += sum([sizes[name] for name in node.outputs])
        most = max(most, living)
        living -= gone
    return most

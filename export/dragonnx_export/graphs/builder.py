"""A thin layer over `onnx.helper`: name tensors, add nodes, share weights, check the result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from dragonnx_export.graphs.constant import Constant, Values
from dragonnx_export.graphs.weight_file import WeightFile

OPSET = 18
"""Opset 18 is the oldest in which ReduceSum, Clip and Split all take what the graphs give."""

_IR_VERSION = 9
_INLINE_BYTES = 1024
"""Smaller constants stay in the graph, where ONNX Runtime can fold them while it loads."""


class GraphBuilder:
    """Collects the nodes of one graph. Tensors are handled by name.

    Args:
        name: The graph's name, as in the bundle.
        weights: Where constants of more than `_INLINE_BYTES` are kept, shared between graphs;
            without it all are kept in the graph, which is then a file of its own.
    """

    def __init__(self, name: str, weights: WeightFile | None = None) -> None:
        self._name = name
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self._initializers: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._produced: set[str] = set()  # what nodes give and no output has taken
        self._renamed: dict[str, str] = {}  # tensors by their first name: the output's name

    def input(self, name: str, shape: Sequence[int | str], dtype: int = TensorProto.FLOAT) -> str:
        """Declare an input; a named dimension is free."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(
        self,
        name: str,
        tensor: str,
        shape: Sequence[int | str],
        dtype: int = TensorProto.FLOAT,
    ) -> str:
        """Give a tensor out under a name of its own, which it has from now on; returns that name.

        What is an input, a constant or an output already keeps its name, and is copied.
        """
        if tensor in self._produced:
            self._produced.remove(tensor)
            self._renamed[tensor] = name
        else:
            copied = self._renamed.get(tensor, tensor)
            self._nodes.append(
                helper.make_node("Identity", [copied], [name], name=f"output_{name}")
            )
        self._outputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def constant(self, values: Constant | Values) -> str:
        """A constant tensor. Equal ones are one; values are taken as `Constant.of` takes them."""
        constant = values if isinstance(values, Constant) else Constant.of(values)
        if constant.key not in self._constants:
            name = f"constant_{len(self._constants)}"
            self._constants[constant.key] = name
            if self._weights is not None and constant.values.nbytes > _INLINE_BYTES:
                self._initializers.append(self._weights.tensor(name, constant))
            else:
                self._initializers.append(numpy_helper.from_array(constant.values, name))
        return self._constants[constant.key]

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """Add one node with one output; returns the output's name."""
        (name,) = self._add(kind, inputs, 1, attributes)
        return name

    def split(self, tensor: str, count: int, axis: int = 0) -> list[str]:
        """The equal parts of a tensor along an axis; of one part it is the tensor itself."""
        if count == 1:
            return [tensor]
        return self._add("Split", [tensor], count, {"axis": axis, "num_outputs": count})

    def stack(self, tensors: Sequence[str], axis: int = 0) -> str:
        """Tensors one after the other along an axis; one is itself."""
        return tensors[0] if len(tensors) == 1 else self.op("Concat", *tensors, axis=axis)

    def sum(self, tensor: str, axes: Sequence[int], *, keepdims: bool = False) -> str:
        """Sum over some axes."""
        axes_constant = self.constant(np.array(axes, np.int64))
        return self.op("ReduceSum", tensor, axes_constant, keepdims=int(keepdims))

    def reshape(self, tensor: str, shape: Sequence[int]) -> str:
        """Give a tensor another shape; one dimension may be -1."""
        return self.op("Reshape", tensor, self.constant(np.array(shape, np.int64)))

    def model(self) -> onnx.ModelProto:
        """The finished graph as a model whose large constants lie in the weight file."""
        for node in self._nodes:
            for names in (node.input, node.output):
                names[:] = [self._renamed.get(name, name) for name in names]
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._initializers
        )
        return helper.make_model(
            graph,
            producer_name="dragonnx-export",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
        )

    def _add(
        self, kind: str, inputs: Sequence[str], outputs: int, attributes: Mapping[str, Any]
    ) -> list[str]:
        name = f"{kind}_{len(self._nodes)}"
        names = [name if outputs == 1 else f"{name}_{part}" for part in range(outputs)]
        self._nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        self._produced.update(names)
        return names

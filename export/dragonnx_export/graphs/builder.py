"""A thin layer over `onnx.helper`: name tensors, add nodes, share weights, check the result."""

from __future__ import annotations

from collections.abc import Sequence
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

    def input(self, name: str, shape: Sequence[int | str], dtype: int = TensorProto.FLOAT) -> str:
        """Declare an input; a named dimension is free."""
        self._inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, name: str, tensor: str, shape: Sequence[int | str]) -> None:
        """Give a tensor out under a name of its own."""
        self._nodes.append(helper.make_node("Identity", [tensor], [name], name=f"output_{name}"))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))

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
        name = f"{kind}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def sum(self, tensor: str, axes: Sequence[int], *, keepdims: bool = False) -> str:
        """Sum over some axes."""
        axes_constant = self.constant(np.array(axes, np.int64))
        return self.op("ReduceSum", tensor, axes_constant, keepdims=int(keepdims))

    def reshape(self, tensor: str, shape: Sequence[int]) -> str:
        """Give a tensor another shape; one dimension may be -1."""
        return self.op("Reshape", tensor, self.constant(np.array(shape, np.int64)))

    def model(self) -> onnx.ModelProto:
        """The finished graph as a model whose large constants lie in the weight file."""
        graph = helper.make_graph(
            self._nodes, self._name, self._inputs, self._outputs, self._initializers
        )
        return helper.make_model(
            graph,
            producer_name="dragonnx-export",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
        )

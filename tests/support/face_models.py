"""Tiny networks with the outputs of those that find faces: they find red spots.

A cell that is red is a face whose box and points lie where `BOX` and `FIVE` say, in sides of the cell
from its corner. Built of the messages that graphs are checked with, since no ONNX library is needed to
run one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from dragonnx.model.checking.schema import FLOAT, INT64, STRANGERS, parse_model

FIVE = np.array([(0.2, 0.3), (1.4, 0.35), (0.8, 0.9), (0.35, 1.5), (1.25, 1.55)])
"""Left eye, right eye, nose, corners of the mouth."""
BOX = np.array([-0.5, -0.25, 2.0, 2.5])
"""Left, top, right, bottom."""


class Network:
    """A network that is being built.

    Args:
        size: (height, width) of its pictures; None for any.
        opset: The version of its operators.
    """

    def __init__(self, size: tuple[int, int] | None = (640, 640), opset: int = 11) -> None:
        self.model = parse_model(b"", STRANGERS)
        self.model.ir_version = 6
        self.model.producer_name = "pytorch"
        self.model.producer_version = b"1.9"
        self.model.graph.name = "torch-jit-export"
        self.model.graph.doc_string = b"made for a test"
        self.model.opset_import.add(domain="", version=opset)
        self._count = 0
        dims: Sequence[int | str] = (1, 3, *(size or ("height", "width")))
        self._value(self.model.graph.input, "input", dims)

    def file(self) -> bytes:
        content: bytes = self.model.SerializeToString()
        return content

    def constant(self, values: Any) -> str:
        array = np.asarray(values)
        array = array.astype(np.float32 if array.dtype.kind == "f" else np.int64)
        kind = FLOAT if array.dtype == np.float32 else INT64
        name = self._name()
        self.model.graph.initializer.add(
            name=name, dims=array.shape, data_type=kind, raw_data=array.tobytes()
        )
        return name

    def node(self, kind: str, *inputs: str, output: str = "", **attributes: Any) -> str:
        output = output or self._name()
        node = self.model.graph.node.add(op_type=kind, name=f"{kind}_{output}")
        node.input.extend(inputs)
        node.output.append(output)
        for name, value in attributes.items():
            given = node.attribute.add(name=name)
            if isinstance(value, int):
                given.i, given.type = value, 2
            elif isinstance(value, float):
                given.f, given.type = value, 1
            elif isinstance(value, bytes):
                given.s, given.type = value, 3
            else:
                given.ints.extend(value)
                given.type = 7
        return output

    def output(self, name: str, *dims: int | str) -> None:
        self._value(self.model.graph.output, name, dims)

    def cells(self, stride: int, weights: np.ndarray, bias: Sequence[float]) -> str:
        """A convolution that looks at each cell's mean colour: weights [count, 3]."""
        kernel = np.repeat(np.repeat(weights[:, :, None, None], stride, 2), stride, 3) / stride**2
        return self.node(
            "Conv", "input", self.constant(kernel.astype(np.float32)),
            self.constant(np.array(bias, np.float32)), kernel_shape=(stride, stride),
            strides=(stride, stride), pads=(0, 0, 0, 0), dilations=(1, 1), group=1,
        )  # fmt: skip

    def listed(self, maps: str, *shape: int, output: str = "") -> str:
        """Maps [1, n, h, w] as a list with the numbers of each cell."""
        turned = self.node("Transpose", maps, perm=(0, 2, 3, 1))
        return self.node("Reshape", turned, self.constant(shape), output=output)

    def _name(self) -> str:
        self._count += 1
        return str(400 + self._count)

    @staticmethod
    def _value(values: Any, name: str, dims: Sequence[int | str]) -> None:
        kind = values.add(name=name).type.tensor_type
        kind.elem_type = FLOAT
        for dim in dims:
            kind.shape.dim.add(**{"dim_value" if isinstance(dim, int) else "dim_param": dim})


def yunet(size: tuple[int, int] | None = (640, 640), *, strides: Sequence[int] = (16,)) -> bytes:
    """A YuNet that sees red in cells of these sides."""
    network = Network(size)
    sure, nothing = 8.0, np.zeros((1, 3))
    # Blue first, and colours to 255.
    red = np.array([[-1.0, -1.0, 1.0]]) / 10
    low, high = BOX[:2], BOX[2:]
    box = [*(low + high) / 2, *np.log(high - low)]
    for stride in (8, 16, 32):
        weights, bias = (red, -15.0) if stride in strides else (nothing, -sure)
        score = network.listed(network.cells(stride, weights, [bias]), 1, -1, 1)
        network.node("Sigmoid", score, output=f"cls_{stride}")
        always = network.listed(network.cells(stride, nothing, [sure]), 1, -1, 1)
        network.node("Sigmoid", always, output=f"obj_{stride}")
        for kind, values in (("bbox", box), ("kps", FIVE.ravel())):
            maps = network.cells(stride, np.zeros((len(values), 3)), values)
            network.listed(maps, 1, -1, len(values), output=f"{kind}_{stride}")
    for kind, count in (("cls", 1), ("obj", 1), ("bbox", 4), ("kps", 10)):
        for stride in (8, 16, 32):
            network.output(f"{kind}_{stride}", 1, "n", count)
    return network.file()


def insightface(
    size: tuple[int, int] | None = None,
    *,
    strides: Sequence[int] = (16,),
    levels: int = 3,
    with_points: bool = True,
    batched: bool = False,
    shuffled: Callable[[list[str]], list[str]] = lambda names: names,
) -> bytes:
    """An SCRFD that sees red in cells of these sides."""
    network = Network(size)
    each = 2 if levels == 3 else 1
    box = np.array([-BOX[0], -BOX[1], BOX[2], BOX[3]])
    names: dict[int, list[str]] = {1: [], 4: [], 10: []}
    red = np.array([[1.0, -1.0, -1.0]]) * 10
    batch = (1,) if batched else ()
    for stride in (8, 16, 32, 64, 128)[:levels]:
        # Red first, and colours from -1 to 1: red alone is 1 + 1 + 1.
        weights, bias = (red, -15.0) if stride in strides else (red * 0, -8.0)
        score = network.cells(stride, weights.repeat(each, 0), [bias] * each)
        score = network.listed(network.node("Sigmoid", score), *batch, -1, 1)
        names[1].append(score)
        for values in (box, FIVE.ravel()):
            maps = network.cells(stride, np.zeros((each * len(values), 3)), [*values] * each)
            if with_points or len(values) == 4:
                names[len(values)].append(network.listed(maps, *batch, -1, len(values)))
    counts = {name: count for count, group in names.items() for name in group}
    for name in shuffled(list(counts)):
        network.output(name, *batch, f"n{name}", counts[name])
    return network.file()

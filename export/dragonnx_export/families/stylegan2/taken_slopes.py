"""Torch with the slopes that a graph took, so that rounding at a kink is no difference."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

from dragonnx.drag.windows import GraphWindows
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.layers import LEAK
from dragonnx_export.parity.cases import Arrays


class TakenSlopes(TorchFunctionMode):
    """Makes leaky ReLUs and clamps take the side of their kink that a graph took.

    Elsewhere the two sides differ by nothing; within rounding of the kink they may differ, and one
    other slope in a coarse layer moves the whole gradient by more than rounding ever does.

    Args:
        architecture: The generator's.
        measured: The layer outputs of the graph.
        plan: The windows that they are of, if any.
    """

    def __init__(
        self,
        architecture: Architecture,
        measured: Arrays,
        plan: GraphWindows | None = None,
    ) -> None:
        super().__init__()
        self._architecture = architecture
        self._outputs = _layer_outputs(architecture, measured)
        self._plan = plan
        self._layer = -1
        self._activated = False

    def after(self, layers: int) -> Self:
        """This, where so many convolutions have run before."""
        self._layer = layers - 1
        self._activated = False
        return self

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        if function is torch.nn.functional.leaky_relu:
            self._layer += 1
            self._activated = True
            x = arguments[0]
            taken = self._in_place(self._outputs[self._layer] > 0, x > 0)
            return torch.where(taken, x, LEAK * x)
        result = function(*arguments, **(named or {}))
        # A clamp without an activation before it is that of colours, which hardly ever bites.
        clamp = self._architecture.conv_clamp
        if function is Tensor.clamp and clamp is not None and self._activated:
            self._activated = False
            x = arguments[0]
            bound = clamp * self._architecture.layer_gain(self._layer)
            inside = np.abs(self._outputs[self._layer]) < np.float32(bound)
            taken = self._in_place(inside, x.abs() < clamp)
            return torch.where(taken, x, result.detach())
        return result

    def _in_place(self, window: NDArray[np.bool_], whole: Tensor) -> Tensor:
        """`whole` with a window's values where the graph computed that window."""
        plan = self._plan
        height, width = whole.shape[-2:]
        resolution = self._architecture.block_of_height(height)
        if plan is None or resolution < plan.cut:
            return torch.tensor(window)
        rows, columns = (plan.inputs[f"{kind}_{resolution}"][0] for kind in ("rows", "columns"))
        edge = (len(rows) - window.shape[2]) // 2  # the second layer gives one cell less a side
        rows, columns = rows[edge : len(rows) - edge], columns[edge : len(columns) - edge]
        # Cells outside the image stand for padding; there is nothing to take over from them.
        in_rows = (rows >= 0) & (rows < height)
        in_columns = (columns >= 0) & (columns < width)
        taken = whole.clone()
        chosen = torch.tensor(window[:, :, in_rows][..., in_columns])
        taken[:, :, rows[in_rows][:, None], columns[in_columns]] = chosen
        return taken


def _layer_outputs(architecture: Architecture, measured: Arrays) -> list[NDArray[Any]]:
    """The outputs of a features or image_layers graph in the layers' order."""
    count = sum(name.startswith("layer_") for name in measured)
    outputs = [measured[f"layer_{index}"] for index in range(count)]
    # In a residual block, as all but the first are, the features are more than its last layer's output.
    last_is_features = "features" in measured and (architecture.variant != "resnet" or not count)
    return [*outputs, measured["features"]] if last_is_features else outputs

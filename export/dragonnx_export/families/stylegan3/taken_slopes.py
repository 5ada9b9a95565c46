"""Torch with the slopes that a graph took, so that rounding at a kink is no difference.

There are millions of activations at the raised rate, so in every case some lie within rounding of their
kink, and one other slope moves the whole gradient by more than rounding does.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.families.stylegan3.activation import raised
from dragonnx_export.families.stylegan3.layers import LEAK, SynthesisLayer
from dragonnx_export.families.stylegan3.network import RAISED_CELLS, Bend
from dragonnx_export.families.stylegan3.windows import LayerWindow
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.parity.cases import Arrays


@dataclass(frozen=True)
class TakenWindow:
    """Where a graph took slopes of a layer, if it computed one window of it.

    Attributes:
        inputs: What the graph took to raise the window.
        first: Column and row of the first cell at the raised rate.
        reads_map: Whether it convolved the whole map.
    """

    inputs: Arrays
    first: tuple[int, int]
    reads_map: bool


class TakenSlopes:
    """A layer's activation with the slopes that a graph took.

    Args:
        layer: The layer.
        convolved: What the graph gave of its convolution, [1, outputs, n, n], or one window of it.
        window: Of which window; None of the whole map.
    """

    def __init__(
        self,
        layer: SynthesisLayer,
        convolved: NDArray[np.float32],
        window: TakenWindow | None = None,
    ) -> None:
        self.layer = layer
        self._convolved = convolved
        self._window = window
        # The pullback's own nodes make the very same numbers of it.
        graph = GraphBuilder("raised")
        given = graph.input("convolved", [1, "channels", *convolved.shape[2:]])
        nodes = LayerWindow(graph, layer, reads_map=window.reads_map) if window else None
        graph.output(
            "raised", raised(graph, layer, given, nodes), [1, "channels", "rows", "columns"]
        )
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "raised.onnx"
            path.write_bytes(graph.model().SerializeToString())
            self._raised = Graph(path, Device(CPU))

    def parts(self) -> list[range]:
        """The layer's channels, a few at a time."""
        count = max(1, RAISED_CELLS // self.layer.facts.raised_size**2)
        outputs = self.layer.facts.outputs
        return [range(at, min(at + count, outputs)) for at in range(0, outputs, count)]

    def of(self, channels: range) -> Bend:
        """What takes the place of the activation of some channels.

        Outside a window all is zero: there the gradient is.
        """
        convolved = np.ascontiguousarray(self._convolved[:, channels.start : channels.stop])
        inputs = {"convolved": convolved, **(self._window.inputs if self._window else {})}
        values = torch.from_numpy(self._raised.run(inputs)[0]["raised"])
        clamped = self._clamped(values)

        def bend(x: Tensor) -> Tensor:
            slopes = self._slopes(values, x.dtype)
            if clamped is None:
                return x * self._in_place(slopes)
            slopes[clamped != 0] = 0
            return x * self._in_place(slopes) + self._in_place(clamped.to(x.dtype))

        return bend

    def _slopes(self, values: Tensor, dtype: torch.dtype) -> Tensor:
        """Of the leaky ReLU and its gain, for values at the raised rate."""
        gain = self.layer.gain
        above, below = torch.tensor([gain, gain * self._leak], dtype=dtype)
        return torch.where(values > 0, above, below)

    def _clamped(self, values: Tensor) -> Tensor | None:
        """What is given where values are clamped, and 0 elsewhere; None where none is."""
        clamp = self.layer.facts.clamp
        if clamp is None:
            return None
        lowest, highest = (float(each) for each in values.aminmax())
        if -clamp / self._leak < lowest and highest < clamp:
            return None
        return clamp * ((values >= clamp).float() - (values <= -clamp / self._leak).float())

    @property
    def _leak(self) -> float:
        return 1.0 if self.layer.facts.colour else LEAK

    def _in_place(self, values: Tensor) -> Tensor:
        """A window's values in a map that is 0 elsewhere."""
        if self._window is None:
            return values
        side = self.layer.facts.raised_size
        whole = values.new_zeros(*values.shape[:2], side, side)
        (x, y), (height, width) = self._window.first, values.shape[2:]
        whole[:, :, y : y + height, x : x + width] = values
        return whole

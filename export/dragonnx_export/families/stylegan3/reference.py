"""What the StyleGAN3 network in torch gives for the inputs on which the graphs are checked."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx.model.facts import GraphRecord
from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.families.stylegan3.activation import raised
from dragonnx_export.families.stylegan3.forward import convolved_name, convolved_shape
from dragonnx_export.families.stylegan3.layers import LEAK, SynthesisLayer, SynthesisLayers
from dragonnx_export.families.stylegan3.network import Bend, Generator
from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.parity.cases import Arrays, ParityCase


class TorchNetwork:
    """A `ReferenceNetwork`.

    Args:
        generator: Its precision changes from call to call.
        layers: The same, as graphs take it.
        feature_layer: Whose output is dragged.
        trainable_layers: How many w's the pullback gives a gradient for.
    """

    def __init__(
        self,
        generator: Generator,
        layers: SynthesisLayers,
        feature_layer: int,
        trainable_layers: int,
    ) -> None:
        self._generator = generator
        self._layers = layers
        self._feature_layer = feature_layer
        self._trainable_layers = trainable_layers
        self.image_channels = generator.architecture.image_channels

    def w(self, mapping_inputs: Arrays) -> NDArray[np.float32]:
        """The mapping network in float32: z, and a label where there are classes, to w [N, w_dim]."""
        tensors = {name: torch.tensor(values) for name, values in mapping_inputs.items()}
        with torch.no_grad():
            w: NDArray[np.float32] = self._generator.float().mapping(**tensors).numpy()
        return w

    def reference(self, case: ParityCase) -> CaseReference:
        """What it gives for a case."""
        return CaseReference(
            self._generator, self._layers, case, self._feature_layer, self._trainable_layers
        )


class CaseReference:
    """A `Reference`. What several graphs are compared with is computed once."""

    def __init__(
        self,
        generator: Generator,
        layers: SynthesisLayers,
        case: ParityCase,
        feature_layer: int,
        trainable_layers: int,
    ) -> None:
        self._generator = generator
        self._layers = layers
        self._case = case
        self._feature_layer = feature_layer
        self._trainable_layers = trainable_layers
        self._images: dict[torch.dtype, NDArray[np.float64]] = {}

    def outputs(
        self, graph: GraphRecord, measured: Arrays, dtype: torch.dtype
    ) -> dict[str, NDArray[np.float64]]:
        """The outputs of one graph that are to be compared."""
        generator, case = self._generator.to(dtype), self._case
        w_plus = torch.tensor(case.w_plus, dtype=dtype)
        count = self._feature_layer + 1
        match graph.role:
            case "mapping":
                inputs = {k: torch.tensor(v, dtype=dtype) for k, v in case.mapping_inputs.items()}
                return {"w": _double(generator.mapping(**inputs))}
            case "image" | "image_layers":
                if dtype not in self._images:
                    with torch.no_grad():
                        self._images[dtype] = _double(generator.image(w_plus))
                return {"image": self._images[dtype]}
            case "image_pullback":
                every = len(self._layers.layers)
                gradient = self._gradient(w_plus, every, measured["grad_image"], measured)
                return {"grad_w_plus": gradient}
            case "features":
                with torch.no_grad():
                    return {"features": _double(generator.features(w_plus, self._feature_layer))}
        (part,) = case.parts
        gradient = self._gradient(w_plus, count, part.grad_features, measured)
        return {"grad_w_plus": gradient[:, : self._trainable_layers]}

    def _gradient(
        self, w_plus: Tensor, count: int, grad: NDArray[np.float32], measured: Arrays
    ) -> NDArray[np.float64]:
        """Of the output of the last of so many layers.

        One layer at a time: autograd on all of them would keep gigabytes.
        """
        generator = self._generator
        with torch.no_grad():
            maps = [generator.first(w_plus[:, 0])]
            for position in range(count - 1):
                maps.append(generator.layer(position, maps[-1], w_plus[:, position + 1]))
        grads = [torch.tensor(grad, dtype=w_plus.dtype)]
        rows = torch.zeros_like(w_plus)
        for position in reversed(range(count)):
            layer = self._layers.layers[position]
            taken = taken_slopes(layer, measured[convolved_name(layer)])
            w = w_plus[:, position + 1].clone().requires_grad_()
            x = maps.pop().requires_grad_()
            y = generator.layer(position, x, w, taken)
            grad_x, rows[:, position + 1] = torch.autograd.grad(y, (x, w), grads.pop())
            grads.append(grad_x)
        w = w_plus[:, 0].clone().requires_grad_()
        (rows[:, 0],) = torch.autograd.grad(generator.first(w), w, grads.pop())
        return _double(rows)


def taken_slopes(layer: SynthesisLayer, convolved: NDArray[np.float32]) -> Bend:
    """An activation that has the slopes a graph took, so that rounding at a kink is no difference.

    There are millions of activations at the raised rate, so in every case some lie within rounding
    of their kink, and one other slope moves the whole gradient by more than rounding does.

    Args:
        layer: Whose activation it is.
        convolved: What the graph gave of its convolution.
    """
    # The pullback's own nodes make the very same numbers of it.
    graph = GraphBuilder("raised")
    shape = convolved_shape(layer)
    side = layer.facts.raised_size
    given = graph.input("convolved", shape)
    graph.output("raised", raised(graph, layer, given), [*shape[:2], side, side])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "raised.onnx"
        path.write_bytes(graph.model().SerializeToString())
        values = torch.tensor(Graph(path, Device(CPU)).run({"convolved": convolved})[0]["raised"])

    slope = torch.full_like(values, 1.0 if layer.facts.colour else LEAK)
    slope = torch.where(values > 0, 1.0, slope)
    bent = values * slope

    def bend(x: Tensor, clamp: float | None) -> Tensor:
        activated = x * (slope.to(x.dtype) * layer.gain)
        if clamp is None:
            return activated
        return torch.where(bent.abs() < clamp, activated, clamp * bent.sign().to(x.dtype))

    return bend


def _double(x: Tensor) -> NDArray[np.float64]:
    return x.detach().double().numpy()

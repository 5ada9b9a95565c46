"""What the StyleGAN3 network in torch gives for the inputs on which the graphs are checked."""

from __future__ import annotations

import functools

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx.drag.layer_windows import LayerWindows
from dragonnx.drag.windows import GraphWindows
from dragonnx.model.facts import GraphRecord
from dragonnx_export.families.stylegan3.forward import convolved_name
from dragonnx_export.families.stylegan3.layers import SynthesisLayers
from dragonnx_export.families.stylegan3.network import Generator
from dragonnx_export.families.stylegan3.taken_slopes import TakenSlopes, TakenWindow
from dragonnx_export.families.stylegan3.windows import window_facts
from dragonnx_export.parity.cases import Arrays, FeaturesPart, ParityCase


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

    @property
    def largest_double_image(self) -> int:
        """Pixels: activations at twice or four times the rate take minutes beyond."""
        return 256 * 256

    @property
    def largest_repeated_image(self) -> int:
        """Pixels: beyond, graph and torch take half a minute for each."""
        return 256 * 256

    def telling(self, outputs: Arrays) -> Arrays:
        """Those outputs of a graph that tell the slopes that it took."""
        names = {convolved_name(layer) for layer in self._layers.layers}
        return {name: values for name, values in outputs.items() if name in names}

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
        self._maps: dict[torch.dtype, list[Tensor]] = {}
        """What the first layer reads, and what it and others give: of the feature map's layers, or of all."""

    def outputs(
        self, graph: GraphRecord, measured: Arrays, dtype: torch.dtype
    ) -> dict[str, NDArray[np.float64]]:
        """The outputs of one graph that are to be compared."""
        case, count, every = self._case, self._feature_layer + 1, len(self._layers.layers)
        match graph.role:
            case "mapping":
                inputs = {k: torch.tensor(v, dtype=dtype) for k, v in case.mapping_inputs.items()}
                return {"w": _double(self._generator.to(dtype).mapping(**inputs))}
            case "image" | "image_layers":
                return {"image": self._image(dtype, graph.role == "image_layers")}
            case "image_pullback":
                maps = self._up_to(every, dtype)
                self._maps[dtype] = maps[: count + 1]
                gradient = self._gradient(maps, measured["grad_image"], measured, dtype)
                return {"grad_w_plus": gradient}
            case "transform":
                moved = self._generator.to(dtype).moved(
                    self._w_plus(dtype), torch.tensor(case.motion[0], dtype=dtype)
                )
                return {"moved_w_plus": _double(moved)}
            case "features":
                part = self._part(graph)
                return {"features": _double(self._up_to(count, dtype)[count])[part.place]}
        part, maps = self._part(graph), self._up_to(count, dtype)
        grad = np.zeros(maps[count].shape, np.float32)
        grad[part.place] = part.grad_features
        gradient = self._gradient(maps, grad, measured, dtype, part.plan)
        return {"grad_w_plus": gradient[:, : self._trainable_layers]}

    def _part(self, graph: GraphRecord) -> FeaturesPart:
        (part,) = (part for part in self._case.parts if part.cut == graph.cut)
        return part

    def _image(self, dtype: torch.dtype, its_pullback_follows: bool) -> NDArray[np.float64]:
        """Its layers' maps are kept for the pullback alone: they are gigabytes."""
        if dtype not in self._images:
            every, x = len(self._layers.layers), self._up_to(self._feature_layer + 1, dtype)[-1]
            if its_pullback_follows:
                x = self._up_to(every, dtype)[-1]
            else:
                for position in range(self._feature_layer + 1, every):
                    x = self._layer(position, x)
            self._images[dtype] = _double(x)
        return self._images[dtype]

    def _up_to(self, count: int, dtype: torch.dtype) -> list[Tensor]:
        """What so many layers read, and what the last one gives; nothing is computed twice."""
        maps = self._maps.setdefault(dtype, [])
        if not maps:
            with torch.no_grad():
                maps.append(self._generator.to(dtype).first(self._w_plus(dtype)[:, 0]))
        while len(maps) <= count:
            maps.append(self._layer(len(maps) - 1, maps[-1]))
        return maps[: count + 1]

    def _layer(self, position: int, x: Tensor) -> Tensor:
        """What a layer gives, from what it reads."""
        w = self._w_plus(x.dtype)[:, position + 1]
        with torch.no_grad():
            return self._generator.to(x.dtype).layer(position, x, w)

    def _w_plus(self, dtype: torch.dtype) -> Tensor:
        return torch.tensor(self._case.w_plus, dtype=dtype)

    def _gradient(
        self,
        maps: list[Tensor],
        grad: NDArray[np.float32],
        measured: Arrays,
        dtype: torch.dtype,
        plan: GraphWindows | None = None,
    ) -> NDArray[np.float64]:
        """Of the last of some maps, which are let go as they are used.

        One layer at a time, and a few channels of its activation: autograd on all of them would keep
        gigabytes.
        """
        w_plus = self._w_plus(dtype)
        generator = self._generator.to(dtype)
        given = torch.tensor(grad, dtype=dtype)
        rows = torch.zeros_like(w_plus)
        for position in reversed(range(len(maps) - 1)):
            layer = self._layers.layers[position]
            w = w_plus[:, position + 1].clone().requires_grad_()
            maps.pop()  # what it gives
            x = maps[-1].detach().requires_grad_()
            convolved = generator.convolved(position, x, w)
            taken = TakenSlopes(
                layer, measured[convolved_name(layer)], self._window(layer.index, plan)
            )
            given = _through_activation(generator, convolved.detach(), given, taken)
            given, rows[:, position + 1] = torch.autograd.grad(convolved, (x, w), given)
        w = w_plus[:, 0].clone().requires_grad_()
        (rows[:, 0],) = torch.autograd.grad(generator.first(w), w, given)
        return _double(rows)

    @functools.cached_property
    def _windows(self) -> LayerWindows:
        """What planned the windows; the layers' facts cost a search for cuts."""
        facts = window_facts(self._layers, self._feature_layer)
        assert facts is not None, "there are windows"  # noqa: S101
        return LayerWindows(facts.layers)

    def _window(self, number: int, plan: GraphWindows | None) -> TakenWindow | None:
        """The window of a layer, if there is one."""
        if plan is None or number < plan.cut:
            return None
        origins = self._windows.raised_origins(plan.cut, plan.origins, plan.size[::-1])
        columns, rows = origins[number]
        inputs = {
            name: values for name, values in plan.inputs.items() if name.endswith(f"_{number}")
        }
        return TakenWindow(inputs, (int(columns[0]), int(rows[0])), reads_map=number == plan.cut)


def _through_activation(
    generator: Generator, convolved: Tensor, given: Tensor, taken: TakenSlopes
) -> Tensor:
    """The gradient of a layer's convolution from that of its output."""
    parts = []
    for channels in taken.parts():
        x = convolved[:, channels.start : channels.stop].requires_grad_()
        y = generator.bent(taken.layer.index, x, taken.of(channels))
        (grad,) = torch.autograd.grad(y, x, given[:, channels.start : channels.stop])
        parts.append(grad)
    return torch.cat(parts, dim=1)


def _double(x: Tensor) -> NDArray[np.float64]:
    return x.detach().double().numpy()

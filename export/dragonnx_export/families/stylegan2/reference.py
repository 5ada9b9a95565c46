"""What the StyleGAN2 network in torch gives for the inputs on which the graphs are checked."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx.model.facts import GraphRecord
from dragonnx_export.families.stylegan2.networks import Generator, Stage, State
from dragonnx_export.families.stylegan2.taken_slopes import TakenSlopes
from dragonnx_export.parity.cases import Arrays, FeaturesPart, ParityCase


class TorchNetwork:
    """A `ReferenceNetwork`.

    Args:
        generator: Its precision changes from call to call.
        feature_resolution: Of the block that is dragged.
        trainable_layers: How many w's the pullback gives a gradient for.
    """

    def __init__(
        self, generator: Generator, feature_resolution: int, trainable_layers: int
    ) -> None:
        self._generator = generator
        self._feature_resolution = feature_resolution
        self._trainable_layers = trainable_layers
        self.image_channels = generator.architecture.image_channels

    @property
    def largest_double_image(self) -> int:
        """Pixels: torch unfolds larger maps in gigabytes."""
        return 512 * 512

    @property
    def largest_repeated_image(self) -> int:
        """Pixels: all are made in seconds."""
        return sys.maxsize

    def telling(self, outputs: Arrays) -> Arrays:
        """Those outputs of a graph that tell the slopes that it took: all layers' own do."""
        return outputs

    def w(self, mapping_inputs: Arrays) -> NDArray[np.float32]:
        """The mapping network in float32: z, and a label where there are classes, to w [N, w_dim]."""
        tensors = {name: torch.tensor(values) for name, values in mapping_inputs.items()}
        with torch.no_grad():
            w: NDArray[np.float32] = self._generator.float().mapping(**tensors).numpy()
        return w

    def reference(self, case: ParityCase) -> CaseReference:
        """What it gives for a case."""
        return CaseReference(
            self._generator, case, self._feature_resolution, self._trainable_layers
        )


class CaseReference:
    """A `Reference`. What several graphs are compared with is computed once."""

    def __init__(
        self,
        generator: Generator,
        case: ParityCase,
        feature_resolution: int,
        trainable_layers: int,
    ) -> None:
        self._generator = generator
        self._case = case
        self._feature_resolution = feature_resolution
        self._trainable_layers = trainable_layers
        self._known: dict[tuple[str, torch.dtype], NDArray[np.float64]] = {}

    def outputs(
        self, graph: GraphRecord, measured: Arrays, dtype: torch.dtype
    ) -> dict[str, NDArray[np.float64]]:
        """The outputs of one graph that are to be compared."""
        synthesis, case = self._generator.to(dtype).synthesis, self._case
        w_plus = torch.tensor(case.w_plus, dtype=dtype)
        match graph.role:
            case "mapping":
                inputs = {k: torch.tensor(v, dtype=dtype) for k, v in case.mapping_inputs.items()}
                return {"w": _double(self._generator.mapping(**inputs))}
            case "image" | "image_layers":
                return {"image": self._once("image", lambda: synthesis(w_plus))}
            case "preview" | "preview_layers":
                height = measured["image"].shape[-2]
                resolution = self._generator.architecture.block_of_height(height)
                return {"image": _double(synthesis(w_plus, resolution=resolution))}
            case "image_pullback" | "preview_pullback":
                gradient = self._image_gradient(w_plus, measured)
                return {"grad_w_plus": _double(gradient[:, : measured["grad_w_plus"].shape[1]])}
        (part,) = (part for part in case.parts if part.cut == graph.cut)
        if graph.role == "features":
            resolution = self._feature_resolution
            features = self._once("features", lambda: synthesis.features(w_plus, resolution))
            return {"features": features[part.place]}
        gradient = self._features_gradient(w_plus, part, measured)
        return {"grad_w_plus": _double(gradient[:, : self._trainable_layers])}

    def _once(self, name: str, compute: Callable[[], Tensor]) -> NDArray[np.float64]:
        key = name, self._generator.mapping.w_avg.dtype
        if key not in self._known:
            self._known[key] = _double(compute())
        return self._known[key]

    def _features_gradient(self, w_plus: Tensor, part: FeaturesPart, measured: Arrays) -> Tensor:
        w_plus.requires_grad_()
        with TakenSlopes(self._generator.architecture, measured, part.plan):
            features = self._generator.synthesis.features(w_plus, self._feature_resolution)
        grad_features = torch.tensor(part.grad_features, dtype=w_plus.dtype)
        return torch.autograd.grad(features[part.place], w_plus, grad_features)[0]

    def _image_gradient(self, w_plus: Tensor, measured: Arrays) -> Tensor:
        """One layer at a time: autograd on all of a 1024 px generator would keep gigabytes."""
        architecture = self._generator.architecture
        taken = TakenSlopes(architecture, measured)
        grad_image = torch.tensor(measured["grad_image"], dtype=w_plus.dtype)
        resolution = architecture.block_of_height(grad_image.shape[-2])
        before: list[tuple[int, Stage, State]] = []
        state = State()
        for layers, stage in self._generator.synthesis.stages(resolution):
            before.append((layers, stage, state))
            with taken.after(layers), torch.no_grad():
                state = stage(state, w_plus)
        grads = State(image=grad_image)
        total = torch.zeros_like(w_plus)
        while before:
            layers, stage, state = before.pop()
            leaf = w_plus.clone().requires_grad_()
            inputs = [x.requires_grad_() for x in state if x is not None]
            with taken.after(layers):
                given = stage(state, leaf)
            pairs = [(y, g) for y, g in zip(given, grads, strict=True) if g is not None]
            ys, gs = zip(*pairs, strict=True)
            grad_w, *rest = torch.autograd.grad(
                ys, [leaf, *inputs], gs, allow_unused=True, materialize_grads=True
            )
            total += grad_w
            grads = State(*(None if x is None else rest.pop(0) for x in state))
        return total


def _double(x: Tensor) -> NDArray[np.float64]:
    return x.detach().double().numpy()

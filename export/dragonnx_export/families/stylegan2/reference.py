"""What torch gives for the inputs on which the graphs are checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx.drag.windows import Geometry, GraphWindows, plan_windows
from dragonnx.model.manifest import PREVIEW, graph_name
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.networks import Generator, Stage, State
from dragonnx_export.families.stylegan2.taken_slopes import Arrays, TakenSlopes

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class FeaturesPart:
    """The features and pullback graphs of one cut: their windows, and the gradient that goes in."""

    plan: GraphWindows | None
    grad_features: NDArray[np.float32]

    @property
    def cut(self) -> int | None:
        """Where windows begin; None for whole maps."""
        return self.plan.cut if self.plan else None

    @property
    def inputs(self) -> Arrays:
        """The windows' inputs."""
        return self.plan.inputs if self.plan else {}


@dataclass(frozen=True)
class ParityCase:
    """Inputs that all implementations get; the w_plus has another w in each layer."""

    seed: int
    mapping_inputs: Arrays
    w_plus: NDArray[np.float32]
    grad_image: NDArray[np.float32]
    parts: tuple[FeaturesPart, ...]

    def grad_for(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        """The gradient that goes into the pullback of an image of any size, shaped as it."""
        height, width = image.shape[-2:]
        return np.ascontiguousarray(self.grad_image[..., :height, :width])


def parity_cases(
    checkpoint: Checkpoint, generator: Generator, feature_resolution: int, cuts: Sequence[int]
) -> Iterator[ParityCase]:
    """One case for each seed; whole maps in all of them, each cut in one, since torch takes long."""
    architecture = checkpoint.architecture
    height, width = architecture.image_size
    geometry = Geometry(
        image_size=(height, width),
        feature_size=architecture.block_size(feature_resolution),
        blocks=tuple(b for b in architecture.block_resolutions if b <= feature_resolution),
        resample_filter=architecture.resample_filter,
    )
    channels = architecture.channels[feature_resolution]
    for number, seed in enumerate(SEEDS):
        random = np.random.default_rng(seed)
        # One z for each layer: a w_plus whose rows are all equal would hide swapped layers.
        inputs = {"z": random.standard_normal((architecture.num_ws, architecture.z_dim))}
        if architecture.label_dim:
            chosen = random.integers(architecture.label_dim, size=architecture.num_ws)
            inputs["label"] = np.eye(architecture.label_dim)[chosen]
        inputs = {name: np.asarray(values, np.float32) for name, values in inputs.items()}
        with torch.no_grad():
            tensors = {name: torch.tensor(values) for name, values in inputs.items()}
            w = generator.to(torch.float32).mapping(**tensors)
        plans: list[GraphWindows | None] = [None]
        for position, cut in enumerate(cuts):
            if position % len(SEEDS) == number:
                # Every other window in a corner, where it meets the padding.
                corner = np.array([[width, height]]) - 1
                place = corner * (random.uniform(0, 1, 2) if position % 2 else [0, 1])
                plans.append(plan_windows(place, height / 40, geometry, cut))
        yield ParityCase(
            seed=seed,
            mapping_inputs=inputs,
            w_plus=w.numpy()[None],
            grad_image=random.standard_normal(
                (1, architecture.image_channels, height, width), np.float32
            ),
            parts=tuple(
                FeaturesPart(
                    plan,
                    random.standard_normal(
                        (1, channels, *(plan.size if plan else geometry.feature_size))
                    ).astype(np.float32),
                )
                for plan in plans
            ),
        )


class Reference:
    """What torch gives for one case, in the generator's precision of the moment.

    What several graphs are compared with is computed once.

    Args:
        generator: In float64 or float32, from call to call.
        case: The inputs.
        feature_resolution: Of the block that is dragged.
        trainable_layers: How many w's the pullback gives a gradient for.
    """

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

    def outputs(self, graph: str, measured: Arrays) -> dict[str, NDArray[np.float64]]:
        """The checked outputs of one graph.

        Args:
            graph: The graph's name.
            measured: What the graph gave; a pullback's layer outputs tell which slopes it took,
                and that of an image comes with the gradient that went in.
        """
        synthesis, case = self._generator.synthesis, self._case
        dtype = self._generator.mapping.w_avg.dtype
        w_plus = torch.tensor(case.w_plus, dtype=dtype)
        if graph == "mapping":
            inputs = {name: torch.tensor(v, dtype=dtype) for name, v in case.mapping_inputs.items()}
            return {"w": _double(self._generator.mapping(**inputs))}
        if graph in {"image", "image_layers"}:
            return {"image": self._once("image", lambda: synthesis(w_plus))}
        if graph in {PREVIEW, f"{PREVIEW}_layers"}:
            resolution = measured["image"].shape[-2]
            return {"image": _double(synthesis(w_plus, resolution=resolution))}
        if graph in {"image_pullback", f"{PREVIEW}_pullback"}:
            gradient = self._image_gradient(w_plus, measured)
            return {"grad_w_plus": _double(gradient[:, : measured["grad_w_plus"].shape[1]])}
        for part in case.parts:
            if graph == graph_name("features", part.cut):
                features = self._once(
                    "features", lambda: synthesis.features(w_plus, self._feature_resolution)
                )
                return {"features": features[_place(part)]}
            if graph == graph_name("pullback", part.cut):
                gradient = self._features_gradient(w_plus, part, measured)
                return {"grad_w_plus": _double(gradient[:, : self._trainable_layers])}
        raise AssertionError(f"{graph} is no graph of the case")

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
        return torch.autograd.grad(features[_place(part)], w_plus, grad_features)[0]

    def _image_gradient(self, w_plus: Tensor, measured: Arrays) -> Tensor:
        """One layer at a time: autograd on all of a 1024 px generator would keep gigabytes."""
        architecture = self._generator.architecture
        taken = TakenSlopes(architecture, measured)
        grad_image = torch.tensor(measured["grad_image"], dtype=w_plus.dtype)
        resolution = grad_image.shape[-2]
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


def _place(part: FeaturesPart) -> tuple[Any, ...]:
    """Where a part's window lies in the whole feature map."""
    if part.plan is None:
        return (...,)
    ((x, y),) = part.plan.origins
    height, width = part.plan.size
    return (..., slice(y, y + height), slice(x, x + width))


def _double(x: Tensor) -> NDArray[np.float64]:
    return x.detach().double().numpy()

"""What torch gives for the inputs on which the graphs are checked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.overrides import TorchFunctionMode

from dragonnx.bundle import graph_name
from dragonnx.drag.windows import Geometry, WindowPlan, plan_windows
from dragonnx_export.architecture import Architecture
from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.layers import LEAK
from dragonnx_export.networks import Generator

Arrays = Mapping[str, NDArray[Any]]

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class FeaturesPart:
    """The features and pullback graphs of one cut: their windows, and the gradient that goes in."""

    plan: WindowPlan | None
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
        plans: list[WindowPlan | None] = [None]
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


def reference_outputs(
    generator: Generator,
    case: ParityCase,
    graph: str,
    measured: Arrays,
    feature_resolution: int,
    trainable_layers: int,
) -> dict[str, NDArray[np.float64]]:
    """What torch gives for the checked outputs of one graph, in the generator's precision.

    Args:
        generator: In float64 or float32.
        case: The inputs.
        graph: The graph's name.
        measured: What the graph gave; a pullback's layer outputs tell which slopes it took.
        feature_resolution: Of the block that is dragged.
        trainable_layers: How many w's the pullback gives a gradient for.
    """
    dtype = generator.mapping.w_avg.dtype
    w_plus = torch.tensor(case.w_plus, dtype=dtype)
    if graph == "mapping":
        inputs = {name: torch.tensor(v, dtype=dtype) for name, v in case.mapping_inputs.items()}
        return {"w": _double(generator.mapping(**inputs))}
    if graph in {"image", "image_layers"}:
        return {"image": _double(generator.synthesis(w_plus))}
    if graph == "preview":
        resolution = measured["image"].shape[-2]
        return {"image": _double(generator.synthesis(w_plus, resolution=resolution))}
    if graph == "image_pullback":
        w_plus.requires_grad_()
        with TakenSlopes(generator.architecture, measured):
            image = generator.synthesis(w_plus)
        grad_image = torch.tensor(case.grad_image, dtype=dtype)
        (gradient,) = torch.autograd.grad(image, w_plus, grad_image)
        return {"grad_w_plus": _double(gradient)}
    for part in case.parts:
        if graph == graph_name("features", part.cut):
            features = generator.synthesis.features(w_plus, feature_resolution)
            return {"features": _double(features[_place(part)])}
        if graph == graph_name("pullback", part.cut):
            w_plus.requires_grad_()
            with TakenSlopes(generator.architecture, measured, part.plan):
                features = generator.synthesis.features(w_plus, feature_resolution)
            grad_features = torch.tensor(part.grad_features, dtype=dtype)
            (gradient,) = torch.autograd.grad(features[_place(part)], w_plus, grad_features)
            return {"grad_w_plus": _double(gradient[:, :trainable_layers])}
    raise AssertionError(f"{graph} is no graph of the case")


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
        self, architecture: Architecture, measured: Arrays, plan: WindowPlan | None = None
    ) -> None:
        super().__init__()
        self._architecture = architecture
        self._outputs = _layer_outputs(architecture, measured)
        self._plan = plan
        self._layer = -1
        self._activated = False

    def __torch_function__(
        self,
        function: Callable[..., Any],
        _types: Sequence[type],
        arguments: tuple[Any, ...] = (),
        named: Mapping[str, Any] | None = None,
    ) -> Any:
        result = function(*arguments, **(named or {}))
        if function is torch.nn.functional.leaky_relu:
            self._layer += 1
            self._activated = True
            x = arguments[0]
            taken = self._in_place(self._outputs[self._layer] > 0, x > 0)
            return torch.where(taken, x, LEAK * x)
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
        resolution = whole.shape[-2]
        if plan is None or resolution < plan.cut:
            return torch.tensor(window)
        rows, columns = (plan.inputs[f"{kind}_{resolution}"][0] for kind in ("rows", "columns"))
        edge = (len(rows) - window.shape[2]) // 2  # the second layer gives one cell less a side
        rows, columns = rows[edge : len(rows) - edge], columns[edge : len(columns) - edge]
        # Cells outside the image stand for padding; there is nothing to take over from them.
        in_rows = (rows >= 0) & (rows < resolution)
        in_columns = (columns >= 0) & (columns < whole.shape[-1])
        taken = whole.clone()
        chosen = torch.tensor(window[:, :, in_rows][..., in_columns])
        taken[:, :, rows[in_rows][:, None], columns[in_columns]] = chosen
        return taken


def _layer_outputs(architecture: Architecture, measured: Arrays) -> list[NDArray[Any]]:
    """The outputs of a features or image_layers graph in the layers' order."""
    count = sum(name.startswith("layer_") for name in measured)
    outputs = [measured[f"layer_{index}"] for index in range(count)]
    # In a residual block the features are more than the output of its last layer.
    last_is_features = "features" in measured and architecture.variant != "resnet"
    return [*outputs, measured["features"]] if last_is_features else outputs


def _place(part: FeaturesPart) -> tuple[Any, ...]:
    """Where a part's window lies in the whole feature map."""
    if part.plan is None:
        return (...,)
    ((x, y),) = part.plan.origins
    height, width = part.plan.size
    return (..., slice(y, y + height), slice(x, x + width))


def _double(x: Tensor) -> NDArray[np.float64]:
    return x.detach().double().numpy()

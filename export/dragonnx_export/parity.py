"""Proof that the graphs equal the checkpoint: outputs against torch, gradients against autograd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx.bundle import ParityRecord
from dragonnx.drag.windows import Geometry, WindowPlan, plan_windows
from dragonnx.errors import DragonnxError
from dragonnx.runtime import Device, Graph
from dragonnx_export.checkpoints.checkpoint import Checkpoint
from dragonnx_export.graphs.windows import graph_name
from dragonnx_export.networks import Generator

SEEDS = (0, 1, 2)

VALUE_TOLERANCE = 2e-5
VALUE_REASON = (
    "float32 sums over up to 4608 terms a convolution and a dozen layers differ by their order"
)
GRADIENT_TOLERANCE = 1e-4
GRADIENT_REASON = (
    "as for values, forward and backward; besides, a leaky ReLU within rounding of its kink may "
    "take the other slope"
)

_Arrays = Mapping[str, NDArray[Any]]


class ParityError(DragonnxError):
    """A graph gives something else than torch."""


@dataclass(frozen=True)
class _Case:
    """Inputs that all implementations get; the w_plus has another w in each layer."""

    z: NDArray[np.float32]
    label: NDArray[np.float32] | None
    w_plus: NDArray[np.float32]
    grad_features: NDArray[np.float32]
    plans: tuple[WindowPlan, ...]
    """Windows for each cut; they lie alike in the feature map."""
    grad_windows: NDArray[np.float32]


def check_parity(
    checkpoint: Checkpoint,
    folder: Path,
    feature_resolution: int,
    trainable_layers: int,
    cuts: Sequence[int],
) -> tuple[ParityRecord, ...]:
    """Run every graph in a folder, optimised as users run it, and compare with torch.

    Returns:
        One record for each graph, output and precision of the reference.

    Raises:
        ParityError: Some output exceeds its tolerance; the message names them all.
    """
    generator = Generator.from_checkpoint(checkpoint)
    cases = [_case(checkpoint, generator, seed, feature_resolution, cuts) for seed in SEEDS]
    measured = [_run_graphs(folder, case) for case in cases]
    records = []
    for dtype, reference in ((torch.float64, "torch float64"), (torch.float32, "torch float32")):
        generator = generator.to(dtype)
        expected = [
            _run_torch(generator, case, feature_resolution, trainable_layers) for case in cases
        ]
        records += [
            _record(name, reference, [m[name] for m in measured], [e[name] for e in expected])
            for name in measured[0]
        ]
    failed = [r for r in records if not r.max_relative <= r.tolerance]
    if failed:
        listed = "; ".join(
            f"{r.graph}.{r.output} differs from {r.reference} by {r.max_relative:.1e} "
            f"(bound {r.tolerance:.0e})"
            for r in failed
        )
        raise ParityError(f"the exported graphs do not equal the checkpoint: {listed}")
    return tuple(records)


def _case(
    checkpoint: Checkpoint,
    generator: Generator,
    seed: int,
    feature_resolution: int,
    cuts: Sequence[int],
) -> _Case:
    architecture = checkpoint.architecture
    random = np.random.default_rng(seed)
    # One z for each layer: a w_plus whose rows are all equal would hide swapped layers.
    z = random.standard_normal((architecture.num_ws, architecture.z_dim)).astype(np.float32)
    label = None
    if architecture.label_dim:
        chosen = random.integers(architecture.label_dim, size=architecture.num_ws)
        label = np.eye(architecture.label_dim, dtype=np.float32)[chosen]
    with torch.no_grad():
        w = generator.mapping(torch.tensor(z), None if label is None else torch.tensor(label))
    channels = architecture.channels[feature_resolution]
    side = architecture.resolution
    geometry = Geometry(
        image_size=(side, side),
        feature_size=(feature_resolution, feature_resolution),
        blocks=tuple(b for b in architecture.block_resolutions if b <= feature_resolution),
        resample_filter=architecture.resample_filter,
    )
    # A corner, where windows meet the padding, and two places that any window may have.
    points = np.vstack([[0, side - 1], random.uniform(0, side - 1, (2, 2))])
    plans = tuple(plan_windows(points, side / 40, geometry, cut) for cut in cuts)
    windows = (len(points), channels, *plans[0].size) if plans else (0,)
    whole = (1, channels, feature_resolution, feature_resolution)
    return _Case(
        z=z,
        label=label,
        w_plus=w.numpy()[None],
        grad_features=random.standard_normal(whole).astype(np.float32),
        plans=plans,
        grad_windows=random.standard_normal(windows).astype(np.float32),
    )


def _run_graphs(folder: Path, case: _Case) -> dict[tuple[str, str], NDArray[np.float32]]:
    """Every checked output of every graph, by graph and output."""

    def run(name: str, inputs: _Arrays) -> _Arrays:
        # Loaded for one run: at 1024 px all graphs at once would need gigabytes.
        return Graph(folder / f"{name}.onnx", Device("cpu")).run(inputs)[0]

    mapping_inputs = {"z": case.z} if case.label is None else {"z": case.z, "label": case.label}
    outputs = {
        ("mapping", "w"): run("mapping", mapping_inputs)["w"],
        ("image", "image"): run("image", {"w_plus": case.w_plus})["image"],
    }
    gradients = {None: case.grad_features} | {plan.cut: case.grad_windows for plan in case.plans}
    inputs_of: dict[int | None, _Arrays] = {None: {}}
    inputs_of |= {plan.cut: plan.inputs for plan in case.plans}
    for cut, grad_features in gradients.items():
        features, pullback = graph_name("features", cut), graph_name("pullback", cut)
        inputs = {"w_plus": case.w_plus, **inputs_of[cut]}
        forward = run(features, inputs)
        outputs[features, "features"] = forward["features"]
        pulled = run(pullback, {**inputs, **forward, "grad_features": grad_features})
        outputs[pullback, "grad_w_plus"] = pulled["grad_w_plus"]
    return outputs


def _run_torch(
    generator: Generator, case: _Case, feature_resolution: int, trainable_layers: int
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """What torch gives for the same, by autograd where it is a gradient."""
    dtype = generator.mapping.w_avg.dtype
    w_plus = torch.tensor(case.w_plus, dtype=dtype, requires_grad=True)
    features = generator.synthesis.features(w_plus, feature_resolution)

    def pulled(grad_features: Tensor) -> NDArray[np.float64]:
        (gradient,) = torch.autograd.grad(features, w_plus, grad_features, retain_graph=True)
        return _double(gradient[:, :trainable_layers])

    outputs = {
        ("features", "features"): _double(features),
        ("pullback", "grad_w_plus"): pulled(torch.tensor(case.grad_features, dtype=dtype)),
    }
    if case.plans:
        plan = case.plans[0]
        height, width = plan.size
        places = [np.s_[0, :, y : y + height, x : x + width] for x, y in plan.origins]
        cut_out = _double(torch.stack([features[place] for place in places]))
        spread = torch.zeros_like(features)
        for place, grad in zip(places, torch.tensor(case.grad_windows, dtype=dtype), strict=True):
            spread[place] += grad
        gradient = pulled(spread)
        for each in case.plans:
            outputs[graph_name("features", each.cut), "features"] = cut_out
            outputs[graph_name("pullback", each.cut), "grad_w_plus"] = gradient
    with torch.no_grad():
        label = None if case.label is None else torch.tensor(case.label, dtype=dtype)
        w = generator.mapping(torch.tensor(case.z, dtype=dtype), label)
        outputs["mapping", "w"] = _double(w)
        outputs["image", "image"] = _double(generator.synthesis(w_plus))
    return outputs


def _record(
    name: tuple[str, str],
    reference: str,
    measured: list[NDArray[np.float32]],
    expected: list[NDArray[np.float64]],
) -> ParityRecord:
    graph, output = name
    absolute = [float(np.abs(m - e).max()) for m, e in zip(measured, expected, strict=True)]
    relative = [a / float(np.abs(e).max()) for a, e in zip(absolute, expected, strict=True)]
    gradient = output.startswith("grad_")
    return ParityRecord(
        graph=graph,
        output=output,
        reference=reference,
        max_absolute=_two_digits(max(absolute)),
        max_relative=_two_digits(max(relative)),
        tolerance=GRADIENT_TOLERANCE if gradient else VALUE_TOLERANCE,
        reason=GRADIENT_REASON if gradient else VALUE_REASON,
        seeds=SEEDS,
    )


def _two_digits(value: float) -> float:
    """More digits of a rounding error say nothing."""
    return float(f"{value:.1e}")


def _double(x: Tensor) -> NDArray[np.float64]:
    return x.detach().double().numpy()


def table(records: tuple[ParityRecord, ...]) -> Iterator[str]:
    """The records as lines for a person."""
    yield f"{'graph':<12} {'output':<12} {'reference':<14} {'relative':>9} {'bound':>6}"
    for r in records:
        yield (
            f"{r.graph:<12} {r.output:<12} {r.reference:<14} {r.max_relative:>9.1e} "
            f"{r.tolerance:>6.0e}"
        )

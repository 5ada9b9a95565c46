"""Proof that the graphs equal the checkpoint: outputs against torch, gradients against autograd."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dragonnx.bundle import ParityRecord
from dragonnx.errors import DragonnxError
from dragonnx.runtime import Device, Graph
from dragonnx_export.checkpoints.checkpoint import Checkpoint
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

_Arrays = Mapping[str, NDArray[np.float32]]


class ParityError(DragonnxError):
    """A graph gives something else than torch."""


@dataclass(frozen=True)
class _Case:
    """Inputs that all implementations get; the w_plus has another w in each layer."""

    z: NDArray[np.float32]
    label: NDArray[np.float32] | None
    w_plus: NDArray[np.float32]
    grad_features: NDArray[np.float32]


def check_parity(
    checkpoint: Checkpoint, folder: Path, feature_resolution: int, trainable_layers: int
) -> tuple[ParityRecord, ...]:
    """Run every graph in a folder, optimised as users run it, and compare with torch.

    Returns:
        One record for each graph, output and precision of the reference.

    Raises:
        ParityError: Some output exceeds its tolerance; the message names them all.
    """
    generator = Generator.from_checkpoint(checkpoint)
    cases = [_case(checkpoint, generator, seed, feature_resolution) for seed in SEEDS]
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
    checkpoint: Checkpoint, generator: Generator, seed: int, feature_resolution: int
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
    shape = (1, architecture.channels[feature_resolution], feature_resolution, feature_resolution)
    return _Case(
        z=z,
        label=label,
        w_plus=w.numpy()[None],
        grad_features=random.standard_normal(shape).astype(np.float32),
    )


def _run_graphs(folder: Path, case: _Case) -> dict[tuple[str, str], NDArray[np.float32]]:
    """Every checked output of every graph, by graph and output."""
    graphs = _Graphs(folder)
    mapped = graphs.run("mapping", {"z": case.z} | _given(label=case.label))
    forward = graphs.run("features", {"w_plus": case.w_plus})
    pulled = graphs.run(
        "pullback", {"w_plus": case.w_plus, "grad_features": case.grad_features, **forward}
    )
    rendered = graphs.run("image", {"w_plus": case.w_plus})
    return {
        ("mapping", "w"): mapped["w"],
        ("features", "features"): forward["features"],
        ("pullback", "grad_w_plus"): pulled["grad_w_plus"],
        ("image", "image"): rendered["image"],
    }


class _Graphs:
    """Loads each graph for one run: at 1024 px all of them at once would need gigabytes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def run(self, name: str, inputs: _Arrays) -> _Arrays:
        outputs, _ = Graph(self._folder / f"{name}.onnx", Device("cpu")).run(inputs)
        return outputs


def _run_torch(
    generator: Generator, case: _Case, feature_resolution: int, trainable_layers: int
) -> dict[tuple[str, str], NDArray[np.float64]]:
    """What torch gives for the same, by autograd where it is a gradient."""
    dtype = generator.mapping.w_avg.dtype
    z, w_plus, grad_features = (
        torch.tensor(a, dtype=dtype) for a in (case.z, case.w_plus, case.grad_features)
    )
    label = None if case.label is None else torch.tensor(case.label, dtype=dtype)
    w_plus.requires_grad_()
    features = generator.synthesis.features(w_plus, feature_resolution)
    (grad_w_plus,) = torch.autograd.grad(features, w_plus, grad_features)
    with torch.no_grad():
        return {
            ("mapping", "w"): _double(generator.mapping(z, label)),
            ("features", "features"): _double(features),
            ("pullback", "grad_w_plus"): _double(grad_w_plus[:, :trainable_layers]),
            ("image", "image"): _double(generator.synthesis(w_plus)),
        }


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


def _given(**arrays: NDArray[np.float32] | None) -> dict[str, NDArray[np.float32]]:
    return {name: array for name, array in arrays.items() if array is not None}


def table(records: tuple[ParityRecord, ...]) -> Iterator[str]:
    """The records as lines for a person."""
    yield f"{'graph':<9} {'output':<12} {'reference':<14} {'relative':>9} {'bound':>6}"
    for r in records:
        yield (
            f"{r.graph:<9} {r.output:<12} {r.reference:<14} {r.max_relative:>9.1e} "
            f"{r.tolerance:>6.0e}"
        )

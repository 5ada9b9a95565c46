"""Proof that the two graphs give what torch gives, and autograd's gradient."""

from __future__ import annotations

from pathlib import Path

import torch

from dragonnx.inversion.perceptual_bundle import DISTANCE, FEATURES
from dragonnx.model.facts import ParityRecord
from dragonnx.runtime import CPU, Device, Graph
from dragonnx.types import Array
from dragonnx_export.parity.record import Difference, parity_record, refuse_failed
from dragonnx_export.perceptual.network import PerceptualNetwork
from dragonnx_export.perceptual.reference import Reference

_SIZES = ((16, 24), (21, 26))
"""Of the images; the network does the same everywhere, so small ones show it. One pools odd maps."""

_IMAGES = 40
"""How many random images are looked at for one on which rounding decides nothing."""

_VALUE_REASON = (
    "float32 sums over up to 4608 terms a convolution and thirteen layers differ by their order"
)
_GRADIENT_REASON = (
    "as for values, forward and backward; on images whose ReLUs and maxima are far enough from a "
    "tie for both to decide them alike"
)


def check_parity(network: PerceptualNetwork, folder: Path) -> tuple[ParityRecord, ...]:
    """Run both graphs in a folder, optimised as users run them, and compare with torch.

    Returns:
        One record for each graph and output.

    Raises:
        ParityError: Some output exceeds its tolerance; the message names them all.
    """
    features, distance = (
        Graph(folder / f"{name}.onnx", Device(CPU)) for name in (FEATURES, DISTANCE)
    )
    reference = Reference(network)
    found: dict[tuple[str, str], list[Difference]] = {}

    def compare(graph: str, output: str, measured: Array, expected: torch.Tensor) -> None:
        difference = Difference.between(measured, expected.detach().numpy(), seed)
        found.setdefault((graph, output), []).append(difference)

    for size in _SIZES:
        seed, image = _image(reference, size)
        other = _random_image(seed + _IMAGES, size)
        target = reference.features(other)
        targets, _ = features.run({"image": other.float().numpy()})
        for output, expected in zip(targets, target, strict=True):
            compare(FEATURES, output, targets[output], expected)
        measured, _ = distance.run({"image": image.float().numpy(), **targets})
        image.requires_grad_()
        value = reference.distance(image, target)
        (gradient,) = torch.autograd.grad(value, image)
        compare(DISTANCE, "distance", measured["distance"], value)
        compare(DISTANCE, "grad_image", measured["grad_image"], gradient)
    records = tuple(
        parity_record(
            "torch float64",
            *key,
            differences,
            value_reason=_VALUE_REASON,
            gradient_reason=_GRADIENT_REASON,
        )
        for key, differences in sorted(found.items())
    )
    refuse_failed(records, "network")
    return records


def _image(reference: Reference, size: tuple[int, int]) -> tuple[int, torch.Tensor]:
    """The first image without a kink, or else the one with the fewest, and its seed."""
    fewest: tuple[int, int] | None = None
    with torch.no_grad():
        for seed in range(_IMAGES):
            kinks = reference.kinks(_random_image(seed, size))
            fewest = min(fewest or (kinks, seed), (kinks, seed))
            if kinks == 0:
                break
    assert fewest, "there are images"  # noqa: S101
    return fewest[1], _random_image(fewest[1], size)


def _random_image(seed: int, size: tuple[int, int]) -> torch.Tensor:
    """[1, 3, height, width], -1 to 1, of values that float32 holds."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand((1, 3, *size), generator=generator) * 2 - 1).double()

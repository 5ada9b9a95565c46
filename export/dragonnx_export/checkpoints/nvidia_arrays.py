"""Generators from arrays in NVIDIA's names alone, without the records that state the facts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dragonnx_export.checkpoints.block_numbers import FIRST_NUMBER, renumbered
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.noise import without_unused_noise
from dragonnx_export.checkpoints.w_avg import W_AVG, select_with_average
from dragonnx_export.checkpoints.weights import array_sizes, as_array, scalar, shared_taps
from dragonnx_export.families.stylegan2.architecture import Architecture, Variant
from dragonnx_export.families.stylegan2.checkpoint import Contents

FORMAT = "StyleGAN2 state dict in NVIDIA's names"
_AFFINE = "synthesis.b4.conv1.affine.weight"
MARKERS = (_AFFINE, *(f"synthesis.b{n}.const" for n in range(1, 33) if n != FIRST_NUMBER))
"""Names that only such a generator has; each has one, whatever number its first block has."""

_STRENGTH = ".noise_strength"
_MAX_LAYERS = 64

_Arrays = dict[str, NDArray[Any]]


def read_nvidia_arrays(
    entries: Mapping[str, object], latent_avg: object, max_elements: int, choices: Choices
) -> Contents:
    """Read a generator from its state dict.

    Args:
        entries: The state dict, without any prefix.
        latent_avg: The average w where it lies beside the state dict.
        max_elements: How many elements the weights may have together.
        choices: What the user says of what only NVIDIA's records state.

    Raises:
        CheckpointError: An array is missing, unknown, of another shape or not finite.
        ArchitectureError: The shapes contradict each other.
    """
    found = {name: as_array(name, value) for name, value in entries.items()}
    # Some ways of saving arrays turn a single number into a list of one.
    arrays = renumbered(
        {name: scalar(v) if name.endswith(_STRENGTH) else v for name, v in found.items()}
    )
    lr, lr_note = choices.lr_multiplier(arrays, "mapping.fc")
    clamp, clamp_note = choices.clamp()
    filters = [values for name, values in arrays.items() if name.endswith("resample_filter")]
    taps, filter_note = shared_taps(filters)
    architecture = _architecture(arrays, lr, clamp, taps)
    if W_AVG not in arrays and latent_avg is not None:
        arrays[W_AVG] = as_array("latent_avg", latent_avg)
    architecture, used, noise_note = without_unused_noise(architecture, arrays)
    weights, notes = select_with_average(architecture, used, max_elements)
    return Contents(
        architecture=architecture,
        weights=weights,
        format=FORMAT,
        notes=(lr_note, clamp_note, *filter_note, *noise_note, *notes),
    )


def _architecture(
    arrays: _Arrays, lr: float, clamp: float | None, taps: tuple[float, ...]
) -> Architecture:
    """Every fact but the learning rate, the clamp and the filter follows from names and shapes."""
    blocks = sorted(
        int(match[1])
        for name in arrays
        if (match := re.fullmatch(r"synthesis\.b(\d{1,6})\.conv1\.weight", name))
    )
    layers = sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in arrays)
    if layers > _MAX_LAYERS:
        raise CheckpointError(f"its mapping network has {layers} layers, more than any has")
    w_dim = array_sizes(arrays, _AFFINE, 2)[1]
    inputs = array_sizes(arrays, "mapping.fc0.weight", 2)[1]
    label_dim = 0
    if "mapping.embed.weight" in arrays:
        label_dim = array_sizes(arrays, "mapping.embed.weight", 2)[1]
        inputs -= w_dim
    last = blocks[-1] if blocks else 0
    const = array_sizes(arrays, "synthesis.b4.const", 3)
    return Architecture(
        z_dim=inputs,
        w_dim=w_dim,
        label_dim=label_dim,
        resolution=last,
        channels={r: array_sizes(arrays, f"synthesis.b{r}.conv1.weight", 4)[0] for r in blocks},
        image_channels=array_sizes(arrays, f"synthesis.b{last}.torgb.weight", 4)[0],
        mapping_layers=layers,
        mapping_lr_multiplier=lr,
        conv_clamp=clamp,
        resample_filter=taps,
        use_noise="synthesis.b4.conv1.noise_const" in arrays,
        variant=_variant(arrays),
        base_height=const[1],
        base_width=const[2],
    )


def _variant(arrays: _Arrays) -> Variant:
    if "synthesis.b8.skip.weight" in arrays:
        return "resnet"
    return "skip" if "synthesis.b4.torgb.weight" in arrays else "orig"

"""Generators in the names of rosinality's stylegan2-pytorch, which e4e and pSp share.

    style.1.weight                 [w, z]           mapping, counted from 1
    input.input                    [1, C, h, w], 4 x 4 unless somebody changed it
    conv1, convs.0, convs.1, ...   conv.weight [1, O, I, 3, 3], conv.modulation, noise.weight,
                                   activate.bias; convs with an even number upsample
    to_rgb1, to_rgbs.0, ...        conv.weight [1, 3, I, 1, 1], conv.modulation, bias
    noises.noise_0, ...            [1, 1, h, w]

Weights are oriented as NVIDIA's. A stored blur kernel has the upsampling's gain of 4 inside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.noise import NO_NOISE, without_unused_noise
from dragonnx_export.checkpoints.w_avg import W_AVG, select_with_average
from dragonnx_export.checkpoints.weights import array_sizes, as_array, scalar, shared_taps
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import Contents

FORMAT = "rosinality StyleGAN2 checkpoint"
MARKER = "conv1.conv.modulation.weight"
"""A name that only such a generator has."""

_KERNEL_GAIN = 4
_MAX_LAYERS = 64
_LATENT_AVG = "latent_avg"

_Arrays = dict[str, NDArray[Any]]


def read_rosinality(
    entries: Mapping[str, object], latent_avg: object, max_elements: int, choices: Choices
) -> Contents:
    """Read a generator from its state dict.

    Args:
        entries: The state dict, without any prefix.
        latent_avg: The average w [w_dim] or w_plus [layers, w_dim], where the file has one.
        max_elements: How many elements the weights may have together.
        choices: What the user says.

    Raises:
        CheckpointError: An array is missing, unknown, of another shape or not finite.
        ArchitectureError: The shapes contradict each other.
    """
    choices.refuse_clamp("this kind")
    found = {name: as_array(name, value) for name, value in entries.items()}
    inner_avg = found.pop(_LATENT_AVG, None)
    if latent_avg is None:
        latent_avg = inner_avg
    lr, note = choices.lr_multiplier(found, "style.")
    kernels = [v / np.float32(_KERNEL_GAIN) for name, v in found.items() if name.endswith("kernel")]
    taps, filter_note = shared_taps(kernels)
    notes = [note, *filter_note]
    architecture = _architecture(found, lr, taps)
    if not architecture.use_noise:
        notes.append(NO_NOISE)
    architecture, renamed, noise_note = without_unused_noise(
        architecture, dict(_renamed(found, architecture))
    )
    notes += noise_note
    arrays = dict(renamed)
    if latent_avg is not None:
        rows = as_array(_LATENT_AVG, latent_avg)
        if (
            rows.dtype.kind != "f"
            or not rows.size
            or not rows.ndim
            or rows.shape[-1] != architecture.w_dim
        ):
            raise CheckpointError(
                f"its latent_avg of the shape {rows.shape} is no w of its generator, which has "
                f"{architecture.w_dim} numbers; give the file without it, or with the right one"
            )
        arrays[W_AVG] = rows
    weights, more_notes = select_with_average(architecture, arrays, max_elements)
    return Contents(
        architecture=architecture, weights=weights, format=FORMAT, notes=(*notes, *more_notes)
    )


def _architecture(found: _Arrays, lr: float, taps: tuple[float, ...]) -> Architecture:
    mapping = sum(re.fullmatch(r"style\.\d+\.weight", name) is not None for name in found)
    above = sum(re.fullmatch(r"to_rgbs\.\d+\.bias", name) is not None for name in found)
    if max(mapping, above) > _MAX_LAYERS:
        raise CheckpointError("its network has more layers than any StyleGAN2 generator")
    if not above:
        raise CheckpointError(
            "it has no layers above the first block, so it is a part only; give the complete file "
            "that training wrote"
        )
    first = array_sizes(found, "style.1.weight", 2)
    const = array_sizes(found, "input.input", 4)
    widths = [array_sizes(found, f"convs.{2 * i + 1}.conv.weight", 5)[1] for i in range(above)]
    return Architecture(
        z_dim=first[1],
        w_dim=first[0],
        resolution=4 << above,
        channels={4: const[1], **{8 << i: width for i, width in enumerate(widths)}},
        image_channels=array_sizes(found, "to_rgb1.conv.weight", 5)[1],
        mapping_layers=mapping,
        mapping_lr_multiplier=lr,
        resample_filter=taps,
        use_noise="noises.noise_0" in found,
        base_height=const[2],
        base_width=const[3],
    )


def _renamed(found: _Arrays, architecture: Architecture) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays under NVIDIA's names, in NVIDIA's shapes; unknown ones keep their names."""
    prefixes = dict(_layers(architecture))
    for name, values in found.items():
        if name.endswith("kernel"):
            continue
        if match := re.fullmatch(r"noises\.noise_(\d+)", name):
            layer = prefixes.get(f"noise {match[1]}", "")
            if layer and values.ndim == 4:
                yield f"{layer}.noise_const", values[0, 0]
            else:
                yield name, values
            continue
        prefix = next((p for p in prefixes if name.startswith(f"{p}.")), "")
        part = _PARTS.get(name.removeprefix(f"{prefix}."))
        if name == "input.input" and values.ndim == 4:
            yield "synthesis.b4.const", values[0]
        elif part is None or not prefix:
            yield name, values
        elif part == "noise_strength":
            if architecture.use_noise:
                yield f"{prefixes[prefix]}.{part}", scalar(values)
        elif part == "kernel" and values.ndim == 5:
            yield f"{prefixes[prefix]}.weight", scaled_kernel(values[0])
        else:
            flat = part == "bias" and values.ndim == 4
            yield f"{prefixes[prefix]}.{part}", values.reshape(-1) if flat else values


_PARTS = {
    "weight": "weight",  # of the mapping's layers
    "bias": "bias",
    "activate.bias": "bias",
    "noise.weight": "noise_strength",
    "conv.weight": "kernel",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
}


def _layers(architecture: Architecture) -> Iterator[tuple[str, str]]:
    """Their names of layers and of noise images, and NVIDIA's names of the layers."""
    for index in range(architecture.mapping_layers):
        yield f"style.{index + 1}", f"mapping.fc{index}"
    for index, resolution in enumerate(architecture.block_resolutions):
        block = f"synthesis.b{resolution}"
        if index == 0:
            yield from {"conv1": f"{block}.conv1", "to_rgb1": f"{block}.torgb"}.items()
            yield "noise 0", f"{block}.conv1"
        else:
            yield f"to_rgbs.{index - 1}", f"{block}.torgb"
            for number in (0, 1):
                layer = f"{block}.conv{number}"
                yield f"convs.{2 * index - 2 + number}", layer
                yield f"noise {2 * index - 1 + number}", layer


def scaled_kernel(values: NDArray[Any]) -> NDArray[Any]:
    """Weights [O, I, k, k]; those of 3x3 scaled by 1 / sqrt(I k k) as their format does first.

    Demodulation takes the scale out again, but for its small constant, which thus counts as much
    as in the format's own code. NVIDIA's code scales the 1x1 weights itself.
    """
    _, inputs, height, width = values.shape
    if (height, width) == (1, 1) or values.dtype.kind != "f":
        return values
    return values * np.float32(1 / np.sqrt(max(inputs * height * width, 1)))

"""Generators in the names of GenForce (SeFa, InterFaceGAN) and of its successor Hammer.

    mapping.dense0.{weight,bias}
    synthesis.early_layer.const   [1, C, h, w]
    synthesis.layer0, layer1, ... weight [O, I, 3, 3], bias, style, noise [1, 1, h, w],
                                  noise_strength; those with an odd number upsample
    synthesis.output0, ...        weight [3, I, 1, 1], bias, style
    synthesis.residual1, ...      weight [O, I, 1, 1]

GenForce keeps TensorFlow's conventions: kernels of layers that upsample are turned round, 1 is
added to the style's bias, 3x3 weights are scaled before demodulation, and stored filters have
the upsampling's gain of 4 inside. Hammer has NVIDIA's. The average w is `truncation.w_avg` there
and `w_avg` here; filters are called `filter.kernel` there and `filter` here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.noise import without_unused_noise
from dragonnx_export.checkpoints.rosinality import scaled_kernel
from dragonnx_export.checkpoints.w_avg import W_AVG, select_with_average
from dragonnx_export.checkpoints.weights import array_sizes, as_array, scalar, shared_taps
from dragonnx_export.families.stylegan2.architecture import Architecture, Variant
from dragonnx_export.families.stylegan2.checkpoint import Contents

MARKER = "synthesis.layer0.style.weight"

_FORMATS = {False: "GenForce StyleGAN2 checkpoint", True: "Hammer StyleGAN2 checkpoint"}
_MAX_LAYERS = 64
_MIDDLE = 0.5
_UNSAID = "no name in the file says whether GenForce or Hammer wrote it, and its weights look like {taken}'s"
_KERNEL_GAIN = 4
_AVERAGES = ("truncation.w_avg", "w_avg")
_LABELS = ("mapping.LabelEmbed.", "mapping.embedding.")
_PARTS = {
    "weight": "weight",
    "bias": "bias",
    "noise": "noise_const",
    "noise_strength": "noise_strength",
    "style.weight": "affine.weight",
    "style.bias": "affine.bias",
}

_Arrays = dict[str, NDArray[Any]]


def read_genforce(
    entries: Mapping[str, object], latent_avg: object, max_elements: int, choices: Choices
) -> Contents:
    """Read a generator from its state dict.

    Args:
        entries: The state dict, without any prefix.
        latent_avg: The average w beside it; these files hold it inside.
        max_elements: How many elements the weights may have together.
        choices: What the user says.

    Raises:
        CheckpointError: An array is missing, unknown, of another shape or not finite.
        ArchitectureError: The shapes contradict each other.
    """
    found = {name: as_array(name, value) for name, value in entries.items()}
    if "mapping.label_weight" in found:
        raise CheckpointError(
            "it has classes in the way of the first StyleGAN2, which is not supported; give a model "
            "without classes, or one of StyleGAN2-ADA"
        )
    hammer, unsaid = _is_hammer(found)
    arrays = dict(_renamed(found, hammer=hammer))
    if latent_avg is not None:
        arrays.setdefault(W_AVG, as_array("latent_avg", latent_avg))
    lr, note = choices.lr_multiplier(arrays, "mapping.fc")
    clamp, notes = None, [note, *unsaid]
    if hammer:
        clamp, clamp_note = choices.clamp()
        notes.append(clamp_note)
    else:
        choices.refuse_clamp("GenForce")
    taps, filter_note = shared_taps(list(_filters(found, hammer=hammer)))
    notes += filter_note
    architecture = _architecture(found, arrays, lr, clamp, taps)
    architecture, used, noise_note = without_unused_noise(architecture, arrays)
    weights, more = select_with_average(architecture, used, max_elements)
    return Contents(
        architecture=architecture,
        weights=weights,
        format=_FORMATS[hammer],
        notes=(*notes, *noise_note, *more),
    )


def _is_hammer(found: _Arrays) -> tuple[bool, tuple[str, ...]]:
    """Which of the two projects wrote the arrays, and a note where no name shows it.

    Parameters alone have the same names. A style's bias begins at 1 in Hammer, and at 0 in GenForce,
    which adds the 1.
    """
    if "w_avg" in found or any(name.endswith(".filter") for name in found):
        return True, ()
    if "truncation.w_avg" in found or any(map(_is_filter, found)):
        return False, ()
    biases = [
        float(np.mean(values, dtype=np.float64))
        for name, values in found.items()
        if name.endswith(".style.bias") and values.size and values.dtype.kind == "f"
    ]
    hammer = bool(biases) and float(np.mean(biases)) > _MIDDLE
    return hammer, (_UNSAID.format(taken="Hammer" if hammer else "GenForce"),)


def _architecture(
    found: _Arrays, arrays: _Arrays, lr: float, clamp: float | None, taps: tuple[float, ...]
) -> Architecture:
    mapping = sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in arrays)
    blocks = sum(
        re.fullmatch(r"synthesis\.layer\d*[02468]\.weight", name) is not None for name in found
    )
    if max(mapping, blocks) > _MAX_LAYERS:
        raise CheckpointError("its network has more layers than any StyleGAN2 generator")
    w_dim = array_sizes(found, MARKER, 2)[1]
    inputs = array_sizes(found, "mapping.dense0.weight", 2)[1]
    label_dim = 0
    if "mapping.embed.weight" in arrays:
        label_dim = array_sizes(arrays, "mapping.embed.weight", 2)[1]
        inputs -= w_dim
    const = array_sizes(found, "synthesis.early_layer.const", 4)
    widths = [array_sizes(found, f"synthesis.layer{2 * i}.weight", 4)[0] for i in range(blocks)]
    return Architecture(
        z_dim=inputs,
        w_dim=w_dim,
        label_dim=label_dim,
        resolution=2 << blocks,
        channels={4 << i: width for i, width in enumerate(widths)},
        image_channels=array_sizes(found, f"synthesis.output{blocks - 1}.weight", 4)[0],
        mapping_layers=mapping,
        mapping_lr_multiplier=lr,
        conv_clamp=clamp,
        resample_filter=taps,
        use_noise="synthesis.layer0.noise" in found,
        variant=_variant(found),
        base_height=const[2],
        base_width=const[3],
    )


def _variant(found: _Arrays) -> Variant:
    if "synthesis.residual1.weight" in found:
        return "resnet"
    return "skip" if "synthesis.output0.weight" in found else "orig"


def _filters(found: _Arrays, *, hammer: bool) -> Iterator[NDArray[Any]]:
    for name, values in found.items():
        if _is_filter(name):
            plain = values[0, 0] if values.ndim == 4 else values
            yield values if hammer else plain / np.float32(_KERNEL_GAIN)


def _is_filter(name: str) -> bool:
    return (
        name.endswith(("filter.kernel", "upsample.kernel")) or name.rpartition(".")[2] == "filter"
    )


def _renamed(found: _Arrays, *, hammer: bool) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays under NVIDIA's names, in NVIDIA's shapes; unknown ones keep their names."""
    for name, values in found.items():
        if _is_filter(name):
            continue
        if name in _AVERAGES:
            yield W_AVG, values
        elif name == "synthesis.early_layer.const" and values.ndim == 4:
            yield "synthesis.b4.const", values[0]
        elif match := re.fullmatch(r"mapping\.dense(\d+)\.(weight|bias)", name):
            yield f"mapping.fc{match[1]}.{match[2]}", values
        elif name.startswith(_LABELS):
            yield f"mapping.embed.{name.rpartition('.')[2]}", values
        elif match := re.fullmatch(r"synthesis\.residual(\d{1,2})\.weight", name):
            yield f"synthesis.b{4 << int(match[1])}.skip.weight", values
        elif match := re.fullmatch(r"synthesis\.(layer|output)(\d{1,2})\.(.+)", name):
            yield from _layer(match[1], int(match[2]), match[3], values, hammer=hammer)
        else:
            yield name, values


def _layer(
    kind: str, number: int, part: str, values: NDArray[Any], *, hammer: bool
) -> Iterator[tuple[str, NDArray[Any]]]:
    """An array of a convolution, or of a layer to colour."""
    if part not in _PARTS:
        yield f"synthesis.{kind}{number}.{part}", values
        return
    upsamples = kind == "layer" and number % 2 == 1
    block = number if kind == "output" else (number + 1) // 2
    layer = "torgb" if kind == "output" else f"conv{0 if upsamples else 1}"
    if part == "noise" and values.shape[:-2] == (1, 1):
        values = values[0, 0]
    elif part == "noise_strength":
        values = scalar(values)
    elif part == "style.bias" and not hammer:
        values = values + np.float32(1)
    elif part == "weight" and not hammer and values.ndim == 4:
        values = scaled_kernel(values)
        values = values[:, :, ::-1, ::-1] if upsamples else values
    yield f"synthesis.b{4 << block}.{layer}.{_PARTS[part]}", values

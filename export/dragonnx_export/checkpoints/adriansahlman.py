"""Generators of adriansahlman's stylegan2_pytorch: a state dict, or the parts that its `save` writes.

    G_mapping.main.0.{layer.weight,bias}
    G_synthesis.const                                    [C, h, w]
    G_synthesis.conv_blocks.0.conv_block.0.bias
                                     .layer.weight       [1], how strong noise is, if there is any
                                     .layer.layer        weight [O, I, 3, 3], dense
    G_synthesis.conv_blocks.1.projection.weight          [I, O, 1, 1]
    G_synthesis.to_data_layers.0     bias, layer.weight [3, I, 1, 1], layer.dense
    dlatent_avg

Noise images are not stored. 3x3 weights are scaled before demodulation, as rosinality's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.noise import NO_NOISE
from dragonnx_export.checkpoints.rosinality import scaled_kernel
from dragonnx_export.checkpoints.w_avg import W_AVG, select_with_average
from dragonnx_export.checkpoints.weights import array_sizes, as_array, shared_taps
from dragonnx_export.families.stylegan2.architecture import Architecture, Variant
from dragonnx_export.families.stylegan2.checkpoint import Contents

FORMAT = "adriansahlman StyleGAN2 checkpoint"
_FIRST = "G_synthesis.conv_blocks.0.conv_block.0"
MARKERS = (f"{_FIRST}.layer.layer.dense.layer.weight", f"{_FIRST}.layer.dense.layer.weight")

_PARTS = ("G_mapping", "G_synthesis")
_LR = "G_mapping.lr_mul"
_KERNEL_GAIN = 4
_MAX_LAYERS = 64
_ACTIVATION = re.compile(r"(?:leaky|lrelu|leaky[_ ]?relu|leakyrely):0?\.2")
_FIXED: Mapping[str, Mapping[str, object]] = {
    "G_mapping": {"normalize_input": True, "weight_scale": True},
    "G_synthesis": {
        "demodulate": True, "modulate_data_out": True, "weight_scale": True, "lr_mul": 1,
        "fused_resample": True, "conv_resample_mode": "FIR", "skip_resample_mode": "FIR",
        "kernel_size": 3, "conv_pad_mode": "constant", "conv_pad_constant": 0,
        "filter_pad_mode": "constant", "filter_pad_constant": 0, "pad_once": True,
        "conv_block_size": 2,
    },
}  # fmt: skip
"""Arguments that would make another network of the same arrays, with the value that is read."""

_Arrays = dict[str, NDArray[Any]]


def flattened(value: Mapping[Any, object]) -> dict[str, object] | None:
    """The parts that `save` wrote as one state dict; None where a dict is something else.

    Raises:
        CheckpointError: The arguments make another network than StyleGAN2's.
    """
    parts = {name: value.get(name) for name in _PARTS}
    if not all(isinstance(part, dict) and "state_dict" in part for part in parts.values()):
        return None
    entries = dict(_named("", value))
    for name, part in parts.items():
        assert isinstance(part, dict), "all parts are dicts"  # noqa: S101
        entries |= _named(f"{name}.", part)
        arguments = part.get("kwargs")
        arguments = arguments if isinstance(arguments, dict) else {}
        _require_supported(name, arguments)
        if name == "G_mapping" and "lr_mul" in arguments:
            entries[_LR] = np.asarray(_number(arguments["lr_mul"]))
    return entries


def _named(prefix: str, part: Mapping[Any, object]) -> dict[str, object]:
    state = part.get("state_dict")
    entries = state.items() if isinstance(state, dict) else ()
    return {prefix + name: array for name, array in entries if isinstance(name, str)}


def _require_supported(part: str, arguments: Mapping[Any, object]) -> None:
    activation = arguments.get("activation", "lrelu:0.2")
    if not isinstance(activation, str) or not _ACTIVATION.fullmatch(activation.lower()):
        raise CheckpointError(
            f"its {part} has the activation {quoted(str(activation)[:20])}, where only a leaky "
            "ReLU of slope 0.2 is supported"
        )
    for name, value in _FIXED[part].items():
        if arguments.get(name, value) != value:
            raise CheckpointError(
                f"its {part} has {name} {quoted(str(arguments[name])[:20])}, where only {value!r} "
                "is supported"
            )


def _number(value: object) -> float:
    if isinstance(value, int | float) and type(value) is not bool:
        return float(value)
    raise CheckpointError("its lr_mul is no number, so its network is another one")


def read_adriansahlman(
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
    choices.refuse_clamp("adriansahlman's stylegan2_pytorch")
    found = {name: as_array(name, value) for name, value in entries.items()}
    if "G_mapping.embedding.weight" in found:
        raise CheckpointError(
            "it has classes in the way of the first StyleGAN2, which is not supported; give a model "
            "without classes"
        )
    stated = found.pop(_LR, None)
    arrays = dict(_renamed(found))
    if latent_avg is not None:
        arrays.setdefault(W_AVG, as_array("latent_avg", latent_avg))
    notes = [NO_NOISE]
    if stated is None:
        lr, note = choices.lr_multiplier(arrays, "mapping.fc")
        notes.append(note)
    else:
        choices.refuse_facts()
        lr = float(stated)
    kernels = [
        (values[0, 0] if values.ndim == 4 else values) / np.float32(_KERNEL_GAIN)
        for name, values in found.items()
        if name.endswith("filter_kernel")
    ]
    taps, filter_note = shared_taps(kernels)
    notes += filter_note
    architecture = _architecture(found, lr, taps)
    weights, more = select_with_average(architecture, arrays, max_elements)
    return Contents(
        architecture=architecture, weights=weights, format=FORMAT, notes=(*notes, *more)
    )


def _architecture(found: _Arrays, lr: float, taps: tuple[float, ...]) -> Architecture:
    mapping = _count(found, r"G_mapping\.main\.\d+\.layer\.weight")
    blocks = _count(found, r"G_synthesis\.conv_blocks\.\d+\.conv_block\.0\.bias")
    if max(mapping, blocks) > _MAX_LAYERS:
        raise CheckpointError("its network has more layers than any StyleGAN2 generator")
    const = array_sizes(found, "G_synthesis.const", 3)
    first = array_sizes(found, "G_mapping.main.0.layer.weight", 2)
    names = [f"G_synthesis.conv_blocks.{b}.conv_block.{min(b, 1)}.bias" for b in range(blocks)]
    return Architecture(
        z_dim=first[1],
        w_dim=array_sizes(found, f"G_mapping.main.{mapping - 1}.bias", 1)[0],
        resolution=2 << blocks,
        channels={4 << b: array_sizes(found, name, 1)[0] for b, name in enumerate(names)},
        image_channels=array_sizes(found, f"G_synthesis.to_data_layers.{blocks - 1}.bias", 1)[0],
        mapping_layers=mapping,
        mapping_lr_multiplier=lr,
        resample_filter=taps,
        use_noise=False,
        variant=_variant(found),
        base_height=const[1],
        base_width=const[2],
    )


def _count(found: _Arrays, pattern: str) -> int:
    return sum(re.fullmatch(pattern, name) is not None for name in found)


def _variant(found: _Arrays) -> Variant:
    if "G_synthesis.conv_blocks.1.projection.weight" in found:
        return "resnet"
    return "skip" if "G_synthesis.to_data_layers.0.bias" in found else "orig"


_IGNORED = re.compile(r"layer_psi|G_synthesis\.upsample\.weight|.*filter_kernel")
_CONV = re.compile(r"G_synthesis\.conv_blocks\.(\d{1,2})\.conv_block\.([01])\.(.+)")
_PROJECTION = re.compile(r"G_synthesis\.conv_blocks\.(\d{1,2})\.projection\.weight")
_COLOUR = re.compile(r"G_synthesis\.to_data_layers\.(\d{1,2})\.(.+)")
_DENSE = {"dense.layer.weight": "affine.weight", "dense.bias": "affine.bias", "weight": "weight"}


def _renamed(found: _Arrays) -> Iterator[tuple[str, NDArray[Any]]]:
    """The arrays under NVIDIA's names, in NVIDIA's shapes; unknown ones keep their names."""
    for name, values in found.items():
        if _IGNORED.fullmatch(name):
            continue
        if name == "dlatent_avg":
            yield W_AVG, values
        elif name == "G_synthesis.const":
            yield "synthesis.b4.const", values
        elif match := re.fullmatch(r"G_mapping\.main\.(\d+)\.(?:layer\.)?(weight|bias)", name):
            yield f"mapping.fc{match[1]}.{match[2]}", values
        elif (match := _PROJECTION.fullmatch(name)) and values.ndim == 4:
            yield f"synthesis.b{4 << int(match[1])}.skip.weight", values.swapaxes(0, 1)
        elif match := _COLOUR.fullmatch(name):
            block, part = int(match[1]), match[2].removeprefix("layer.")
            yield f"synthesis.b{4 << block}.torgb.{_DENSE.get(part, part)}", values
        elif match := _CONV.fullmatch(name):
            yield from _convolution(int(match[1]), int(match[2]), match[3], values)
        else:
            yield name, values


def _convolution(
    block: int, number: int, part: str, values: NDArray[Any]
) -> Iterator[tuple[str, NDArray[Any]]]:
    """An array of a convolution, which lies in a layer for noise if there is one."""
    if part == "layer.weight" and values.size == 1 and values.ndim == 1:
        return  # how strong noise is: there are no images of it
    inner = part.removeprefix("layer.").removeprefix("layer.")
    if inner == "weight" and values.ndim == 4:
        values = scaled_kernel(values)
    layer = f"synthesis.b{4 << block}.conv{number if block else 1}"
    yield f"{layer}.{_DENSE.get(inner, inner)}", values

"""StyleGAN3 generators from arrays in NVIDIA's names alone, without the records that state the facts.

Names tell the layers' sizes, arrays their channels and filters. Rates follow from the sizes, since they
are powers of two and all maps but the last two have the same margin.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.foreign_networks import refuse_relatives
from dragonnx_export.checkpoints.w_avg import W_AVG, select_stylegan3_with_average
from dragonnx_export.checkpoints.weights import array_sizes, as_array, scalar
from dragonnx_export.families.stylegan3.architecture import Architecture, Layer
from dragonnx_export.families.stylegan3.checkpoint import Contents

FORMAT = "StyleGAN3 state dict in NVIDIA's names"
MARKER = "synthesis.input.freqs"
"""A name that only such a generator has."""

_CLAMP = 256.0
_RAISING = 2
_MARGIN = 10
_UNSTATED = (
    "the file does not say how its rates are raised, from which frequency on the first waves fade and "
    "how its colours are scaled, so twice, 2 and 0.25 were taken, as in all published models"
)
_MOST_LAYERS = 64

_Arrays = dict[str, NDArray[Any]]


def read_stylegan3_arrays(
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
    refuse_relatives(entries.keys())
    found = {name: as_array(name, value) for name, value in entries.items()}
    # Some ways of saving arrays turn a single number into a list of one.
    arrays = {n: scalar(v) if n.endswith("magnitude_ema") else v for n, v in found.items()}
    if W_AVG not in arrays and latent_avg is not None:
        arrays[W_AVG] = as_array("latent_avg", latent_avg)
    lr, lr_note = choices.lr_multiplier(arrays, "mapping.fc")
    clamp, clamp_note = choices.clamp(_CLAMP)
    layers = _layers(arrays, clamp)
    w_dim = array_sizes(arrays, "synthesis.input.affine.weight", 2)[1]
    z_dim, label_dim = array_sizes(arrays, "mapping.fc0.weight", 2)[1], 0
    if "mapping.embed.weight" in arrays:
        label_dim = array_sizes(arrays, "mapping.embed.weight", 2)[1]
        z_dim -= w_dim
    count = sum(re.fullmatch(r"mapping\.fc\d+\.weight", name) is not None for name in arrays)
    architecture = Architecture(
        z_dim=z_dim,
        w_dim=w_dim,
        label_dim=label_dim,
        resolution=layers[-1].out_size,
        layers=layers,
        mapping_layers=count,
        mapping_lr_multiplier=lr,
    )
    weights, average_note = select_stylegan3_with_average(architecture, arrays, max_elements)
    return Contents(
        architecture=architecture,
        weights=weights,
        format=FORMAT,
        notes=(lr_note, clamp_note, _UNSTATED, *average_note),
    )


def _layers(arrays: _Arrays, clamp: float | None) -> tuple[Layer, ...]:
    found: dict[int, tuple[str, int]] = {}
    for name in arrays:
        match = re.fullmatch(r"synthesis\.(L(\d{1,4})_(\d{1,6})_\d{1,6})\.weight", name)
        if match:
            found[int(match[2])] = match[1], int(match[3])
    if not 2 <= len(found) <= _MOST_LAYERS or sorted(found) != list(range(len(found))):
        raise CheckpointError("it lacks layers of a StyleGAN3; give the complete file")
    names, sizes = zip(*(found[index] for index in range(len(found))), strict=True)
    margin = _margin(sizes)
    layers: list[Layer] = []
    for index, (name, size) in enumerate(zip(names, sizes, strict=True)):
        outputs, inputs, kernel, _ = array_sizes(arrays, f"synthesis.{name}.weight", 4)
        rate = sizes[-1] if index >= len(sizes) - 2 else size - 2 * margin
        before = layers[-1] if layers else None
        in_size, in_rate = (before.out_size, before.out_rate) if before else (size, rate)
        colour = index == len(sizes) - 1
        down = 1 if colour else _RAISING
        up_filter, down_filter = (
            arrays.get(f"synthesis.{name}.{way}_filter") for way in ("up", "down")
        )
        layers.append(
            Layer(
                name=name,
                inputs=inputs,
                outputs=outputs,
                in_size=in_size,
                out_size=size,
                in_rate=in_rate,
                out_rate=rate,
                kernel=kernel,
                up=max(down * rate // in_rate, 1),
                down=down,
                up_taps=1 if up_filter is None else up_filter.shape[-1],
                down_taps=1 if down_filter is None else down_filter.shape[-1],
                radial=down_filter is not None and down_filter.ndim == 2,
                clamp=clamp,
                colour=colour,
            )
        )
    return tuple(layers)


def _margin(sizes: tuple[int, ...]) -> int:
    """The cells on each side that leave powers of two of all maps but the last two.

    Raises:
        CheckpointError: Nothing does, or several numbers do, none of them the usual one.
    """
    fitting = [
        margin
        for margin in range(min(sizes) // 2)
        if all(_is_power(size - 2 * margin) for size in sizes[:-2])
    ]
    if _MARGIN in fitting:
        return _MARGIN
    if len(fitting) != 1:
        raise CheckpointError(
            "its layers' sizes do not tell their margin, which NVIDIA's pickle states; give that"
        )
    return fitting[0]


def _is_power(size: int) -> bool:
    return size > 0 and size & (size - 1) == 0

"""Noise images that are not those of the network's layers, and so are used by nobody.

Who gives a generator another first block often leaves its noise images as they were: most projects'
code draws new noise for every picture, as large as it is needed, and never reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import parameter_shapes

NO_NOISE = "it holds no noise images, so the exported model adds none"
_IMAGE, _STRENGTH = ".noise_const", ".noise_strength"
_AXES = 2

_Arrays = Mapping[str, NDArray[Any]]


def without_unused_noise(
    architecture: Architecture, arrays: _Arrays
) -> tuple[Architecture, _Arrays, tuple[str, ...]]:
    """The generator without noise where its noise images are missing, or of other sizes than its layers.

    Args:
        architecture: What the generator is made of.
        arrays: Its arrays by NVIDIA's parameter names.

    Returns:
        The architecture, its arrays, and a note for the user where noise is left out.
    """
    if not any(name.endswith(_IMAGE) for name in arrays):
        return without_missing_noise(architecture, arrays)
    shapes = dict(parameter_shapes(architecture))
    found = {
        name: arrays[name].shape
        for name in shapes
        if name.endswith(_IMAGE) and name in arrays and arrays[name].ndim == _AXES
    }
    misfit = next((name for name, shape in found.items() if shape != shapes[name]), None)
    if misfit is None:
        return architecture, arrays, ()
    note = (
        f"its noise images are not of its layers' sizes ({_shown(found[misfit])} where a layer has "
        f"{_shown(shapes[misfit])}), so its code cannot use them and the exported model adds none"
    )
    noise = {name for name in shapes if name.endswith((_IMAGE, _STRENGTH))}
    rest = {name: values for name, values in arrays.items() if name not in noise}
    return replace(architecture, use_noise=False), rest, (note,)


def without_missing_noise(
    architecture: Architecture, arrays: _Arrays
) -> tuple[Architecture, _Arrays, tuple[str, ...]]:
    """The same where noise images are missing: parameters alone were kept, as averages of those are."""
    if any(name.endswith(_IMAGE) for name in arrays):
        return architecture, arrays, ()
    rest = {name: values for name, values in arrays.items() if not name.endswith(_STRENGTH)}
    note = (NO_NOISE,) if len(rest) < len(arrays) else ()
    return replace(architecture, use_noise=False), rest, note


def _shown(shape: tuple[int, ...]) -> str:
    height, width = shape
    return f"{height} x {width}"

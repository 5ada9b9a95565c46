"""Generators in the names and layouts of other formats, for tests; written from the formats' facts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.architecture import Architecture

Arrays = dict[str, NDArray[Any]]
Weights = Mapping[str, NDArray[np.float32]]


def rosinality_state(architecture: Architecture, weights: Weights) -> Arrays:
    """The generator as rosinality's code keeps it, blur kernels with their gain of 4 included."""
    a = architecture
    state: Arrays = {}
    for index in range(a.mapping_layers):
        for part in ("weight", "bias"):
            state[f"style.{index + 1}.{part}"] = weights[f"mapping.fc{index}.{part}"]
    state["input.input"] = weights["synthesis.b4.const"][None]
    blur = 4 * _square(a)
    layers = [("conv1", "synthesis.b4.conv1")]
    colours = [("to_rgb1", "synthesis.b4.torgb")]
    for index, resolution in enumerate(a.block_resolutions[1:]):
        block = f"synthesis.b{resolution}"
        layers += [(f"convs.{2 * index + k}", f"{block}.conv{k}") for k in (0, 1)]
        colours.append((f"to_rgbs.{index}", f"{block}.torgb"))
        state[f"convs.{2 * index}.conv.blur.kernel"] = blur
        state[f"to_rgbs.{index}.upsample.kernel"] = blur
    for number, (theirs, ours) in enumerate(layers):
        state[f"{theirs}.activate.bias"] = weights[f"{ours}.bias"]
        if a.use_noise:
            state[f"{theirs}.noise.weight"] = weights[f"{ours}.noise_strength"].reshape(1)
            state[f"noises.noise_{number}"] = weights[f"{ours}.noise_const"][None, None]
    for theirs, ours in colours:
        state[f"{theirs}.bias"] = weights[f"{ours}.bias"][None, :, None, None]
    for theirs, ours in layers + colours:
        state[f"{theirs}.conv.weight"] = weights[f"{ours}.weight"][None]
        for part in ("weight", "bias"):
            state[f"{theirs}.conv.modulation.{part}"] = weights[f"{ours}.affine.{part}"]
    return state


def rosinality_scaled(weights: Weights) -> dict[str, NDArray[np.float32]]:
    """The weights as that format's forward pass uses them: 3x3 kernels by 1 / sqrt(fan in)."""
    return {
        name: values / np.float32(math.sqrt(values[0].size))
        if values.shape[2:] == (3, 3)
        else values
        for name, values in weights.items()
    }


def nvidia_state_dict(architecture: Architecture, weights: Weights) -> Arrays:
    """`state_dict()` of NVIDIA's generator: the weights, and the filters among its buffers."""
    filters: Arrays = {}
    for resolution in architecture.block_resolutions:
        filters[f"synthesis.b{resolution}.resample_filter"] = _square(architecture)
        filters[f"synthesis.b{resolution}.conv1.resample_filter"] = _square(architecture)
    return {**weights, **filters}


def _square(architecture: Architecture) -> NDArray[np.float32]:
    square = np.outer(architecture.resample_filter, architecture.resample_filter)
    return (square / square.sum()).astype(np.float32)

"""Generators in the names of further projects, for tests; written from those projects' facts."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.checkpoint_formats import Arrays, Weights, rosinality_state

from dragonnx_export.families.stylegan2.architecture import Architecture


def genforce_state(architecture: Architecture, weights: Weights) -> Arrays:
    """GenForce's: as TensorFlow's code has it, kernels that upsample turned round."""
    return _genforce(architecture, weights, hammer=False)


def hammer_state(architecture: Architecture, weights: Weights) -> Arrays:
    """Hammer's: the same names, NVIDIA's conventions."""
    return _genforce(architecture, weights, hammer=True)


def _genforce(architecture: Architecture, weights: Weights, *, hammer: bool) -> Arrays:
    state: Arrays = {}
    square = np.outer(architecture.resample_filter, architecture.resample_filter)
    kernel = (square / square.sum()).astype(np.float32)
    name_of_filter = "filter" if hammer else "filter.kernel"
    stored = kernel if hammer else 4 * kernel[None, None]
    parts = {"affine.weight": "style.weight", "affine.bias": "style.bias", "noise_const": "noise"}
    for name, values in weights.items():
        if name == "mapping.w_avg":
            state["w_avg" if hammer else "truncation.w_avg"] = values
        elif name.startswith("mapping.embed"):
            state[name.replace("embed", "embedding" if hammer else "LabelEmbed")] = values
        elif name.startswith("mapping."):
            state[name.replace("fc", "dense")] = values
        elif name == "synthesis.b4.const":
            state["synthesis.early_layer.const"] = values[None]
        else:
            match = re.fullmatch(r"synthesis\.b(\d+)\.(\w+?)(\d?)\.(.+)", name)
            assert match
            block = int(match[1]).bit_length() - 3
            part = parts.get(match[4], match[4])
            if match[2] == "skip":
                state[f"synthesis.residual{block}.weight"] = values
                continue
            colour = match[2] == "torgb"
            layer = f"output{block}" if colour else f"layer{2 * block - (match[3] == '0')}"
            turned = part == "weight" and match[3] == "0"
            state[f"synthesis.{layer}.{part}"] = (
                values[None, None] if part == "noise"
                else values - np.float32(1) if part == "style.bias" and not hammer
                else values[:, :, ::-1, ::-1] if turned and not hammer
                else values
            )  # fmt: skip
            if match[3] == "0":
                state[f"synthesis.{layer}.{name_of_filter}"] = stored
    state[f"synthesis.{'filter' if hammer else 'upsample.kernel'}"] = stored
    return state


def basicsr_state(architecture: Architecture, weights: Weights) -> Arrays:
    """BasicSR's, which stores no blur kernels."""
    names = (
        (r"style\.", "style_mlp."),
        (r"input\.input", "constant_input.weight"),
        (r"noises\.noise_", "noises.noise"),
        (r"conv(1|s\.\d+)\.noise\.weight", r"style_conv\1.weight"),
        (r"conv(1|s\.\d+)\.conv\.", r"style_conv\1.modulated_conv."),
        (r"conv(1|s\.\d+)\.", r"style_conv\1."),
        (r"to_rgb(1|s\.\d+)\.conv\.", r"to_rgb\1.modulated_conv."),
    )
    state = _renamed(rosinality_state(architecture, weights), names)
    return {name: values for name, values in state.items() if not name.endswith("kernel")}


def mmgeneration_state(architecture: Architecture, weights: Weights) -> Arrays:
    """MMGeneration's and MMagic's."""
    names = (
        (r"style\.(\d+)\.weight", r"style_mapping.\1.linear.weight_orig"),
        (r"style\.", "style_mapping."),
        (r"input\.", "constant_input."),
        (r"noises\.noise_", "injected_noise_"),
        (r"(.+)\.conv\.modulation\.weight", r"\1.conv.style_modulation.linear.weight_orig"),
        (r"(.+)\.conv\.modulation\.bias", r"\1.conv.style_modulation.bias"),
        (r"(.+)\.conv\.weight", r"\1.conv.weight_orig"),
        (r"(.+)\.noise\.weight", r"\1.noise_injector.weight"),
    )
    return _renamed(rosinality_state(architecture, weights), names)


def paddle_state(architecture: Architecture, weights: Weights) -> dict[str, Any]:
    """PaddleGAN's: rosinality's names, linear weights the other way round."""
    state = rosinality_state(architecture, weights)
    turned = {n: np.ascontiguousarray(v.T) for n, v in state.items() if _is_linear(n, v)}
    return {**state, **turned, "StructuredToParameterName@@": {}}


def _is_linear(name: str, values: NDArray[Any]) -> bool:
    return name.endswith(".weight") and values.ndim == 2


def adriansahlman_state(architecture: Architecture, weights: Weights) -> Arrays:
    """Of adriansahlman's stylegan2_pytorch, without noise images as it saves none."""
    state: Arrays = {"dlatent_avg": weights["mapping.w_avg"]}
    square = np.outer(architecture.resample_filter, architecture.resample_filter)
    kernel = (4 * square / square.sum()).astype(np.float32)[None, None]
    for name, values in weights.items():
        block_name = re.fullmatch(r"synthesis\.b(\d+)\.(.+)", name)
        if match := re.fullmatch(r"mapping\.fc(\d+)\.(\w+)", name):
            inner = "layer.weight" if match[2] == "weight" else "bias"
            state[f"G_mapping.main.{match[1]}.{inner}"] = values
        elif name == "synthesis.b4.const":
            state["G_synthesis.const"] = values
        elif block_name:
            block = int(block_name[1]).bit_length() - 3
            state |= _adrians_layer(block, block_name[2], values, kernel)
    state["G_synthesis.upsample.filter.filter_kernel"] = kernel
    state["G_synthesis.upsample.weight"] = np.ones((1, 1, 1, 1), np.float32)
    return state


def _adrians_layer(block: int, part: str, values: NDArray[Any], kernel: NDArray[Any]) -> Arrays:
    layer, _, array = part.partition(".")
    dense = {"affine.weight": "dense.layer.weight", "affine.bias": "dense.bias"}
    if layer == "skip":
        return {f"G_synthesis.conv_blocks.{block}.projection.weight": values.swapaxes(0, 1)}
    if layer == "torgb":
        inner = "bias" if array == "bias" else f"layer.{dense.get(array, array)}"
        return {f"G_synthesis.to_data_layers.{block}.{inner}": values}
    number = int(layer[-1]) if block else 0
    path = f"G_synthesis.conv_blocks.{block}.conv_block.{number}"
    if array == "bias":
        return {f"{path}.bias": values}
    if array == "noise_strength":
        return {f"{path}.layer.weight": values.reshape(1)}
    if array == "noise_const":
        return {}
    found = {f"{path}.layer.layer.{dense.get(array, array)}": values}
    if layer == "conv0":
        found[f"{path}.layer.layer.filter.filter_kernel"] = kernel
    return found


def _renamed(state: Arrays, names: tuple[tuple[str, str], ...]) -> Arrays:
    renamed: Arrays = {}
    for name, values in state.items():
        new = name
        for pattern, replacement in names:
            if match := re.match(pattern, name):
                new = match.expand(replacement) + name[match.end() :]
                break
        renamed[new] = values
    return renamed

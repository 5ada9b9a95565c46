"""Small StyleGAN3 generators of every kind, with random weights and filters, for tests."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dragonnx_export.families.stylegan3.architecture import Architecture, Layer
from dragonnx_export.families.stylegan3.checkpoint import Checkpoint, parameter_shapes


def stylegan3(
    resolution: int = 16, num_layers: int = 5, *, radial: bool = False, kernel: int = 3,
    channel_base: int = 128, channel_max: int = 8, margin: int = 4, filter_size: int = 6,
    num_critical: int = 2, label_dim: int = 0, clamp: float | None = 256.0, colours: int = 3,
) -> Architecture:  # fmt: skip
    """An architecture by NVIDIA's rules (arXiv 2106.12423, section 3.2)."""
    last_cutoff, first_stopband = resolution / 2, 2**2.1
    last_stopband = last_cutoff * 2**0.3
    share = [min(i / (num_layers - num_critical), 1) for i in range(num_layers + 1)]
    cutoffs = [2 * (last_cutoff / 2) ** e for e in share]
    stopbands = [first_stopband * (last_stopband / first_stopband) ** e for e in share]
    rates = [2 ** math.ceil(math.log2(min(2 * s, resolution))) for s in stopbands]
    sizes = [rate + 2 * margin for rate in rates]
    sizes[-2:] = [resolution] * 2
    channels = [round(min(channel_base / 2 / c, channel_max)) for c in cutoffs]
    channels[-1] = colours
    layers = []
    for i in range(num_layers + 1):
        before, colour = max(i - 1, 0), i == num_layers
        raised = max(rates[before], rates[i]) * (1 if colour else 2)
        up, down = raised // rates[before], raised // rates[i]
        layers.append(
            Layer(
                name=f"L{i}_{sizes[i]}_{channels[i]}",
                inputs=channels[before],
                outputs=channels[i],
                in_size=sizes[before],
                out_size=sizes[i],
                in_rate=rates[before],
                out_rate=rates[i],
                kernel=1 if colour else kernel,
                up=up,
                down=down,
                up_taps=1 if colour else filter_size * up,
                down_taps=1 if colour else filter_size * down,
                radial=radial and i < num_layers - num_critical,
                clamp=clamp,
                colour=colour,
            )
        )
    return Architecture(
        z_dim=8, w_dim=12, label_dim=label_dim, resolution=resolution, layers=tuple(layers)
    )


def random_stylegan3(architecture: Architecture, seed: int = 0) -> Checkpoint:
    """A checkpoint with weights as before training, an input that is turned, and lopsided filters."""
    random = np.random.default_rng(seed)
    weights = {}
    for name, shape in parameter_shapes(architecture):
        values = random.standard_normal(shape)
        if name.startswith("mapping.fc"):
            values /= architecture.mapping_lr_multiplier
        if name.endswith("_filter"):
            values = np.exp(values / 2)
            values /= values.sum()
        elif name.endswith("magnitude_ema"):
            values = np.exp(values / 4)
        elif name.endswith("input.transform"):
            values = np.eye(3) + values * [[0.1], [0.1], [0.0]]
        elif name.endswith("affine.bias"):
            values += 1
        weights[name] = np.asarray(values, np.float32)
    return Checkpoint(architecture=architecture, weights=weights, format="random", sha256="0" * 64)


def stylegan3_state(checkpoint: Checkpoint) -> dict[str, Any]:
    """The state of a generator as NVIDIA's classes keep it; see `checkpoint_files.record`."""
    a = checkpoint.architecture
    root = _module(
        "Generator", z_dim=a.z_dim, c_dim=a.label_dim, w_dim=a.w_dim, num_ws=a.num_ws,
        img_resolution=a.resolution, img_channels=a.image_channels,
    )  # fmt: skip
    for full_name, values in checkpoint.weights.items():
        *path, array = full_name.split(".")
        module = root
        for step in path:
            if step not in module["_modules"]:
                module["_modules"][step] = _described(step, a)
            module = module["_modules"][step]
        kept = array in ("weight", "bias")
        module["_parameters" if kept else "_buffers"][array] = values
        if module["class_name"] == "FullyConnectedLayer" and array == "weight":
            lr = a.mapping_lr_multiplier if path[-1].startswith("fc") else 1
            module |= {"weight_gain": lr / values.shape[1] ** 0.5, "bias_gain": lr}
    return root


def _module(class_name: str, **attributes: Any) -> dict[str, Any]:
    tables: dict[str, Any] = {"_parameters": {}, "_buffers": {}, "_modules": {}}
    return {"class_name": class_name, **tables, **attributes}


def _described(step: str, a: Architecture) -> dict[str, Any]:
    if step == "synthesis":
        names = [layer.name for layer in a.layers]
        return _module("SynthesisNetwork", output_scale=a.output_scale, layer_names=names)
    if step == "mapping":
        return _module("MappingNetwork", num_layers=a.mapping_layers)
    if step == "input":
        first = a.layers[0]
        return _module(
            "SynthesisInput", size=first.in_size, sampling_rate=float(first.in_rate),
            bandwidth=a.bandwidth,
        )  # fmt: skip
    for layer in a.layers:
        if layer.name == step:
            return _module(
                "SynthesisLayer", is_torgb=layer.colour, use_fp16=True, in_channels=layer.inputs,
                out_channels=layer.outputs, in_size=layer.in_size, out_size=layer.out_size,
                in_sampling_rate=layer.in_rate, out_sampling_rate=layer.out_rate,
                conv_kernel=layer.kernel, conv_clamp=layer.clamp, up_factor=layer.up,
                down_factor=layer.down, padding=[*layer.padding] * 2,
            )  # fmt: skip
    return _module("FullyConnectedLayer", activation="lrelu" if step[:2] == "fc" else "linear")

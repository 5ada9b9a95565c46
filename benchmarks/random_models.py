"""Models of the published size with random weights: how long a step takes does not depend on them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Literal
from unittest import mock

import numpy as np
from support.random_stylegan3 import random_stylegan3, stylegan3

from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint, parameter_shapes
from dragonnx_export.families.stylegan3.checkpoint import Checkpoint as StyleGAN3Checkpoint

Family = Literal["stylegan2", "stylegan3"]


def config_f(size: int) -> Architecture:
    """The published architecture, with two mapping layers instead of eight: they are not timed."""
    blocks = [4 << k for k in range(size.bit_length() - 2)]
    channels = {block: min(512, 32768 // block) for block in blocks}
    return Architecture(z_dim=512, w_dim=512, resolution=size, channels=channels, mapping_layers=2)


def random_weights(architecture: Architecture) -> Checkpoint:
    """A checkpoint as before training; noise is on."""
    random = np.random.default_rng(0)
    weights = {}
    for name, shape in parameter_shapes(architecture):
        values = random.standard_normal(shape, np.float32)
        if name.startswith("mapping.fc"):
            values /= architecture.mapping_lr_multiplier
        values = np.asarray(values + 1 if name.endswith("affine.bias") else values, np.float32)
        weights[name] = values * np.float32(0.1) if name.endswith("noise_strength") else values
    return Checkpoint(architecture=architecture, weights=weights, format="random", sha256="0" * 64)


def config_t(size: int) -> StyleGAN3Checkpoint:
    """StyleGAN3 as published, with random weights."""
    architecture = stylegan3(size, 14, channel_base=32768, channel_max=512, margin=10)
    return random_stylegan3(dataclasses.replace(architecture, z_dim=512, w_dim=512))


def bundle(size: int, folder: Path, family: Family = "stylegan2") -> Path:
    """The bundle of a size, exported once, without the proof: these weights show nothing.

    It names no versions either, so that it can be made where the exporter lies uninstalled in the
    path, and where it is onnxruntime-gpu that is installed.
    """
    path = folder / f"config-{'f' if family == 'stylegan2' else 't'}-{size}"
    if not path.exists():
        writer = "dragonnx_export.bundle_writer"
        checkpoint = random_weights(config_f(size)) if family == "stylegan2" else config_t(size)
        with (
            mock.patch(f"{writer}.check_parity", return_value=()),
            mock.patch(f"{writer}.library_versions", return_value={}),
        ):
            write_bundle(checkpoint, path, ExportOptions(name=path.name))
    return path

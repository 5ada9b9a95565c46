"""Models of the published size with random weights: how long a step takes does not depend on them."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import numpy as np

from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.families.stylegan2.architecture import Architecture
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint, parameter_shapes


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


def bundle(size: int, folder: Path) -> Path:
    """The bundle of a size, exported once, without the proof: these weights show nothing.

    It names no versions either, so that it can be made where the exporter lies uninstalled in the
    path, and where it is onnxruntime-gpu that is installed.
    """
    path = folder / f"config-f-{size}"
    if not path.exists():
        writer = "dragonnx_export.bundle_writer"
        with (
            mock.patch(f"{writer}.check_parity", return_value=()),
            mock.patch(f"{writer}.library_versions", return_value={}),
        ):
            write_bundle(random_weights(config_f(size)), path, ExportOptions(name=path.name))
    return path

"""Builds checkpoint files for tests: tiny generators as NVIDIA's code pickles them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from support.pickle_files import Call, dumps, tensor

from dragonnx_export.checkpoints import parameter_shapes
from dragonnx_export.families.stylegan2.architecture import Architecture

FIXTURES = Path(__file__).parents[1] / "fixtures"
FIXTURE = FIXTURES / "stylegan2-ada-32px.pkl"
SMALL = Architecture(
    z_dim=6, w_dim=5, resolution=8, channels={4: 4, 8: 3}, mapping_layers=2, conv_clamp=256.0
)

Weights = Mapping[str, NDArray[np.float32]]


def notes_besides_lr(notes: tuple[str, ...]) -> tuple[str, ...]:
    """The notes on a state dict but for the one that every state dict has."""
    about = [note for note in notes if "learning rate multiplier" in note]
    assert len(about) == 1, "no state dict says the mapping network's learning rate multiplier"
    return tuple(note for note in notes if note not in about)


def random_weights(architecture: Architecture, seed: int = 0) -> dict[str, NDArray[np.float32]]:
    rng = np.random.default_rng(seed)
    return {
        name: rng.standard_normal(shape).astype(np.float32)
        for name, shape in parameter_shapes(architecture)
    }


def generator_state(architecture: Architecture, weights: Weights) -> dict[str, Any]:
    """The state of a generator as NVIDIA's classes keep it, as plain dicts to change at will.

    A module is a dict with "class_name" beside its attributes and tables.
    """
    a = architecture
    root = _module("Generator", z_dim=a.z_dim, c_dim=a.label_dim, w_dim=a.w_dim)
    root |= {"img_resolution": a.resolution, "img_channels": a.image_channels, "num_ws": a.num_ws}
    root["_init_kwargs"] = {"mapping_kwargs": {"num_layers": a.mapping_layers}}
    for full_name, values in weights.items():
        *path, array = full_name.split(".")
        module = root
        for step in path:
            if step not in module["_modules"]:
                module["_modules"][step] = _described(step, a)
            module = module["_modules"][step]
        table = "_buffers" if array in ("w_avg", "noise_const") else "_parameters"
        module[table][array] = values
        if module["class_name"] == "FullyConnectedLayer" and array == "weight":
            lr = a.mapping_lr_multiplier if path[-1].startswith("fc") else 1
            module |= {"weight_gain": lr / values.shape[1] ** 0.5, "bias_gain": lr}
    square = np.outer(a.resample_filter, a.resample_filter).astype(np.float32)
    for block in root["_modules"]["synthesis"]["_modules"].values():
        for module in (block, *block["_modules"].values()):
            if module["class_name"] != "ToRGBLayer":
                module["_buffers"]["resample_filter"] = square / square.sum()
    return root


def _module(class_name: str, **attributes: Any) -> dict[str, Any]:
    tables: dict[str, Any] = {"_parameters": {}, "_buffers": {}, "_modules": {}}
    return {"class_name": class_name, **tables, **attributes}


def _described(step: str, a: Architecture) -> dict[str, Any]:
    if step.startswith("conv"):
        return _module(
            "SynthesisLayer", activation="lrelu", conv_clamp=a.conv_clamp, use_noise=a.use_noise
        )
    if step.startswith("fc"):
        return _module("FullyConnectedLayer", activation="lrelu")
    if step == "skip":
        return _module("Conv2dLayer", activation="linear", conv_clamp=None, up=2)
    return {
        "mapping": _module("MappingNetwork", num_layers=a.mapping_layers),
        "synthesis": _module("SynthesisNetwork"),
        "torgb": _module("ToRGBLayer", conv_clamp=a.conv_clamp),
        "affine": _module("FullyConnectedLayer", activation="linear"),
        "embed": _module("FullyConnectedLayer", activation="linear"),
    }.get(step) or _module("SynthesisBlock", architecture=a.variant)


def record(state: Mapping[str, Any]) -> Call:
    """The pickle record of a module, with a trap in place of its source code."""
    attributes = {key: value for key, value in state.items() if key != "class_name"}
    for table in ("_parameters", "_buffers"):
        attributes[table] = {
            key: tensor(value) if isinstance(value, np.ndarray) else value
            for key, value in state[table].items()
        }
    attributes["_modules"] = {
        key: record(value) if isinstance(value, dict) else value
        for key, value in state["_modules"].items()
    }
    meta = {
        "type": "class",
        "version": 6,
        "module_src": "import os\nos.environ['DRAGONNX_TRAP'] = 'executed'\n",
        "class_name": state["class_name"],
        "state": attributes,
    }
    return Call("torch_utils.persistence", "_reconstruct_persistent_obj", (meta,))


def nvidia_pickle(state: Mapping[str, Any]) -> bytes:
    return dumps({"G": None, "D": None, "G_ema": record(state)})

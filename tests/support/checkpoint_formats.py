"""Generators in the names and layouts of other formats, for tests; written from formats' facts."""

from __future__ import annotations

import contextlib
import math
import sys
import types
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx_export.families.stylegan2.architecture import Architecture

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


@contextlib.contextmanager
def importable(*names: str) -> Iterator[None]:
    """Modules of these full names, classes or functions made on the spot, for writing pickles."""
    made = []
    for full_name in names:
        module, _, attribute = full_name.rpartition(".")
        for depth in range(1, module.count(".") + 2):
            package = ".".join(module.split(".")[:depth])
            if package not in sys.modules:
                sys.modules[package] = types.ModuleType(package)
                made.append(package)
        bases = (dict,) if attribute == "EasyDict" else ()
        setattr(sys.modules[module], attribute, type(attribute, bases, {"__module__": module}))
    try:
        yield
    finally:
        for package in made:
            del sys.modules[package]


PERSISTENCE = "torch_utils.persistence._reconstruct_persistent_obj"


class Persistent:
    """Pickles as NVIDIA's decorated classes do: a call with the source code and the state."""

    def __init__(self, class_name: str, state: Any) -> None:
        self._meta = {
            "type": "class",
            "version": 6,
            "module_src": "import os\nos.environ['DRAGONNX_TRAP'] = 'executed'\n",
            "class_name": class_name,
            "state": state,
        }

    def __reduce__(self) -> Any:
        module, _, name = PERSISTENCE.rpartition(".")
        return getattr(sys.modules[module], name), (self._meta,)


def python_module(full_name: str, state: Any) -> Any:
    """An object of an importable class, pickled as Python pickles any object."""
    module, _, name = full_name.rpartition(".")
    made = getattr(sys.modules[module], name)()
    vars(made).update(state)
    return made


def torch_record(state: Mapping[str, Any], package: str = "") -> Any:
    """`checkpoint_files.generator_state` as objects with torch tensors.

    Args:
        state: The module as a dict.
        package: Where its class lives, if it is pickled as a plain object of that class.
    """
    import torch

    attributes: dict[str, Any] = {k: v for k, v in state.items() if k != "class_name"}
    attributes |= {"training": False, "_backward_hooks": OrderedDict()}
    attributes["_non_persistent_buffers_set"] = set()
    for table in ("_parameters", "_buffers"):
        attributes[table] = OrderedDict(
            (k, torch.tensor(v) if isinstance(v, np.ndarray | np.generic) else v)
            for k, v in state[table].items()
        )
    for name, values in attributes["_parameters"].items():
        attributes["_parameters"][name] = torch.nn.Parameter(values)
    attributes["_modules"] = OrderedDict(
        (k, torch_record(v, package)) for k, v in state["_modules"].items()
    )
    if package:
        return python_module(f"{package}.{state['class_name']}", attributes)
    return Persistent(state["class_name"], attributes)


NETWORK = "dnnlib.tflib.network.Network"
EASY_DICT = "dnnlib.util.EasyDict"


def tensorflow_network(
    architecture: Architecture, weights: Weights, version: int = 4, **options: Any
) -> Any:
    """A generator as NVIDIA's TensorFlow code keeps it, to be pickled where it is importable.

    Args:
        architecture: Of the generator.
        weights: Its arrays, by NVIDIA's later names.
        version: Of the pickle's layout.
        options: Further arguments that the generator was made with.
    """
    a = architecture
    easy_dict = sys.modules["dnnlib.util"].EasyDict
    mapping = {f"mapping.fc{index}": f"Dense{index}" for index in range(a.mapping_layers)}
    mapping["mapping.embed"] = "LabelEmbed"
    synthesis = {"synthesis.b4.conv1": "4x4/Conv"}
    noise_numbers = {"synthesis.b4.conv1": 0}
    for index, resolution in enumerate(a.block_resolutions):
        block, path = f"synthesis.b{resolution}", f"{resolution}x{resolution}"
        synthesis |= {f"{block}.torgb": f"{path}/ToRGB", f"{block}.skip": f"{path}/Skip"}
        if index:
            synthesis |= {f"{block}.conv0": f"{path}/Conv0_up", f"{block}.conv1": f"{path}/Conv1"}
            noise_numbers |= {f"{block}.conv0": 2 * index - 1, f"{block}.conv1": 2 * index}
    variables: dict[str, Arrays] = {"mapping": {}, "synthesis": {}}
    for name, values in weights.items():
        path, _, part = name.rpartition(".")
        if name == "synthesis.b4.const":
            variables["synthesis"]["4x4/Const/const"] = values[None]
        elif path in mapping:
            variables["mapping"][f"{mapping[path]}/{part}"] = values.T
        elif part == "noise_const":
            variables["synthesis"][f"noise{noise_numbers[path]}"] = values[None, None]
        elif path.endswith(".affine"):
            layer = synthesis[path.removesuffix(".affine")]
            stored = values - np.float32(1) if part == "bias" else values.T
            variables["synthesis"][f"{layer}/mod_{part}"] = stored
        elif path in synthesis:
            stored = values.transpose(2, 3, 1, 0) if values.ndim == 4 else values
            if path.endswith((".conv0", ".skip")) and values.ndim == 4:
                stored = stored[::-1, ::-1]
            # TensorFlow hands out variables without dimensions as numbers.
            variables["synthesis"][f"{synthesis[path]}/{part}"] = (
                stored if stored.ndim else stored[()]
            )
    arguments = easy_dict(
        latent_size=a.z_dim, dlatent_size=a.w_dim, label_size=a.label_dim, resolution=a.resolution,
        num_channels=a.image_channels, mapping_layers=a.mapping_layers,
        mapping_lrmul=a.mapping_lr_multiplier, conv_clamp=a.conv_clamp, use_noise=a.use_noise,
        resample_kernel=list(a.resample_filter), architecture=a.variant, fmap_base=8192,
        truncation_psi=0.5,
    )  # fmt: skip
    arguments.update(options)

    def network(name: str, values: dict[str, Any], components: dict[str, Any]) -> Any:
        state = {
            "version": version,
            "name": name,
            "static_kwargs": arguments,
            "components": easy_dict(components),
            "build_module_src": "import os\nos.environ['DRAGONNX_TRAP'] = 'executed'\n",
            "build_func_name": "G_main",
            "variables": list(values.items()),
        }
        return python_module(NETWORK, state)

    own = {"lod": np.float32(0), "dlatent_avg": weights["mapping.w_avg"]}
    return network("Gs", own, {n: network(n, v, {}) for n, v in variables.items()})


def _square(architecture: Architecture) -> NDArray[np.float32]:
    square = np.outer(architecture.resample_filter, architecture.resample_filter)
    return (square / square.sum()).astype(np.float32)

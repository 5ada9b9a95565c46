"""Generators from the pickles of NVIDIA's TensorFlow code, StyleGAN2 in all its configurations.

Such a pickle is a tuple (G, D, Gs) of `dnnlib.tflib.network.Network`: each a dict with the arguments
it was made with, its variables as (name, array) pairs, its component networks by name, and the
source code that built it, which stays text. The last network is the averaged generator.

Weights are stored [height, width, inputs, outputs], dense ones [inputs, outputs]; those of the layers
that upsample are flipped; the modulation's bias leaves out the 1 that is added.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.reading.pickles.inert import InertObject, is_short_name
from dragonnx.reading.pickles.vocabulary import DAMAGED, quoted
from dragonnx_export.checkpoints.block_numbers import renumbered_sizes
from dragonnx_export.checkpoints.candidates import Candidate
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.foreign_networks import refuse_foreign
from dragonnx_export.checkpoints.module_records import MAX_ARRAYS
from dragonnx_export.checkpoints.noise import without_unused_noise
from dragonnx_export.checkpoints.weights import array_sizes, as_array, select_weights
from dragonnx_export.families.stylegan2.architecture import Architecture, Variant
from dragonnx_export.families.stylegan2.checkpoint import Contents

FORMAT = "TensorFlow StyleGAN2 pickle"

_CLASS = "Network"
_NAMES = ("G", "D", "Gs")
_OLDEST_VERSION = 4
_MAX_COMPONENTS = 8
_MAX_LAYERS = 64
_MAX_DEPTH = 3
_CONV1 = re.compile(r"synthesis/(\d{1,6})x\1/Conv1/weight")
_DENSE = re.compile(r"mapping/Dense\d+/weight")
_FIXED = {
    "mapping_nonlinearity": "lrelu",
    "nonlinearity": "lrelu",
    "normalize_latents": True,
    "act": "lrelu",
}
"""Arguments that would make another network of the same arrays, with the value that is read."""

_OPTION_OF = {
    "mapping_lr_multiplier": "mapping_lrmul",
    "conv_clamp": "conv_clamp",
    "resample_filter": "resample_kernel",
}
"""Arguments that no array shows. Where one was not given, the code's own value held."""

_Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class _Network:
    """A network with those inside it: all arguments and all variables, by path."""

    options: Mapping[str | int, Any]
    arrays: _Arrays

    def whole_number(self, name: str, default: int) -> int:
        value = self.options.get(name, default)
        if type(value) is not int or value < 0:
            raise CheckpointError(f"its argument {quoted(name)} is no whole number")
        return value


def is_tensorflow(content: object) -> bool:
    """Whether a pickle holds networks of NVIDIA's TensorFlow code."""
    members = content if isinstance(content, tuple | list) else (content,)
    return any(isinstance(m, InertObject) and m.class_name == _CLASS for m in members)


@dataclass(frozen=True)
class TensorflowCandidate(Candidate):
    """A network of such a pickle, which states what it was made with."""

    record: object

    def read(self, max_elements: int, choices: Choices) -> Contents:
        """See `Candidate.read`."""
        return read_tensorflow(self.record, max_elements, choices)


def tensorflow_candidates(content: object) -> list[Candidate]:
    """The generators of a pickle. Of NVIDIA's (G, D, Gs) the last is the average."""
    networks = content if isinstance(content, tuple | list) else (content,)
    names = _NAMES if len(networks) == len(_NAMES) else tuple(map(str, range(len(networks))))
    last = len(networks) - 1
    return [
        TensorflowCandidate((name,), index == last, network)
        for index, (name, network) in enumerate(zip(names, networks, strict=True))
        if index == last or _is_generator(network)
    ]


def _is_generator(network: object) -> bool:
    if not isinstance(network, InertObject) or network.class_name != _CLASS:
        return False
    components = network.state.get("components")
    return isinstance(components, dict) and "synthesis" in components


def read_tensorflow(network: object, max_elements: int, choices: Choices) -> Contents:
    """Read a generator of a pickle.

    Raises:
        CheckpointError: It is no StyleGAN2 generator of a kind that is supported.
        ArchitectureError: Its facts contradict each other.
    """
    if not isinstance(network, InertObject) or network.class_name != _CLASS:
        raise CheckpointError(
            "it is a TensorFlow pickle without a generator in its last place; give NVIDIA's, or "
            "name a network with --network"
        )
    found = _numbered(
        _Network(_dictionary(network.state.get("static_kwargs")), dict(_variables(network)))
    )
    refuse_foreign(found.arrays.keys())
    version = network.state.get("version")
    if isinstance(version, int) and version < _OLDEST_VERSION:
        raise CheckpointError(
            "it is a TensorFlow pickle of a version before StyleGAN2's; give a StyleGAN2 checkpoint"
        )
    for name, value in _FIXED.items():
        if found.options.get(name, value) != value:
            raise CheckpointError(
                f"its argument {quoted(name)} is {quoted(str(found.options[name])[:20])}, where "
                f"only {value!r} is supported"
            )
    architecture = _architecture(found)
    arrays = dict(_renamed(found, architecture))
    stated = {fact for fact, option in _OPTION_OF.items() if option in found.options}
    architecture, notes = choices.completed(architecture, arrays, stated)
    architecture, used, noise_note = without_unused_noise(architecture, arrays)
    weights = select_weights(architecture, used, max_elements)
    return Contents(
        architecture=architecture, weights=weights, format=FORMAT, notes=(*notes, *noise_note)
    )


def _numbered(found: _Network) -> _Network:
    """The network with its blocks called 4x4, 8x8, ...; `resolution` of others says nothing of use."""
    arrays = renumbered_sizes(found.arrays)
    if arrays.keys() == found.arrays.keys():
        return found
    options = {name: value for name, value in found.options.items() if name != "resolution"}
    return _Network(options, arrays)


def _dictionary(value: object) -> Mapping[str | int, Any]:
    if not isinstance(value, dict):
        raise CheckpointError(DAMAGED)
    return value


def _variables(network: InertObject) -> Iterator[tuple[str, NDArray[Any]]]:
    """Every variable of a network and its components; those of components have their name first."""
    waiting = [("", network)]
    count = 0
    while waiting:
        prefix, inner = waiting.pop()
        listed = inner.state.get("variables")
        components = _dictionary(inner.state.get("components", {}))
        if not isinstance(listed, list | tuple) or not all(map(is_short_name, components)):
            raise CheckpointError(DAMAGED)
        count += len(listed)
        if (
            count > MAX_ARRAYS
            or len(components) > _MAX_COMPONENTS
            or prefix.count("/") >= _MAX_DEPTH
        ):
            raise CheckpointError("its network is larger than a StyleGAN2 generator")
        for pair in listed:
            if not isinstance(pair, tuple | list) or len(pair) != 2 or not is_short_name(pair[0]):
                raise CheckpointError(DAMAGED)
            if pair[0] != "lod":  # how far training had grown the network, in older versions
                yield prefix + pair[0], _array(prefix + pair[0], pair[1])
        for name, component in components.items():
            if not isinstance(component, InertObject):
                raise CheckpointError(DAMAGED)
            waiting.append((f"{prefix}{name}/", component))


def _array(name: str, value: object) -> NDArray[Any]:
    """A variable's value; one without dimensions was stored as a number."""
    return np.asarray(value, np.float32) if type(value) is float else as_array(name, value)


def _architecture(found: _Network) -> Architecture:
    sides = [int(m[1]) for name in found.arrays if (m := _CONV1.fullmatch(name))]
    resolution = found.whole_number("resolution", max(sides, default=4))
    blocks = [1 << k for k in range(2, min(resolution.bit_length(), 20))]
    const = array_sizes(found.arrays, "synthesis/4x4/Const/const", 4)
    _require_no_resizing(found, const, len(blocks))
    clamp = found.options.get("conv_clamp")
    if clamp is not None and type(clamp) not in (int, float):
        raise CheckpointError("its conv_clamp is neither a number nor None")
    label_dim = found.whole_number("label_size", 0)
    if label_dim and "mapping/LabelEmbed/weight" not in found.arrays:
        raise CheckpointError(
            "it is a conditional generator of the first TensorFlow StyleGAN2, which joins labels "
            "to z in another way that is not supported; give an unconditional one"
        )
    dense = sum(_DENSE.fullmatch(name) is not None for name in found.arrays)
    layers = found.whole_number("mapping_layers", dense)
    if layers > _MAX_LAYERS:
        raise CheckpointError(f"its mapping network has {layers} layers, more than any has")
    inputs, w_dim = array_sizes(found.arrays, "mapping/Dense0/weight", 2)
    return Architecture(
        z_dim=found.whole_number("latent_size", inputs - (w_dim if label_dim else 0)),
        w_dim=found.whole_number("dlatent_size", w_dim),
        label_dim=label_dim,
        resolution=resolution,
        image_channels=found.whole_number("num_channels", 3),
        channels={
            4: const[1],
            **{
                r: array_sizes(found.arrays, f"synthesis/{r}x{r}/Conv1/weight", 4)[3]
                for r in blocks[1:]
            },
        },
        mapping_layers=layers,
        mapping_lr_multiplier=_number(found.options.get("mapping_lrmul", 0.01)),
        conv_clamp=clamp,
        resample_filter=_resample_filter(found.options.get("resample_kernel", (1, 3, 3, 1))),
        use_noise=_flag("use_noise", found.options.get("use_noise", True)),
        variant=_variant(found),
        base_height=const[2],
        base_width=const[3],
    )


def _require_no_resizing(found: _Network, const: tuple[int, ...], blocks: int) -> None:
    """Refuse a network that brings what its blocks make to another size (eps696's)."""
    size = found.options.get("size")
    own = [side << (blocks - 1) for side in const[2:]]
    if size is not None and size not in (own, tuple(own)):
        raise CheckpointError(
            f"its argument 'size' is {quoted(str(size)[:20])}, so it brings what its blocks make to "
            "another size, which is not supported; give the checkpoint that training wrote"
        )


def _number(value: object) -> float:
    if type(value) not in (int, float) or not isinstance(value, int | float):
        raise CheckpointError("its mapping_lrmul is no number")
    return float(value)


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise CheckpointError(f"its argument {quoted(name)} is neither True nor False")
    return value


def _resample_filter(value: object) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or not all(type(tap) in (int, float) for tap in value):
        raise CheckpointError("its resample_kernel is no list of numbers, which is not supported")
    return tuple(float(tap) for tap in value)


def _variant(found: _Network) -> Variant:
    if "synthesis/8x8/Skip/weight" in found.arrays:
        return "resnet"
    return "skip" if "synthesis/4x4/ToRGB/weight" in found.arrays else "orig"


def _renamed(found: _Network, architecture: Architecture) -> Iterator[tuple[str, NDArray[Any]]]:
    """The variables under NVIDIA's later names, in its shapes; unknown ones keep their names."""
    layers = dict(_layers(architecture))
    for name, values in found.arrays.items():
        if name == "dlatent_avg":
            yield "mapping.w_avg", values
        elif name == "synthesis/4x4/Const/const":
            yield "synthesis.b4.const", values[0]
        elif match := re.fullmatch(r"synthesis/noise(\d{1,3})", name):
            layer = layers.get(f"noise {match[1]}")
            if architecture.use_noise:
                yield f"{layer}.noise_const" if layer else name, _first_image(values)
        else:
            path, _, part = name.rpartition("/")
            # The last colour layer of the architecture 'orig' may go by its level of detail.
            layer = layers.get("last colours" if path == "synthesis/ToRGB_lod0" else path)
            renamed = _PARTS.get(part)
            if layer is None or renamed is None:
                yield name, values
            elif architecture.use_noise or part != "noise_strength":
                upsamples = path.endswith(("/Conv0_up", "/Skip"))
                yield f"{layer}.{renamed}", _oriented(part, values, flipped=upsamples)


_PARTS = {
    "weight": "weight",
    "bias": "bias",
    "noise_strength": "noise_strength",
    "mod_weight": "affine.weight",
    "mod_bias": "affine.bias",
}


def _oriented(part: str, values: NDArray[Any], *, flipped: bool) -> NDArray[Any]:
    if part == "mod_bias" and values.dtype.kind == "f":
        return values + np.float32(1)
    if values.ndim == 2:
        return values.T
    if values.ndim == 4:
        turned = values[::-1, ::-1] if flipped else values
        return turned.transpose(3, 2, 0, 1)
    return values


def _first_image(values: NDArray[Any]) -> NDArray[Any]:
    return values[0, 0] if values.ndim == 4 and values.size else values


def _layers(architecture: Architecture) -> Iterator[tuple[str, str]]:
    """TensorFlow's paths of layers, and of noise images, with NVIDIA's later names of layers."""
    yield "mapping/LabelEmbed", "mapping.embed"
    for index in range(architecture.mapping_layers):
        yield f"mapping/Dense{index}", f"mapping.fc{index}"
    for index, resolution in enumerate(architecture.block_resolutions):
        path, block = f"synthesis/{resolution}x{resolution}", f"synthesis.b{resolution}"
        if index == 0:
            yield from ((f"{path}/Conv", f"{block}.conv1"), ("noise 0", f"{block}.conv1"))
        else:
            yield from ((f"{path}/Conv0_up", f"{block}.conv0"), (f"{path}/Conv1", f"{block}.conv1"))
            yield f"noise {2 * index - 1}", f"{block}.conv0"
            yield f"noise {2 * index}", f"{block}.conv1"
        yield from ((f"{path}/Skip", f"{block}.skip"), (f"{path}/ToRGB", f"{block}.torgb"))
    yield "last colours", f"synthesis.b{architecture.resolution}.torgb"

"""Generators from the pickles of NVIDIA's stylegan3, configurations T and R.

The record states every size, rate and factor of every layer, and holds the filters: nothing is designed
anew. Layers that compute in half precision have float32 weights all the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from dragonnx.reading.pickles.inert import InertObject
from dragonnx.reading.pickles.numpy_records import ArrayRecord
from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.foreign_networks import refuse_relatives
from dragonnx_export.checkpoints.nvidia_mapping import layer_lr, mapping_layers, mapping_lr
from dragonnx_export.checkpoints.nvidia_module import Module
from dragonnx_export.checkpoints.w_avg import select_stylegan3_with_average
from dragonnx_export.families.stylegan3.architecture import Architecture, Layer
from dragonnx_export.families.stylegan3.checkpoint import Contents

FORMAT = "NVIDIA StyleGAN3 pickle"

_CLASSES = {
    "": "Generator",
    "mapping": "MappingNetwork",
    "synthesis": "SynthesisNetwork",
    "input": "SynthesisInput",
    "affine": "FullyConnectedLayer",
    "embed": "FullyConnectedLayer",
}
_STATED = frozenset({"mapping_lr_multiplier", "conv_clamp"})
_MOST_LAYERS = 64


def is_stylegan3(record: InertObject) -> bool:
    """Whether the record of a generator is one of StyleGAN3 or a relative, by its first features."""
    modules = record.state.get("_modules")
    synthesis = modules.get("synthesis") if isinstance(modules, dict) else None
    if not isinstance(synthesis, InertObject):
        return False
    below = synthesis.state.get("_modules")
    waves = isinstance(below, dict) and "input" in below
    return waves or "num_critical" in synthesis.state


def read_stylegan3(record: InertObject, max_elements: int, choices: Choices) -> Contents:
    """Read a generator from its record.

    Args:
        record: Of a module of the class Generator.
        max_elements: How many elements its arrays may have together.
        choices: What the user says; the record leaves nothing open.

    Raises:
        CheckpointError: The record holds no StyleGAN3 generator of a kind that is supported.
        ArchitectureError: The facts in the record contradict each other.
    """
    generator = Module.of(record)
    arrays = dict(generator.named_arrays())
    refuse_relatives(arrays.keys())
    names = _layer_names(generator)
    _require_known(generator, names)
    architecture = _architecture(generator, names)
    choices.refuse_facts(_STATED)
    weights, notes = select_stylegan3_with_average(architecture, arrays, max_elements)
    return Contents(architecture=architecture, weights=weights, format=FORMAT, notes=notes)


def _layer_names(generator: Module) -> list[str]:
    """The synthesis network's layers in the order in which they run."""
    synthesis = generator.child("synthesis")
    others = [name for name in synthesis.children if name != "input"]
    names = synthesis.facts.get("layer_names", others)
    if not isinstance(names, list) or not 2 <= len(names) <= _MOST_LAYERS:
        raise CheckpointError("it is a relative of StyleGAN3 whose layers have no order")
    if sorted(map(str, names)) != sorted(others):
        raise CheckpointError("it is a relative of StyleGAN3 with other layers than it names")
    return names


def _require_known(generator: Module, layers: list[str]) -> None:
    """Refuse relatives, which have other modules in these places.

    Raises:
        CheckpointError: With the module that is another one.
    """
    for module in generator.walk():
        name = module.path.rpartition(".")[2]
        mapped = name.startswith("fc") and name[2:].isdecimal()
        expected = "SynthesisLayer" if name in layers else _CLASSES.get(name, "")
        if mapped:
            expected = "FullyConnectedLayer"
        if not expected or module.class_name != expected:
            raise CheckpointError(
                f"its {quoted(module.path or 'G_ema')} is a {quoted(module.class_name)}, which "
                "StyleGAN3 does not have there, so its network is a relative that computes something "
                "else"
            )
        if expected == "FullyConnectedLayer":
            activation = "lrelu" if mapped else "linear"
            if module.facts.get("activation", activation) != activation:
                raise CheckpointError(
                    f"its {quoted(module.path)} uses another activation than {activation}, which is "
                    "not supported"
                )
            if not mapped and layer_lr(module) != 1:
                raise CheckpointError(f"its {quoted(module.path)} has a learning rate multiplier")


def _architecture(generator: Module, names: list[str]) -> Architecture:
    mapping, synthesis = generator.child("mapping"), generator.child("synthesis")
    layers = tuple(_layer(synthesis.child(name), name) for name in names)
    first, waves = layers[0], synthesis.child("input")
    found = _whole(waves, "size"), _whole(waves, "sampling_rate")
    if found != (first.in_size, first.in_rate):
        raise CheckpointError("its first layer reads another map than its input gives")
    count = mapping_layers(generator, mapping, default=2)
    architecture = Architecture(
        z_dim=generator.whole_number("z_dim", position=0),
        w_dim=generator.whole_number("w_dim", position=2),
        label_dim=generator.whole_number("c_dim", position=1),
        resolution=generator.whole_number("img_resolution", position=3),
        layers=layers,
        mapping_layers=count,
        mapping_lr_multiplier=mapping_lr(mapping, count),
        bandwidth=_number(waves, "bandwidth"),
        output_scale=_number(synthesis, "output_scale"),
    )
    num_ws = generator.whole_number("num_ws", position=None, default=architecture.num_ws)
    if num_ws != architecture.num_ws:
        raise CheckpointError(
            f"its generator takes {num_ws} w's where one of {len(layers)} layers has "
            f"{architecture.num_ws}"
        )
    return architecture


def _layer(module: Module, name: str) -> Layer:
    up_filter, down_filter = (module.arrays.get(f"{way}_filter") for way in ("up", "down"))
    colour = _flag(module, "is_torgb")
    layer = Layer(
        name=name,
        inputs=_whole(module, "in_channels"),
        outputs=_whole(module, "out_channels"),
        in_size=_whole(module, "in_size"),
        out_size=_whole(module, "out_size"),
        in_rate=_whole(module, "in_sampling_rate"),
        out_rate=_whole(module, "out_sampling_rate"),
        kernel=1 if colour else _whole(module, "conv_kernel"),
        up=_whole(module, "up_factor"),
        down=_whole(module, "down_factor"),
        up_taps=1 if up_filter is None else len(np.atleast_1d(up_filter)),
        down_taps=1 if down_filter is None else len(np.atleast_1d(down_filter)),
        radial=down_filter is not None and down_filter.ndim == 2,
        clamp=None if module.facts.get("conv_clamp") is None else _number(module, "conv_clamp"),
        colour=colour,
    )
    padding = module.facts.get("padding", list(layer.padding) * 2)
    if not isinstance(padding, list | tuple) or [*map(int, padding)] != [*layer.padding] * 2:
        raise CheckpointError(
            f"its {quoted(module.path)} pads its maps as no StyleGAN3 does, so its network is a relative "
            "of it"
        )
    return layer


def _whole(module: Module, name: str) -> int:
    """A size or rate, which may be one number for each axis.

    Raises:
        CheckpointError: It is missing, no whole number, or differs between the axes.
    """
    values = _values(module, name)
    if not np.all(values == np.rint(values)) or not 1 <= values.min() <= values.max() < 1 << 20:
        raise CheckpointError(f"its {quoted(module.path)} has no usable {name}")
    if len(set(values.tolist())) > 1:
        raise CheckpointError(
            f"its {quoted(module.path)} has another {name} along x than along y, and a StyleGAN3 that is "
            "not square is not supported"
        )
    return int(values[0])


def _number(module: Module, name: str) -> float:
    values = _values(module, name)
    if len(values) != 1 or not 0 < values[0] < np.inf:
        raise CheckpointError(f"its {quoted(module.path)} has no usable {name}")
    return float(values[0])


def _values(module: Module, name: str) -> Any:
    value = module.facts.get(name)
    if isinstance(value, ArrayRecord):
        value = value.values
    fits = isinstance(value, int | float | list | tuple | np.ndarray) and not isinstance(
        value, bool
    )
    values = np.asarray(value).reshape(-1) if fits else np.zeros(0)
    if values.dtype.kind not in "iuf" or not 1 <= values.size <= 2:
        raise CheckpointError(f"its {quoted(module.path)} has no usable {name}")
    return values.astype(np.float64)


def _flag(module: Module, name: str) -> bool:
    value = module.facts.get(name)
    if not isinstance(value, bool):
        raise CheckpointError(f"its {quoted(module.path)} has no usable {name}")
    return value

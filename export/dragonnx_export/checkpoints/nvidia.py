"""Generators from the pickles of stylegan2-ada-pytorch and of the StyleGAN2 in stylegan3.

Each network in such a pickle is a record with the source code of its class and its state. The
code stays text. The state gives the weights and every fact about the architecture: the arguments
of the constructor are looked at only where a module has no attribute of that name. Whether a
block computes in half precision changes nothing here, as its weights are float32 all the same.
"""

from __future__ import annotations

import re
from typing import cast, get_args

from dragonnx.reading.pickles.inert import InertObject
from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.block_numbers import FIRST_NUMBER, first_block, renumbered
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.noise import without_missing_noise
from dragonnx_export.checkpoints.nvidia_mapping import layer_lr, mapping_layers, mapping_lr
from dragonnx_export.checkpoints.nvidia_module import Module
from dragonnx_export.checkpoints.w_avg import select_with_average
from dragonnx_export.checkpoints.weights import filter_taps
from dragonnx_export.families.stylegan2.architecture import UNSEEN, Architecture, Variant
from dragonnx_export.families.stylegan2.checkpoint import Contents

FORMAT = "NVIDIA StyleGAN2 pickle"

_CLASSES = {
    "mapping": "MappingNetwork",
    "synthesis": "SynthesisNetwork",
    "conv0": "SynthesisLayer",
    "conv1": "SynthesisLayer",
    "torgb": "ToRGBLayer",
    "affine": "FullyConnectedLayer",
    "embed": "FullyConnectedLayer",
    "skip": "Conv2dLayer",
}
_ACTIVATIONS = {
    "SynthesisLayer": "lrelu",
    "FullyConnectedLayer": "linear",
    "Conv2dLayer": "linear",
}
_LATER_CONV_CLAMP = 256
_UNSAID = object()
_MAX_BLOCKS = 18


def read_nvidia(record: InertObject, max_elements: int, choices: Choices) -> Contents:
    """Read a generator from its record.

    Args:
        record: Of a module of the class Generator.
        max_elements: How many elements its arrays may have together.
        choices: What the user says of what the record leaves open.

    Raises:
        CheckpointError: The record holds no StyleGAN2 generator of a kind that is supported.
        ArchitectureError: The facts in the record contradict each other.
    """
    generator = Module.of(record)
    _require_supported(generator)
    architecture = _architecture(generator)
    arrays = renumbered(dict(generator.named_arrays()))
    stated = UNSEEN if _states_clamp(generator) else UNSEEN - {"conv_clamp"}
    architecture, notes = choices.completed(architecture, arrays, stated)
    architecture, used, noise_note = without_missing_noise(architecture, arrays)
    weights, more = select_with_average(architecture, used, max_elements)
    return Contents(
        architecture=architecture,
        weights=weights,
        format=FORMAT,
        notes=(*notes, *noise_note, *more),
    )


def _require_supported(generator: Module) -> None:
    """Refuse networks that share the names but compute something else.

    Raises:
        CheckpointError: With the kind of network, where it is recognised.
    """
    for module in generator.walk():
        name = module.path.rpartition(".")[2]
        if name.startswith("fc") and name[2:].isdecimal():
            expected, activation = "FullyConnectedLayer", "lrelu"
        elif name.startswith("b") and name[1:].isdecimal():
            expected, activation = "SynthesisBlock", None
        else:
            expected = _CLASSES.get(name, "Generator" if not name else "")
            activation = _ACTIVATIONS.get(expected)
        if not expected or module.class_name != expected:
            raise CheckpointError(
                f"its {quoted(module.path or 'G_ema')} is a {quoted(module.class_name)}, which "
                "StyleGAN2 does not have there, so its network is another one"
            )
        if activation is not None and module.facts.get("activation", activation) != activation:
            raise CheckpointError(
                f"its {quoted(module.path)} uses another activation than {activation}, which "
                "is not supported"
            )
        if _resizes(module):
            raise CheckpointError(
                f"its {quoted(module.path)} brings what it makes to another size or joins several "
                "pictures (eps696's stylegan2_multi), which is not supported; give the checkpoint "
                "that training wrote"
            )
        if name == "skip" and module.facts.get("conv_clamp") is not None:
            raise CheckpointError(f"its {quoted(module.path)} is clamped, which is not supported")
        if name in ("affine", "embed") and layer_lr(module) != 1:
            raise CheckpointError(f"its {quoted(module.path)} has a learning rate multiplier")


def _resizes(module: Module) -> bool:
    """Whether eps696's other network is asked to do what StyleGAN2's never does."""
    return module.facts.get("size") is not None or module.facts.get("countHW", [1, 1]) != [1, 1]


def _variant(generator: Module, blocks: list[Module]) -> Variant:
    default = generator.synthesis_option("architecture", "skip")
    kinds = [block.facts.get("architecture", default) for block in blocks]
    for variant in get_args(Variant):
        if all(kind == variant for kind in kinds):
            return cast(Variant, variant)
    raise CheckpointError(
        f"its blocks' architecture is {quoted(str(kinds[-1])[:20])}, where 'skip', 'orig' or "
        "'resnet' is expected in all of them"
    )


def _architecture(generator: Module) -> Architecture:
    mapping, synthesis = generator.child("mapping"), generator.child("synthesis")
    const = _const(synthesis)
    blocks = _blocks(generator, const)
    layers = [
        child for block in blocks for name, child in block.children.items() if name[:4] == "conv"
    ]
    colours = [block.children["torgb"] for block in blocks if "torgb" in block.children]
    count = mapping_layers(generator, mapping, default=8)
    architecture = Architecture(
        z_dim=generator.whole_number("z_dim", position=0),
        w_dim=generator.whole_number("w_dim", position=2),
        label_dim=generator.whole_number("c_dim", position=1),
        resolution=2 << len(blocks),
        image_channels=generator.whole_number("img_channels", position=4),
        channels={4 << k: _channels(block.child("conv1")) for k, block in enumerate(blocks)},
        mapping_layers=count,
        mapping_lr_multiplier=mapping_lr(mapping, count),
        conv_clamp=_conv_clamp(generator, [*layers, *colours]),
        resample_filter=_resample_filter(synthesis),
        use_noise=_use_noise(generator, layers),
        variant=_variant(generator, blocks),
        base_height=const[1],
        base_width=const[2],
    )
    num_ws = generator.whole_number("num_ws", position=None, default=architecture.num_ws)
    if num_ws != architecture.num_ws:
        raise CheckpointError(
            f"its generator takes {num_ws} w's where one of {len(blocks)} blocks has "
            f"{architecture.num_ws}"
        )
    return architecture


def _channels(conv1: Module) -> int:
    weight = conv1.arrays.get("weight")
    if weight is None or weight.ndim != 4:
        raise CheckpointError(f"its {quoted(conv1.path)} has no weights of a convolution")
    return int(weight.shape[0])


def _blocks(generator: Module, const: tuple[int, ...]) -> list[Module]:
    """The blocks, each twice the one before."""
    synthesis = generator.child("synthesis")
    numbers = [int(name[1:]) for name in synthesis.children if re.fullmatch(r"b\d{1,6}", name)]
    first, last = first_block(dict(synthesis.named_arrays())), max(numbers, default=0)
    if square := const[1:] == (FIRST_NUMBER, FIRST_NUMBER):
        last = generator.whole_number("img_resolution", position=3)  # of others a side, or neither
    wanted = (first << k for k in range(_MAX_BLOCKS))
    blocks = [synthesis.child(f"b{number}") for number in wanted if number <= last]
    if square and last & (last - 1):
        raise CheckpointError(f"its img_resolution {last} is no power of two")
    return blocks


def _const(synthesis: Module) -> tuple[int, ...]:
    const = synthesis.child(f"b{first_block(dict(synthesis.named_arrays()))}").arrays.get("const")
    if const is None or const.ndim != 3:
        raise CheckpointError("its generator has no constant to start from")
    return const.shape


def _conv_clamp(generator: Module, layers: list[Module]) -> float | None:
    # The class of the stylegan3 repository, told by an attribute, clamps where nothing is said.
    later = any("fused_modconv_default" in module.facts for module in generator.walk())
    default = generator.synthesis_option("conv_clamp", _LATER_CONV_CLAMP if later else None)
    clamps = [layer.facts.get("conv_clamp", default) for layer in layers]
    if any(clamp != clamps[0] for clamp in clamps):
        raise CheckpointError("its layers have different conv_clamp values, which is not supported")
    if clamps[0] is not None and type(clamps[0]) not in (int, float):
        raise CheckpointError("its conv_clamp is neither a number nor None")
    return None if clamps[0] is None else float(clamps[0])


def _states_clamp(generator: Module) -> bool:
    """Whether an attribute or an argument says at what value activations are clamped."""
    given = generator.synthesis_option("conv_clamp", _UNSAID) is not _UNSAID
    return given or any("conv_clamp" in m.facts for m in generator.child("synthesis").walk())


def _use_noise(generator: Module, layers: list[Module]) -> bool:
    default = generator.synthesis_option("use_noise", True)
    found = [layer.facts.get("use_noise", default) for layer in layers]
    if any(type(use) is not bool or use != found[0] for use in found):
        raise CheckpointError("its layers do not agree on whether they add noise")
    return bool(found[0])


def _resample_filter(synthesis: Module) -> tuple[float, ...]:
    """The taps whose outer product, made to sum to 1, is the filter of every layer."""
    filters = [values for name, values in synthesis.named_arrays() if name.endswith("filter")]
    if not filters:
        raise CheckpointError("it has no resampling filter, which every StyleGAN2 generator has")
    return filter_taps(filters)

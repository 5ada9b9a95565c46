"""Generators in the names of BasicSR's StyleGAN2, whose network is rosinality's.

    style_mlp.1.weight          style.1.weight
    constant_input.weight       input.input
    style_conv1, style_convs.0  conv1, convs.0: modulated_conv for conv; weight for noise.weight
    to_rgb1, to_rgbs.0          modulated_conv for conv
    noises.noise0               noises.noise_0

Blur kernels are not stored: they are those of StyleGAN2.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.renaming import renamed
from dragonnx_export.checkpoints.rosinality import read_rosinality
from dragonnx_export.families.stylegan2.checkpoint import Contents

FORMAT = "BasicSR StyleGAN2 checkpoint"
MARKER = "style_conv1.modulated_conv.modulation.weight"

_NAMES = (
    (r"style_mlp\.", "style."),
    (r"constant_input\.weight", "input.input"),
    (r"noises\.noise(?=\d)", "noises.noise_"),
    (r"style_conv(1|s\.\d+)\.weight", r"conv\1.noise.weight"),
    (r"style_conv(1|s\.\d+)\.modulated_conv\.", r"conv\1.conv."),
    (r"style_conv(1|s\.\d+)\.", r"conv\1."),
    (r"to_rgb(1|s\.\d+)\.modulated_conv\.", r"to_rgb\1.conv."),
)
_CLEAN_BIAS = re.compile(r"style_conv(?:1|s\.\d+)\.bias")


def read_basicsr(
    entries: Mapping[str, object], latent_avg: object, max_elements: int, choices: Choices
) -> Contents:
    """Read a generator from its state dict; see `read_rosinality`.

    Raises:
        CheckpointError: As `read_rosinality`, or it is GFPGAN's "clean" variant.
        ArchitectureError: The shapes contradict each other.
    """
    if any(map(_CLEAN_BIAS.fullmatch, entries)):
        raise CheckpointError(
            "it is a generator of GFPGAN's clean variant, whose weights are of other scales; give "
            "the BasicSR checkpoint that it was converted from"
        )
    contents = read_rosinality(renamed(entries, _NAMES), latent_avg, max_elements, choices)
    return replace(contents, format=FORMAT)

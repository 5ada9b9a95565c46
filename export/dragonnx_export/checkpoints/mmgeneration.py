"""Generators in the names of MMGeneration and MMagic, whose network is rosinality's.

    style_mapping.1.linear.weight_orig  style.1.weight; the bias is style_mapping.1.bias
    constant_input.input                input.input
    conv1, convs.0                      style_modulation for modulation; noise_injector for noise
    to_rgb1, to_rgbs.0                  style_modulation for modulation
    injected_noise_0                    noises.noise_0

Weights with an equalised learning rate are called weight_orig; `linear` is the layer around one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.renaming import renamed
from dragonnx_export.checkpoints.rosinality import read_rosinality
from dragonnx_export.families.stylegan2.checkpoint import Contents

FORMAT = "MMGeneration or MMagic StyleGAN2 checkpoint"
_MARKER = "conv1.conv.style_modulation."
MARKERS = (f"{_MARKER}weight", f"{_MARKER}weight_orig", f"{_MARKER}linear.weight_orig")

_WEIGHT = r"(?:linear\.)?weight(?:_orig)?$"
_LAYER = r"(conv1|convs\.\d+|to_rgb1|to_rgbs\.\d+)"
_NAMES = (
    (rf"style_mapping\.(\d+)\.{_WEIGHT}", r"style.\1.weight"),
    (r"style_mapping\.", "style."),
    (r"constant_input\.", "input."),
    (r"injected_noise_", "noises.noise_"),
    (rf"{_LAYER}\.conv\.style_modulation\.{_WEIGHT}", r"\1.conv.modulation.weight"),
    (rf"{_LAYER}\.conv\.style_modulation\.", r"\1.conv.modulation."),
    (rf"{_LAYER}\.conv\.weight_orig$", r"\1.conv.weight"),
    (rf"{_LAYER}\.noise_injector\.", r"\1.noise."),
)
_BLUE_FIRST = (
    "MMGeneration's images often begin with blue: where red and blue are exchanged, export with "
    "--channels 2,1,0"
)


def read_mmgeneration(
    entries: Mapping[str, object], latent_avg: object, max_elements: int, choices: Choices
) -> Contents:
    """Read a generator from its state dict; see `read_rosinality`.

    Raises:
        CheckpointError: As `read_rosinality`.
        ArchitectureError: The shapes contradict each other.
    """
    contents = read_rosinality(renamed(entries, _NAMES), latent_avg, max_elements, choices)
    return replace(contents, format=FORMAT, notes=(*contents.notes, _BLUE_FIRST))

"""Networks that are no StyleGAN2 generator, told by the names of their arrays, with advice."""

from __future__ import annotations

import re
from collections.abc import Collection

from dragonnx_export.checkpoints.errors import CheckpointError

_MAX_NAMES = 10_000

_STYLEGAN2 = "give a StyleGAN2 checkpoint"
_STYLEGANS = "give a StyleGAN2 or StyleGAN3 checkpoint"

_RELATIVES: tuple[tuple[str, str], ...] = (
    (
        r"mapping\.embed_proj\.|in_embeddings|synthesis\.input\..*\bdiscriminator\.feature_networks",
        "a StyleGAN-XL model, whose labels and layers are other ones than StyleGAN3's",
    ),
    (
        r"synthesis\.b\d+\.conv\d+\.|synthesis\.L\d+\.|clip_",
        "a StyleGAN-T model, or another mixture of StyleGAN2 and 3",
    ),
    (
        r"synthesis\.L\d+_\d+_\d+\.(?:noise|skip|attn|norm)|synthesis\.(?:head|superres|toRGB)",
        "a relative of StyleGAN3, with further layers",
    ),
)
"""Networks that begin as StyleGAN3 does, with waves; what names of the first are, is no other's."""

_NETWORKS: tuple[tuple[str, str, str], ...] = (
    (
        r"synthesis\.(?:input\.(?:freqs|phases|transform)|L\d+_\d+_\d+\.)|magnitude_ema$",
        "a part of a StyleGAN3 generator",
        "give the complete file that training wrote",
    ),
    (
        r"student\.(?:conv1|to_img1|layers)\.|mapping_net\.layers\.\d|(?:^|\.)to_img1\.",
        "a MobileStyleGAN model, whose convolutions and wavelet output are other ones",
        "that project exports ONNX itself, or give the StyleGAN2 checkpoint it was distilled from",
    ),
    (
        r"(?:^|\.)(?:GE|G|S|SE)\.(?:blocks\.\d+\.to_style1|initial_block|net\.\d+\.weight)",
        "a model of lucidrains' stylegan2-pytorch, whose network differs from StyleGAN2's",
        "give one of NVIDIA's or rosinality's",
    ),
    (
        r"StyleMod/|AdaIN|g_synthesis\.|style_mod\.|(?:^|\.)progression\.\d|epi1\.|adain",
        "a StyleGAN1 generator, whose layers normalise what StyleGAN2 modulates",
        _STYLEGAN2,
    ),
    (
        r"model\.diffusion_model\.|first_stage_model\.|cond_stage_model\.|(?:^|\.)down_blocks\.\d"
        r"|(?:^|\.)input_blocks\.\d|lora_(?:up|down|unet|te)|double_blocks\.\d|transformer_blocks",
        "a diffusion model, which has no w to drag in",
        _STYLEGAN2,
    ),
    (
        r"style_convs\.\d|style_conv1\.|style_mlp\.",
        "a part of a generator in the names of BasicSR",
        "give the complete checkpoint that its training wrote",
    ),
    (
        r"constant_input\.|style_mapping\.\d|generator_ema\.constant_input",
        "a part of a generator in the names of MMGeneration or MMagic",
        "give the complete checkpoint that its training wrote",
    ),
    (
        r"G_synthesis\.(?:const$|conv_blocks)|G_mapping\.main\.|(?:^|\.)to_data_layers\.",
        "a part of a generator in the names of adriansahlman's stylegan2_pytorch",
        "give the complete file that its `save` wrote, or NVIDIA's pickle that it was converted from",
    ),
    (
        r"synthesis\.(?:early_layer\.|layer\d+\.|output\d+\.)|mapping\.dense\d",
        "a part of a generator in the names of GenForce or Hammer, or one of StyleGAN1",
        "give the complete checkpoint of a StyleGAN2",
    ),
    (
        r"(?:^|\.)(?:feat_(?:4|8|16|32)\.|se_(?:64|128|256)\.|to_big\.|to_128\.)",
        "a FastGAN generator, which has no w to drag in",
        _STYLEGAN2,
    ),
    (
        r"synthesis\.first_block\.|synthesis\.blocks\.\d+\.resampler\.",
        "a generator of stylegan2-ada-lightning, whose layers are raised in another way than StyleGAN2's",
        "give one of NVIDIA's or rosinality's",
    ),
    (
        r"(?:^|\.)affine_fourier\.",
        "a generator of alias-free-gan-pytorch, whose layers are other ones than StyleGAN3's",
        "give one of NVIDIA's",
    ),
    (
        r"(?:^|\.)decode\.\d+\.norm1\.fc\.",
        "a StarGAN v2 network, which changes a picture that it is given",
        _STYLEGAN2,
    ),
    (
        r"(?:^|\.)scaleLayers\.\d",
        "a progressive GAN, which has no w to drag in",
        _STYLEGAN2,
    ),
    (
        r"iwt\.|(?:^|\.)dwt\.",
        "a SWAGAN generator, which makes wavelets in place of colours",
        _STYLEGAN2,
    ),
    (
        r"(?:^|\.)(?:b\d+\.fromrgb\.|b4\.out\.|final_linear\.|final_conv\.|convs\.0\.0\.weight)",
        "a discriminator only, which makes no images",
        "give the generator, usually named G_ema or g_ema",
    ),
    (
        r"(?:^|\.)(?:encoder\.(?:body|input_layer|styles)|input_layer\.0\.weight|styles\.0\.convs)",
        "an encoder only, which makes no images",
        "give a file that has its decoder too",
    ),
)

_CONDITIONAL: tuple[tuple[str, str], ...] = (
    (
        r"(?:^|\.)(?:stylegan_decoder|condition_scale|condition_shift)\.",
        "GFPGAN, which restores a picture that it is given",
    ),
    (r"(?:^|\.)ecd\d+\.", "GPEN, which restores a picture that it is given"),
    (
        r"(?:^|\.)fusion_(?:out|skip)\.",
        "GLEAN or VToonify, which change a picture that they are given",
    ),
    (r"(?:^|\.)res\.\d+\.(?:conv|norm)", "DualStyleGAN, which joins two styles"),
    (
        r"(?:^|\.)superresolution\.\w|(?:^|\.)(?:neural_)?renderer\.\w|(?:^|\.)nerf\w*\.\w",
        "EG3D or a relative, which draws a picture of what its generator makes",
    ),
)


def refuse_conditional(names: Collection[str]) -> None:
    """Refuse a StyleGAN2 generator that is part of a network which gives it more than w.

    Args:
        names: The names of all arrays beside it; of very many only the first are looked at.

    Raises:
        CheckpointError: With the network, where it is recognised.
    """
    text = _joined(names)
    for pattern, network in _CONDITIONAL:
        if re.search(pattern, text, re.MULTILINE):
            raise CheckpointError(
                f"it holds a network of {network}, so w alone makes no picture; give the StyleGAN2 "
                "checkpoint that it was built on"
            )


def refuse_relatives(names: Collection[str]) -> None:
    """Refuse a relative of StyleGAN3, which has its first features.

    Args:
        names: The arrays' full names; of very many only the first are looked at.

    Raises:
        CheckpointError: With the kind of network.
    """
    text = _joined(names)
    waves = "synthesis.input." in text
    for pattern, kind in _RELATIVES if waves else _RELATIVES[:1]:
        if re.search(pattern, text, re.MULTILINE):
            raise CheckpointError(f"it holds {kind}; {_STYLEGANS}")


def refuse_foreign(names: Collection[str]) -> None:
    """Refuse the arrays of a network of a known other kind.

    Args:
        names: The arrays' full names; of very many only the first are looked at.

    Raises:
        CheckpointError: With the kind of network and what to do, where it is recognised.
    """
    refuse_conditional(names)
    refuse_relatives(names)
    text = _joined(names)
    for pattern, kind, advice in _NETWORKS:
        if re.search(pattern, text, re.MULTILINE):
            raise CheckpointError(f"it holds {kind}; {advice}")


def _joined(names: Collection[str]) -> str:
    return "\n".join(name[:200] for name, _ in zip(names, range(_MAX_NAMES), strict=False))

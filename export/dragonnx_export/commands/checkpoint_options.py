"""What commands that read a checkpoint ask about it, and reading it so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.console import say
from dragonnx.errors import InputError

if TYPE_CHECKING:
    from dragonnx_export.checkpoints import Checkpoint
    from dragonnx_export.families.stylegan2.checkpoint import Checkpoint as StyleGAN2

Network = Annotated[
    str | None,
    typer.Option(
        "--network", help="Which generator of a file with several to take [the averaged one]."
    ),
]
MappingLr = Annotated[
    float | None,
    typer.Option(
        "--mapping-lr",
        help="The mapping network's learning rate multiplier, of a file that does not state it "
        "[0.01].",
    ),
]
ConvClamp = Annotated[
    float | None,
    typer.Option(
        "--conv-clamp",
        help="Where activations are clamped, such as 256, of a file that does not state it "
        "[nowhere].",
    ),
]
Channels = Annotated[
    str | None,
    typer.Option(
        "--channels",
        help="Which of the image's channels to show, such as 0,1,2 [all of 1 or 3; of 4 the "
        "first three].",
    ),
]


def read(
    path: Path,
    network: str | None,
    mapping_lr: float | None,
    conv_clamp: float | None,
    channels: str | None,
) -> StyleGAN2:
    """The checkpoint as the options want it, after a line to the user, where only StyleGAN2 is of use.

    Raises:
        InputError: It is one of StyleGAN3, cannot be read, or has more channels than a picture.
    """
    from dragonnx_export.checkpoints import of_stylegan2

    found = of_stylegan2(read_any(path, network, mapping_lr, conv_clamp, channels))
    refuse_unshown(found)
    return found


def read_any(
    path: Path,
    network: str | None,
    mapping_lr: float | None,
    conv_clamp: float | None,
    channels: str | None,
) -> Checkpoint:
    """The checkpoint of whichever family as the options want it, after a line to the user."""
    # torch takes seconds to import: it is not needed for a file that cannot be read.
    from dragonnx_export.checkpoints import Choices, read_checkpoint
    from dragonnx_export.families.channels import with_shown_channels

    choices = Choices(network=network, mapping_lr=mapping_lr, conv_clamp=conv_clamp)
    chosen = None if channels is None else _numbers(channels)
    say(f"reading {path} ...")
    return with_shown_channels(read_checkpoint(path, choices), chosen)


def refuse_unshown(checkpoint: Checkpoint) -> None:
    """Refuse a checkpoint whose images cannot be shown, where `--channels` can help.

    Raises:
        InputError: They have another number of channels than any picture.
    """
    from dragonnx_export.families.channels import require_shown

    require_shown(checkpoint.architecture)


def _numbers(text: str) -> tuple[int, ...]:
    parts = text.split(",")
    if not all(part.strip().isdecimal() and len(part) < 10 for part in parts):
        raise InputError(f"channels are given as numbers from 0 up, such as 0,1,2, not {text!r}")
    return tuple(map(int, parts))

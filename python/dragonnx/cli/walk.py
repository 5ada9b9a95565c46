"""The command `dragonnx walk`: an animation from picture to picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.arguments import check_outputs
from dragonnx.cli.console import say
from dragonnx.cli.counting import counted
from dragonnx.cli.options import (
    Device,
    Directions,
    Label,
    Model,
    PrecisionOption,
    Psi,
    Rotate,
    Threads,
    Translate,
    chosen_directions,
    chosen_label,
    chosen_motion,
    fitting_label,
    moved_starts,
    open_generator,
)
from dragonnx.errors import InputError
from dragonnx.model.manifest import DEFAULT_MODEL

if TYPE_CHECKING:
    from PIL.Image import Image


def walk(
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="The animation to write: .gif, .webp or .mp4."),
    ],
    through: Annotated[
        list[str],
        typer.Option(
            help="A seed, or a file as --latent of generate takes it; twice or more, in this order."
        ),
    ],
    model: Model = DEFAULT_MODEL,
    frames: Annotated[int, typer.Option(help="How many pictures, one a waypoint at least.")] = 60,
    *,
    loop: Annotated[bool, typer.Option("--loop", help="Go back to the first one.")] = False,
    truncation_psi: Psi = None,
    label: Label = None,
    direction: Directions = None,
    rotate: Rotate = None,
    translate: Translate = None,
    device: Device = "auto",
    threads: Threads = None,
    precision: PrecisionOption = "auto",
) -> None:
    """Make an animation from picture to picture, evenly in w_plus.

    With --loop it ends where it begins, and goes on without a halt. Interrupting (Ctrl+C) writes
    nothing.
    """
    import numpy as np

    from dragonnx.document import LatentStart
    from dragonnx.document.latents import start_w_plus
    from dragonnx.document.waypoints import w_plus_of, waypoint
    from dragonnx.media import ANIMATION_SUFFIXES, check_animation, save_animation
    from dragonnx.model.latent_walk import check_walk
    from dragonnx.model.latent_walk import walk as latents

    check_walk(len(through), frames)
    check_animation(output)
    starts = [waypoint(each, truncation_psi, chosen_label(label)) for each in through]
    files = [each for each in starts if isinstance(each, Path)]
    directions, motion = chosen_directions(direction), chosen_motion(rotate, translate)
    check_outputs([(output, ANIMATION_SUFFIXES)], [*files, *(each.file for each in directions)])
    if len(files) == len(through):
        for option, given in (("--truncation-psi", truncation_psi), ("--label", label)):
            if given is not None:
                raise InputError(f"{option} is for seeds, and every --through names a file")
    generator = open_generator(model, device, threads, precision)
    if len(files) < len(through):
        fitting_label(generator, label)
    begun = [LatentStart(w_plus=w_plus_of(each, generator)) for each in starts]
    moved = moved_starts(begun, generator, directions, motion)
    points = np.concatenate([start_w_plus(each, generator) for each in moved])

    def pictures() -> Iterator[Image]:
        for w_plus in counted(latents(points, frames, loop=loop), frames, "pictures"):
            yield generator.image(w_plus)

    save_animation(pictures(), output, holds_last=not loop)
    say(f"wrote {output}")

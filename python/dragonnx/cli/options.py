"""Options that several commands take, named and described once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.errors import InputError
from dragonnx.types import DeviceName, Precision, Space

if TYPE_CHECKING:
    from dragonnx.document import LatentStart
    from dragonnx.document.directions import Direction
    from dragonnx.model.generator import Generator
    from dragonnx.model.labels import Label as AnyLabel
    from dragonnx.model.motion import Motion


Model = Annotated[str, typer.Option(help="A known model's name, or a bundle folder.")]
Seed = Annotated[int | None, typer.Option(help="Chooses the picture to start from [0].")]
Psi = Annotated[float | None, typer.Option(help="Closeness to the average [the model's].")]
Label = Annotated[
    str | None,
    typer.Option(
        help="The class, for a model that has classes: 3, several as 0,3, or with weights as "
        "0:0.7,3:0.3."
    ),
]
Latent = Annotated[
    Path | None,
    typer.Option(
        help="Start from this file, not from a seed: .npz, .npy, .pt, .pkl, a saved picture, or a "
        "document."
    ),
]
Index = Annotated[int | None, typer.Option(help="Which of several latents in a file, from 0 [0].")]
Directions = Annotated[
    list[str] | None,
    typer.Option(
        "--direction",
        help="Move the latent along FILE:AMOUNT, a w or w_plus; or pc0:2, by spreads along the "
        "model's own; FILE#2:AMOUNT takes the third of several; may be repeated.",
    ),
]
Rotate = Annotated[
    float | None,
    typer.Option(help="Turn the picture by so many degrees, counterclockwise: StyleGAN3 alone."),
]
Translate = Annotated[
    str | None,
    typer.Option(help="Then move it by X,Y pixels, to the right and down: StyleGAN3 alone."),
]
Device = Annotated[
    str, typer.Option(help="Where to compute: auto, cpu, cuda, or cuda:1 for the second GPU.")
]
PrecisionOption = Annotated[
    Precision, typer.Option(help="Of convolutions: tf32 is quicker, auto takes it on CUDA.")
]
SpaceOption = Annotated[Space, typer.Option(help="Latent space.")]
Threads = Annotated[
    int | None, typer.Option(help="CPU threads, for graphs and kernels [all cores].")
]
Output = Annotated[
    Path, typer.Option("-o", "--output", help="The picture to write: .png, .jpg or .webp.")
]
Quality = Annotated[
    int | None, typer.Option(help="Of .jpg and .webp, 1 to 100 [95]; a .webp of 100 is lossless.")
]


def open_generator(
    model: str, device: DeviceName, threads: int | None, precision: Precision
) -> Generator:
    """The generator that the options name."""
    from dragonnx.model.generator import Generator

    return Generator.open(model, device, threads, precision)


def check_start(
    latent: Path | None, index: int | None, *, seed: int | None = None, psi: float | None = None
) -> None:
    """Refuse options that say nothing of the start beside what else was given.

    Raises:
        InputError: Such an option was given.
    """
    if latent is None:
        if index is not None:
            raise InputError("--index is for --latent, which is missing")
        return
    for option, given in (("--seed", seed), ("--truncation-psi", psi)):
        if given is not None:
            raise InputError(
                f"{option} and --latent both say what picture to start from: name one of them"
            )


def latent_start(
    generator: Generator,
    seed: int | None,
    psi: float | None,
    label: str | None,
    latent: Path | None,
    index: int | None,
) -> LatentStart:
    """The start of a document that the options name, after `check_start`.

    Raises:
        InputError: The latent or the class does not fit the model, or a class is missing.
    """
    from dragonnx.document import LatentStart
    from dragonnx.document.latent_file import load_latent

    if latent is None:
        return LatentStart(seed or 0, psi, fitting_label(generator, label))
    # Not used for the picture, but for seeds that are chosen after it.
    chosen = None if label is None else fitting_label(generator, label)
    w_plus = load_latent(latent, index=index or 0, generator=generator)
    return LatentStart(label=chosen, w_plus=w_plus, name=latent.name)


def chosen_directions(texts: list[str] | None) -> tuple[Direction, ...]:
    """The directions that the option names.

    Raises:
        InputError: One cannot be read, or they are too many.
    """
    from dragonnx.document.directions import Direction, checked_directions

    return checked_directions([Direction.of_text(text) for text in texts or ()])


def chosen_motion(rotate: float | None, translate: str | None) -> Motion | None:
    """The motion that the options name.

    Raises:
        InputError: One cannot be read.
    """
    from dragonnx.model.motion import Motion
    from dragonnx.reading.typed_points import shift

    if rotate is None and translate is None:
        return None
    return Motion(rotate or 0.0, (0.0, 0.0) if translate is None else shift(translate))


def moved_starts(
    starts: Sequence[LatentStart],
    generator: Generator,
    directions: Sequence[Direction],
    motion: Motion | None,
) -> list[LatentStart]:
    """The starts with how far they go along the directions, and how they are turned and moved then.

    Raises:
        InputError: A direction does not fit the model, all together lead too far, or the model cannot
            turn and move what it shows.
    """
    from dragonnx.document.directions import ways_along

    ways = ways_along(directions, generator)
    if motion is not None:
        generator.manifest.check_transform()
    found = [replace(each, directions=ways, motion=motion) for each in starts]
    for each in found[:1]:
        each.gone_along(generator.w_avg)
    return found


def fitting_label(generator: Generator, label: str | None) -> AnyLabel | None:
    """The classes that the option names, which are the model's.

    Raises:
        InputError: It cannot be read, is missing, or names a class that the model does not have.
    """
    chosen = chosen_label(label)
    generator.check_label(chosen)
    return chosen


def chosen_label(label: str | None) -> AnyLabel | None:
    """The classes that the option names.

    Raises:
        InputError: It cannot be read.
    """
    from dragonnx.model.labels import label_of_text

    return None if label is None else label_of_text(label)

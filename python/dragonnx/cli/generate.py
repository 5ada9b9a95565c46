"""The command `dragonnx generate`: a picture from a seed or a latent, or many from many seeds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dragonnx.cli.arguments import check_outputs, grid_sides, psi_range, seed_list
from dragonnx.cli.console import say
from dragonnx.cli.counting import counted
from dragonnx.cli.options import (
    Device,
    Directions,
    Index,
    Label,
    Latent,
    Model,
    PrecisionOption,
    Psi,
    Quality,
    Rotate,
    Seed,
    Threads,
    Translate,
    check_start,
    chosen_directions,
    chosen_label,
    chosen_motion,
    fitting_label,
    latent_start,
    moved_starts,
    open_generator,
)
from dragonnx.cli.seeds import check_place, check_sheet, write_each, write_sheet
from dragonnx.errors import InputError
from dragonnx.model.manifest import DEFAULT_MODEL


def generate(
    output: Annotated[
        Path,
        typer.Option(
            "-o",
            "--output",
            help="The picture to write: .png, .jpg or .webp; a folder for --seeds without --grid.",
        ),
    ],
    model: Model = DEFAULT_MODEL,
    seed: Seed = None,
    seeds: Annotated[
        str | None, typer.Option(help="Several: 0-63, 1,5,9 or 0-3,7; a file for each.")
    ] = None,
    grid: Annotated[
        str | None, typer.Option(help="All --seeds in one picture: columns x rows, as 8x4.")
    ] = None,
    truncation_psi: Psi = None,
    sweep_psi: Annotated[
        str | None,
        typer.Option(help="FROM:TO, along each row of --grid, a row for each of --seeds."),
    ] = None,
    label: Label = None,
    latent: Latent = None,
    index: Index = None,
    direction: Directions = None,
    rotate: Rotate = None,
    translate: Translate = None,
    latent_out: Annotated[Path | None, typer.Option(help="Save the latent, .npz.")] = None,
    quality: Quality = None,
    device: Device = "auto",
    threads: Threads = None,
    precision: PrecisionOption = "auto",
) -> None:
    """Make a picture from a seed or a latent, or many from many seeds."""
    from dragonnx.document import Document, LatentStart
    from dragonnx.document.outputs import output as kind
    from dragonnx.media import check_quality
    from dragonnx.model.library import model_name

    directions, motion = chosen_directions(direction), chosen_motion(rotate, translate)
    files = [each.file for each in directions]
    if seeds is not None:
        _refuse_beside_seeds(seed, latent, index, latent_out)
        numbers = seed_list(seeds)
        sides = None if grid is None else grid_sides(grid)
        check_place(output, numbers, sides, files)
        check_quality(quality, [] if sides is None else [output])
        psis = _psis(sweep_psi, truncation_psi, numbers, sides)
        classes = chosen_label(label)
        starts = [LatentStart(each, psi, classes) for each in numbers for psi in psis]
        generator = open_generator(model, device, threads, precision)
        fitting_label(generator, label)
        begun = moved_starts(starts, generator, directions, motion)
        documents = (Document(model=model_name(model), start=each) for each in begun)
        bar = counted(documents, len(starts), "pictures")
        if sides is None:
            write_each(bar, generator, output)
        else:
            check_sheet(output, generator, sides)
            write_sheet(bar, generator, sides, output, quality)
        order = ""
        if sweep_psi is not None:
            order = f", a row for each of --seeds, psi from {psis[0]:g} to {psis[-1]:g}"
        elif sides is not None:
            order = f", in rows of {sides[0]} in the order of --seeds"
        say(f"wrote {len(starts)} pictures to {output}{order}")
        return
    if grid is not None:
        raise InputError("--grid is for --seeds, which is missing")
    if sweep_psi is not None:
        raise InputError("--sweep-psi is for --seeds and --grid, which are missing")
    check_outputs([(output, kind("picture").suffixes), (latent_out, (".npz",))], (latent, *files))
    check_quality(quality, [output])
    check_start(latent, index, seed=seed, psi=truncation_psi)
    generator = open_generator(model, device, threads, precision)
    start = latent_start(generator, seed, truncation_psi, label, latent, index)
    [start] = moved_starts([start], generator, directions, motion)
    document = Document(model=model_name(model), start=start)
    kind("picture").write(document, generator, output, quality)
    if latent_out:
        kind("latent").write(document, generator, latent_out)
    say(f"wrote {output}")


def _psis(
    sweep: str | None, psi: float | None, seeds: list[int], grid: tuple[int, int] | None
) -> list[float | None]:
    """The truncation psi's of each seed.

    Raises:
        InputError: There is no grid for a sweep, or not a row for each seed.
    """
    if sweep is None:
        return [psi]
    if psi is not None:
        raise InputError(
            "--truncation-psi and --sweep-psi both say how close to the average: name one"
        )
    if grid is None or grid[1] != len(seeds):
        raise InputError(
            f"--sweep-psi takes a row of --grid for each seed: name --grid COLUMNSx{len(seeds)}, such as "
            f"8x{len(seeds)}"
        )
    first, last = psi_range(sweep)
    steps = max(grid[0] - 1, 1)
    return [first + (last - first) * step / steps for step in range(grid[0])]


def _refuse_beside_seeds(
    seed: int | None, latent: Path | None, index: int | None, latent_out: Path | None
) -> None:
    """Refuse options that are for one picture alone."""
    for option, given in (
        ("--seed", seed), ("--latent", latent), ("--index", index), ("--latent-out", latent_out),
    ):  # fmt: skip
        if given is not None:
            raise InputError(f"{option} is for one picture, and --seeds for several: name one")

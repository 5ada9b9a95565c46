"""Several seeds for `dragonnx generate`: a file for each, or all of them in one picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dragonnx.cli.arguments import check_outputs
from dragonnx.errors import InputError
from dragonnx.files import check_writable
from dragonnx.paths import usable

if TYPE_CHECKING:
    from PIL.Image import Image

    from dragonnx.document import Document
    from dragonnx.model.generator import Generator

NAME = "seed{:04}.png"
"""A seed's file, as the released StyleGAN tools call it."""


def check_place(
    output: Path,
    seeds: Sequence[int],
    grid: tuple[int, int] | None,
    inputs: Iterable[Path | None],
) -> None:
    """Refuse what could not be written in the end.

    Args:
        output: A picture with a grid, else a folder.
        seeds: What is to be made.
        grid: Columns and rows.
        inputs: What must not be written over.

    Raises:
        InputError: The place does not suit, or the grid has too few cells.
    """
    from dragonnx.media import PICTURE_SUFFIXES

    if grid is not None:
        if len(seeds) > grid[0] * grid[1]:
            raise InputError(
                f"a grid of {grid[0]}x{grid[1]} holds {grid[0] * grid[1]} pictures, and --seeds "
                f"names {len(seeds)}: name fewer, or a larger grid"
            )
        check_outputs([(output, PICTURE_SUFFIXES)], inputs)
        return
    with usable(output):
        if output.is_dir():
            files = [(output / NAME.format(seed), PICTURE_SUFFIXES) for seed in seeds]
            check_outputs(files, inputs)
            return
        if output.exists() or output.suffix.lower() in PICTURE_SUFFIXES:
            raise InputError(
                f"{output} is to hold several pictures: name a folder for a file of each, or add "
                "--grid such as 8x8 for all of them in one"
            )
        if not output.resolve().parent.is_dir():
            raise InputError(
                f"the folder {output.resolve().parent} of {output.name} does not exist: make it first"
            )
    check_writable(output)


def check_sheet(output: Path, generator: Generator, grid: tuple[int, int]) -> None:
    """Refuse a sheet that its format cannot hold, or that would not be read again.

    Raises:
        InputError: It is one.
    """
    from dragonnx.media import check_size, grid_size
    from dragonnx.reading.picture_limits import LIMIT, limit

    height, width = generator.manifest.image_size
    size = grid_size((width, height), *grid)
    check_size(size, output)
    if size[0] * size[1] > limit():
        raise InputError(
            f"a grid of {grid[0]}x{grid[1]} pictures of {width} x {height} pixels is larger than "
            f"what is read: name a smaller one, or set {LIMIT}={-(-size[0] * size[1] // 10**6)}"
        )


def write_each(documents: Iterable[Document], generator: Generator, folder: Path) -> None:
    """Write a picture with its recipe for each seed; the folder is made where it is missing.

    Raises:
        OutputError: One cannot be written. Those before it are.
    """
    from dragonnx.document.outputs import output as kind

    with usable(folder):
        folder.mkdir(exist_ok=True)
    for document in documents:
        kind("picture").write(document, generator, folder / NAME.format(document.start.seed))


def write_sheet(
    documents: Iterable[Document],
    generator: Generator,
    grid: tuple[int, int],
    path: Path,
    quality: int | None,
) -> None:
    """Write the pictures of all seeds in one, row by row.

    Raises:
        OutputError: It cannot be written.
    """
    from dragonnx.document.latents import current_w_plus
    from dragonnx.media import in_grid, save_image

    def pictures() -> Iterator[Image]:
        for document in documents:
            yield generator.image(current_w_plus(document, generator))

    height, width = generator.manifest.image_size
    save_image(in_grid(pictures(), (width, height), *grid), path, None, quality)

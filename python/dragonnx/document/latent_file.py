"""One reader of latents, for every file that can hold one: it is told by its content.

Arrays of other tools (`.npy`, `.npz`, `.pt`, `.pkl`), a picture with its recipe, a document.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dragonnx.document.archive import LARGEST, open_document
from dragonnx.document.latents import current_w_plus
from dragonnx.document.recipe import document_of
from dragonnx.document.state import Document
from dragonnx.errors import InputError
from dragonnx.log import logger
from dragonnx.model.latent import checked_w_plus
from dragonnx.model.latent_arrays import held_arrays
from dragonnx.model.latent_choice import (
    ChosenLatent,
    LatentSize,
    checked_index,
    choose,
    choose_direction,
)
from dragonnx.paths import as_path
from dragonnx.reading.file_kind import FileKind, file_kind
from dragonnx.reading.values import whole
from dragonnx.types import Float32

if TYPE_CHECKING:
    from pathlib import Path

    from dragonnx.model.generator import Generator

LATENT_FILES = ".npz, .npy, .pt, .pkl, a picture with its recipe, or a .dragonnx document"
"""What can be read, for users."""
_LARGEST_NUMBER = 2**16


def load_latent(
    path: str | os.PathLike[str],
    num_ws: int | None = None,
    w_dim: int | None = None,
    *,
    index: int = 0,
    generator: Generator | None = None,
) -> Float32:
    """Read a latent, w_plus [1, num_ws, w_dim], from a file of this or another tool.

    A file of arrays: NumPy's `.npy` and `.npz`, PyTorch's `.pt` and `.pth`, a pickle; a latent alone,
    or under a name (`w_plus`, `w`, `ws`, `dlatents`, `latent`) at any depth. Nothing in it is run. Or
    a picture that dragonnx wrote, or a document: what its drag reached, else its start.

    A single w is repeated for every layer. The logger "dragonnx" warns where there are several, or where a
    vector without a name was taken as w.

    Args:
        path: The file. Its content says what it is, and not its suffix.
        num_ws: How many w's the model takes; None takes what the file holds, 1 for a single w.
        w_dim: Length of each; None takes what the file holds.
        index: Which of several latents, from 0.
        generator: The model that it is for: it must fit.

    Raises:
        InputError: The file is missing, damaged, holds no latent, or none that fits the model.
        BundleError: A document starts from a seed or is turned, and its model is not to be had.
    """
    size = LatentSize(
        None if num_ws is None else whole(num_ws, "num_ws", 1, _LARGEST_NUMBER),
        None if w_dim is None else whole(w_dim, "w_dim", 1, _LARGEST_NUMBER),
    )
    found = read_latent(path, index=index, generator=generator, size=size)
    for note in found.notes:
        logger.warning("%s", note)
    return found.w_plus


def load_direction(
    path: str | os.PathLike[str], generator: Generator, index: int | None = None
) -> Float32:
    """Read a direction to move latents in, [1, num_ws, w_dim], from a file of arrays.

    Args:
        path: The file: `.npy`, `.npz`, `.pt` or `.pkl`, of one w or w_plus under any name but z's.
        generator: The model that it is for: it must fit.
        index: Which of several, from 0; None where it holds one.

    Raises:
        InputError: The file is missing, damaged, holds no direction for the model, or several and
            none is named, or not so many.
    """
    path = as_path(path)
    kind = file_kind(path, LARGEST)
    if kind in (FileKind.DOCUMENT, FileKind.OTHER):
        raise InputError(
            f"{path} holds no direction: one comes as .npy, .npz, .pt or .pkl, of a w or w_plus"
        )
    with held_arrays(path, kind) as held:
        found = choose_direction(held, _size_of(generator), path.name, index)
    for note in found.notes:
        logger.warning("%s", note)
    return found.w_plus


def read_latent(
    path: str | os.PathLike[str],
    *,
    index: int = 0,
    generator: Generator | None = None,
    size: LatentSize | None = None,
) -> ChosenLatent:
    """As `load_latent`, with what a user should know of how it was found.

    Raises:
        InputError: As `load_latent`.
        BundleError: As `load_latent`.
    """
    path = as_path(path)
    if generator is not None:
        size = _size_of(generator)
    size = size or LatentSize()
    kind = file_kind(path, LARGEST)
    if kind in (FileKind.DOCUMENT, FileKind.OTHER):
        document = open_document(path) if kind is FileKind.DOCUMENT else _pictured(path)
        try:
            checked_index(index, 1, "it")
            return ChosenLatent(_of_document(document, generator, size))
        except InputError as error:
            raise InputError(f"{path}: {error}") from error
    with held_arrays(path, kind) as held:
        return choose(held, size, index, path.name)


def _size_of(generator: Generator) -> LatentSize:
    m = generator.manifest
    return LatentSize(m.num_ws, m.w_dim, m.z_dim)


def _pictured(path: Path) -> Document:
    """The document of a picture's recipe."""
    from dragonnx.media import read_recipe
    from dragonnx.reading.pictures import NoPictureError, read_picture

    try:
        picture = read_picture(path, "")
    except NoPictureError as error:
        found = error.found or ("of an unknown kind" if path.stat().st_size else "empty")
        raise InputError(
            f"{path} holds no latent: it is {found}, and a latent comes as {LATENT_FILES}"
            f"{f'; {error.advice}' * bool(error.advice)}"
        ) from error
    try:
        recipe = read_recipe(picture)
    except InputError as error:
        raise InputError(
            f"{path} holds no latent: it is a picture without a recipe; `dragonnx invert` looks for "
            "the latent of a photo"
        ) from error
    return document_of(recipe)


def _of_document(document: Document, generator: Generator | None, size: LatentSize) -> Float32:
    """The latent of a document's picture, of the size that is wanted."""
    start = document.start
    if document.result is not None:
        found = document.result.w_plus
    elif start.w_plus is not None and start.motion is None:
        found = start.gone_along(start.w_plus)
    else:
        found = _of_its_model(document, generator)
    if size.layout(found.shape) is None:
        raise InputError(
            f"{size.refusal(found.shape)}; it was made with the model {document.model}"
        )
    return checked_w_plus(found, found.shape[1], found.shape[2])


def _of_its_model(document: Document, generator: Generator | None) -> Float32:
    """The latent of a document that starts from a seed or is turned: its model alone can tell."""
    from dragonnx.model.bundle import read_manifest
    from dragonnx.model.generator import Generator
    from dragonnx.model.library import find_bundle

    if generator is None:
        with Generator.open(document.model, "cpu") as opened:
            return current_w_plus(document, opened)
    its = read_manifest(find_bundle(document.model)).source
    if its.sha256 != generator.manifest.source.sha256:
        start = document.start
        what = f"seed {start.seed}" if start.w_plus is None else "a picture that was turned"
        raise InputError(
            f"it holds {what} of the model {document.model} and no latent: it can be used with that "
            "model alone"
        )
    return current_w_plus(document, generator)

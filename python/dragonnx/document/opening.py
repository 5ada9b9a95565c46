"""Reading any file that a user opens: a document, a picture with its recipe, a latent, a mask, a photo."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from dragonnx.document.archive import LARGEST, SUFFIX, open_document
from dragonnx.document.latent_file import read_latent
from dragonnx.document.recipe import document_of
from dragonnx.document.start import LatentStart
from dragonnx.document.state import Document
from dragonnx.errors import InputError
from dragonnx.model.latent_choice import checked_index
from dragonnx.reading.file_kind import FileKind as Content
from dragonnx.reading.file_kind import file_kind

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator

FileKind: TypeAlias = Literal["document", "picture", "latent", "mask", "photo"]
OPENS = f"{SUFFIX} document, picture, mask, latent (.npz, .npy, .pt, .pkl), photo"
"""What can be opened, for users."""


@dataclass(frozen=True, eq=False)
class OpenedFile:
    """What a file was.

    Attributes:
        kind: What it holds.
        document: The document that comes of it; None for a photo, which is to be inverted first.
        notes: What a user should know of how it was read.
    """

    kind: FileKind
    document: Document | None
    notes: tuple[str, ...] = ()


def read_file(path: Path, document: Document, generator: Generator, index: int = 0) -> OpenedFile:
    """Read a file of any kind that a user opens.

    Args:
        path: The file. Its content says what it is; a picture is a photo where it carries no recipe
            and does not look drawn as a mask.
        document: What a latent becomes the start of, and a mask the mask of.
        generator: That document's model.
        index: Which of several latents in a file, from 0.

    Raises:
        InputError: The file cannot be read, or nothing of it can be used.
    """
    kind = file_kind(path, LARGEST)
    if kind in (Content.DOCUMENT, Content.OTHER):
        checked_index(index, 1, path.name)
    if kind is Content.DOCUMENT or (kind is Content.OTHER and path.suffix.lower() == SUFFIX):
        return OpenedFile("document", open_document(path))
    if kind is Content.OTHER:
        return _read_picture(path, document, generator)
    found = read_latent(path, index=index, generator=generator)
    start = LatentStart(w_plus=found.w_plus, name=path.name)
    return OpenedFile("latent", document.with_start(start), found.notes)


def _read_picture(path: Path, document: Document, generator: Generator) -> OpenedFile:
    """Read a picture: with a recipe, drawn as a mask, or a photo."""
    from dragonnx.drag.mask import is_mask, load_mask
    from dragonnx.inversion.photo import load_photo
    from dragonnx.media import read_recipe
    from dragonnx.reading.pictures import NoPictureError, read_picture

    try:
        picture = read_picture(path, "")  # once, since large ones take seconds
    except NoPictureError as error:
        found = error.found or "no picture that can be read, nor of another known kind"
        raise InputError(
            f"{path.name} cannot be opened: it is {found}; {error.advice or f'choose a {OPENS}'}"
        ) from error
    try:
        recipe = read_recipe(picture)
    except InputError:
        if picture.format == "PNG" and is_mask(picture):
            mask = load_mask(picture, generator.manifest.image_size)
            return OpenedFile("mask", document.with_mask(mask))
    else:
        return OpenedFile("picture", document_of(recipe))
    # What cannot be inverted is refused before anything is asked.
    load_photo(picture, image_size=generator.manifest.image_size)
    return OpenedFile("photo", None)

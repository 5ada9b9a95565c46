"""A document as a picture that says how it was made, and back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from dragonnx.document.outputs import output
from dragonnx.document.recipe import document_of
from dragonnx.document.state import Document
from dragonnx.media import check_quality, format_of, read_recipe
from dragonnx.paths import as_path
from dragonnx.reading.pictures import PictureSource
from dragonnx.reading.values import instance

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator


def save_picture(
    document: Document,
    generator: Generator,
    path: str | os.PathLike[str],
    quality: int | None = None,
) -> None:
    """Write a document's picture, which opens again as the document and says that a model made it.

    Args:
        document: What to show.
        generator: The document's model.
        path: Where to: .png, .jpg, .jpeg or .webp.
        quality: Of a JPEG or WebP, 1 to 100; None is 95. A WebP of 100 keeps every pixel as it is.

    Raises:
        InputError: An argument cannot be used, or the format cannot hold so large a picture.
        OutputError: The file cannot be written.
    """
    from dragonnx.model.generator import Generator

    file = as_path(path)
    format_of(file)  # before the picture is made
    check_quality(quality, [file])
    instance(generator, "generator", Generator)
    output("picture").write(instance(document, "document", Document), generator, file, quality)


def open_picture(source: PictureSource) -> Document:
    """The document of a picture that dragonnx saved: PNG, JPEG or WebP.

    Of a drag's latents it has the first and the last.

    Args:
        source: The file, its content, or a picture that Pillow has opened.

    Raises:
        InputError: The picture cannot be read, or dragonnx did not write it.
    """
    return document_of(read_recipe(source))

"""The file of a document, `.dragonnx`: a zip archive of JSON, arrays, the mask and a preview.

Nothing in it can run code, and all sizes are known and bounded before anything is read.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile

from dragonnx.document.facts import ARRAYS, MASK, document_of_facts, facts_of, members_of
from dragonnx.document.state import Document
from dragonnx.errors import InputError
from dragonnx.files import save_bytes
from dragonnx.paths import as_path
from dragonnx.reading.json_text import LARGEST_TEXT, parse_json
from dragonnx.reading.npy_array import member_array
from dragonnx.reading.regular_file import MEBIBYTE, opened_file, sha256_of
from dragonnx.reading.values import instance, record
from dragonnx.reading.zip_archive import opened_archive

SUFFIX = ".dragonnx"
LARGEST = 1024 * MEBIBYTE
"""Bytes of a document: of the largest model, a drag of 29,000 steps."""
_LARGEST_MASK = 64 * MEBIBYTE
"""A mask of 8192 x 8192 pixels, one byte each and not packed at all."""
_LARGEST_PREVIEW = 64 * MEBIBYTE
_DOCUMENT = "document.json"
_PREVIEW = "preview.png"


def save_document(
    document: Document, path: str | os.PathLike[str], preview: bytes | None = None
) -> str:
    """Write a document, all or nothing.

    Args:
        document: What to write.
        path: Where to.
        preview: The picture as PNG, for file managers and users.

    Returns:
        The SHA-256 of what was written, as `digest_of` tells it for as long as nobody changes it.

    Raises:
        InputError: The file cannot be written, or would be too large to be opened again.
    """
    instance(document, "document", Document)
    if preview is not None:
        instance(preview, "preview", bytes)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(_DOCUMENT, json.dumps(facts_of(document), indent=1, sort_keys=True))
        for name, member in members_of(document).items():
            archive.writestr(name, member)
        if preview is not None:
            archive.writestr(_PREVIEW, preview)
    if content.tell() > LARGEST:
        raise InputError(
            f"{path} cannot be written: it would have {content.tell() / MEBIBYTE:.0f} MiB, and at most "
            f"{LARGEST / MEBIBYTE:g} MiB are opened again: drag in parts of fewer steps"
        )
    # In one piece: an archive that fails on the way to a full disk tries to end itself there.
    save_bytes(content.getvalue(), path)
    return hashlib.sha256(content.getbuffer()).hexdigest()


def digest_of(path: str | os.PathLike[str]) -> str | None:
    """The SHA-256 of a document's file, in hexadecimal; None where there is no file.

    Raises:
        InputError: It cannot be read.
    """
    if not as_path(path).exists():
        return None
    with opened_file(path, LARGEST) as file:
        return sha256_of(file)


def read_preview(path: str | os.PathLike[str]) -> bytes | None:
    """The picture as PNG that a document's file holds; None where it holds none.

    Raises:
        InputError: The file is missing, damaged, too large, or not a document.
    """
    with opened_archive(path, LARGEST, "is no dragonnx document, or it is damaged") as archive:
        return archive.read(_PREVIEW, _LARGEST_PREVIEW) if _PREVIEW in archive.names else None


def open_document(path: str | os.PathLike[str]) -> Document:
    """Read what `save_document` wrote.

    Raises:
        InputError: The file is missing, damaged, too large, of another format, or not a document.
    """
    with opened_archive(path, LARGEST, "is no dragonnx document, or it is damaged") as archive:
        facts = parse_json(archive.read(_DOCUMENT, LARGEST_TEXT), _DOCUMENT)
        return document_of_facts(
            record(facts, _DOCUMENT),
            {name: member_array(archive, name) for name in ARRAYS if name in archive.names},
            archive.read(MASK, _LARGEST_MASK) if MASK in archive.names else None,
        )

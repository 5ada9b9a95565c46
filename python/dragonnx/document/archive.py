"""The file of a document, `.dragonnx`: a zip archive of JSON, arrays, the mask and a preview.

Nothing in it can run code, and sizes are bounded before reading.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from dragonnx.document.facts import MEMBERS, document_of_facts, facts_of, members_of
from dragonnx.document.state import Document
from dragonnx.errors import InputError
from dragonnx.files import written_whole

SUFFIX = ".dragonnx"
_LARGEST_MEMBER = 2**30
"""Bytes; a larger member of an archive is refused unread."""
_DOCUMENT = "document.json"


def save_document(document: Document, path: Path, preview: bytes | None = None) -> None:
    """Write a document, all or nothing.

    Args:
        document: What to write.
        path: Where to.
        preview: The picture as PNG, for file managers and users.

    Raises:
        InputError: The file cannot be written.
    """
    with (
        written_whole(path) as temporary,
        zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive,
    ):
        archive.writestr(_DOCUMENT, json.dumps(facts_of(document), indent=1, sort_keys=True))
        for name, content in members_of(document).items():
            archive.writestr(name, content)
        if preview is not None:
            archive.writestr("preview.png", preview)


def open_document(path: Path) -> Document:
    """Read what `save_document` wrote.

    Raises:
        InputError: The file is missing, damaged, of another format, or not a document.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.file_size > _LARGEST_MEMBER:
                    raise InputError(f"{path} holds {member.filename}, which is too large to read")
            names = set(archive.namelist())
            facts = json.loads(archive.read(_DOCUMENT))
            members = {name: archive.read(name) for name in MEMBERS if name in names}
        return document_of_facts(facts, members)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, EOFError) as error:
        raise InputError(f"{path} is no dragonnx document, or it is damaged") from error

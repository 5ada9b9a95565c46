"""A job: an edit that was checked, ready to be run, and the key of all that its result depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dragonnx.batch.formats import Formats
from dragonnx.document.facts import facts_of, members_of
from dragonnx.document.state import Document
from dragonnx.model.bundle import Bundle

if TYPE_CHECKING:
    from dragonnx.batch.photo import FaceSource


@dataclass(frozen=True, eq=False)
class Job:
    """An edit that can be run.

    Attributes:
        id: Names its files.
        document: The edit. What it starts from is still to be found where there is a photo.
        bundle: Its model, opened and verified.
        photo: To be inverted first, if any.
        face: What a face in it is turned and cut by; None where it is taken as it is.
        inversion_steps: For that.
        formats: Of its files.
        facts: What the user wrote, as JSON values.
        key: Of all that the result depends on: another key is another result.
    """

    id: str
    document: Document
    bundle: Bundle
    photo: Path | None
    face: FaceSource | None
    inversion_steps: int
    formats: Formats
    facts: Mapping[str, Any]
    key: str


def key_of(
    document: Document,
    model: str,
    photo: str | None,
    face: Mapping[str, Any] | None,
    inversion_steps: int,
    formats: Formats,
) -> str:
    """The key of a job: a SHA-256 that does not depend on where its files lie.

    Args:
        document: The edit.
        model: A hash of the model.
        photo: A hash of the photo, if any.
        face: By what a face in it is turned and cut, with hashes of the files, if by any.
        inversion_steps: For the photo.
        formats: Of its files.
    """
    facts = {
        "document": {**facts_of(document), "model": model},
        "members": {
            name: hashlib.sha256(content).hexdigest()
            for name, content in members_of(document).items()
        },
        # A face is beside them where there is one alone, so that the results of earlier versions stay.
        "photo": None
        if photo is None
        else [photo, inversion_steps, *([] if face is None else [dict(face)])],
        **formats.facts(),
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()

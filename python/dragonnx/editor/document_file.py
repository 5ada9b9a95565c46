"""The file of a document: which it is, what is in it, and whether it may be written over.

The worker asks that just before it writes. Between a user's answer and the writing, a drag may have to
pause and a picture to be made; another editor or program can write the same file in that time, or may
have done so since it was read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from dragonnx.document import Document
from dragonnx.document.archive import digest_of


@dataclass
class DocumentFile:
    """The file of a document and of all that is made of it by edits.

    Attributes:
        path: It; None where there is none yet.
        saved: The document as it is in the file, or as it was at the start; None for neither.
        digest: Of what the file held when it was read or written last; None where that is unknown.
        going_to: Where it is being written for the first time; None where that failed.
    """

    path: Path | None = None
    saved: Document | None = None
    digest: str | None = None
    going_to: Path | None = None


@dataclass(frozen=True)
class Replaces:
    """What may be replaced.

    Attributes:
        digest: Of a file that may be there, as `digest_of` tells it; None for no file at all.
        all: Whether anything may be.
    """

    digest: str | None = None
    all: bool = False

    ANYTHING: ClassVar[Replaces]
    NOTHING: ClassVar[Replaces]

    def allows(self, path: Path) -> bool:
        """Whether the file, as it is now, may be written over.

        Raises:
            InputError: It cannot be read, so that nobody knows.
        """
        if self.all or not os.path.lexists(path):
            return True
        return self.digest is not None and digest_of(path) == self.digest


Replaces.ANYTHING = Replaces(all=True)
Replaces.NOTHING = Replaces()

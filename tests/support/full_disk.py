"""A disk that takes nothing more, for what runs in the test's own process."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragonnx import files

NO_SPACE = "No space left on device, and none on any other that was tried"


@contextlib.contextmanager
def full_disk(*names: str) -> Iterator[None]:
    """Nothing can be written into files of these names, or into any where none is given."""
    really = files.atomic_path

    @contextlib.contextmanager
    def atomic_path(path: Path) -> Iterator[Path]:
        with really(path) as temporary:
            yield temporary
            if not names or path.name in names:
                raise OSError(errno.ENOSPC, NO_SPACE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "atomic_path", atomic_path)
        yield

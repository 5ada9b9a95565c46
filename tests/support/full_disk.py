"""A disk that takes nothing more, for what runs in the test's own process."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

NO_SPACE = "No space left on device, and none on any other that was tried"


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Files can be made, but nothing can be written into them."""

    def full(_path: Path, _content: object, *_settings: object) -> int:
        raise OSError(errno.ENOSPC, NO_SPACE)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        yield

"""What processes on one machine that compute alike share: weights, and turns at what takes much memory."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dragonnx.locks import lock
from dragonnx.runtime.laid_out import laid_out

_PAUSE = 0.002
"""Seconds between two looks at whether a turn is free."""


@dataclass(frozen=True)
class Sharing:
    """What a process shares with others.

    Attributes:
        folder: Where they keep weights and locks; empty at first, and nobody else's.
        places: How many of them may have a turn at a time.
    """

    folder: Path
    places: int

    def laid_out(self, path: Path, more: Callable[[Path], object] | None = None) -> Path | None:
        """A graph's file with its weights laid out for all of them; see `laid_out`."""
        return laid_out(path, self.folder, more)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """A turn, for a block. That of a process that ends in it is free again at once."""
        handle = None
        while handle is None:
            for place in range(self.places):
                tried = os.open(self.folder / f"turn-{place}.lock", os.O_RDWR | os.O_CREAT, 0o600)
                if lock(tried):
                    handle = tried
                    break
                os.close(tried)
            else:
                time.sleep(_PAUSE)
        try:
            yield
        finally:
            os.close(handle)

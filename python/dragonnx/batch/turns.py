"""Turns that worker processes take at what needs much memory for a moment."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from dragonnx.locks import lock

_PAUSE = 0.002
"""Seconds between two looks at whether a turn is free."""


@contextlib.contextmanager
def turn(folder: Path | None, places: int) -> Iterator[None]:
    """One of so many turns, for a block. That of a process that ends in it is free again at once.

    Args:
        folder: Where the processes that take turns keep their locks; None where one is alone.
        places: How many processes may be in such a block at a time.
    """
    if folder is None:
        yield
        return
    handle = None
    while handle is None:
        for place in range(places):
            tried = os.open(folder / f"turn-{place}.lock", os.O_RDWR | os.O_CREAT, 0o600)
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

"""Standing aside: long jobs sleep while a file exists, so that others can measure undisturbed."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path


def pause_while(path: Path | None, seconds: float = 2.0) -> Callable[[], None]:
    """A function that returns at once, save while `path` exists: then it sleeps until it is gone.

    Args:
        path: The file that asks for a pause; None never does.
        seconds: Between looks.
    """

    def wait() -> None:
        while path is not None and path.exists():
            time.sleep(seconds)

    return wait

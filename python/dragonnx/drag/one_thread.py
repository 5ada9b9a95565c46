"""One thread at a time in a session: its steps follow one another."""

from __future__ import annotations

import threading

from dragonnx.errors import StateError


class OneThread:
    """For a `with` block that only one thread may be in; another is refused, not kept waiting.

    Args:
        session: What it guards, as messages name it: "drag".
    """

    def __init__(self, session: str) -> None:
        self._session = session
        # Reentrant, so that an interrupt right after it was taken does not lock its thread out.
        self._taken = threading.RLock()

    def __enter__(self) -> None:
        """Enter.

        Raises:
            StateError: Another thread is in such a block.
        """
        if not self._taken.acquire(blocking=False):
            raise StateError(
                f"another thread is at work on this {self._session}: use a session from one thread "
                "at a time, or make one for each; they may share the generator"
            )

    def __exit__(self, *_: object) -> None:
        self._taken.release()

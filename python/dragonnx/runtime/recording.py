"""Which runs of a session are recorded, and then replayed in one launch (CUDA graphs)."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable

NOT_RECORDED = -1
_RECORDED_FROM = 2
"""Of runs of one binding with nothing else between: the first one that is worth recording."""


class Recordings:
    """Numbers the recordings of a session.

    A recording holds addresses of scratch memory, which any other run of the session may fill anew.
    So one is good only while nothing else runs: then it is given up, and a new one made once the
    same binding runs again and again. Not thread-safe.

    Args:
        release: Gives up the recording of a number.
    """

    def __init__(self, release: Callable[[int], None]) -> None:
        self._release = release
        self._numbers = itertools.count(1)
        self._number: int | None = None
        self._binding: weakref.ref[object] | None = None
        self._in_a_row = 0

    def number_for(self, binding: object | None) -> int:
        """The recording that a run makes or replays; `NOT_RECORDED` for a run by itself.

        Args:
            binding: Whose run it is; None for one whose buffers do not stay.
        """
        if binding is None or self._binding is None or self._binding() is not binding:
            if self._number is not None:
                self._release(self._number)
            self._number, self._in_a_row = None, 0
            self._binding = None if binding is None else weakref.ref(binding)
        self._in_a_row += 1
        if binding is None or self._in_a_row < _RECORDED_FROM:
            return NOT_RECORDED
        if self._number is None:
            self._number = next(self._numbers)
        return self._number

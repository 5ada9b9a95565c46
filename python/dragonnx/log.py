"""The logger "dragonnx": what takes long, and what works otherwise than a user may expect.

A program sees it once it configures logging; until then nothing is printed. WARNING tells of what a
user should know (no GPU, a colour profile that is ignored), INFO of what is slow and why, DEBUG of
everything that was timed.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator

SLOW = 0.5
"""Seconds from which on a user waits and wonders."""

logger = logging.getLogger("dragonnx")
# Without a handler Python would print warnings of a program that has not asked for any.
logger.addHandler(logging.NullHandler())


@contextlib.contextmanager
def timed(what: str) -> Iterator[None]:
    """Log how long the block took, where it ends well.

    Args:
        what: What is done there, as the beginning of a sentence: "opening the model critters".
    """
    began = time.perf_counter()
    yield
    took(what, time.perf_counter() - began)


def took(what: str, seconds: float) -> None:
    """Log how long something took; see `timed`."""
    logger.log(logging.INFO if seconds >= SLOW else logging.DEBUG, "%s took %.3f s", what, seconds)

"""A pickle reader that builds plain data and nothing else.

Python's unpickler imports, calls and changes whatever a file asks it to. This one is a machine of
its own that knows the opcodes of protocols 0 to 5 as far as they describe data. A global is looked
up in a vocabulary of constructors of this package; nothing is ever imported.
"""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable

from dragonnx.reading.pickles.machine import Classes
from dragonnx.reading.pickles.opcodes import run
from dragonnx.reading.pickles.vocabulary import CONTAINERS, Vocabulary

MAX_OPCODES = 1_000_000
"""Some ten times what the largest pickle of a StyleGAN2 takes; bounds time and memory."""

_TEXT = re.compile(rb"(?:c|\(i)[\w.]+\n[\w.]+\n|[(\]}].*\.\s*\Z", re.DOTALL)
_LOOKED_AT = 1024, 16
"""Bytes of a pickle's beginning and end by which those of the oldest protocols are known."""


def is_pickle(beginning: bytes, end: bytes) -> bool:
    """Whether a file with that beginning and end is a pickle; old ones have no sign of their own."""
    first, last = _LOOKED_AT
    return beginning[:1] == pickle.PROTO or bool(_TEXT.match(beginning[:first] + end[-last:]))


def load(
    data: bytes | memoryview,
    vocabulary: Vocabulary | None = None,
    persistent: Callable[[object], object] | None = None,
    max_opcodes: int = MAX_OPCODES,
    classes: Classes | None = None,
) -> object:
    """Read one pickle, ignoring what follows it.

    Args:
        data: The pickle. Its bytes values come back as read-only views into it.
        vocabulary: The globals that the pickle may name, beside the plain containers.
        persistent: Resolves persistent ids; without it they are refused.
        max_opcodes: How long the pickle may be.
        classes: Gives a constructor for globals that the vocabulary lacks, or None.

    Raises:
        InputError: The data are damaged, too large, or ask for anything but data.
    """
    return load_first(data, vocabulary, persistent, max_opcodes, classes)[0]


def load_first(
    data: bytes | memoryview,
    vocabulary: Vocabulary | None = None,
    persistent: Callable[[object], object] | None = None,
    max_opcodes: int = MAX_OPCODES,
    classes: Classes | None = None,
) -> tuple[object, memoryview]:
    """As `load`, and the bytes after the pickle.

    Raises:
        InputError: The data are damaged, too large, or ask for anything but data.
    """
    view = memoryview(data).toreadonly()
    return run(view, {**CONTAINERS, **(vocabulary or {})}, persistent, max_opcodes, classes)

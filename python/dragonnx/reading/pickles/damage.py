"""What reading damaged data raises, beside what a reader refuses in words of its own."""

from __future__ import annotations

import struct

DAMAGE = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    RecursionError,
    SystemError,  # what NumPy and the interpreter raise for data that they hold impossible
    TypeError,
    ValueError,
    struct.error,
)
"""Whoever opens a stranger's file catches these, after InputError, and says that it is damaged."""

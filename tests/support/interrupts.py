"""Interrupts as Ctrl+C makes them, at a moment that a test chooses."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def interrupted(step: Callable[[], object], line: int | None) -> int:
    """Interrupt a step at that line of dragonnx; how many lines it came to."""
    seen = 0

    def trace(frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal seen
        code = frame.f_code
        if "dragonnx" not in code.co_filename or code.co_name == "__del__":
            return None
        if event == "line":
            seen += 1
            if seen == line:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        step()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return seen

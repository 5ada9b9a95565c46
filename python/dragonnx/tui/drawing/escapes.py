"""Cells as escape sequences, many rows at once: NumPy fills in a template and leaves out what can go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from dragonnx.tui.drawing.cells import Cells

Words = NDArray[np.uint32]
"""Of four bytes each, which NumPy moves as quickly as one."""

_RESET = "\x1b[0m"


def _words(texts: list[bytes]) -> Words:
    return np.frombuffer(b"".join(texts), np.uint32)


# SGR 38;2;r;g;b is the foreground, 48;2;r;g;b the background (ISO 8613-6); then the character.
_TEMPLATE = _words([b"\x1b[__", b"38;2", b";rrr", b";ggg", b";bbb", b";___",
                    b"48;2", b";rrr", b";ggg", b";bbb", b"m...", ])  # fmt: skip
_ALL, _NONE = _words([b"\1\1\1\1", b"\0\0\0\0"])
_TWO, _ONE = _words([b"\1\1\0\0", b"\1\0\0\0"])
_BEGIN, _BETWEEN, _END = 0, 5, 10
_FRONT, _BACK = 1, 6
_LEVELS = _words([b";%03d" % level for level in range(256)])
_SPOKEN = _words([bytes((1, level > 99, level > 9, 1)) for level in range(256)])
"""For `_LEVELS`, which bytes are no leading zeros."""


def escape_rows(cells: Cells, rows: list[int]) -> list[str]:
    """What writes some rows of coloured cells; a colour is sent where it changes along the row."""
    front, back = cells.front[rows], cells.back[rows]
    new_front, new_back = _is_new(front), _is_new(back)
    written = np.empty((*front.shape[:2], len(_TEMPLATE)), np.uint32)
    written[:] = _TEMPLATE
    kept = np.empty_like(written)  # a 1 for each byte
    kept[..., _BEGIN] = np.where(new_front | new_back, _TWO, _NONE)
    kept[..., _BETWEEN] = np.where(new_front & new_back, _ONE, _NONE)
    for colours, new, place in ((front, new_front, _FRONT), (back, new_back, _BACK)):
        mask = np.where(new, _ALL, _NONE)
        kept[..., place] = mask
        for channel in range(3):
            levels = colours[..., channel]
            written[..., place + 1 + channel] = _LEVELS[levels]
            kept[..., place + 1 + channel] = _SPOKEN[levels] & mask
    last, last_kept = (words[..., _END, None].view(np.uint8) for words in (written, kept))
    last_kept[..., 0] = new_front | new_back
    _fill_characters(cells.characters[rows], last[..., 1:], last_kept[..., 1:])
    shown = kept.view(np.bool_)
    ends = np.cumsum(np.count_nonzero(shown, axis=(1, 2))).tolist()
    text = written.view(np.uint8)[shown].tobytes()
    return [text[begin:end].decode() + _RESET for begin, end in zip([0, *ends], ends, strict=False)]


def _is_new(colours: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which colours [rows, columns, 3] differ from the one on their left."""
    new = np.ones(colours.shape[:2], np.bool_)
    new[:, 1:] = (colours[:, 1:] != colours[:, :-1]).any(axis=2)
    return new


def _fill_characters(
    points: NDArray[np.uint32], written: NDArray[np.uint8], kept: NDArray[np.uint8]
) -> None:
    """Write code points below 0x10000 as UTF-8: one byte, two, or three."""
    two, three = points >= 0x80, points >= 0x800
    last = 0x80 | points & 0x3F
    middle = 0x80 | points >> 6 & 0x3F
    written[..., 0] = np.where(
        three, 0xE0 | points >> 12, np.where(two, 0xC0 | points >> 6, points)
    )
    written[..., 1] = np.where(three, middle, last)
    written[..., 2] = last
    kept[..., 0] = True
    kept[..., 1] = two
    kept[..., 2] = three

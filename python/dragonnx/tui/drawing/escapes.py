"""Cells as escape sequences, many rows at once: NumPy fills in a template and leaves out what can go."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dragonnx.tui.drawing.palette import numbers_of

if TYPE_CHECKING:
    from dragonnx.tui.drawing.cells import Cells

Words = NDArray[np.uint32]
"""Of four bytes each, which NumPy moves as quickly as one."""

_RESET = "\x1b[0m"


def _words(texts: list[bytes]) -> Words:
    return np.frombuffer(b"".join(texts), np.uint32)


_BEGIN, _BETWEEN, _END = 0, 5, 10
_FRONT, _BACK = 1, 6
# SGR 38;2;r;g;b is the foreground, 48;2;r;g;b the background (ISO 8613-6); then the character.
_TEMPLATE = _words([b"\x1b[__", b"38;2", b";rrr", b";ggg", b";bbb", b";___",
                    b"48;2", b";rrr", b";ggg", b";bbb", b"m...", ])  # fmt: skip
# 38;5;n and 48;5;n: one of 256 colours.
_FEW = {_FRONT: _words([b"38;5"])[0], _BACK: _words([b"48;5"])[0]}
_ALL, _NONE = _words([b"\1\1\1\1", b"\0\0\0\0"])
_TWO, _ONE = _words([b"\1\1\0\0", b"\1\0\0\0"])
# Before it CUF, where there are cells that stay: it jumps over them.
_JUMP = _words([b"\x1b[__", b"_nnn", b"C___"])
_LEVELS = _words([b";%03d" % level for level in range(256)])
_SPOKEN = _words([bytes((1, level > 99, level > 9, 1)) for level in range(256)])
"""For `_LEVELS`, which bytes are no leading zeros."""
_COLUMNS = _words([b"_%03d" % count for count in range(1000)])
_SPOKEN_COLUMNS = _words([bytes((0, count > 99, count > 9, 1)) for count in range(1000)])


def escape_rows(
    cells: Cells, rows: list[int], changed: NDArray[np.bool_] | None = None
) -> list[str]:
    """What writes some rows of coloured cells, each from its first column.

    Args:
        cells: The canvas.
        rows: Which rows.
        changed: Which of their cells to write, [rows, columns]; None for all. A row without any
            gives an empty text.
    """
    if changed is None:
        changed = np.ones((len(rows), cells.characters.shape[1]), np.bool_)
    row, column = np.nonzero(changed)
    if not len(row):
        return [""] * len(rows)
    at = np.asarray(rows)[row], column
    front, back = cells.front[at], cells.back[at]
    first = np.ones(len(row), np.bool_)
    first[1:] = row[1:] != row[:-1]
    new_front, new_back = first | _differs(front), first | _differs(back)
    jumps = np.where(first, column, np.diff(column, prepend=0) - 1)
    template = np.concatenate((_JUMP, _TEMPLATE)) if jumps.any() else _TEMPLATE
    whole = np.empty((len(row), len(template)), np.uint32)
    whole[:] = template
    whole_kept = np.empty_like(whole)  # a 1 for each byte
    written, kept = whole[:, -len(_TEMPLATE) :], whole_kept[:, -len(_TEMPLATE) :]
    if len(template) > len(_TEMPLATE):
        _fill_jumps(jumps, whole, whole_kept)
    kept[:, _BEGIN] = np.where(new_front | new_back, _TWO, _NONE)
    kept[:, _BETWEEN] = np.where(new_front & new_back, _ONE, _NONE)
    for colours, new, place in ((front, new_front, _FRONT), (back, new_back, _BACK)):
        mask = np.where(new, _ALL, _NONE)
        kept[:, place] = mask
        if cells.are_few:
            _fill_number(colours, mask, written[:, place:], kept[:, place:], _FEW[place])
            continue
        for channel in range(3):
            levels = colours[:, channel]
            written[:, place + 1 + channel] = _LEVELS[levels]
            kept[:, place + 1 + channel] = _SPOKEN[levels] & mask
    last, last_kept = (words[:, _END, None].view(np.uint8) for words in (written, kept))
    last_kept[:, 0] = new_front | new_back
    _fill_characters(cells.characters[at], last[:, 1:], last_kept[:, 1:])
    shown = whole_kept.view(np.bool_)
    sizes = np.bincount(row, np.count_nonzero(shown, axis=1), len(rows)).astype(int)
    ends = np.cumsum(sizes).tolist()
    text = whole.view(np.uint8)[shown].tobytes()
    return [
        text[begin:end].decode() + _RESET if end > begin else ""
        for begin, end in zip([0, *ends], ends, strict=False)
    ]


def _fill_number(
    colours: NDArray[np.uint8], mask: Words, written: Words, kept: Words, kind: np.uint32
) -> None:
    """Write the number of a colour in place of its red, green and blue."""
    numbers = numbers_of(colours)
    written[:, 0] = kind
    written[:, 1] = _LEVELS[numbers]
    kept[:, 1] = _SPOKEN[numbers] & mask
    kept[:, 2:4] = 0


def _differs(colours: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which colours [n, 3] differ from the one before."""
    new = np.ones(len(colours), np.bool_)
    new[1:] = (colours[1:] != colours[:-1]).any(axis=1)
    return new


def _fill_jumps(jumps: NDArray[np.intp], written: Words, kept: Words) -> None:
    """Write how many columns are jumped over before each cell; nothing for none."""
    kept[:, : len(_JUMP)] = 0
    far = np.flatnonzero(jumps)
    columns = np.minimum(jumps[far], 999)
    written[far, 1] = _COLUMNS[columns]
    kept[far, 0] = _TWO
    kept[far, 1] = _SPOKEN_COLUMNS[columns]
    kept[far, 2] = _ONE


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

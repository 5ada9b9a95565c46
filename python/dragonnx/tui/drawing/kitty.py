"""Rows of pixels in Kitty's graphics protocol, on the terminal itself or within tmux.

https://sw.kovidgoyal.net/kitty/graphics-protocol/, its part on Unicode placeholders for tmux.
"""

from __future__ import annotations

import base64
import os
import zlib

from dragonnx.tui.drawing.raster import Raster

_UNDER_BACKGROUNDS = -1073741825
"""The z-index below which a picture lies under cells that have a background colour."""
_CHUNK = 4096
_PLACEHOLDER = "\U0010eeee"
_FIRST = "\u0305"
"""The diacritic of row or column 0; the cells behind go on by themselves."""


def kitty(pixels: Raster, columns: int, row: int) -> str:
    """A row [height, width, 3]; the cursor ends behind it.

    The cells are emptied first: the picture lies under those with a background.
    """
    sent = _sent(pixels, row, f"p=1,c={columns},r=1,C=1,z={_UNDER_BACKGROUNDS}")
    return f"\x1b[0m\x1b7{' ' * columns}\x1b8{''.join(sent)}\x1b8\x1b[{columns}C"


def kitty_in_tmux(pixels: Raster, columns: int, row: int) -> str:
    """The same through tmux: the picture goes past it, and characters of its own stand for it.

    Their colour is the picture's number, so that tmux moves and covers them as any text.
    """
    sent = "".join(map(past_tmux, _sent(pixels, row, f"U=1,c={columns},r=1")))
    number = _number(row)
    colour = f"\x1b[0;38;2;{number >> 16};{number >> 8 & 255};{number & 255}m"
    cells = f"{_PLACEHOLDER}{_FIRST}{_FIRST}{_PLACEHOLDER * (columns - 1)}"
    return f"{sent}{colour}{cells}\x1b[0m"


def past_tmux(escapes: str) -> str:
    """What tmux hands on to the terminal around it, where its option allow-passthrough says so."""
    doubled = escapes.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"


def without_kitty(rows: int) -> str:
    """Takes the pictures of so many rows off the screen."""
    return "".join(f"\x1b_Ga=d,d=I,i={_number(row)},q=2\x1b\\" for row in range(rows))


def _sent(pixels: Raster, row: int, placed: str) -> list[str]:
    """A picture and where it is placed, in parts as the protocol wants them."""
    height, width = pixels.shape[:2]
    content = base64.b64encode(zlib.compress(pixels.tobytes(), 1)).decode()
    facts = f"a=T,q=2,f=24,o=z,s={width},v={height},i={_number(row)},{placed},"
    chunks = [content[at : at + _CHUNK] for at in range(0, len(content), _CHUNK)]
    return [
        f"\x1b_G{facts if k == 0 else ''}m={int(k < len(chunks) - 1)};{chunk}\x1b\\"
        for k, chunk in enumerate(chunks)
    ]


def _number(row: int) -> int:
    """A row's picture: this process's own, and the same each time, so that a new one replaces it.

    It has 24 bits, as many as a colour.
    """
    return (os.getpid() & 0xFFF) << 12 | row + 1

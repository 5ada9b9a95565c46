"""Rows of pixels as iTerm2, WezTerm, mintty and others take them: https://iterm2.com/documentation-images.html."""

from __future__ import annotations

import base64
import io

from PIL import Image

from dragonnx.tui.drawing.raster import Raster


def iterm(pixels: Raster, columns: int, row: int) -> str:  # noqa: ARG001 as Kitty's
    """A row [height, width, 3] as a PNG that fills its cells; the cursor ends behind it."""
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG", compress_level=1)
    size = f"size={content.tell()};width={columns};height=1;preserveAspectRatio=0;inline=1"
    encoded = base64.b64encode(content.getvalue()).decode()
    return f"\x1b7\x1b]1337;File={size}:{encoded}\x07\x1b8\x1b[{columns}C"

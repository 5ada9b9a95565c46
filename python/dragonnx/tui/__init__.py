"""The terminal editor. The only part of dragonnx that knows Textual."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dragonnx.document import Document
    from dragonnx.types import DeviceName, Precision


_LONGEST_STEP = 5.0
"""Seconds that an editor ended from outside waits for the step that it is in."""


def edit(
    document: Document,
    file: Path | None = None,
    index: int = 0,
    device: DeviceName = "auto",
    precision: Precision = "auto",
) -> int:
    """Open the editor and return the exit code of the program.

    Args:
        document: What to begin with.
        file: A document, a saved picture or a latent to open then.
        index: Which of several latents in the file, from 0.
        device: Where to compute.
        precision: Of convolutions; "auto" is what the user's file of choices says.

    Raises:
        InputError: DRAGONNX_GRAPHICS says something that there is not.
    """
    import gc
    import os
    import sys

    # Textual paints at ticks of this rate; 60 of them a second add up to 17 ms to every key.
    os.environ.setdefault("TEXTUAL_FPS", "240")
    from dragonnx.tui.app import EditorApp
    from dragonnx.tui.asking import ask_terminal
    from dragonnx.tui.terminal import without_others

    # A key pressed while the worker holds the interpreter waits this long at most, not 5 ms.
    sys.setswitchinterval(0.001)
    shows = ask_terminal()
    if shows.truecolor:
        os.environ["COLORTERM"] = "truecolor"  # what Textual goes by
    app = EditorApp(document, file, index, device, precision, shows.graphics)
    # Collecting garbage among all that was imported would hold a key up for 50 ms.
    gc.freeze()
    with without_others():
        app.run()
        # What a step in progress would reach is not worth more than an end that was asked for.
        app.editor.join(_LONGEST_STEP if app.ended_outside else None)
    return app.return_code or 0

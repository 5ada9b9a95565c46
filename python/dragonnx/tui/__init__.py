"""The terminal editor. The only part of dragonnx that knows Textual."""

from __future__ import annotations

from pathlib import Path


def edit(
    file: Path | None = None, model: str | None = None, seed: int = 0, device: str = "auto"
) -> int:
    """Open the editor and return the exit code of the program.

    Args:
        file: A document, a saved picture or a latent to open.
        model: The model to begin with.
        seed: The picture to begin with.
        device: Where to compute.
    """
    import gc
    import os
    import sys

    # Textual paints at ticks of this rate; 60 of them a second add up to 17 ms to every key.
    os.environ.setdefault("TEXTUAL_FPS", "120")
    from dragonnx.tui.app import EditorApp
    from dragonnx.tui.terminal import find_graphics

    # A key pressed while the worker holds the interpreter waits this long at most, not 5 ms.
    sys.setswitchinterval(0.001)
    app = EditorApp(file=file, model=model, seed=seed, device=device, graphics=find_graphics())
    # Collecting garbage among all that was imported would hold a key up for 50 ms.
    gc.freeze()
    app.run()
    app.editor.join()
    return app.return_code or 0

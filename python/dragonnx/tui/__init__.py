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
    from dragonnx.tui.app import EditorApp

    app = EditorApp(file=file, model=model, seed=seed, device=device)
    app.run()
    return app.return_code or 0

"""An editor without a screen that edits, saves and exports until it is killed, and says what it was told.

Each edit's number is the document's seed, so that whoever finds a copy knows how old it is.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

from support.editor_runs import EditorRun

from dragonnx.document import Document, LatentStart
from dragonnx.editor.events import DocumentSaved, Exported

NAMES = ("one.dragonnx", "two.dragonnx")
PICTURE = "picture.png"
EDITS = 40
"""After which it ends as a user ends it."""


def edit(seed: int) -> None:
    """Edit in the working folder. A line "what number" says that this edit is kept, or saved."""
    rng = random.Random(seed)  # noqa: S311
    with EditorRun(Document(start=LatentStart(1))) as run:
        saved = exported = 0
        run.settled()
        for number in range(2, EDITS):
            run.editor.latent.use_seed(number)
            if rng.random() < 0.5:
                run.place((rng.randrange(256), rng.randrange(256)))
            if rng.random() < 0.7:
                assert run.state.autosave.flush(60)
                tell("autosaved", number)
            if rng.random() < 0.3:
                name = rng.choice(NAMES)
                run.editor.files.save(Path(name), replace=True)
                saved += 1
                run.received(DocumentSaved, saved)
                tell(name, number)
            if rng.random() < 0.1:
                run.editor.files.export("picture", Path(PICTURE), replace=True)
                exported += 1
                run.received(Exported, exported)
                tell(PICTURE, number)
        tell("left", EDITS)
    raise SystemExit(0)


def tell(what: str, number: int) -> None:
    """Say it at once: nothing that was said is lost with the process."""
    os.write(1, f"{what} {number}\n".encode())

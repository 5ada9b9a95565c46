"""What a stranger may write where a name is expected, and a model full of it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from dragonnx.model.library import find_bundle

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202egnp\u2066\u200b\u2028"
"""Sets the window's title, clears the screen, colours (C1), deletes, turns and breaks the line."""
SHOWN_ESCAPES = r"\x1b]0;owned\x07\x1b[2J\x9b31m\x7f\u202egnp\u2066\u200b\u2028"
MARKUP = "[red]x[/red][@click=app.quit]y[/]"
NAME = f"{ESCAPES}{MARKUP}".replace("/", "|")
"""Fit for a file's name."""
SHOWN_NAME = f"{SHOWN_ESCAPES}{MARKUP}".replace("/", "|")
COMMANDS = (
    "\x1b]0;owned",
    "\x1b[2J\x9b",
    "\x9b31m",
    "\u202e",
    "\u2066",
    "\u200b",
    "\u2028",
    "\x7f",
)
"""Parts of those that a program must never send, whatever escapes it has of its own."""


def hostile_bundle(folder: Path) -> Path:
    """A copy of the bundled model, of which every text is a stranger's, in a folder so named."""
    bundle = folder / NAME
    shutil.copytree(find_bundle("critters"), bundle)
    path = bundle / "manifest.json"
    facts = json.loads(path.read_text("utf-8"))
    text = f"{ESCAPES}{MARKUP}\nsecond line"
    facts["name"] = text
    facts["source"] |= {"format": text, "licence": text, "note": text}
    facts["versions"] = {"numpy": text}
    path.write_text(json.dumps(facts), "utf-8")
    return bundle


def assert_harmless(written: bytes | str) -> None:
    """Refuse output in which something of a stranger's still commands or hides."""
    text = written if isinstance(written, str) else written.decode("utf-8", "replace")
    found = [part for part in COMMANDS if part in text]
    assert not found, f"{found} of {text[:3000]!r}"

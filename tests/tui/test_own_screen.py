"""The editor's screen is the editor's: libraries print nothing across it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from dragonnx.tui.terminal import without_others

if os.name == "nt":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from support.pseudo_terminal import PseudoTerminal

LINE = b"Using code not yet in table"
"""What libtiff prints, with the name of a temporary file."""


def test_a_damaged_tiff_prints_nothing_on_the_screen(tmp_path: Path) -> None:
    path = tmp_path / "photo.tif"
    Image.effect_noise((64, 64), 90).save(path, compression="tiff_lzw")
    content = bytearray(path.read_bytes())
    content[40:1000] = b"\x55" * 960
    path.write_bytes(content)
    read = "import sys; from PIL import Image; Image.open(sys.argv[1]).load()"
    alone = subprocess.run([sys.executable, "-c", read, path], capture_output=True, check=False)
    assert LINE in alone.stderr, "else there is nothing to keep from the screen"
    command = [sys.executable, "-m", "dragonnx.cli", "edit", path.name]
    with PseudoTerminal(command, dict(os.environ), tmp_path) as terminal:
        terminal.wait("cannot be read")
        terminal.press("q")
        assert terminal.end() == 0
    assert LINE not in terminal.written


def test_afterwards_all_is_as_before(capfd: pytest.CaptureFixture[str]) -> None:
    before = sys.stderr, sys.__stderr__
    with pytest.raises(KeyError), without_others():  # noqa: PT012 what is written counts
        sys.stderr.write("the editor\n")
        sys.__stderr__.write("Textual\n")
        os.write(2, b"a library\n")
        raise KeyError
    os.write(2, b"a library afterwards\n")
    assert (sys.stderr, sys.__stderr__) == before
    assert capfd.readouterr().err == "the editor\nTextual\na library afterwards\n"

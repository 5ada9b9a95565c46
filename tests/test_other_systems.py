"""dragonnx where nothing of Unix is to be had, as on Windows, and where consoles are poor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED
from support.other_system import dragonnx_without_unix, without_unix

from dragonnx.media import read_recipe


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STATE", "CONFIG", "MODELS"):
        monkeypatch.setenv(f"DRAGONNX_{name}", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)


def test_what_is_hidden_is_hidden() -> None:
    for code in ("import fcntl", "import termios", "os.pwrite", "os.umask", "open('a', 'w')"):
        assert without_unix(f"exec({code!r}, {{'os': os, '__name__': 'dragonnx'}})").returncode == 1
    assert without_unix("import select, signal, tempfile, subprocess").returncode == 0


def test_every_module_is_imported() -> None:
    # The driver is Textual's for Unix with other ends; elsewhere the editor leaves Textual's own.
    done = without_unix(
        "import importlib, pkgutil, dragonnx\n"
        "for found in pkgutil.walk_packages(dragonnx.__path__, 'dragonnx.'):\n"
        "    if not found.name.endswith(('__main__', 'tui.driver')):\n"
        "        importlib.import_module(found.name)\n"
        "        print(found.name)\n"
    )
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 60


def test_the_command_line() -> None:
    drag = ("drag", "--seed", SEED, "--max-steps", 2, "-o", "dragged.png", "--report", "r.json")
    point = ",".join(map(str, NOSE)) + ":" + ",".join(map(str, NOSE_TARGET))
    for arguments in (
        ("--help",),
        ("generate", "--seed", SEED, "-o", "seed.png"),
        (*drag, "--point", point, "--latent-out", "dragged.npz"),
        ("models",),
        ("doctor",),
    ):
        done = dragonnx_without_unix(*map(str, arguments))
        assert done.returncode == 0, (arguments, done.stderr)
    assert read_recipe(Path("dragged.png"))["start"]["seed"] == SEED
    refused = dragonnx_without_unix("edit")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "needs a terminal" in refused.stderr


def test_models_are_added_and_removed() -> None:
    from dragonnx.model.library import find_bundle

    critters = find_bundle("critters")
    assert dragonnx_without_unix("models", "add", critters, "--name", "zoo").returncode == 0
    replaced = dragonnx_without_unix("models", "add", critters, "--name", "zoo", "--overwrite")
    assert replaced.returncode == 0, replaced.stderr
    assert dragonnx_without_unix("models", "remove", "zoo").returncode == 0
    assert list(Path("models").iterdir()) == []


def test_documents_are_saved_opened_autosaved_and_recovered() -> None:
    point = f"Document().with_point({NOSE})"
    killed = without_unix(
        "from pathlib import Path\nfrom dragonnx.document import *\n"
        f"save_document({point}, Path('a.dragonnx'))\n"
        "document = open_document(Path('a.dragonnx'))\n"
        "mine = Recovery(); mine.save(document, Path('a.dragonnx')); mine.save(document)\n"
        "other = Recovery(); other.save(document); other.clear()\n"
        "os.kill(os.getpid(), 9)\n"
    )
    assert killed.returncode != 0
    assert "Traceback" not in killed.stderr
    recovered = without_unix(
        "from dragonnx.document import *\n"
        "recovery = Recovery()\n"
        "(work,) = recovery.lost()\n"
        "print(recovery.recover(work).pairs[0].handle)\n"
        "recovery.discard(work)\n"
    )
    assert recovered.stdout.strip() == str(tuple(map(float, NOSE))), recovered.stderr
    assert list((Path("state") / "autosave").iterdir()) == []


def test_the_editor_draws_and_remembers() -> None:
    done = without_unix(
        "import asyncio\n"
        "import PIL.Image, dragonnx.runtime.ort\n"
        "dragonnx.runtime.ort.onnxruntime()  # before the system's name is another one\n"
        "sys.path.insert(0, sys.argv[1])\n"
        "from support.terminal_editor import TerminalEditor\n"
        "from dragonnx.tui.preferences import Preferences\n"
        "from dragonnx.tui.asking import ask_terminal\n"
        "from dragonnx.tui.terminal import cell_size\n"
        "async def main():\n"
        "    async with TerminalEditor(graphics=ask_terminal().graphics) as editor:  # its first picture is drawn\n"
        "        await editor.place((10, 10))\n"
        "        editor.state.autosave.flush()\n"
        "        print(editor.screen.canvas.mode.name, cell_size(), len(editor.document.pairs))\n"
        "sys.platform = 'win32'\n"
        "asyncio.run(main())\n"
        "print(Preferences.load()[1] or 'kept')\n",
        Path(__file__).parent,
        WT_SESSION="a terminal of Windows",
        OS="Windows_NT",
        TEXTUAL_DRIVER="textual.drivers.headless_driver:HeadlessDriver",
    )
    assert done.stdout.splitlines() == ["HALF_BLOCKS None 1", "kept"], done.stderr


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_a_console_that_lacks_characters_gets_escapes(
    encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    folder = Path("models") / "模型"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text("{", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "dragonnx.cli", "models"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    shown = "模型" if encoding == "utf-8" else "\\u6a21\\u578b"
    assert shown in done.stdout.decode(encoding)

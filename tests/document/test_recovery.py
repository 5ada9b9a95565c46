"""Autosave, and what a killed editor left."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from support.documents import same

from dragonnx.document import Document, Recovery, save_document
from dragonnx.errors import InputError


def test_recovery_finds_only_what_dead_editors_left(tmp_path, dragged):
    save_document(dragged, tmp_path / "start.dragonnx")
    killed = (
        "import os; from pathlib import Path; from dragonnx.document import *; "
        "document = open_document(Path('start.dragonnx')); "
        "Recovery(Path()).save(document, Path('cat.dragonnx')); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", killed], cwd=tmp_path, check=False)
    (tmp_path / "start.dragonnx").unlink()
    other = Recovery(tmp_path, os.getppid())
    other.save(dragged)
    mine = Recovery(tmp_path)
    mine.save(Document())
    lost = mine.lost()
    assert len(lost) == 1
    assert lost[0].saved_as == tmp_path / "cat.dragonnx"
    assert same(mine.recover(lost[0]), dragged)
    mine.discard(lost[0])
    assert mine.lost() == []
    mine.clear()
    other.clear()
    assert not list(tmp_path.glob(f"{os.getpid()}*"))


def test_recovery_says_when_the_disk_refuses(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="autosave"):
        Recovery(tmp_path / "file" / "autosave").save(Document())
    assert Recovery(tmp_path / "file" / "autosave").lost() == []

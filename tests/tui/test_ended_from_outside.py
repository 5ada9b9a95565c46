"""The terminal is gone, or the system ends the editor: it ends, and the work is kept."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import pytest

from dragonnx.document import Document, LatentStart, Recovery, save_document
from dragonnx.drag.config import DragConfig

if os.name == "nt":
    pytest.skip("there are no pseudo-terminals", allow_module_level=True)

from support.bundled import NOSE, NOSE_TARGET, SEED
from support.pseudo_terminal import PseudoTerminal

ENDS = 60.0
"""Seconds. It takes less than one; a busy machine takes long."""
ENDLESS = DragConfig(preset="paper", step_size=1e-6, max_steps=10**6)


@pytest.fixture
def terminal(tmp_path):
    """An editor that drags without an end, and has told of some steps."""
    document = Document(start=LatentStart(SEED), config=ENDLESS)
    save_document(document.with_point(NOSE).with_point(NOSE_TARGET), tmp_path / "cat.dragonnx")
    command = [sys.executable, "-m", "dragonnx.cli", "edit", "cat.dragonnx", "--device", "cpu"]
    with PseudoTerminal(command, dict(os.environ), tmp_path) as terminal:
        terminal.wait("Opened cat")
        terminal.press(" ")
        terminal.wait("steps/s")
        yield terminal


HANGING = """
import sys, hashlib
import dragonnx.tui.driver as driver
from dragonnx.cli import main
from dragonnx.tui.screens.editor import EditorScreen
driver.LONGEST_END = 1
# In C and for hours: no handler of Python's runs meanwhile.
FOREVER = lambda: hashlib.pbkdf2_hmac("sha1", b"", b"", 2**31 - 1)
EditorScreen.action_help = lambda _self: print("hangs", file=sys.__stdout__, flush=True) or FOREVER()
sys.argv = ["dragonnx", "edit", "--device", "cpu"]
main()
"""


def test_a_signal_ends_an_editor_that_hangs(tmp_path):
    with PseudoTerminal([sys.executable, "-c", HANGING], dict(os.environ), tmp_path) as terminal:
        terminal.wait("critters on cpu")
        terminal.press("n")
        terminal.wait("Seed 1")
        terminal.press("\x1bOP")
        terminal.wait("hangs")
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.process.wait(ENDS) == 128 + signal.SIGTERM
    (work,) = Recovery().lost()
    assert Recovery().recover(work).start.seed == 1


def check_kept(file: Path = Path("cat.dragonnx")) -> None:
    (work,) = Recovery().lost()
    document = Recovery().recover(work)
    assert document.result.steps > 0, "what the drag reached is kept, not only what was before it"
    assert work.saved_as.name == file.name


def test_a_terminal_that_is_gone_ends_the_editor(terminal):
    terminal.hang_up()
    assert terminal.process.wait(ENDS) == 128 + signal.SIGHUP
    check_kept()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_editor_though_nobody_reads_what_it_writes(terminal, number):
    time.sleep(1)  # the buffers between are full
    terminal.process.send_signal(number)
    assert terminal.process.wait(ENDS) == 128 + number
    check_kept()


def test_a_signal_ends_the_editor_in_a_dialog_and_leaves_the_terminal_as_it_was(terminal):
    terminal.press("s")
    terminal.wait("Enter accepts")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 128 + signal.SIGTERM
    assert b"\x1b[?1049l\x1b[?25h" in terminal.written[-200:], "the screen that was before"
    check_kept()

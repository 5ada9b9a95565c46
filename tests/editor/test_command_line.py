"""The command of a drag says what the editor would do, in options that there are."""

from __future__ import annotations

import inspect
import shlex
from dataclasses import replace

import numpy as np
import pytest

from dragonnx.cli.drag import drag
from dragonnx.document import LatentStart
from dragonnx.document.start import Along
from dragonnx.drag.config import DragConfig
from dragonnx.editor.command_line import command_of
from dragonnx.errors import InputError
from dragonnx.model.motion import Motion


def test_the_command_says_all_of_the_drag(run):
    run.place((20, 20), (26, 20), (5, 6), (7, 8))
    run.editor.latent.use_psi(0.5)
    config = DragConfig(preset="released", space="w", step_size=0.02, max_steps=9, r1=3.0, r2=12.0)
    run.editor.drag.use_settings(replace(config, trainable_layers=2, lambda_mask=7.0))
    run.state.apply("a mask", run.document.with_mask(np.eye(48, 64, dtype=bool)))
    run.editor.points.select(1)
    run.editor.points.switch()
    command, note = command_of(run.state)
    words = shlex.split(command)
    assert words[:2] == ["dragonnx", "drag"]
    told = dict(zip(words[2::2], words[3::2], strict=True))
    assert told.pop("-o") == "dragged.png"
    assert told == {
        "--model": "sliding", "--seed": "40", "--truncation-psi": "0.5", "--point": "20,20:26,20",
        "--preset": "released", "--space": "w", "--step-size": "0.02", "--max-steps": "9",
        "--r1": "3.0", "--r2": "12.0", "--trainable-layers": "2", "--lambda-mask": "7.0",
        "--mask": "mask.png",
    }  # fmt: skip
    assert {name[2:].replace("-", "_") for name in told} <= set(inspect.signature(drag).parameters)
    assert note == "export the mask as mask.png"


def test_a_mask_s_weight_is_not_told_without_the_mask(run):
    """`dragonnx drag` refuses it there, and the drag is the same."""
    run.place((20, 20), (26, 20))
    run.editor.drag.use_settings(DragConfig(lambda_mask=7.0))
    command, note = command_of(run.state)
    assert "lambda" not in command
    assert note == ""


def test_a_dragged_handle_is_told_where_it_was_set(run):
    run.place((20, 20), (26, 20))
    run.drag_to_the_end()
    assert "--point 20,20:26,20" in command_of(run.state)[0]


def test_a_start_that_went_along_and_was_turned_is_told_to_the_last_digit(run):
    way = Along("pc0", 0.1234567891, np.zeros((1, 3, 2), np.float32))
    start = LatentStart(40, directions=(way,), motion=Motion(-30.5, (-2, 1.23456789)))
    run.place((20, 20), (26, 20))
    run.state.apply("turn it", replace(run.document, start=start))
    words = shlex.split(command_of(run.state)[0])
    told = dict(zip(words[2::2], words[3::2], strict=True))
    assert told["--direction"] == "pc0:0.1234567891"
    assert (told["--rotate"], told["--translate"]) == ("-30.5", "-2,1.23456789")


def test_what_the_command_cannot_say_is_noted_or_refused(run):
    with pytest.raises(InputError, match="no drag"):
        command_of(run.state)
    run.place((20, 20), (26, 20))
    run.state.apply("a mask", run.document.with_mask(np.eye(48, 64, dtype=bool)))
    run.editor.drag.use_settings(DragConfig(stop_distance=2.0))
    command, note = command_of(run.state)
    assert "--mask mask.png" in command
    assert "export the mask" in note
    assert "stop distance" in note
    latent = LatentStart(w_plus=np.zeros((1, 3, 2), np.float32))
    run.state.apply("a latent", replace(run.document, start=latent))
    with pytest.raises(InputError, match="save the document first"):
        command_of(run.state)

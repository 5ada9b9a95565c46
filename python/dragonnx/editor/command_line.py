"""The command that makes this edit outside the editor, for scripts and other machines."""

from __future__ import annotations

import shlex
from dataclasses import fields

from dragonnx.document.directions import Direction
from dragonnx.drag.config import DragConfig
from dragonnx.editor.state import EditorState
from dragonnx.errors import InputError
from dragonnx.model.labels import label_text

_NO_OPTION = "stop_distance"
"""A setting that documents have and `dragonnx drag` has no option for."""
_OF_MASK = "lambda_mask"
"""A setting that `dragonnx drag` takes beside a mask alone, and that does nothing without one."""


def command_of(state: EditorState) -> tuple[str, str]:
    """The command of the document's drag, and what it does not say of itself; empty where it says all.

    Raises:
        InputError: Nothing is to be dragged, or the start is in no file.
    """
    document, config = state.document, state.document.config
    if not document.complete_pairs:
        raise InputError("there is no drag to write down yet: place a handle point and its target")
    start, notes = _start(state)
    words = ["dragonnx", "drag", "--model", document.model, *start]
    for pair in document.complete_pairs:
        assert pair.target is not None, "or it would take no part"  # noqa: S101
        words += ["--point", f"{_place(pair.first)}:{_place(pair.target)}"]
    for field in fields(DragConfig):
        value = getattr(config, field.name)
        if value == field.default or (field.name == _OF_MASK and document.mask is None):
            continue
        if field.name == _NO_OPTION:
            notes.append("the stop distance has no option")
        else:
            words += [f"--{field.name.replace('_', '-')}", f"{value}"]
    if document.mask is not None:
        words += ["--mask", "mask.png"]
        notes.append("export the mask as mask.png")
    words += ["-o", "dragged.png"]
    return shlex.join(words), "; ".join(notes)


def _start(state: EditorState) -> tuple[list[str], list[str]]:
    """The options that say what the drag starts from, and what they do not say."""
    start = state.document.start
    if start.w_plus is not None:
        if state.path is None:
            raise InputError(
                "the picture starts from a latent: save the document first with Ctrl+S"
            )
        return ["--latent", f"{state.path}"], []
    words, notes = ["--seed", f"{start.seed}"], []
    if start.truncation_psi is not None:
        words += ["--truncation-psi", _number(start.truncation_psi)]
    if start.label is not None:
        words += ["--label", label_text(start.label)]
    moved = [each for each in start.directions if each.amount]
    for each in moved:
        words += ["--direction", f"{each.name}:{_number(each.amount)}"]
    if (motion := start.motion) is not None:
        words += ["--rotate", _number(motion.rotation)]
        words += ["--translate", ",".join(map(_number, motion.translation))]
    if not all(Direction(each.name, 1.0).is_own for each in moved):
        notes.append("directions of files are named without their folder")
    return words, notes


def _number(value: float) -> str:
    """As short as it reads back the same."""
    return short if float(short := f"{value:g}") == value else repr(value)


def _place(point: tuple[float, float]) -> str:
    return ",".join(f"{value:.2f}".rstrip("0").rstrip(".") for value in point)

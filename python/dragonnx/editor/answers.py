"""What users type where they are asked, turned into values; nonsense is refused in one sentence."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dragonnx.drag.config import DragConfig
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.errors import InputError
from dragonnx.inversion.config import InversionConfig
from dragonnx.media import LOSSLESS
from dragonnx.model.labels import (
    SEVERAL,
    CheckedLabel,
    checked_label,
    class_weights,
    label_of_text,
)
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.paths import typed_path, usable

if TYPE_CHECKING:
    from dragonnx.inversion.window import Box

_SENSIBLE_PSI = 2.0
"""Of either sign: pictures farther from the average show nothing."""

SETTINGS: tuple[tuple[str, str, type], ...] = (
    ("preset", "Preset: best, paper or released", str),
    ("space", "Space: w+ or w", str),
    ("step_size", "Step size", float),
    ("lambda_mask", "Lambda of the mask", float),
    ("r1", "r1, patch radius at 512 px", float),
    ("r2", "r2, tracking window at 512 px", float),
    ("stop_distance", "Stop distance in pixels", float),
    ("max_steps", "Step limit", int),
    ("trainable_layers", "Trainable layers", int),
)
"""Settings of a drag: name in `DragConfig`, label, type."""

PHOTO_SETTINGS = (
    ("space", "Space: w+ (closer) or w (plainer)"),
    ("steps", "Steps"),
    ("fit", "Another shape: crop or pad"),
    ("face", "Face: its landmarks, or an .onnx"),
)
"""Choices for an inversion: name, label."""


def seed_of(text: str) -> int:
    """A seed.

    Raises:
        InputError: It is none.
    """
    return _whole_number(text, LARGEST_SEED)


def label_of(text: str, count: int) -> CheckedLabel:
    """A class of so many, several, or several with weights.

    Raises:
        InputError: It is none.
    """
    expected = f"expected: a whole number from 0 to {count - 1}, {SEVERAL}"
    try:
        found = checked_label(label_of_text(text))
    except InputError as error:
        raise InputError(expected) from error
    if any(each >= count for each, _ in class_weights(found)):
        raise InputError(expected)
    return found


def psi_of(text: str) -> float | None:
    """Truncation psi; None, the model's, where nothing is typed.

    Raises:
        InputError: It is no number, or out of range.
    """
    if not text.strip():
        return None
    try:
        psi = float(text)
    except ValueError:
        raise InputError("expected: a number, such as 0.7") from None
    return sensible_psi(psi)


def sensible_psi(psi: float) -> float:
    """A truncation psi that makes sense.

    Raises:
        InputError: It does not.
    """
    if not -_SENSIBLE_PSI <= psi <= _SENSIBLE_PSI:
        raise InputError(f"expected: from -{_SENSIBLE_PSI:g} to {_SENSIBLE_PSI:g}")
    return psi


def settings_of(texts: Mapping[str, str], most_layers: int) -> DragConfig:
    """The settings of a drag, by the names in `SETTINGS`; an empty text leaves one to the model.

    Raises:
        InputError: One of them cannot be used.
    """
    values: dict[str, object] = {}
    for name, label, kind in SETTINGS:
        text = texts[name].strip()
        if not text and kind is not str:
            continue
        try:
            values[name] = kind(text)
        except ValueError:
            what = "a whole number" if kind is int else "a number"
            point = ", with a point in place of the comma" * ("," in text)
            raise InputError(f"{label}: {what} is expected{point}") from None
    return fitting_settings(DragConfig(**values), most_layers)  # type: ignore[arg-type]


def fitting_settings(config: DragConfig, most_layers: int) -> DragConfig:
    """Settings that a model can be dragged with.

    Raises:
        InputError: More layers than the model can move.
    """
    layers = config.trainable_layers
    if layers is not None and layers > most_layers:
        raise InputError(f"Trainable layers: at most {most_layers} for this model, not {layers}")
    return config


def photo_settings_of(
    texts: Mapping[str, str], path: Path = Path(), box: Box | None = None
) -> PhotoRequest:
    """How to invert a photo, by the names in `PHOTO_SETTINGS`, and the part of it that was chosen.

    Raises:
        InputError: One of them cannot be used.
    """
    space, steps, fit = (texts[name].strip().lower() for name in ("space", "steps", "fit"))
    if fit not in ("crop", "pad"):
        raise InputError("Another shape: crop or pad is expected")
    try:
        count = _integer(steps)
    except ValueError:
        raise InputError("Steps: a whole number is expected") from None
    config = InversionConfig(space=space, steps=count)  # type: ignore[arg-type]
    face = existing_file(texts["face"]) if texts["face"].strip() else None
    if box is not None and face is not None:
        raise InputError(
            "A face is cut by its landmarks: leave that line empty, or take no crop box"
        )
    return PhotoRequest(path, config, "pad" if fit == "pad" else "crop", face, box)


def quality_of(text: str) -> int | None:
    """The quality of a JPEG or WebP; None, the usual one, where nothing is typed.

    Raises:
        InputError: It is none.
    """
    if not text.strip():
        return None
    with contextlib.suppress(ValueError):
        if 1 <= (quality := _integer(text.strip())) <= LOSSLESS:
            return quality
    raise InputError(f"Quality: a whole number from 1 to {LOSSLESS} is expected")


def frames_of(text: str) -> int:
    """How many pictures an animation has.

    Raises:
        InputError: It is no number.
    """
    try:
        return _integer(text.strip())
    except ValueError:
        raise InputError("Pictures: a whole number is expected") from None


def yes_or_no(text: str) -> bool:
    """Whether it says yes.

    Raises:
        InputError: It says neither.
    """
    answers = {"yes": True, "y": True, "no": False, "n": False}
    try:
        return answers[text.strip().lower()]
    except KeyError:
        raise InputError("yes or no is expected") from None


def existing_file(text: str, what: str = "a file's name") -> Path:
    """The path of a file that is there.

    Raises:
        InputError: Nothing was typed, or there is no such file.
    """
    path = _path(text, what)
    with usable(path):
        if path.is_dir():
            raise InputError(f"{path} is a folder: name a file in it")
        if not path.is_file():
            raise InputError(f"There is no file {path}")
    return path


def new_file(text: str, suffixes: tuple[str, ...]) -> Path:
    """The path of a file to write; the first suffix is added where there is none.

    Raises:
        InputError: Nothing was typed, it ends in something else, or its folder is not there.
    """
    path = _path(text, "a file's name")
    with usable(path):
        if path.suffix == "" and not path.is_dir():
            path = path.with_name(path.name + suffixes[0])
    return checked_target(path, suffixes)


def checked_target(path: Path, suffixes: tuple[str, ...]) -> Path:
    """A path that a file can be written to.

    Raises:
        InputError: It ends in something else, is a folder, or its folder is not there.
    """
    with usable(path):
        if path.is_dir():
            raise InputError(f"{path} is a folder: name a file in it")
        if path.suffix.lower() not in suffixes:
            raise InputError(f"It must end in {' or '.join(suffixes)}")
        if not path.parent.is_dir():
            raise InputError(f"There is no folder {path.parent}")
    return path


def _path(text: str, what: str) -> Path:
    if not text.strip():
        raise InputError(f"Type {what}")
    return typed_path(text.strip())


def _whole_number(text: str, largest: int) -> int:
    try:
        value = _integer(text.strip())
    except ValueError:
        value = largest + 1
    if value > largest:
        raise InputError(f"expected: a whole number from 0 to {largest}")
    return value


def _integer(digits: str) -> int:
    """A number of digits alone; ValueError for other texts, and for more than Python reads."""
    if not digits.isdecimal():
        raise ValueError(digits)
    return int(digits)

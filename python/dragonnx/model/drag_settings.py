"""The settings of a drag for which a bundle may say what suits its model, and their ranges.

What a user asks for has the same ranges: `dragonnx.drag.config` takes them from here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dragonnx.errors import InputError
from dragonnx.reading.values import number, positive, shown, whole

LARGEST_STEP_SIZE = 1e38
"""float32, in which latents are, ends soon after."""
LARGEST_DISTANCE = 1e6
"""Pixels: beyond any image, and still a whole number of 32 bits where it is scaled to one."""
LARGEST_WEIGHT = 1e6
"""Of a penalty: nothing else counts long before."""
MOST_STEPS = 10**6
"""More than anybody waits for, and what each one did is kept."""
MOST_LAYERS = 1000
"""More w's than any model has."""

_CHECKS: Mapping[str, Callable[[object, str], float]] = {
    "step_size": lambda value, name: positive(value, name, LARGEST_STEP_SIZE),
    "lambda_mask": lambda value, name: number(value, name, 0, LARGEST_WEIGHT),
    "r1": lambda value, name: positive(value, name, LARGEST_DISTANCE),
    "r2": lambda value, name: positive(value, name, LARGEST_DISTANCE),
    "max_steps": lambda value, name: whole(value, name, 1, MOST_STEPS),
    "trainable_layers": lambda value, name: whole(value, name, 1, MOST_LAYERS),
}
DRAG_SETTINGS = tuple(_CHECKS)
"""Their names."""


def checked_setting(name: str, value: object) -> float:
    """The value of a setting, in its range; of one that counts something, a whole number.

    Args:
        name: Of the setting, or PRESET.NAME where it is for one preset alone, whichever that is.
        value: What it is to be.

    Raises:
        InputError: It is out of range or of another type, or there is no such setting.
    """
    preset, dot, setting = name.rpartition(".")
    if setting not in _CHECKS or (dot and not preset.isidentifier()):
        raise InputError(f"there is no drag setting {shown(name)}")
    return _CHECKS[setting](value, name)

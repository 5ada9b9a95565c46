"""Which class a conditional model draws: one, several, or several with weights. Checked here alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from dragonnx.errors import InputError
from dragonnx.model.facts import LARGEST_LABEL
from dragonnx.reading.values import number, shown, whole
from dragonnx.types import Float32

Label: TypeAlias = int | Sequence[int] | Mapping[int, float] | Sequence[tuple[int, float]]
"""A class, several, or several with weights, as users give it."""
ClassWeights: TypeAlias = tuple[tuple[int, float], ...]
CheckedLabel: TypeAlias = int | ClassWeights
"""A class, or classes with their weights, in the order of the classes."""

_MOST_CLASSES = 1000
"""Of one label; more than anybody types."""
_PART = re.compile(r"\s*([+-]?\d{1,9})\s*(?::\s*([\d.eE+-]{1,30})\s*)?", re.ASCII)
SEVERAL = "several as 0,3, or with weights as 0:0.7,3:0.3"
FORMS = f"3, {SEVERAL}"
"""How a label is typed, for users."""


def checked_label(label: object) -> CheckedLabel:
    """A label, whichever model it is for.

    Args:
        label: A class; several, each of weight 1, as pictures that are of all of them; or weights by
            class, from 0 to 1, as `{0: 0.7, 3: 0.3}`. What this returned is taken too.

    Raises:
        InputError: A class is none or comes twice, a weight is none, or there is nothing in it.
    """
    given = label.tolist() if isinstance(label, np.ndarray) else label
    if isinstance(given, Mapping):
        parts: list[tuple[object, ...]] = [_named(key, each) for key, each in given.items()]
    elif isinstance(given, list | tuple):
        parts = [tuple(each) if isinstance(each, list | tuple) else (each, 1.0) for each in given]
    else:
        return whole(given, "label", 0, LARGEST_LABEL)
    if not 0 < len(parts) <= _MOST_CLASSES:
        raise InputError(f"label must name 1 to {_MOST_CLASSES} classes, not {len(parts)}")
    weights: dict[int, float] = {}
    for part in parts:
        if len(part) != 2:
            raise InputError(f"label must hold classes, or classes with weights, not {shown(part)}")
        chosen = whole(part[0], "label", 0, LARGEST_LABEL)
        if chosen in weights:
            raise InputError(f"label names class {chosen} twice")
        weights[chosen] = number(part[1], f"the weight of class {chosen}", 0, 1)
    if not sum(weights.values()):
        raise InputError("label gives every class the weight 0, so it chooses none")
    if len(weights) == 1 and 1.0 in weights.values():
        return next(iter(weights))
    return tuple(sorted(weights.items()))


def fitting_label(label: object, model: str, classes: int) -> CheckedLabel | None:
    """A label of a model; None for a model without classes, whose label must be None.

    Args:
        label: As `checked_label` takes it, or None where none was given.
        model: The model's name, for messages.
        classes: How many it has.

    Raises:
        InputError: The label is none, is missing, or names a class that the model does not have.
    """
    if not classes:
        if label is not None:
            raise InputError(f"the model {model} has no classes to choose from")
        return None
    needs = f"the model {model} has {classes} classes and needs a label from 0 to {classes - 1}"
    if label is None:
        raise InputError(
            f"{needs}: choose by --label, as {FORMS}; in Python by label=3, [0, 3] or {{0: 0.7, 3: 0.3}}"
        )
    try:
        found = checked_label(label)
    except InputError as error:
        if isinstance(label, Mapping | list | tuple | np.ndarray):
            raise
        raise InputError(f"{needs}, not {shown(label)}") from error
    for each, _ in class_weights(found):
        if each >= classes:
            raise InputError(f"{needs}, not {each}")
    return found


def class_weights(label: CheckedLabel) -> ClassWeights:
    """The classes of a label, each with its weight."""
    return label if isinstance(label, tuple) else ((label, 1.0),)


def label_row(label: CheckedLabel, classes: int) -> Float32:
    """What the mapping network takes for a label, [1, classes]: 0 but for the label's weights."""
    row = np.zeros((1, classes), np.float32)
    for each, weight in class_weights(label):
        row[0, each] = weight
    return row


def label_of_text(text: str) -> Label:
    """A label as users type it: `3`, `0,3`, `0:0.7,3:0.3`. A class without a weight has weight 1.

    What is typed may still be a class that no model has: `checked_label` and `fitting_label` tell.

    Raises:
        InputError: It is none.
    """
    found = [_PART.fullmatch(part) for part in text.split(",")]
    parts = []
    for match in found:
        if match is None:
            raise InputError(f"a label is typed as {FORMS}, not {shown(text)}")
        try:
            parts.append((int(match[1]), float(match[2] or 1)))
        except ValueError as error:
            raise InputError(f"a label is typed as {FORMS}, not {shown(text)}") from error
    alone = len(parts) == 1 and parts[0][1] == 1
    return parts[0][0] if alone else parts


def label_text(label: Label | None) -> str:
    """A label as `label_of_text` reads it; where none was chosen, the first class."""
    weights = class_weights(0 if label is None else checked_label(label))
    return ",".join(str(each) if weight == 1 else f"{each}:{weight!r}" for each, weight in weights)


def label_facts(label: Label | None) -> int | dict[str, float] | None:
    """A label as JSON, which `checked_label` takes."""
    found = None if label is None else checked_label(label)
    return {str(each): weight for each, weight in found} if isinstance(found, tuple) else found


def _named(key: object, weight: object) -> tuple[object, object]:
    """A class and its weight, where JSON has only texts for names."""
    is_name = isinstance(key, str) and len(key) < 10 and key.isascii() and key.isdecimal()
    return (int(str(key)) if is_name else key), weight

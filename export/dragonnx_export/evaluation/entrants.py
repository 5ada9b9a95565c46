"""What is compared: a preset, or one with settings changed, written as one line."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from dragonnx.drag.config import PRESETS, DragConfig
from dragonnx.errors import InputError

BASELINE = "released"
"""The entrant of every table that the others are compared with."""
ABLATIONS = ("paper space=w", "paper trainable_layers=4", "paper trainable_layers=8")
"""Beside those of radii, which depend on the model's."""

_NAMES = tuple(field.name for field in fields(DragConfig) if field.name not in {"preset"})


@dataclass(frozen=True)
class Entrant:
    """A way to drag.

    Attributes:
        name: As the user wrote it: `paper`, or `paper space=w r1=10`.
        config: What that asks for.
    """

    name: str
    config: DragConfig

    @classmethod
    def parse(cls, text: str) -> Entrant:
        """The entrant of its name.

        Raises:
            InputError: The first word is no preset, or another no setting of a drag.
        """
        first, *assignments = text.split() or [""]
        preset = next((name for name in PRESETS if name == first), None)
        if preset is None:
            raise InputError(
                f"an entrant begins with a preset ({', '.join(PRESETS)}), not with {first!r}"
            )
        chosen: dict[str, Any] = {}
        for assignment in assignments:
            name, mark, value = assignment.partition("=")
            if not mark or name not in _NAMES:
                raise InputError(
                    f"of an entrant, settings are given as NAME=VALUE with one of "
                    f"{', '.join(_NAMES)}, not {assignment!r}"
                )
            chosen[name] = _value(value)
        return cls(" ".join([preset, *assignments]), DragConfig(preset=preset, **chosen))


def _value(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

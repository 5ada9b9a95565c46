"""What is compared: a preset, or one with settings changed, written as one line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, get_args

from dragonnx.drag.config import PRESETS, DragConfig, DragSettings, TrackingDistance
from dragonnx.errors import InputError
from dragonnx.model.manifest import Manifest
from dragonnx.reading.values import one_of

DEFAULT = ("released", "paper", "best")
_LAYERS = (2, 4)
"""Trained in place of the paper's 6."""


@dataclass(frozen=True, kw_only=True)
class EntrantConfig(DragConfig):
    """A `DragConfig` with what else presets differ in, to change one thing at a time.

    Attributes:
        tracking_distance: Norm in which point tracking compares features; None is the preset's.
    """

    tracking_distance: TrackingDistance | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tracking_distance is not None:
            one_of(self.tracking_distance, "tracking_distance", get_args(TrackingDistance))

    def settings(self, **facts: Any) -> DragSettings:
        """See `DragConfig`."""
        found = super().settings(**facts)
        return replace(found, tracking_distance=self.tracking_distance or found.tracking_distance)


_NAMES = tuple(field.name for field in fields(EntrantConfig) if field.name not in {"preset"})


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
        return cls(" ".join([preset, *assignments]), EntrantConfig(preset=preset, **chosen))


def ablations(manifest: Manifest) -> Iterator[Entrant]:
    """`paper` with one setting changed at a time: radii halved and doubled, norm, layers, space.

    Other feature maps are other bundles, made by `dragonnx-export --feature-resolution`.

    Args:
        manifest: Of the model, whose radii are changed.
    """
    for name in ("r1", "r2"):
        usual = manifest.drag_settings.get(name, getattr(PRESETS["paper"], name))
        for factor in (0.5, 2.0):
            yield Entrant.parse(f"paper {name}={factor * usual:g}")
    yield Entrant.parse("paper tracking_distance=l2")
    for layers in _LAYERS:
        yield Entrant.parse(f"paper trainable_layers={layers}")
    yield Entrant.parse("paper space=w")


def _value(text: str) -> Any:
    if text in {"true", "false"}:
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text

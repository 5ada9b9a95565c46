"""What one drag did: latents, places and losses of its steps, how it ended, what it ran with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.document.paused import PausedDrag
from dragonnx.drag.outcome import Outcome
from dragonnx.drag.points import FARTHEST
from dragonnx.drag.stall import stall_reason
from dragonnx.errors import InputError
from dragonnx.model.drag_settings import MOST_STEPS
from dragonnx.reading import values
from dragonnx.reading.array_values import W_PLUS, checked_array
from dragonnx.types import Float32

PAUSED = "paused"
"""What a result says of a drag that can go on, beside the values of `Outcome`."""
_OUTCOMES = (*(outcome.value for outcome in Outcome), PAUSED)
_LONGEST_TIME = 1e9
"""Seconds: thirty years."""
_LONGEST_WORD = 64
_MOST_SETTINGS = 64


@dataclass(frozen=True, eq=False)
class DragResult:
    """What one drag did.

    Attributes:
        latents: w_plus before the first step and after each, [steps + 1, num_ws, w_dim]; where
            they were not kept, before the first step and after the last.
        trace: The handles that belong to them, (x, y), [steps + 1, n, 2].
        targets: Where they were to go, [n, 2].
        loss: Of each step, [steps].
        seconds: What all steps took together.
        outcome: How it ended: an `Outcome` value, or "paused".
        settings: What it ran with, as plain data.
        masked: Whether a mask was in use.
        device: Where it was computed; empty where an older dragonnx did not say.
        precision: In which precision, likewise.
        paused: What a drag that was paused needs to go on; None for one that ended, and where it was
            not kept.

    Raises:
        InputError: A value is of another type or out of range, or the arrays do not belong together.
    """

    latents: Float32
    trace: NDArray[np.float64]
    targets: NDArray[np.float64]
    loss: NDArray[np.float64]
    seconds: float
    outcome: str
    settings: dict[str, Any] = field(default_factory=dict)
    masked: bool = False
    device: str = ""
    precision: str = ""
    paused: PausedDrag | None = None

    def __post_init__(self) -> None:
        loss = checked_array(self.loss, "loss", ("steps",), np.float64)
        targets = _places(self.targets, "targets", ("points", 2))
        latents = checked_array(self.latents, "latents", ("latents", *W_PLUS[1:]), np.float32)
        ends = min(2, len(loss) + 1)
        if len(loss) > MOST_STEPS:
            raise InputError(f"loss must be of at most {MOST_STEPS} steps, not {len(loss)}")
        if len(latents) not in (len(loss) + 1, ends):
            raise InputError(
                f"latents must be {len(loss) + 1} for {len(loss)} steps, or {ends} where only the "
                f"ends were kept, not {len(latents)}"
            )
        settings = values.record(self.settings, "settings", _MOST_SETTINGS)
        values.set_fields(
            self,
            latents=latents,
            trace=_places(self.trace, "trace", (len(loss) + 1, len(targets), 2)),
            targets=targets,
            loss=loss,
            seconds=values.number(self.seconds, "seconds", 0, _LONGEST_TIME),
            outcome=values.one_of(self.outcome, "outcome", _OUTCOMES),
            settings={
                values.text(name, "settings", _LONGEST_WORD): values.plain(
                    value, f"settings.{name}"
                )
                for name, value in settings.items()
            },
            masked=values.flag(self.masked, "masked"),
            device=values.text(self.device, "device", _LONGEST_WORD),
            precision=values.text(self.precision, "precision", _LONGEST_WORD),
        )
        if self.paused is not None:
            self._check_paused(values.instance(self.paused, "paused", PausedDrag))

    @property
    def steps(self) -> int:
        """How many steps were made."""
        return len(self.loss)

    @property
    def reason(self) -> str:
        """Why the drag stalled and what to do, in sentences; empty where it did not."""
        if self.outcome != Outcome.STALLED.value:
            return ""
        # A file may say anything: what is not there counts as 1.
        steps, least = (self.settings.get(name) or 1 for name in ("stall_steps", "stop_distance"))
        if not isinstance(steps, int) or not isinstance(least, int | float):
            steps, least = 1, 1
        return stall_reason(self.trace, self.targets, max(steps, 1), least)

    @property
    def w_plus(self) -> Float32:
        """Where it ended, [1, num_ws, w_dim]."""
        return self.latents[-1:]

    @property
    def has_frames(self) -> bool:
        """Whether the latent of every step is there, as an animation needs."""
        return len(self.latents) == self.steps + 1

    def until(self, step: int) -> DragResult:
        """The same drag, paused after so many of its steps.

        Raises:
            InputError: It has fewer, or their latents were not kept.
        """
        if not self.has_frames:
            raise InputError("the steps of this drag were not kept: drag again")
        step = values.whole(step, "step", 0, self.steps)
        return replace(
            self,
            latents=self.latents[: step + 1],
            trace=self.trace[: step + 1],
            loss=self.loss[:step],
            seconds=self.seconds * step / max(self.steps, 1),
            outcome=PAUSED,
            paused=None,
        )

    def ended(self) -> DragResult:
        """The same drag, which does not go on."""
        return replace(self, outcome=Outcome.CANCELLED.value, paused=None)

    @property
    def earlier(self) -> DragResult | None:
        """The steps before the drag that was paused began, from which it went on; None without any."""
        if self.paused is None or self.paused.steps == self.steps:
            return None
        return self.until(self.steps - self.paused.steps)

    def after(self, earlier: DragResult) -> DragResult:
        """This drag as one with an earlier one that ended where it began.

        What had other targets or settings stays two drags: then it is this one alone.
        """
        is_one = (
            earlier.has_frames
            and self.has_frames
            and np.array_equal(earlier.latents[-1], self.latents[0])
            and np.array_equal(earlier.targets, self.targets)
            and earlier.settings == self.settings
            and earlier.masked == self.masked
        )
        if not is_one:
            return self
        return replace(
            self,
            latents=np.concatenate([earlier.latents, self.latents[1:]]),
            trace=np.concatenate([earlier.trace, self.trace[1:]]),
            loss=np.concatenate([earlier.loss, self.loss]),
            seconds=earlier.seconds + self.seconds,
        )

    def with_ends_only(self) -> DragResult:
        """The same drag with the first and the last latent alone, and nothing to go on with."""
        if len(self.latents) <= 2 and self.paused is None:
            return self
        ends = self.latents if len(self.latents) <= 2 else self.latents[[0, -1]]
        return replace(self, latents=ends, paused=None)

    def _check_paused(self, paused: PausedDrag) -> None:
        """Refuse what is of another drag.

        Raises:
            InputError: It is.
        """
        if self.outcome != PAUSED:
            raise InputError(f"paused is of a drag that ended, and outcome is {self.outcome}")
        if paused.steps > self.steps or (paused.steps < self.steps and not self.has_frames):
            raise InputError(
                f"paused must be of the last of {self.steps} steps whose latents were kept, not of "
                f"{paused.steps}"
            )


def _places(value: object, name: str, shape: tuple[int | str, ...]) -> NDArray[np.float64]:
    """An array of points (x, y), none beyond every image."""
    places = checked_array(value, name, shape, np.float64)
    if places.size and max(places.max(), -places.min()) > FARTHEST:
        raise InputError(f"{name} holds a point more than {FARTHEST:g} pixels away")
    return places

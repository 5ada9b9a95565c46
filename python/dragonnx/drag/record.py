"""What happened in a drag, as plain data for a report and as latents for an animation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.drag.session import DragSession, DragStep
from dragonnx.types import Points


class DragRecord:
    """Follows a session from its start.

    Args:
        session: A session that has not yet stepped.
    """

    def __init__(self, session: DragSession) -> None:
        self._session = session
        self._start = session.handle_points
        self._steps: list[DragStep] = []
        self.latents: list[NDArray[np.float32]] = [session.w_plus]
        """w_plus before the first step and after each, [1, num_ws, w_dim]."""

    def add(self, step: DragStep) -> None:
        """Note a step, right after the session made it."""
        self._steps.append(step)
        self.latents.append(self._session.w_plus)

    def handles_at(self, index: int) -> Points:
        """The handles that belong to `latents[index]`, [n, 2]."""
        return self._start if index == 0 else self._steps[index - 1].handle_points

    def points(self) -> list[dict[str, Any]]:
        """Each point's handle, final and target position (x, y), and the distance left."""
        session = self._session
        rows = zip(self._start, session.handle_points, session.target_points, session.distances,
                   strict=True)  # fmt: skip
        return [
            {
                "handle": handle.tolist(),
                "final": final.tolist(),
                "target": target.tolist(),
                "distance": round(float(distance), 4),
            }
            for handle, final, target, distance in rows
        ]

    def report(self, *, model: str, seed: int | None) -> dict[str, Any]:
        """The whole drag as JSON values; `seed` is None for a latent from elsewhere."""
        outcome = self._session.outcome
        return {
            "outcome": outcome.value if outcome else None,
            "steps": len(self._steps),
            "seconds": round(sum(step.seconds for step in self._steps), 4),
            "model": model,
            "seed": seed,
            "config": self._session.settings.to_dict(),
            "points": self.points(),
            "trace": [step.handle_points.tolist() for step in self._steps],
            "loss": [step.loss for step in self._steps],
        }

"""Whole drags of the bundled model, and how two runs of one are compared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from support.bundled import EYE, NOSE, NOSE_NEAR, NOSE_TARGET, SEED, SIZE

from dragonnx import DragConfig, DragSession, DragStep, Generator, Outcome

CLOSE = 2e-2
"""How far two latents may have come apart, as a share of the way that one went. Adam divides by the
gradient's size, so that rounding moves what hardly matters by whole steps."""
CLOSE_LOSS = 2e-3
"""The same of losses: noise of 1e-5 on all features and gradients moves them by 1e-4."""
CLOSE_PIXELS = 0.01
"""The same of handles that `best` finds between pixels: such noise moves them by 1e-3, and noise ten times
as large by 5e-3. It divides by one size for all numbers of the latent, so what hardly matters stays."""


@dataclass(frozen=True)
class Drag:
    """A drag that noise of 1e-5 on every feature map and gradient leaves on its path, pixel by pixel.

    Rounding on a card is a fifth of that: longer drags, or handles on plain fur, can part there.
    """

    handles: tuple[tuple[int, int], ...]
    targets: tuple[tuple[int, int], ...]
    seed: int = SEED
    masked: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    def session(self, generator: Generator) -> DragSession:
        """The drag before its first step."""
        mask = None
        if self.masked:
            mask = np.zeros((SIZE, SIZE), bool)
            mask[int(0.4 * SIZE) :] = True
        w_plus = generator.w_plus(self.seed)
        config = DragConfig(**{"preset": "paper", **self.settings})
        return DragSession(generator, w_plus, self.handles, self.targets, mask, config)

    def done(self, generator: Generator) -> Dragged:
        """The drag from its first step to its end."""
        session = self.session(generator)
        start, steps = session.w_plus, list(session)
        return Dragged(steps, session.outcome, start, session.w_plus)


@dataclass(frozen=True)
class Dragged:
    """What a drag did."""

    steps: list[DragStep]
    outcome: Outcome | None
    start: np.ndarray
    w_plus: np.ndarray

    @property
    def path(self) -> np.ndarray:
        """The handles after each step, [steps, n, 2]."""
        return np.array([step.handle_points for step in self.steps])

    def assert_same(self, other: Dragged) -> None:
        """The same path, pixel by pixel or as near between pixels, and losses and latent but for rounding."""
        assert self.outcome is other.outcome
        whole = (other.path == other.path.round()).all()
        np.testing.assert_allclose(self.path, other.path, rtol=0, atol=0 if whole else CLOSE_PIXELS)
        for name in self.steps[0].losses:
            losses = ([step.losses[name] for step in run.steps] for run in (self, other))
            np.testing.assert_allclose(*losses, rtol=CLOSE_LOSS, atol=1e-7)
        way = np.linalg.norm(other.w_plus - other.start)
        assert np.linalg.norm(self.w_plus - other.w_plus) < CLOSE * way


NOSE_DRAG = Drag((NOSE,), (NOSE_TARGET,))
REACHING = {
    "nose": NOSE_DRAG,
    "nose and eye": Drag((NOSE, EYE), (NOSE_NEAR, (93, 122))),
    "ear": Drag(((55, 60),), ((51, 34),), seed=21),
    "mouth": Drag(((132, 200),), ((132, 216),), seed=26),
    "released settings": Drag((NOSE,), (NOSE_NEAR,), settings={"preset": "released"}),
}
MASKED = Drag((NOSE,), (NOSE_NEAR,), masked=True)
BEST = {
    f"best, {name}": replace(drag, settings={"preset": "best"})
    for name, drag in {**REACHING, "masked": MASKED}.items()
    if "preset" not in drag.settings
}
ONE_POINT = Drag((NOSE,), (NOSE_TARGET,), settings={"max_steps": 8})
THREE_POINTS = Drag(
    (NOSE, EYE, (120, 200)), (NOSE_TARGET, (114, 122), (126, 215)), settings={"max_steps": 8}
)
HELD = Drag((NOSE,), (NOSE_TARGET,), masked=True, settings={"max_steps": 8})

"""What a document starts from: a seed or a latent, how far from there along directions, and how turned."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from dragonnx.errors import InputError
from dragonnx.model.labels import Label, checked_label
from dragonnx.model.latent import checked_psi, checked_seed
from dragonnx.model.motion import Motion
from dragonnx.reading import values
from dragonnx.reading.array_values import W_PLUS, checked_array
from dragonnx.reading.values import shown
from dragonnx.types import Float32

MOST_DIRECTIONS = 64
"""More than anybody sets by hand."""
FARTHEST_ALONG = 1e5
"""Times a direction, either way: far past any picture."""
LONGEST_NAME = 1000
"""Characters of a file's name, four times what systems allow."""


@dataclass(frozen=True, eq=False)
class Along:
    """How far a start goes along a direction of w.

    Attributes:
        name: The direction's, for users.
        amount: How many times its length.
        vector: The direction, [1, num_ws, w_dim].

    Raises:
        InputError: A value is of another type, or too large.
    """

    name: str
    amount: float
    vector: Float32

    def __post_init__(self) -> None:
        values.set_fields(
            self,
            name=values.text(self.name, "name", LONGEST_NAME),
            amount=values.number(self.amount, "amount", -FARTHEST_ALONG, FARTHEST_ALONG),
            vector=checked_array(self.vector, "vector", W_PLUS, np.float32),
        )

    @property
    def step(self) -> Float32:
        """What is added to a latent."""
        with np.errstate(over="ignore"):  # who adds them up refuses that
            return np.float32(self.amount) * self.vector


@dataclass(frozen=True, eq=False)
class LatentStart:
    """The latent that a document starts from: a seed, or a w_plus from elsewhere.

    Attributes:
        seed: Gives z; not used where `w_plus` is given.
        truncation_psi: Closeness to the average; None is the model's.
        label: The class, for a model that has classes; or several, or weights by class. It is kept
            as a class, or as pairs of class and weight.
        w_plus: [1, num_ws, w_dim], instead of a seed.
        name: Where `w_plus` came from, for users.
        directions: How far it goes from there along directions, each of another name.
        motion: How the picture is turned and moved after that, for a model that can; None for one
            that stays as it is.

    Raises:
        InputError: A value is of another type, or out of range for any model.
    """

    seed: int = 0
    truncation_psi: float | None = None
    label: Label | None = None
    w_plus: Float32 | None = None
    name: str = ""
    directions: tuple[Along, ...] = ()
    motion: Motion | None = None

    def __post_init__(self) -> None:
        psi, label, w_plus = self.truncation_psi, self.label, self.w_plus
        values.set_fields(
            self,
            seed=checked_seed(self.seed),
            truncation_psi=None if psi is None else checked_psi(psi),
            label=None if label is None else checked_label(label),
            w_plus=None if w_plus is None else checked_array(w_plus, "w_plus", W_PLUS, np.float32),
            name=values.text(self.name, "name", LONGEST_NAME),
            directions=tuple(values.items(self.directions, "directions", MOST_DIRECTIONS)),
        )
        for index, each in enumerate(self.directions):
            values.instance(each, f"directions[{index}]", Along)
        if self.motion is not None:
            values.instance(self.motion, "motion", Motion)
        names = Counter(each.name for each in self.directions)
        if (twice := next((name for name, times in names.items() if times > 1), None)) is not None:
            raise InputError(f"directions must each have another name, and two have {shown(twice)}")
        shapes = {each.vector.shape for each in self.directions}
        if len(shapes | ({self.w_plus.shape} if self.w_plus is not None else set())) > 1:
            raise InputError("directions must have the shape of w_plus, and of each other")

    @property
    def is_seed(self) -> bool:
        """Whether the seed alone says it."""
        is_moved = self.motion is not None or any(each.amount for each in self.directions)
        return self.w_plus is None and not is_moved

    def gone_along(self, w_plus: Float32) -> Float32:
        """A latent [1, num_ws, w_dim] after going along the directions; nothing is turned yet.

        Raises:
            InputError: They lead too far for any number.
        """
        steps = [each.step for each in self.directions if each.amount]
        if not steps:
            return w_plus
        with np.errstate(over="ignore", invalid="ignore"):  # that is refused here
            found: Float32 = w_plus + np.sum(steps, axis=0)
        if not np.isfinite(found).all():
            raise InputError("the directions lead too far for any number: name smaller amounts")
        return found

    def describe(self) -> str:
        """The start in a few words."""
        base = f"seed {self.seed}" if self.w_plus is None else (self.name or "latent")
        ways = [f"{each.name}:{each.amount:g}" for each in self.directions if each.amount]
        return " + ".join([base, *ways, *([] if self.motion is None else [self.motion.describe()])])

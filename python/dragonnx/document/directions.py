"""Edit directions: latents moved along directions of w, from files or the model's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dragonnx.document.latent_file import load_direction
from dragonnx.document.start import FARTHEST_ALONG
from dragonnx.errors import InputError
from dragonnx.reading.values import number, shown

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator
    from dragonnx.types import Float32

_PRINCIPAL = re.compile(r"pc(\d{1,6})", re.ASCII)
_NUMBERED = re.compile(r"(.+)#(\d{1,9})", re.ASCII | re.DOTALL)
_LONGEST_NAME = 200
"""Characters of a name that tells which they were."""


@dataclass(frozen=True)
class Direction:
    """A direction of w, and how far to go along it.

    Attributes:
        source: A file of w's or w_plus, which are taken as long as they are, FILE#2 for the third of
            several; or pc0, pc1, ...: the principal directions of the model's w's, each as long as
            their standard deviation along it.
        amount: How many times its length.
    """

    source: str
    amount: float

    @classmethod
    def of_text(cls, text: str) -> Direction:
        """`smile.npy:1.5` or `pc0:-2`.

        Raises:
            InputError: It is another thing.
        """
        source, _, amount = text.rpartition(":")
        try:
            value = float(amount)
        except ValueError:
            source = ""
        if not source:
            raise InputError(
                f"a direction is given as FILE:AMOUNT, such as smile.npy:1.5, or as pc0:2, not "
                f"{shown(text)}"
            )
        return cls(
            source, number(value, f"the amount of {source}", -FARTHEST_ALONG, FARTHEST_ALONG)
        )

    @property
    def is_own(self) -> bool:
        """Whether it is one of the model's own."""
        return _PRINCIPAL.fullmatch(self.source) is not None

    @property
    def file(self) -> Path | None:
        """Where it is read from; None for a direction of the model's own."""
        if self.is_own:
            return None
        numbered = _NUMBERED.fullmatch(self.source)
        return Path(self.source if numbered is None else numbered[1])

    @property
    def name(self) -> str:
        """For users: a file's without its folder."""
        return Path(self.source).name

    def step(self, generator: Generator) -> Float32:
        """What is added to a latent of this model, [1, num_ws, w_dim]."""
        return self.amount * self.vector(generator)

    def vector(self, generator: Generator) -> Float32:
        """The direction, [1, num_ws, w_dim].

        Raises:
            InputError: The file cannot be read or does not fit the model, or it has no such direction.
        """
        file = self.file
        if file is not None:
            numbered = _NUMBERED.fullmatch(self.source)
            index = None if numbered is None else int(numbered[2])
            return load_direction(file, generator, index)
        count, index = generator.manifest.w_dim, int(self.source.removeprefix("pc"))
        if index >= count:
            raise InputError(
                f"this model has the principal directions pc0 to pc{count - 1}, not {self.source}"
            )
        principal = generator.principal_w()
        along = principal.spreads[index] * principal.directions[index]
        return generator.checked_w_plus(along)


@dataclass(frozen=True, eq=False)
class Shift:
    """Where directions together lead: a `Move`.

    Attributes:
        step: What is added to a latent, [1, num_ws, w_dim].
        name: For users.
    """

    step: Float32
    name: str

    @classmethod
    def along(cls, directions: Sequence[Direction], generator: Generator) -> Shift | None:
        """The shift along directions of this model; None where there are none.

        Raises:
            InputError: A direction does not fit the model, or they lead too far for any number.
        """
        if not directions:
            return None
        with np.errstate(over="ignore", invalid="ignore"):  # that is refused here
            step = np.sum([each.step(generator) for each in directions], axis=0)
        if not np.isfinite(step).all():
            raise InputError("the directions lead too far for any number: name smaller amounts")
        name = " + ".join(f"{each.name}:{each.amount:g}" for each in directions)
        return cls(step, name if len(name) < _LONGEST_NAME else f"{len(directions)} directions")

    def applied(self, w_plus: Float32) -> Float32:
        """Latents [N, num_ws, w_dim] after it."""
        return w_plus + self.step

"""Edit directions: latents moved along directions of w, from files or the model's own."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dragonnx.document.latent_file import load_direction
from dragonnx.document.start import FARTHEST_ALONG, MOST_DIRECTIONS, Along
from dragonnx.errors import InputError
from dragonnx.reading.values import number, shown

if TYPE_CHECKING:
    from dragonnx.model.generator import Generator
    from dragonnx.types import Float32

_PRINCIPAL = re.compile(r"pc(\d{1,6})", re.ASCII)
_NUMBERED = re.compile(r"(.+)#(\d{1,9})", re.ASCII | re.DOTALL)


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

    @property
    def key(self) -> str:
        """The same for the same direction, as far as its source tells."""
        return str(Path(self.source))

    def names(self) -> Iterator[str]:
        """Its name, then with one folder before it, then with two, and so on."""
        parts = Path(self.source).parts
        return (str(Path(*parts[-count:])) for count in range(1, len(parts) + 1))

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


def checked_directions(directions: Sequence[Direction]) -> tuple[Direction, ...]:
    """As a start takes them: what is named twice is one, as far as both together.

    Raises:
        InputError: They are too many, or two together lead too far.
    """
    found: dict[str, Direction] = {}
    for each in directions:
        before = found.get(each.key)
        if before is not None:
            total = number(
                before.amount + each.amount,
                f"the amount of {each.source}",
                -FARTHEST_ALONG,
                FARTHEST_ALONG,
            )
            each = replace(before, amount=total)  # noqa: PLW2901
        found[each.key] = each
    if len(found) > MOST_DIRECTIONS:
        raise InputError(f"at most {MOST_DIRECTIONS} directions are taken, not {len(found)}")
    return tuple(found.values())


def ways_along(directions: Sequence[Direction], generator: Generator) -> tuple[Along, ...]:
    """How far a start of this model goes, each along a direction of a name of its own.

    Args:
        directions: As `checked_directions` gives them.
        generator: The model.

    Raises:
        InputError: A direction does not fit the model.
    """
    found: dict[str, Along] = {}
    for each in directions:
        name = next((name for name in each.names() if name not in found), each.source)
        found[name] = Along(name, each.amount, each.vector(generator))
    return tuple(found.values())

"""Which of the arrays in a file is the latent: by their names, then by their shapes; never z for w."""

from __future__ import annotations

import bisect
import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from dragonnx.errors import InputError
from dragonnx.model.latent import checked_w_plus
from dragonnx.model.latent_arrays import HeldArray
from dragonnx.model.latent_names import LEAST, Place, is_another_thing, is_z, rank_of, shown_names
from dragonnx.reading.values import whole
from dragonnx.types import Float32

MOST_WS = 64
"""More than any model has."""
MOST_LATENTS = 2**32
"""More than any file holds."""
_BARE = re.compile(r"(?:arr_)?\d{1,9}")
"""The key of an array that was saved without a name."""
_FEW = 8
_NAMES = "w_plus, w, ws, dlatents or latent"


@dataclass(frozen=True)
class LatentSize:
    """What a model's latents are like; None where any will do.

    Attributes:
        num_ws: How many w's a w_plus has.
        w_dim: How many numbers each has.
        z_dim: How many numbers a z has.
    """

    num_ws: int | None = None
    w_dim: int | None = None
    z_dim: int | None = None

    def layout(self, shape: tuple[int, ...]) -> tuple[int, int] | None:
        """How many latents an array of that shape holds, and of how many w's each; None for none.

        A latent is w_plus [num_ws, w_dim], or w [1, w_dim]; axes before those count latents. Two
        axes of which the first cannot count a model's w's are latents of one w each.
        """
        if not 1 <= len(shape) <= 4 or 0 in shape or self.w_dim not in (None, shape[-1]):
            return None
        rows = _rows(shape)
        if rows == 1 or self.num_ws in (None, rows):
            return math.prod(shape[:-2]), rows
        if len(shape) == 2 and self.w_dim is not None and not _counts_ws(rows):
            return rows, 1
        return None

    def is_w_plus(self, shape: tuple[int, ...]) -> bool:
        """Whether an array without a telling name can only be latents of several w's."""
        found = self.layout(shape)
        return found is not None and 1 < found[1] <= MOST_WS

    def refusal(self, shape: tuple[int, ...]) -> str:
        """Why an array of that shape is no latent of this size."""
        if not 1 <= len(shape) <= 4 or 0 in shape:
            return (
                f"it holds an array {_shown(shape)} where a latent [1, num_ws, w_dim] or a w "
                "[1, w_dim] is expected"
            )
        length, rows = shape[-1], _rows(shape)
        if self.w_dim is not None and length == self.z_dim != self.w_dim:
            return (
                f"it holds {length} numbers {_shown(shape)}, as this model's z has, where a w has "
                f"{self.w_dim}: Generator.w_plus(z=...) makes a latent of z"
            )
        if rows == 1 or (len(shape) == 2 and not _counts_ws(rows)):
            return (
                f"it holds a w of {length} numbers, and a w of this model has {self.w_dim}: it is "
                "of another model"
            )
        count = "" if self.num_ws is None else f"{self.num_ws} "
        length_wanted = "" if self.w_dim is None else f" of {self.w_dim}"
        several = (
            f", or for {rows} latents of one w each is to be shaped [{rows}, 1, {length}]"
            if len(shape) == 2 and length == self.w_dim
            else ""
        )
        return (
            f"it holds a w_plus of {rows} w's of {length} numbers{_model_of(rows)}, and this model "
            f"takes {count}w's{length_wanted}{_model_of(self.num_ws)}: it is of another model"
            f"{several}"
        )


@dataclass(frozen=True, eq=False)
class ChosenLatent:
    """A latent of a file.

    Attributes:
        w_plus: [1, num_ws, w_dim].
        notes: What a user should know of how it was found.
    """

    w_plus: Float32
    notes: tuple[str, ...] = ()


def choose_direction(
    held: Sequence[HeldArray], size: LatentSize, name: str, index: int | None = None
) -> ChosenLatent:
    """The direction of w in a file, shaped as a latent: what is alone in it needs no telling name.

    Args:
        held: The arrays of a file.
        size: What is wanted.
        name: The file's.
        index: Which of several, from 0; None where there is to be one.

    Raises:
        InputError: There is none of that size or number, or more than one and none is named.
    """
    _refuse_z(held, name)
    if len(held) == 1 and not is_z(held[0].place):
        held = [replace(held[0], place=())]
    counts = [layout[0] for each in _fitting(held, size) if (layout := size.layout(each.shape))]
    if index is None and sum(counts) > 1:
        raise InputError(
            f"it holds {sum(counts)} directions, and one is to be taken: name it by its number from 0 "
            f"on, as in {name}#0"
        )
    # Several are asked for by number, so that there is nothing to be told of it.
    return replace(choose(held, size, index or 0, name), notes=())


def choose(held: Sequence[HeldArray], size: LatentSize, index: int, name: str) -> ChosenLatent:
    """The latent among arrays.

    Args:
        held: The arrays of a file.
        size: What is wanted.
        index: Which of several latents, from 0.
        name: The file's.

    Raises:
        InputError: There is none of that size, not so many, or one that holds no numbers.
    """
    _refuse_z(held, name)
    found = _fitting(held, size)
    layouts = [layout for each in found if (layout := size.layout(each.shape)) is not None]
    counts = [count for count, _ in layouts]
    total = sum(counts)
    at = checked_index(index, total, "it")
    notes = []
    if total > 1:
        notes.append(
            f"{name} holds {total} latents, numbered from 0: number {index} is taken, another index "
            "takes another"
        )
    ends = list(itertools.accumulate(counts))
    number = bisect.bisect_right(ends, at)
    each, (count, rows) = found[number], layouts[number]
    at -= ends[number] - count
    length = each.shape[-1]
    if rows == 1 and rank_of(each.place) in (None, LEAST):
        notes.append(
            f"{name} holds a single vector, {_shown(each.shape)}, which is taken as w, not as z, for "
            "every layer"
        )
    latent = each.read().reshape(count, rows, length)[at]
    num_ws = rows if size.num_ws is None else size.num_ws
    return ChosenLatent(checked_w_plus(latent, num_ws, length), tuple(notes))


def checked_index(index: object, count: int, what: str) -> int:
    """The number of a latent among so many.

    Raises:
        InputError: There are not so many.
    """
    found = whole(index, "index", 0, MOST_LATENTS)
    if found >= count:
        many = "one latent" if count == 1 else f"{count} latents"
        raise InputError(f"{what} holds {many}, numbered from 0 on: there is no number {found}")
    return found


def _fitting(held: Sequence[HeldArray], size: LatentSize) -> list[HeldArray]:
    """The arrays that are latents of that size, under the best name that has any."""
    bare = len({each.shape for each in held}) == 1 and all(_is_bare(each.place) for each in held)
    named = [
        (rank, each)
        for each in held
        if (rank := _rank(each.place, bare)) is not None and not is_another_thing(each.place)
    ]
    for best in sorted({rank for rank, _ in named}):
        fitting = [each for rank, each in named if rank == best and size.layout(each.shape)]
        if fitting:
            return fitting
    if named:
        raise InputError(size.refusal(min(named, key=lambda pair: pair[0])[1].shape))
    # Without a name, several w's of just this size show what an array is.
    unnamed = [each for each in held if size.is_w_plus(each.shape) and _may_be(each.place)]
    if unnamed and (size.w_dim is not None or len({e.shape[-2:] for e in unnamed}) == 1):
        return unnamed
    raise InputError(_nothing(held))


def _rank(place: Place, bare: bool) -> int | None:
    """The rank of a name; where all that a file holds is alike and has no name, none is needed."""
    rank = None if is_z(place) else rank_of(place)
    return LEAST if rank is None and bare else rank


def _is_bare(place: Place) -> bool:
    return all(map(_BARE.fullmatch, place))


def _may_be(place: Place) -> bool:
    return not is_z(place) and not is_another_thing(place)


def _refuse_z(held: Sequence[HeldArray], name: str) -> None:
    """Refuse an array alone in a file whose name says that it is z."""
    stem = (PurePath(name).stem,)
    if all(_is_bare(each.place) for each in held) and is_z(stem) and rank_of(stem) is None:
        raise InputError(
            "its name says that it holds z, and not w: Generator.w_plus(z=...) makes a latent of it"
        )


def _nothing(held: Sequence[HeldArray]) -> str:
    if not held:
        return "it holds no array of numbers, so no latent"
    places = [each.place for each in held]
    if all(map(is_z, places)):
        return (
            f"it holds z ({shown_names(places)}), and no w: Generator.w_plus(z=...) makes a latent "
            "of it"
        )
    made = "; `dragonnx-export` makes a model of a checkpoint" if len(held) > _FEW else ""
    return f"it holds no latent under a name such as {_NAMES}, but {shown_names(places)}{made}"


def _rows(shape: tuple[int, ...]) -> int:
    """How many w's a latent in an array of that shape has."""
    return shape[-2] if len(shape) > 1 else 1


def _shown(shape: tuple[int, ...]) -> str:
    return re.sub(r"\d{12,}", "...", str(list(shape)))[:60]


def _counts_ws(rows: int) -> bool:
    """Whether a StyleGAN2 of 8 to 2048 px takes so many w's: two for each doubling."""
    return rows in range(4, 21, 2)


def _model_of(num_ws: int | None) -> str:
    """Of what size a StyleGAN2 is that takes so many w's."""
    if num_ws is None or not _counts_ws(num_ws):
        return ""
    return f" (as one of {2 ** (num_ws // 2 + 1)} px has)"

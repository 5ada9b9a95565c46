"""The document: everything that a user edits, as one value that never changes.

Each edit gives a new `Document`; the old one stays as it was, so undo is keeping it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.document.result import DragResult
from dragonnx.document.start import LONGEST_NAME, Along, LatentStart
from dragonnx.drag.config import DragConfig
from dragonnx.drag.points import FARTHEST
from dragonnx.errors import InputError
from dragonnx.model.facts import LARGEST_SIDE
from dragonnx.model.manifest import DEFAULT_MODEL
from dragonnx.model.motion import Motion
from dragonnx.reading import values
from dragonnx.reading.array_values import as_array, checked_array
from dragonnx.types import Mask, Point

MOST_PAIRS = 1000
"""More than anybody sets by hand."""
LONGEST_PATH = 4096
"""Characters, as systems have it."""
_DRAGGED = ", dragged"


@dataclass(frozen=True)
class PointPair:
    """A handle point and where it is to go, (x, y) in image pixels.

    Attributes:
        handle: Where the handle is now.
        target: Where it is to go; None until it is placed.
        origin: Where the handle was before any drag moved it.
        is_on: Whether a drag takes it along; a pair can be switched off without deleting it.

    Raises:
        InputError: One is no point, or lies beyond every image.
    """

    handle: Point
    target: Point | None = None
    origin: Point | None = None
    is_on: bool = True

    def __post_init__(self) -> None:
        values.flag(self.is_on, "is_on")
        values.set_fields(self, handle=values.point(self.handle, "handle", FARTHEST))
        for name in ("target", "origin"):
            if (point := getattr(self, name)) is not None:
                values.set_fields(self, **{name: values.point(point, name, FARTHEST)})

    @property
    def first(self) -> Point:
        """Where the handle was set."""
        return self.origin or self.handle

    @property
    def takes_part(self) -> bool:
        """Whether a drag takes it along: it has a target, and is not switched off."""
        return self.is_on and self.target is not None

    @property
    def distance(self) -> float | None:
        """How far the handle is from its target, in pixels."""
        if self.target is None:
            return None
        return float(np.hypot(self.target[0] - self.handle[0], self.target[1] - self.handle[1]))


@dataclass(frozen=True, eq=False)
class Document:
    """Everything that a user edits. A change makes a new one.

    Attributes:
        model: A known model's name, or a bundle folder.
        start: The latent that everything starts from.
        pairs: Handle points and target points.
        mask: bool [H, W], True where pixels may move; None lets all move.
        config: Settings of the drag, as far as a user chose them.
        result: The last drag; None while the picture is the start's.

    Raises:
        InputError: A value is of another type, or out of range for any model.
    """

    model: str = DEFAULT_MODEL
    start: LatentStart = field(default_factory=LatentStart)
    pairs: tuple[PointPair, ...] = ()
    mask: Mask | None = None
    config: DragConfig = field(default_factory=DragConfig)
    result: DragResult | None = None

    def __post_init__(self) -> None:
        model = values.text(self.model, "model", LONGEST_PATH)
        if not model:
            raise InputError("model must be a name or a path, not nothing")
        for index, each in enumerate(values.items(self.pairs, "pairs", MOST_PAIRS)):
            values.instance(each, f"pairs[{index}]", PointPair)
        values.instance(self.start, "start", LatentStart)
        values.instance(self.config, "config", DragConfig)
        if self.result is not None:
            values.instance(self.result, "result", DragResult)
            for each in self.start.directions[:1]:
                if each.vector.shape != self.result.w_plus.shape:
                    raise InputError("directions must have the shape of the result's w_plus")
        mask = self.mask
        if mask is not None:
            mask = checked_array(mask, "mask", ("height", "width"), np.bool_)
            if not 0 < min(mask.shape) <= max(mask.shape) <= LARGEST_SIDE:
                raise InputError(
                    f"mask must have 1 to {LARGEST_SIDE} pixels a side, not {list(mask.shape)}"
                )
        values.set_fields(self, pairs=tuple(self.pairs), mask=mask)

    @property
    def complete_pairs(self) -> tuple[PointPair, ...]:
        """The pairs that a drag takes along."""
        return tuple(pair for pair in self.pairs if pair.takes_part)

    @property
    def waits_for_target(self) -> bool:
        """Whether the newest handle still lacks its target."""
        return bool(self.pairs) and self.pairs[-1].target is None

    @property
    def can_go_on(self) -> bool:
        """Whether its drag was paused and can go on: its points are as the drag left them."""
        result, pairs = self.result, self.complete_pairs
        return (
            result is not None
            and result.paused is not None
            and np.array_equal([pair.handle for pair in pairs], result.trace[-1])
            and np.array_equal(np.array([pair.target for pair in pairs], float), result.targets)
        )

    def with_point(self, point: Point) -> Document:
        """Place the next point: a handle, or the target of the handle that still lacks one."""
        if self.waits_for_target:
            last = replace(self.pairs[-1], target=point)
            return replace(self, pairs=(*self.pairs[:-1], last))
        return replace(self, pairs=(*self.pairs, PointPair(point)))

    def with_handle(self, index: int, point: Point) -> Document:
        """Move a handle by hand; a reset leaves it there."""
        return self._with_pair(index, replace(self._pair(index), handle=point, origin=None))

    def with_target(self, index: int, point: Point) -> Document:
        """Move a target, or place a missing one."""
        return self._with_pair(index, replace(self._pair(index), target=point))

    def with_pair_switched(self, index: int) -> Document:
        """Switch a pair off, or on again."""
        pair = self._pair(index)
        return self._with_pair(index, replace(pair, is_on=not pair.is_on))

    def with_pair_swapped(self, index: int) -> Document:
        """Let a pair's handle and target change places.

        Raises:
            InputError: It has no target yet, or there is no such pair.
        """
        pair = self._pair(index)
        if pair.target is None:
            raise InputError(f"point {index + 1} has no target yet")
        return self._with_pair(
            index, replace(pair, handle=pair.target, target=pair.handle, origin=None)
        )

    def without_pair(self, index: int) -> Document:
        """Remove a pair."""
        self._pair(index)
        return replace(self, pairs=self.pairs[:index] + self.pairs[index + 1 :])

    def without_pairs(self) -> Document:
        """Remove all pairs."""
        return replace(self, pairs=())

    def with_mask(self, mask: Mask | None) -> Document:
        """Use another mask; it is copied and then never changes."""
        if mask is None:
            return replace(self, mask=None)
        frozen = as_array(mask, "mask").copy()
        frozen.flags.writeable = False
        return replace(self, mask=frozen)

    def with_config(self, config: DragConfig) -> Document:
        """Use other settings."""
        return replace(self, config=config)

    def with_start(self, start: LatentStart, *, keep_points: bool = False) -> Document:
        """Start from another latent.

        Points and mask belong to the picture that they were made on, so another picture drops
        them, unless it is a variation of the same one.
        """
        if not keep_points:
            return replace(self, start=start, pairs=(), mask=None, result=None)
        return replace(self.at_start(), start=start)

    def with_directions(self, directions: tuple[Along, ...]) -> Document:
        """Go as far along directions, from the picture as it is: what a drag reached becomes the start.

        Points stay where they are, and so does the mask. What a drag reached is turned already.
        """
        return self._moved(replace(self._start_here(), directions=directions))

    def with_motion(self, motion: Motion | None) -> Document:
        """Turn and move the picture so far, where its model can; as `with_directions`."""
        return self._moved(replace(self._start_here(), motion=motion))

    def with_model(self, model: str) -> Document:
        """Use another model; nothing but the seed and the settings fits it."""
        start = LatentStart(seed=self.start.seed)
        return Document(model=model, start=start, config=self.config)

    def with_result(self, result: DragResult) -> Document:
        """Take over what a drag reached: its latent and the handles' places.

        The drag's points are the complete pairs, in their order.
        """
        values.instance(result, "result", DragResult)
        if len(result.trace[-1]) != len(self.complete_pairs):
            raise InputError("the drag was made with other points than the document has")
        ends = iter(result.trace[-1].tolist())
        pairs = tuple(
            replace(pair, handle=_point(next(ends)), origin=pair.first) if pair.takes_part
            else pair
            for pair in self.pairs
        )  # fmt: skip
        return replace(self, pairs=pairs, result=result)

    def at_start(self) -> Document:
        """Back to the picture before any drag, the handles where they were set."""
        pairs = tuple(replace(pair, handle=pair.first, origin=None) for pair in self.pairs)
        return replace(self, pairs=pairs, result=None)

    def nbytes(self, counted: set[int]) -> int:
        """Bytes of the arrays that are not yet in `counted` (ids), which then holds them."""
        arrays: list[NDArray[Any] | None] = [self.mask, self.start.w_plus]
        arrays += [each.vector for each in self.start.directions]
        if self.result is not None:
            arrays += [self.result.latents, self.result.trace]
            if self.result.paused is not None:
                arrays += self.result.paused.arrays().values()
        new = {id(array): array.nbytes for array in arrays if array is not None}
        total = sum(size for key, size in new.items() if key not in counted)
        counted.update(new)
        return total

    def _start_here(self) -> LatentStart:
        """The start of the picture as it is: the document's own, or what a drag reached."""
        if self.result is None:
            return self.start
        reached = self.result.w_plus
        base = reached - self.start.gone_along(np.zeros_like(reached))
        name = self.start.name or f"seed {self.start.seed}"
        name = name if name.endswith(_DRAGGED) else f"{name[: LONGEST_NAME // 2]}{_DRAGGED}"
        return replace(self.start, w_plus=base, name=name, motion=None)

    def _moved(self, start: LatentStart) -> Document:
        """From another start, the points and the mask where they are."""
        pairs = self.pairs
        if self.result is not None:
            pairs = tuple(replace(pair, origin=None) for pair in pairs)
        return replace(self, start=start, pairs=pairs, result=None)

    def _pair(self, index: int) -> PointPair:
        """The pair of that number, from 0.

        Raises:
            InputError: There is none.
        """
        if not self.pairs:
            raise InputError("the document has no points yet")
        return self.pairs[values.whole(index, "index", 0, len(self.pairs) - 1)]

    def _with_pair(self, index: int, pair: PointPair) -> Document:
        return replace(self, pairs=(*self.pairs[:index], pair, *self.pairs[index + 1 :]))


def _point(place: list[float]) -> Point:
    return place[0], place[1]

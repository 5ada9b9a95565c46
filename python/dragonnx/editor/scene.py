"""What the canvas shows, as a value: the picture and everything that lies over it.

It is made of the state alone, so that a terminal and a web page draw the same.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from dragonnx.document import PointPair
from dragonnx.editor.phase import Dragging, Idle, Inverting
from dragonnx.editor.state import EditorState, Marker
from dragonnx.editor.tools import point_of
from dragonnx.types import Mask, Picture, Point

_GREY = 40
"""Brightness of the canvas before the first picture."""


@dataclass(frozen=True, eq=False)
class Scene:
    """The picture and what lies over it.

    Attributes:
        picture: [H, W, 3].
        mask: bool [H, W], True where pixels may move; None or not shown.
        pairs: Handle points and target points, the handles where they are now.
        selected: Which pair is selected.
        held: The marker that the arrows move.
        cursor: The cross-hair, an image pixel; None where it is hidden.
        trails: Where each handle has been in this drag, (x, y) [steps, n, 2].
        brush: The brush's radius in image pixels; None for no brush.
        outline: Corners of a box or a polygon that is being drawn, the first one again at the end.
        divider: Where what the picture is compared with ends, and the picture begins; None for nowhere.
        moving: Whether the next picture comes soon: a drag runs.
    """

    picture: Picture
    mask: Mask | None = None
    pairs: tuple[PointPair, ...] = ()
    selected: int | None = None
    held: Marker | None = None
    cursor: tuple[int, int] | None = (0, 0)
    trails: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 0, 2)))
    brush: float | None = None
    outline: tuple[Point, ...] = ()
    divider: float | None = None
    moving: bool = False


def scene_of(state: EditorState) -> Scene:
    """The scene that shows a state."""
    picture, divider = _picture(state)
    moving = state.running is not None
    if state.bare:
        return Scene(picture, cursor=None, divider=divider, moving=moving)
    return Scene(
        picture=picture,
        mask=_mask(state, picture.shape[:2]),
        pairs=live_pairs(state),
        selected=state.selected,
        held=held_marker(state),
        cursor=state.cursor,
        trails=_trails(state),
        brush=state.radius if state.tool.is_brush else None,
        outline=() if state.stroke is None else state.stroke.outline(point_of(state.cursor)),
        divider=divider,
        moving=moving,
    )


def live_pairs(state: EditorState) -> tuple[PointPair, ...]:
    """The pairs, the handles where a running drag has them; none while a photo is inverted."""
    runs, document = state.running, state.document
    if isinstance(runs, Inverting):  # they belong to the picture that was there before
        return ()
    progress = runs.progress if isinstance(runs, Dragging) else None
    if progress is None or len(progress.handles) != len(document.complete_pairs):
        return document.pairs
    places = iter(progress.handles.tolist())
    return tuple(
        replace(pair, handle=point_of(next(places))) if pair.takes_part else pair
        for pair in document.pairs
    )


def held_marker(state: EditorState) -> Marker | None:
    """The marker that the arrows move; None where they move the cross-hair alone."""
    if state.selected is None or not state.is_held:
        return None
    return state.selected, state.selected_end


def _picture(state: EditorState) -> tuple[Picture, float | None]:
    """The picture, or what it is compared with, or both and where the one ends."""
    picture = state.picture
    if picture is None:
        width, height = state.image_size
        picture = np.full((height, width, 3), _GREY, np.uint8)
    other = state.comparison.other()
    if other is None or other.shape != picture.shape:
        return picture, None
    if not state.comparison.wipe:
        return other, None
    at = state.cursor[0]
    return np.concatenate([other[:, :at], picture[:, at:]], axis=1), at - 0.5


def _mask(state: EditorState, size: tuple[int, ...]) -> Mask | None:
    """The mask, or what is being painted of it, where it belongs to the picture."""
    if isinstance(state.running, Inverting):
        return None
    mask = state.stroke.mask if state.stroke is not None else state.document.mask
    if mask is None or mask.shape != size:
        return None
    return mask if state.mask_shown or state.stroke is not None else None


def _trails(state: EditorState) -> NDArray[np.float64]:
    """Of the drag that runs or is paused: a drag's trails end with it."""
    runs, phase, document = state.running, state.phase, state.document
    if isinstance(runs, Dragging) and runs.progress is not None:
        return runs.progress.trace
    if isinstance(phase, Idle) and phase.paused is document and document.result is not None:
        return document.result.trace
    return np.zeros((0, 0, 2))

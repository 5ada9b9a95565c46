"""Turning and moving the picture, as sliders beside those along directions."""

from __future__ import annotations

from dragonnx.document import Document
from dragonnx.model.motion import Motion

SCALES = {"turn deg": 10.0, "right px": 5.0, "down px": 5.0}
"""For each slider, how far it goes where one along a direction goes by 1."""


def amounts(document: Document) -> dict[str, float]:
    """How far the document's picture is turned and moved, by slider.

    What a drag reached is turned already: from there it is not turned yet.
    """
    motion = document.start.motion if document.result is None else None
    motion = motion or Motion()
    return dict(zip(SCALES, (motion.rotation, *motion.translation), strict=True))


def turned(document: Document, name: str, amount: float) -> Document:
    """The document with one slider elsewhere; the same one where it is there.

    Raises:
        InputError: That is too far.
    """
    before = amounts(document)
    if before[name] == amount:
        return document
    rotation, right, down = (before | {name: amount}).values()
    does = rotation or right or down
    return document.with_motion(Motion(rotation, (right, down)) if does else None)

"""What a user types on the command line: points, boxes, and files to write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dragonnx.errors import InputError
from dragonnx.files import check_writable
from dragonnx.paths import usable


def crop_box(text: str) -> tuple[int, int, int, int]:
    """`left,top,right,bottom` in pixels."""
    try:
        left, top, right, bottom = map(int, text.split(","))
    except ValueError as error:
        raise InputError(
            f"a crop box is given as left,top,right,bottom in whole pixels, such as 10,0,410,400, "
            f"not {text!r}"
        ) from error
    return left, top, right, bottom


def check_outputs(
    outputs: Iterable[tuple[Path | None, tuple[str, ...]]], inputs: Iterable[Path | None] = ()
) -> None:
    """Refuse places that cannot be written before any work is done for them.

    Args:
        outputs: Each with how it may end.
        inputs: What must not be written over.
    """
    read = set()
    for path in inputs:
        if path is not None:
            with usable(path):
                read.add(path.resolve())
    taken: set[Path] = set()
    for path, allowed in outputs:
        if path is None:
            continue
        with usable(path):
            place = path.resolve()
            if place in taken:
                raise InputError(f"{path} was named for two outputs: give each a file of its own")
            if place in read:
                raise InputError(f"{path} is read here: name another file to write")
            taken.add(place)
            if path.suffix.lower() not in allowed:
                raise InputError(f"{path} must end in {' or '.join(allowed)}")
            if not place.parent.is_dir():
                raise InputError(
                    f"the folder {place.parent} of {path.name} does not exist: make it first"
                )
        check_writable(path)

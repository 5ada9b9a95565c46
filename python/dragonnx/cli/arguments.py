"""What a user types on the command line: boxes, seeds, grids, and files to write."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from dragonnx.errors import InputError
from dragonnx.files import check_writable
from dragonnx.paths import usable
from dragonnx.reading.values import shown

MOST_SEEDS = 10_000
"""At once."""
_SEEDS = re.compile(r"(\d{1,10})(?:-(\d{1,10}))?", re.ASCII)
_GRID = re.compile(r"(\d{1,4})x(\d{1,4})", re.ASCII)


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


def seed_list(text: str) -> list[int]:
    """`0-63`, `1,5,9` or `0-3,7` as seeds, in that order."""
    from dragonnx.model.latent import checked_seed

    found: list[int] = []
    for part in text.split(","):
        match = _SEEDS.fullmatch(part.strip())
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise InputError(
                f"seeds are given as 0-63, as 1,5,9, or both as 0-3,7, not {shown(text)}"
            )
        if len(found) + last - first >= MOST_SEEDS:
            raise InputError(f"{shown(text)} names more than {MOST_SEEDS} seeds: name fewer")
        found += range(first, last + 1)
    twice = [seed for seed, times in Counter(found).items() if times > 1]
    if twice:
        raise InputError(f"{shown(text)} names seed {twice[0]} more than once: name each once")
    return [checked_seed(each) for each in found]


def grid_sides(text: str) -> tuple[int, int]:
    """`8x4` as 8 columns and 4 rows."""
    match = _GRID.fullmatch(text)
    columns, rows = (int(match[1]), int(match[2])) if match else (0, 0)
    if not 0 < columns * rows <= MOST_SEEDS:
        raise InputError(
            f"a grid is given as COLUMNSxROWS of at most {MOST_SEEDS} pictures, such as 8x4, not "
            f"{shown(text)}"
        )
    return columns, rows


def psi_range(text: str) -> tuple[float, float]:
    """`0:1` as two truncation psi's."""
    first, _, last = text.partition(":")
    try:
        return float(first), float(last)
    except ValueError as error:
        raise InputError(
            f"a sweep of truncation psi is given as FROM:TO, such as 0:1, not {shown(text)}"
        ) from error


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

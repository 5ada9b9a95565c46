"""The arrays in a file of another tool, each with its place; nothing in the file can run.

What an array's shape is, is known before its numbers are looked at.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import numpy as np

from dragonnx.errors import InputError
from dragonnx.model.latent_names import Place
from dragonnx.reading.file_kind import FileKind
from dragonnx.reading.npy_array import NUMBERS, npy_header, read_npy
from dragonnx.reading.pickles.damage import DAMAGE
from dragonnx.reading.pickles.inert import InertObject, inert_class
from dragonnx.reading.pickles.numpy_records import NUMPY, ArrayRecord, sizes
from dragonnx.reading.pickles.safe_pickle import load
from dragonnx.reading.pickles.torch_file import TORCH, read_torch_file
from dragonnx.reading.pickles.torch_storage import Tensor
from dragonnx.reading.regular_file import MEBIBYTE, opened_file, read_bytes
from dragonnx.reading.zip_archive import Archive, opened_archive
from dragonnx.types import Array

LARGEST_FILE = 256 * MEBIBYTE
"""Far more than latents take: other tools keep other arrays beside them."""

_VOCABULARY = {**NUMPY, **TORCH}
_NPY = ".npy"
_MOST_ARRAYS = 100_000
_MOST_DEPTH = 32
_LONGEST_KEY = 40
_MOST_AXES = 4
_MOST_NUMBERS = 2**20
"""Of a latent that is written as lists."""
_MOST_IN_A_LIST = 2**23
"""Numbers of arrays in a list that are one latent together, or a latent each."""
_CUT_SHORT = "is an .npz file that is cut short or damaged: fetch it again"
_HOLDERS = (dict, list, tuple, ArrayRecord, InertObject, Tensor)


@dataclass(frozen=True, eq=False)
class HeldArray:
    """An array in a file.

    Attributes:
        place: Where it lies.
        shape: As the file states it.
        read: Gives its numbers; raises InputError where they are none, or damaged.
    """

    place: Place
    shape: tuple[int, ...]
    read: Callable[[], Array]


@contextlib.contextmanager
def held_arrays(path: str | os.PathLike[str], kind: FileKind) -> Iterator[list[HeldArray]]:
    """The arrays in a file, in its order. What is refused in the block is told with its path.

    Args:
        path: The file.
        kind: Of it: NPY, NPZ, TORCH or PICKLE.

    Raises:
        InputError: It cannot be read, is damaged, or asks for more than data.
    """
    if kind is FileKind.NPZ:
        with opened_archive(path, LARGEST_FILE, _CUT_SHORT) as archive, _damage_told():
            yield [held for name in archive.names for held in _of_member(archive, name)]
    elif kind is FileKind.NPY:
        with opened_file(path, LARGEST_FILE) as file, _naming(path):
            yield _of_npy(file, os.fstat(file.fileno()).st_size, (), "it")
    else:
        data = read_bytes(path, LARGEST_FILE)
        read = load if kind is FileKind.PICKLE else read_torch_file
        with _naming(path):
            yield _of_content(read(data, _VOCABULARY, classes=inert_class))


@contextlib.contextmanager
def _naming(path: str | os.PathLike[str]) -> Iterator[None]:
    try:
        with _damage_told():
            yield
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


@contextlib.contextmanager
def _damage_told() -> Iterator[None]:
    try:
        with np.errstate(all="ignore"):  # what is not finite is refused, not warned about
            yield
    except InputError:
        raise
    except DAMAGE as error:
        raise InputError(
            f"it is damaged, or holds what no latent has ({type(error).__name__})"
        ) from error


def _of_member(archive: Archive, name: str) -> list[HeldArray]:
    """The array of an archive's member; those in it, where it is one of objects."""
    if not name.endswith(_NPY):
        return []
    place = (name.removesuffix(_NPY),)
    size = archive.size(name)
    with archive.opened(name) as file:
        shape, dtype = npy_header(file, name)
        if dtype.hasobject:
            return _of_objects(file, size, place)

    def read() -> Array:
        with archive.opened(name) as file:
            return read_npy(file, size, name, NUMBERS)

    return [HeldArray(place, shape, read)]


def _of_npy(file: BinaryIO, size: int, place: Place, name: str) -> list[HeldArray]:
    shape, dtype = npy_header(file, name)
    if dtype.hasobject:
        return _of_objects(file, size, place)

    def read() -> Array:
        file.seek(0)
        return read_npy(file, size, name, NUMBERS)

    return [HeldArray(place, shape, read)]


def _of_objects(file: BinaryIO, size: int, place: Place) -> list[HeldArray]:
    """The arrays in what NumPy pickled behind a header, such as a dict of them."""
    return _of_content(load(file.read(size), _VOCABULARY, classes=inert_class), place)


def _of_content(content: object, place: Place = ()) -> list[HeldArray]:
    """Every array in plain data, at any depth."""
    found: list[HeldArray] = []
    waiting: list[tuple[Place, object]] = [(place, content)]
    seen: set[int] = set()
    while waiting:
        place, value = waiting.pop()
        if (held := _held(place, value)) is not None:
            found.append(held)
        elif id(value) not in seen and len(place) < _MOST_DEPTH:
            seen.add(id(value))
            inner = [(key, part) for key, part in _parts(value) if isinstance(part, _HOLDERS)]
            waiting += [((*place, str(key)[:_LONGEST_KEY]), part) for key, part in reversed(inner)]
        if len(found) > _MOST_ARRAYS:
            raise InputError(f"it holds more than {_MOST_ARRAYS} arrays: give the latent alone")
    return found


def _held(place: Place, value: object) -> HeldArray | None:
    """A value as an array, where it is one in any of the forms in which files hold them."""
    if isinstance(value, Tensor):
        return HeldArray(place, sizes(value.shape), value.array)
    if isinstance(value, ArrayRecord) and value.objects is None:
        return HeldArray(place, value.values.shape, lambda: value.values)
    if isinstance(value, list | tuple):
        if (shape := _shape_of(value)) is not None:
            return HeldArray(place, shape, partial(_numbers, value, shape))
        return _of_rows(place, value)
    return None


def _of_rows(place: Place, value: Sequence[object]) -> HeldArray | None:
    """A list of single w's as one array, which they are the rows of; None where it is something else."""
    rows = [
        _held(place, part) if isinstance(part, Tensor | ArrayRecord) else None for part in value
    ]
    shapes = {row.shape if row is not None else () for row in rows}
    shape = shapes.pop() if len(shapes) == 1 else ()
    if len(shape) != 1 or len(rows) * shape[0] > _MOST_IN_A_LIST:
        return None
    return HeldArray(
        place,
        (len(rows), *shape),
        lambda: np.stack([row.read() for row in rows if row is not None]),
    )


def _parts(value: object) -> Iterator[tuple[object, object]]:
    """What may hold more in it, by key."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
    elif isinstance(value, ArrayRecord) and value.objects is not None:
        # One without axes is what NumPy makes of a dict: no more than a wrapper.
        yield from enumerate(value.objects)
    elif isinstance(value, InertObject):
        yield from value.held()


def _shape_of(value: object) -> tuple[int, ...] | None:
    """The shape of numbers in lists, by the first of each; None where those are no numbers."""
    shape: list[int] = []
    while isinstance(value, list | tuple):
        if not value or len(shape) == _MOST_AXES:
            return None
        shape.append(len(value))
        value = value[0]
    if type(value) not in (float, int) or math.prod(shape) > _MOST_NUMBERS:
        return None
    return tuple(shape)


def _numbers(value: Sequence[object], shape: tuple[int, ...]) -> Array:
    """Numbers in lists as an array.

    Raises:
        InputError: The lists have different lengths, or something else than numbers in them.
    """
    row: Sequence[object] = value
    for length in shape[1:]:
        if not all(isinstance(part, list | tuple) and len(part) == length for part in row):
            raise InputError("it holds lists of numbers that differ in length")
        row = [number for part in row for number in part]  # type: ignore[attr-defined]
    if not all(type(number) in (float, int) for number in row):
        raise InputError("it holds lists with something else than numbers in them")
    return np.array(row, np.float64).reshape(shape)

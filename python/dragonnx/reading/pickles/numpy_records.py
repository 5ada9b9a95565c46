"""NumPy values in a pickle: dtypes of an allow-list, scalars, arrays that fill their bytes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx.reading.pickles.inert import InertObject
from dragonnx.reading.pickles.pickle_bytes import OldText
from dragonnx.reading.pickles.vocabulary import DAMAGED, Constructor, Vocabulary

_CODES = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
_MAX_DIMENSIONS = 16


class DtypeRecord:
    """A number type: its code first, its byte order in a second step."""

    def __init__(self, code: str) -> None:
        self.dtype = np.dtype(code).newbyteorder("<")

    def set_state(self, state: object) -> None:
        """Take the byte order from what `numpy.dtype` keeps: (version, order, ...).

        Raises:
            InputError: The state is not that of a plain number type.
        """
        if not isinstance(state, tuple) or len(state) < 2 or state[1] not in ("<", ">", "|", "="):
            raise InputError(DAMAGED)
        if state[1] == ">":
            self.dtype = self.dtype.newbyteorder(">")


class ObjectType:
    """The type of an array of objects, which is plain data itself where they are."""

    def set_state(self, state: object) -> None:
        """Take nothing: there is one such type."""


class UnreadType:
    """The type of what lies beside numbers, such as texts, dates, records; it is left where it is."""

    def set_state(self, state: object) -> None:
        """Take nothing: the values are not read."""


class ArrayRecord:
    """An array whose shape, type and bytes come in a second step; empty until then.

    Attributes:
        values: The numbers.
        objects: In place of them, what an array of objects holds, which is nothing for texts and other
            values that are not read; None for numbers.
    """

    def __init__(self) -> None:
        self.values: NDArray[np.generic] = np.zeros(0, np.float32)
        self.objects: list[object] | None = None

    def set_state(self, state: object) -> None:
        """Take (version, shape, dtype, is_fortran, bytes).

        Raises:
            InputError: The state has another form, or its bytes do not fill the shape.
        """
        if not isinstance(state, tuple) or len(state) != 5:
            raise InputError(DAMAGED)
        _, shape, dtype, is_fortran, raw = state
        if isinstance(dtype, ObjectType):
            if not isinstance(raw, list) or len(raw) != math.prod(sizes(shape)):
                raise InputError(DAMAGED)
            self.objects = raw
            return
        if isinstance(dtype, UnreadType | InertObject):
            self.objects = []
            return
        self.values = _filled(raw, dtype, shape, "F" if is_fortran is True else "C")


def sizes(value: object) -> tuple[int, ...]:
    """Value as the sizes (or strides) of an array.

    Raises:
        InputError: It is no tuple of a few whole numbers from 0 up.
    """
    if (
        not isinstance(value, tuple)
        or len(value) > _MAX_DIMENSIONS
        or not all(type(size) is int and size >= 0 for size in value)
    ):
        raise InputError("it holds an array whose shape is no list of sizes; fetch it again")
    return value


def from_bfloat16(raw: bytes | memoryview) -> NDArray[np.float32]:
    """Numbers of bfloat16, the upper half of a float32 each, in a row."""
    upper = np.frombuffer(raw, "<u2").astype("<u4")
    return (upper << 16).view("<f4")


def _filled(raw: object, dtype: object, shape: object, order: object) -> NDArray[np.generic]:
    raw = raw.raw if isinstance(raw, OldText) else raw
    if not isinstance(raw, memoryview) or not isinstance(dtype, DtypeRecord):
        raise InputError(DAMAGED)
    wanted = sizes(shape)
    needed = math.prod(wanted) * dtype.dtype.itemsize
    if needed != len(raw):
        raise InputError(
            f"it holds an array of {len(raw)} bytes where its shape needs {needed}; fetch it again"
        )
    values: NDArray[np.generic] = np.frombuffer(raw, dtype.dtype)
    return values.reshape(wanted, order="F" if order == "F" else "C")


def _dtype(arguments: tuple[object, ...]) -> object:
    code = arguments[0] if arguments else None
    if code in ("O", "O8"):
        return ObjectType()
    return DtypeRecord(code) if isinstance(code, str) and code in _CODES else UnreadType()


def _scalar(arguments: tuple[object, ...]) -> object:
    if len(arguments) != 2:
        raise InputError(DAMAGED)
    if isinstance(arguments[0], UnreadType | InertObject):
        return None
    if isinstance(arguments[0], ObjectType):
        return arguments[1]
    value: object = _filled(arguments[1], arguments[0], (), "C").item()
    return value


def _reconstruct(arguments: tuple[object, ...]) -> object:
    del arguments  # always (numpy.ndarray, (0,), b"b"): an empty array, filled in the next step
    return ArrayRecord()


def _from_buffer(arguments: tuple[object, ...]) -> object:
    """(bytes, type, shape, order), and for the order "K" the axes in the order of the bytes."""
    if len(arguments) not in (4, 5):
        raise InputError(DAMAGED)
    record = ArrayRecord()
    if isinstance(arguments[1], UnreadType | InertObject):
        record.objects = []
        return record
    record.values = _filled(*arguments[:4])
    if arguments[3] == "K":
        axes = sizes(arguments[4] if len(arguments) == 5 else None)
        if sorted(axes) != list(range(record.values.ndim)):
            raise InputError(DAMAGED)
        record.values = record.values.transpose(axes)
    return record


def _both_names(module: str, name: str, constructor: Constructor) -> Vocabulary:
    """NumPy 2 moved numpy.core to numpy._core."""
    return {(f"numpy.{core}.{module}", name): constructor for core in ("core", "_core")}


NUMPY: Vocabulary = {
    ("numpy", "dtype"): _dtype,
    ("numpy", "ndarray"): None,
    **_both_names("multiarray", "scalar", _scalar),
    **_both_names("multiarray", "_reconstruct", _reconstruct),
    **_both_names("numeric", "_frombuffer", _from_buffer),
}
"""The globals of NumPy that a file of arrays may name."""

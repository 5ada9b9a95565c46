"""How much of a stranger's network is not numbers, found before any of it is read as messages.

Read as messages, the smallest parts of a file take sixty times the memory that they take in it. Weights
take as much as there: a file may be large by them alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dragonnx.errors import BundleError
from dragonnx.model.checking.tensor import require

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_MOST_FIELDS = 200_000
_MOST_BESIDE = 4 * 2**20
"""Bytes that are no weights; torch's stack traces in each node make up to one million."""
_LONGEST_VARINT = 10
_TENSOR: Mapping[int, Mapping[int, object] | None] = {9: None, 4: None}
_NODE: Mapping[int, object] = {5: {5: _TENSOR}}
_MODEL: Mapping[int, object] = {7: {1: _NODE, 5: _TENSOR}}
"""By the numbers of fields in onnx.proto, the way from a model to its weights, which are None: raw_data
and float_data of the tensors in the graph, and of those in attributes of its nodes."""


def check_wire(content: bytes) -> None:
    """Refuse a file of which too much is no weights, or that is no protobuf at all.

    Raises:
        BundleError: It is.
    """
    view = memoryview(content)
    beside, fields = 0, 0
    waiting: list[tuple[int, int, Mapping[int, object]]] = [(0, len(content), _MODEL)]
    while waiting:
        start, end, inner = waiting.pop()
        for number, kind, first, last in _fields(view, start, end):
            fields += 1
            require(fields <= _MOST_FIELDS, "it has more than {} parts", _MOST_FIELDS)
            way = inner.get(number, 0) if kind == _BYTES else 0
            if isinstance(way, Mapping):
                waiting.append((first, last, way))
            elif way is not None:
                beside += last - first
                require(
                    beside <= _MOST_BESIDE, "it has more than {} bytes beside weights", _MOST_BESIDE
                )


def _fields(view: memoryview, at: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """The fields of a message: number, wire type, where its content begins and ends."""
    while at < end:
        key, at = _varint(view, at, end)
        kind = key & 7
        if kind == _VARINT:
            first = at
            _, at = _varint(view, at, end)
        else:
            length = _WIDTHS.get(kind)
            if kind == _BYTES:
                length, at = _varint(view, at, end)
            if length is None:
                raise BundleError("it is no ONNX graph")
            first, at = at, at + length
        if at > end:
            raise BundleError("it is no ONNX graph")
        yield key >> 3, kind, first, at


def _varint(view: memoryview, at: int, end: int) -> tuple[int, int]:
    value = 0
    for shift in range(_LONGEST_VARINT):
        if at + shift >= end:
            break
        byte = view[at + shift]
        value |= (byte & 0x7F) << 7 * shift
        if byte < 0x80:
            return value, at + shift + 1
    raise BundleError("it is no ONNX graph")

"""The constants of a graph: what they are, and that all of their data is there."""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from typing import Any

from dragonnx.errors import BundleError
from dragonnx.model.checking.rules import MOST_VALUES
from dragonnx.model.checking.schema import EXTERNAL, FLOAT, INT64
from dragonnx.model.checking.tensor import Tensor, checked_shape, require

_LARGEST_INLINE = 4096
"""Bytes of a constant in the graph itself; the exporter writes larger ones into the file of weights."""
_NUMBER = re.compile(r"[0-9]{1,18}")
_FORMATS = {FLOAT: "f", INT64: "q"}
"""As the module `struct` knows the types of elements."""


def constant(initializer: Any, files: Mapping[str, int]) -> Tensor:
    """A constant tensor, with its values where they are few.

    Args:
        initializer: The tensor in the graph.
        files: The size of each file in which its data may lie, by name.

    Raises:
        BundleError: It is of another type, or its data is not in one of these files, whole.
    """
    kind = initializer.data_type
    require(kind in _FORMATS, "it is of a type that no constant of dragonnx has")
    tensor = Tensor(kind, checked_shape(initializer.dims), None, True)
    if initializer.data_location == EXTERNAL:
        require(not initializer.raw_data, "its data lies in two places")
        _check_place(initializer.external_data, tensor.bytes, files)
        return tensor
    content = initializer.raw_data
    inside = initializer.data_location == 0 and not initializer.external_data
    require(inside and len(content) == tensor.bytes, "its data is not that of {}", tensor)
    require(len(content) <= _LARGEST_INLINE, "its data is large, and lies in the graph itself")
    if tensor.size > MOST_VALUES:
        return tensor
    values = struct.unpack(f"<{tensor.size}{_FORMATS[kind]}", content)
    return Tensor(kind, tensor.shape, values, True)


def _check_place(entries: Any, length: int, files: Mapping[str, int]) -> None:
    """Refuse data that lies elsewhere than within a file that the manifest lists."""
    place = {entry.key: entry.value for entry in entries}
    if len(place) < len(entries) or place.keys() != {"location", "offset", "length"}:
        raise BundleError("it does not say where its data lies as the exporter does")
    file, numbers = place["location"], (place["offset"], place["length"])
    require(file in files, "its data lies in {}, which is no file of weights of the bundle", file)
    require(all(map(_NUMBER.fullmatch, numbers)), "its data lies in a place that is none")
    offset, stored = map(int, numbers)
    require(stored == length, "its data has another length than it")
    require(offset + length <= files[file], "its data lies beyond the end of {}", file)

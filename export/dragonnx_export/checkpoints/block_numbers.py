"""Blocks that a file numbers otherwise than 4, 8, 16, ..., as when their first is not called "b4".

NVIDIA's names number a block by its height. Where the first block is of another size, some call it
"b4" all the same (eps696, StyleGAN-Human), and others by the size that it has. The first block is that
which holds the constant to start from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from dragonnx_export.checkpoints.errors import CheckpointError

FIRST_NUMBER = 4
_BLOCK = re.compile(r"synthesis\.b(\d{1,6})\.")
_CONSTANT = re.compile(r"synthesis\.b(\d{1,6})\.const")
_SIZED_BLOCK = re.compile(r"synthesis/(\d{1,6})x(\d{1,6})/")
_SIZED_CONSTANT = re.compile(r"synthesis/(\d{1,6})x(\d{1,6})/Const/const")

_Arrays = Mapping[str, NDArray[Any]]


def first_block(names: Mapping[str, object]) -> int:
    """The number of the first block in NVIDIA's names; 4 where none has a constant."""
    numbers = [int(match[1]) for name in names if (match := _CONSTANT.fullmatch(name))]
    return max(min(numbers, default=FIRST_NUMBER), 1)


def renumbered(arrays: _Arrays) -> dict[str, NDArray[Any]]:
    """Arrays in NVIDIA's names with the first block's number 4, and the others' in proportion.

    Raises:
        CheckpointError: Two arrays would have one name.
    """
    first = first_block(arrays)

    def number(match: re.Match[str]) -> str:
        times, rest = divmod(int(match[1]), first)
        return match[0] if rest else f"synthesis.b{FIRST_NUMBER * times}."

    return _renamed(arrays, {name: _BLOCK.sub(number, name, count=1) for name in arrays})


def renumbered_sizes(arrays: _Arrays) -> dict[str, NDArray[Any]]:
    """Arrays in TensorFlow's names, whose blocks are called by height and width, with the first 4x4.

    Raises:
        CheckpointError: Two arrays would have one name.
    """
    constants = [match for name in arrays if (match := _SIZED_CONSTANT.fullmatch(name))]
    height, width = (max(int(side), 1) for side in constants[0].groups()) if constants else (4, 4)

    def number(match: re.Match[str]) -> str:
        times = int(match[1]) // height
        fits = (int(match[1]), int(match[2])) == (times * height, times * width)
        return f"synthesis/{FIRST_NUMBER * times}x{FIRST_NUMBER * times}/" if fits else match[0]

    return _renamed(arrays, {name: _SIZED_BLOCK.sub(number, name, count=1) for name in arrays})


def _renamed(arrays: _Arrays, names: Mapping[str, str]) -> dict[str, NDArray[Any]]:
    if len(set(names.values())) < len(arrays):
        raise CheckpointError(
            "its blocks' numbers are not each twice the one before, so its network is another one"
        )
    return {names[name]: values for name, values in arrays.items()}

"""The weight file: equal constants lie in one place, and every graph finds its own again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from dragonnx_export.graphs.builder import GraphBuilder
from dragonnx_export.graphs.constant import Constant
from dragonnx_export.graphs.weight_file import WeightFile

LARGE = np.arange(600, dtype=np.float32)
"""Of more bytes than a graph keeps itself."""


def constants_of(path: Path) -> list[np.ndarray]:
    return [numpy_helper.to_array(t, str(path.parent)) for t in onnx.load(path).graph.initializer]


def test_equal_bytes_are_stored_once_whatever_their_shape(tmp_path: Path) -> None:
    weights = WeightFile()
    expected = {
        "a": [LARGE, LARGE.reshape(20, 30), np.arange(300), np.float32(0.5)],
        "b": [LARGE + 1, LARGE.copy(), LARGE.reshape(30, 20).T],
    }
    for name, arrays in expected.items():
        graph = GraphBuilder(name, weights)
        for array in arrays:
            assert graph.constant(array) == graph.constant(np.array(array)), "equal ones are one"
        (tmp_path / f"{name}.onnx").write_bytes(graph.model().SerializeToString())
    weights.write(tmp_path)
    for name, arrays in expected.items():
        found = constants_of(tmp_path / f"{name}.onnx")
        assert len(found) == len(arrays)
        for array, again in zip(arrays, found, strict=True):
            assert (again.dtype, again.shape) == (array.dtype, array.shape)
            np.testing.assert_array_equal(again, array)
    # Four of the seven differ in their bytes and are large; each begins on a cache line.
    places = [0, 2432, 4864, 7296]
    assert (tmp_path / weights.name).stat().st_size == places[-1] + LARGE.nbytes


def test_a_constant_of_the_right_form_is_not_copied() -> None:
    assert Constant.of(LARGE).values is LARGE
    turned = LARGE.reshape(30, 20).T
    assert Constant.of(turned).values.flags.c_contiguous
    assert Constant.of(turned).key == Constant.of(np.ascontiguousarray(turned)).key
    assert Constant.of(LARGE).key != Constant.of(LARGE[None]).key


def test_the_beginning_of_a_constant_needs_no_bytes_of_its_own(tmp_path: Path) -> None:
    weights = WeightFile()
    whole = Constant.of(LARGE.reshape(20, 30))
    expected = {
        "part": [whole.first(12), whole.first(14).first(13), whole.first(11).shaped(110, 3)],
        "all": [whole.first(20), whole.shaped(600)],
    }
    for name, constants in expected.items():
        graph = GraphBuilder(name, weights)
        for constant in constants:
            graph.constant(constant)
        (tmp_path / f"{name}.onnx").write_bytes(graph.model().SerializeToString())
    weights.write(tmp_path)
    for name, constants in expected.items():
        for constant, again in zip(constants, constants_of(tmp_path / f"{name}.onnx"), strict=True):
            np.testing.assert_array_equal(again, constant.values)
    assert (tmp_path / weights.name).stat().st_size == LARGE.nbytes

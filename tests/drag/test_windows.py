"""Windows of the bundled model: whatever a step reads is there, and equals the whole map."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundled import EYE, EYE_TARGET, NOSE, NOSE_NEAR, SEED

from dragonnx import DragConfig, DragSession, Generator
from dragonnx._core import Threads
from dragonnx.drag.block_windows import BlockWindows
from dragonnx.drag.cost import cheapest_cut, cost
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.step.host_features import HostFeatures
from dragonnx.drag.terms.motion import MotionSupervision
from dragonnx.drag.tracking import reference_features, track
from dragonnx.drag.windows import Geometry, GraphWindows, plan_windows

BLOCKS = (4, 8, 16, 32, 64, 128)


def config_f(image_size: tuple[int, int], feature_size: tuple[int, int]) -> Geometry:
    """StyleGAN2 with the channels of its config-f."""
    network = BlockWindows(
        blocks=BLOCKS,
        channels=(512, 512, 512, 512, 512, 256),
        resample_filter=(1.0, 3.0, 3.0, 1.0),
        feature_size=feature_size,
    )
    return Geometry(image_size=image_size, feature_size=feature_size, network=network)


CONFIG_F = config_f((512, 512), (128, 128))
TALL = config_f((512, 256), (128, 64))
WIDE = config_f((192, 448), (96, 224))
"""Its blocks have 3 x 7, 6 x 14, ... cells."""
CUTS = (16, 32, 64)

FLIPPED_SIGNS = 8
"""Of the up to a hundred thousand differences that a gradient sums."""

FIXTURES = Path(__file__).parents[1] / "fixtures"
"""Bundles of a generator of 32 px with random weights, as dragonnx-export 0.1 wrote them."""


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


coordinates = st.one_of(st.sampled_from([0.0, 127.0]), st.floats(0, 127))
pairs = st.lists(
    st.tuples(coordinates, coordinates, coordinates, coordinates), min_size=1, max_size=6
)


@settings(max_examples=25, deadline=None)
@given(
    pairs=pairs,
    seed=st.integers(0, 100),
    cut=st.sampled_from([16, 32]),
    r1=st.floats(1, 40),
    r2=st.floats(1, 80),
    preset=st.sampled_from(["paper", "released"]),
)
def test_a_step_in_windows_is_the_step_on_the_whole_map(
    generator: Generator, pairs: list[tuple[float, ...]], seed: int, cut: int,
    r1: float, r2: float, preset: str,
) -> None:  # fmt: skip
    handles, targets = (np.ascontiguousarray(p) for p in np.hsplit(np.array(pairs), 2))
    config = DragConfig(preset=preset, r1=r1, r2=r2)  # type: ignore[arg-type]
    m = generator.manifest
    s = config.settings(
        image_height=128, point_count=len(handles), trainable_layers=6, recommended={}
    )
    before, after = generator.w_plus(seed), generator.w_plus(seed) + np.float32(0.05)
    results = []
    for chosen in (None, cut):
        source = HostFeatures(generator, s, len(handles), whole=False)
        source.cut = chosen
        first = source.at(before, handles)
        references = reference_features(first.windows, handles, None)
        second = source.at(after, handles)
        found = track(second.windows, handles, references, s, Threads(1), None)
        around = source.around(second, found)
        term = MotionSupervision(DragProblem(s, targets, None, Threads(1)), around.windows)
        grad_features = np.zeros_like(around.windows.values)
        loss = term.add_to(grad_features, around.windows, found)
        results.append((references, found, loss, grad_features, around.windows.plan.origins))
    (ref_a, found_a, loss_a, grad_a, _), (ref_b, found_b, loss_b, grad_b, origins) = results
    # Windows and whole maps add the same float32 terms in another order; features are of size 1.
    np.testing.assert_allclose(ref_b, ref_a, atol=1e-5)
    np.testing.assert_array_equal(found_b, found_a)
    assert loss_b == pytest.approx(loss_a, rel=1e-4, abs=1e-6)
    # The loss takes signs of differences: one within rounding of zero may differ, which changes the
    # taps of two samples, eight at most. That happens to about one in a million.
    differs = np.abs(put(grad_b, origins, grad_a) - grad_a) > 1e-5 * np.abs(grad_a).max()
    assert differs.sum() <= 8 * FLIPPED_SIGNS
    assert m.cuts == (16, 32)


@settings(max_examples=25, deadline=None)
@given(
    points=st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=6),
    seed=st.integers(0, 100),
    cut=st.sampled_from([16, 32]),
    reach=st.floats(1, 80),
)
def test_a_gradient_in_windows_is_that_of_the_whole_map(
    generator: Generator, points: list[tuple[float, float]], seed: int, cut: int, reach: float
) -> None:
    w_plus = generator.w_plus(seed)
    plan = plan_windows(np.array(points), reach, Geometry.of(generator.manifest), cut)
    whole = generator.features(w_plus)
    windows = generator.features(w_plus, cut=cut, windows=plan.inputs)
    grad = np.random.default_rng(seed).standard_normal(windows.features.shape, np.float32)
    # Leaky ReLUs within rounding of their kink may take either side: both take that of the map.
    cut_out = {
        name: windows_of(tensor.numpy(), plan, windows.layer_outputs[name].shape[2])
        for name, tensor in whole.layer_outputs.items()
        if name.startswith("layer_") and tensor.shape[2] >= cut
    }
    windows = dataclasses.replace(
        windows,
        features=windows_of(whole.features, plan, plan.size[0]),
        layer_outputs={**windows.layer_outputs, **cut_out},
    )
    expected = generator.pullback(whole, put(grad, plan.origins, whole.features))
    found = generator.pullback(windows, grad)
    # float32 sums in another order.
    assert np.linalg.norm(found - expected) <= 1e-5 * np.linalg.norm(expected)


def windows_of(layer: np.ndarray, plan: GraphWindows, height: int) -> np.ndarray:
    """The windows of that height of a layer's whole output [1, C, H, W], zero outside the map."""
    ringed = np.pad(layer[0], ((0, 0), (1, 1), (1, 1)))
    rows, columns = (plan.inputs[f"{kind}_{layer.shape[2]}"] for kind in ("rows", "columns"))
    edge = (rows.shape[1] - height) // 2  # a block's second layer gives one cell less a side
    rows, columns = (cells[:, edge : cells.shape[1] - edge] for cells in (rows, columns))
    return np.stack([ringed[:, r[:, None] + 1, c + 1] for r, c in zip(rows, columns, strict=True)])


def put(values: np.ndarray, origins: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Windows [n, C, h, w] added up in a map of zeros."""
    whole = np.zeros_like(like)
    height, width = values.shape[2:]
    for (x, y), window in zip(origins, values, strict=True):
        whole[0, :, y : y + height, x : x + width] += window
    return whole


def test_whole_drags_take_the_same_path(generator: Generator) -> None:
    w_plus = generator.w_plus(SEED)
    paths = []
    for windows in (True, False):
        session = DragSession(
            generator, w_plus, [NOSE, EYE], [NOSE_NEAR, EYE_TARGET],
            config=DragConfig(preset="paper", windows=windows, max_steps=12),
        )  # fmt: skip
        paths.append([step.handle_points for step in session])
        assert (session._method._source.cut is None) != windows
    np.testing.assert_array_equal(*paths)


@settings(max_examples=200, deadline=None)
@given(
    geometry=st.sampled_from([CONFIG_F, TALL, WIDE]),
    places=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=32),
    reach=st.floats(1, 200),
    cut=st.sampled_from(CUTS),
)
def test_every_needed_cell_is_planned(
    geometry: Geometry, places: list[tuple[float, float]], reach: float, cut: int
) -> None:
    """Follow what each layer reads, cell by cell, from the definition of the layers."""
    points = np.array(places) * (np.array(geometry.image_size[::-1]) - 1)
    plan = plan_windows(points, reach, geometry, cut)
    for axis, kind in ((1, "rows"), (0, "columns")):
        length, cells = geometry.image_size[1 - axis], geometry.feature_size[1 - axis]
        for index, centre in enumerate(points[:, axis]):
            pixels = np.clip(np.linspace(centre - reach, centre + reach, 999), 0, length - 1)
            source = np.maximum((pixels + 0.5) * cells / length - 0.5, 0)
            needed = {
                *np.floor(source).astype(int),
                *np.minimum(np.floor(source) + 1, cells - 1).astype(int),
            }
            for block in reversed(BLOCKS):
                if block < cut:
                    break
                count = cells * block // BLOCKS[-1]
                given_cells = plan.inputs[f"{kind}_{block}"][index]
                assert needed <= set(given_cells[1:-1].tolist()), (kind, block)
                assert given_cells[1] >= 0
                assert given_cells[-2] < count
                first_layer = {k + step for k in needed for step in (-1, 0, 1)} & set(range(count))
                needed = {
                    i
                    for k in first_layer
                    for i in range(-(-(k - 3) // 2), (k + 2) // 2 + 1)
                    if 0 <= i < count // 2
                }


@settings(max_examples=100, deadline=None)
@given(
    geometry=st.sampled_from([TALL, WIDE]),
    places=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=8),
    reach=st.floats(1, 200),
    cut=st.sampled_from(CUTS),
)
def test_graphs_of_today_and_of_before_are_told_the_same_windows(
    geometry: Geometry, places: list[tuple[float, float]], reach: float, cut: int
) -> None:
    """From the cells along each axis follows which cells a window has, and which are outside."""
    points = np.array(places) * (np.array(geometry.image_size[::-1]) - 1)
    inputs = plan_windows(points, reach, geometry, cut).inputs
    for block in (b for b in BLOCKS if b >= cut):
        rows, columns = inputs[f"rows_{block}"], inputs[f"columns_{block}"]
        height, width = (side * block // 128 for side in geometry.feature_size)
        inside_rows, inside_columns = (
            (cells >= 0) & (cells < side) for cells, side in ((rows, height), (columns, width))
        )
        inside = inside_rows[:, :, None] & inside_columns[:, None]
        cells = np.where(inside, rows[:, :, None] * width + columns[:, None], height * width)
        np.testing.assert_array_equal(inputs[f"cells_{block}"][:, 0], cells)
        np.testing.assert_array_equal(inputs[f"inner_cells_{block}"][:, 0], cells[:, 1:-1, 1:-1])
        row_taps, column_taps = inputs[f"row_taps_{block}"], inputs[f"column_taps_{block}"]
        np.testing.assert_array_equal(inputs[f"row_filter_{block}"], row_taps[..., :-1])
        column_filter = inputs[f"column_filter_{block}"]
        np.testing.assert_array_equal(column_filter.swapaxes(2, 3), column_taps[..., :-1, :])
        # Four float32 taps of a sum of 2, or fewer at the edge, and what they lack.
        np.testing.assert_allclose(row_taps.sum(3)[:, 0], inside_rows, atol=1e-6)
        np.testing.assert_allclose(column_taps.sum(2)[:, 0], inside_columns, atol=1e-6)


@pytest.mark.parametrize("version", [1, 2])
def test_graphs_of_dragonnx_0_1_are_dragged_in_windows(version: int) -> None:
    """The bundle of version 1 has no noise, that of version 2 has: they take all kinds of inputs."""
    generator = Generator.open(FIXTURES / f"bundle-v{version}", device="cpu", threads=1)
    w_plus = generator.w_plus(0)
    whole = generator.features(w_plus)
    points = np.array([[0.0, 0.0], [9.0, 20.0], [31.0, 17.0]])
    plan = plan_windows(points, 2, Geometry.of(generator.manifest), 16)
    windows = generator.features(w_plus, cut=16, windows=plan.inputs)
    grad_windows = np.random.default_rng(0).standard_normal(windows.features.shape, np.float32)
    grad_whole = np.zeros_like(whole.features)
    height, width = plan.size
    for (x, y), cut_out, grad in zip(plan.origins, windows.features, grad_windows, strict=True):
        place = (0, slice(None), slice(y, y + height), slice(x, x + width))
        # float32 sums of a few dozen terms in another order, over values of size one.
        np.testing.assert_allclose(cut_out, whole.features[place], atol=1e-5)
        grad_whole[place] += grad
    expected = generator.pullback(whole, grad_whole)
    found = generator.pullback(windows, grad_windows)
    # The same, over thousands of terms.
    np.testing.assert_allclose(found, expected, atol=1e-4 * np.abs(expected).max())
    session = DragSession(generator, w_plus, [(9, 20)], [(20, 9)])
    for _ in range(3):
        next(session)
    assert not np.array_equal(session.w_plus, w_plus)


def test_window_sizes_do_not_change_while_points_move() -> None:
    random = np.random.default_rng(0)
    shapes = {
        tuple(sorted((name, array.shape) for name, array in plan.inputs.items()))
        for plan in (
            plan_windows(random.integers(0, 512, (3, 2)).astype(float), 12, CONFIG_F, 16)
            for _ in range(50)
        )
    }
    assert len(shapes) == 1


def test_a_cheap_step_is_chosen() -> None:
    def chosen(points: int, reach: float = 12) -> int | None:
        return cheapest_cut(CONFIG_F, CUTS, reach, points)

    assert (chosen(1), chosen(16)) == (16, 32)
    assert chosen(1, reach=600) is None
    cuts = [chosen(points) for points in (1, 8, 32, 4000)]
    assert cuts[-1] is None
    assert cuts[:-1] == sorted(cuts[:-1]), "more windows, a later cut"
    dense = cost(CONFIG_F, None, 12, 1)
    # Counted by hand from the layers' sizes: 30.58 G multiply-adds, 14.5 in the last block.
    assert dense == pytest.approx(30.577e9, rel=1e-4)
    assert cost(CONFIG_F, 16, 12, 1) < dense / 20

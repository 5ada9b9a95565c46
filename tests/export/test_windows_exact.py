"""A drag step in windows against the same step on the whole map, for generators of many shapes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.random_checkpoints import random_checkpoint
from support.random_stylegan3 import random_stylegan3, stylegan3

from dragonnx import DragConfig, Generator
from dragonnx._core import Threads
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.step.host_features import HostFeatures
from dragonnx.drag.terms.motion import MotionSupervision
from dragonnx.drag.tracking import reference_features, track
from dragonnx_export.bundle_writer import ExportOptions, write_bundle
from dragonnx_export.families.stylegan2.architecture import Architecture

SMALL = Architecture(
    z_dim=8, w_dim=16, resolution=64, mapping_layers=1,
    channels={4: 12, 8: 10, 16: 8, 32: 6, 64: 4},
)  # fmt: skip
CLAMPED = dataclasses.replace(SMALL, conv_clamp=0.8)
LARGE = Architecture(
    z_dim=8, w_dim=16, resolution=256, mapping_layers=1, resample_filter=(1.0, 2.0, 3.0, 1.0),
    channels={4: 8, 8: 8, 16: 8, 32: 6, 64: 6, 128: 4, 256: 2},
)  # fmt: skip
"""Its feature map is half its size, and its filter is not symmetric."""
ORIG = dataclasses.replace(SMALL, variant="orig")
RESNET = dataclasses.replace(CLAMPED, variant="resnet", resample_filter=(1.0, 2.0, 3.0, 1.0))
TALL = dataclasses.replace(LARGE, base_width=2)
TALL_RESNET = dataclasses.replace(RESNET, base_width=2, conv_clamp=None)
MODELS = {
    "small": SMALL, "clamped": CLAMPED, "large": LARGE, "orig": ORIG, "resnet": RESNET,
    "tall": TALL, "tall-resnet": TALL_RESNET,
    "stylegan3-t": stylegan3(64, 6, channel_base=512, clamp=0.8),
    "stylegan3-r": stylegan3(64, 6, channel_base=512, channel_max=12, kernel=1, radial=True),
}  # fmt: skip

FLIPPED_SIGNS = 8
"""Of the up to a hundred thousand differences that a gradient sums."""

places = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1), st.floats(0.45, 0.55))


@pytest.fixture(scope="module", params=MODELS)
def generator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator:
    folder = tmp_path_factory.mktemp("model") / "bundle"
    architecture = MODELS[request.param]
    checkpoint = (
        random_checkpoint(architecture)
        if isinstance(architecture, Architecture)
        else random_stylegan3(architecture)
    )
    # In the maps that are dragged by default of models so small, windows are nearly all there is.
    fine = (
        ExportOptions(name="x", feature_resolution=min(architecture.resolution, 128))
        if isinstance(architecture, Architecture)
        else ExportOptions(name="x", feature_layer=4)
    )
    write_bundle(checkpoint, folder, fine)
    return Generator.open(folder, device="cpu", threads=1)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    pairs=st.lists(st.tuples(places, places, places, places), min_size=1, max_size=32),
    cut=st.integers(0, 2),
    r1=st.floats(1, 30),
    r2=st.floats(1, 60),
)
def test_same_points_loss_and_gradient(
    generator: Generator, pairs: list[tuple[float, ...]], cut: int, r1: float, r2: float
) -> None:
    m = generator.manifest
    corner = np.array(m.image_size[::-1]) - 1
    handles, targets = (np.ascontiguousarray(p) * corner for p in np.hsplit(np.array(pairs), 2))
    asked = DragConfig(preset="paper", r1=r1, r2=r2).settings(
        image_height=m.image_size[0], point_count=len(handles), recommended={},
        trainable_layers=m.trainable_layers,
    )  # fmt: skip
    before = generator.w_plus(0)
    after = before + np.float32(0.05)
    results = []
    for chosen in (None, m.cuts[cut % len(m.cuts)]):
        source = HostFeatures(generator, asked, len(handles), whole=False)
        source.cut = chosen
        start = source.at(before, handles)
        references = reference_features(start.windows, handles, None)
        moved = source.at(after, handles)
        found = track(moved.windows, handles, references, asked, Threads(1), None)
        # Both sides go on from the same points: a tie within rounding may be broken either way.
        common = results[0][1] if results else found
        around = source.around(moved, common)
        term = MotionSupervision(DragProblem(asked, targets, None, Threads(1)), around.windows)
        grad_features = np.zeros_like(around.windows.values)
        loss = term.add_to(grad_features, around.windows, common)
        results.append((references, found, loss, grad_features, source, around))
    (ref_a, found_a, loss_a, grad_a, whole, on_map), second = results
    ref_b, found_b, loss_b, grad_b, cut_out, on_windows = second
    # Both sum the same float32 terms in another order, over five to seven blocks.
    scale = np.abs(ref_a).max()
    np.testing.assert_allclose(ref_b, ref_a, atol=1e-5 * scale)
    assert (found_a == found_b).all(axis=1).mean() >= 1 - 1 / len(handles)
    assert loss_b == pytest.approx(loss_a, rel=1e-4, abs=1e-6)
    # The sign of a difference within rounding of zero may come out either way, which changes the
    # taps of two samples, eight at most. That happens to about one in a million.
    scattered = np.zeros_like(grad_a)
    windows = on_windows.windows
    height, width = windows.values.shape[2:]
    for (x, y), values in zip(windows.plan.origins, grad_b, strict=True):
        scattered[0, :, y : y + height, x : x + width] += values
    differs = np.abs(scattered - grad_a) > 1e-5 * np.abs(scattered).max()
    assert differs.sum() <= 8 * FLIPPED_SIGNS
    # So may slopes of leaky ReLUs: each moves the gradient by one of the thousands of terms that it
    # sums. What goes in is the same for both.
    grad_a, _ = whole.pullback(on_map, scattered)
    grad_b, _ = cut_out.pullback(on_windows, grad_b)
    assert np.linalg.norm(grad_b - grad_a) <= 5e-3 * np.linalg.norm(grad_a) + 1e-9

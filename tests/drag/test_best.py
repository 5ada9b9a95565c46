"""What the preset `best` does otherwise: coordinates of w, and how handles are found again."""

from __future__ import annotations

import functools

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_NEAR, NOSE_TARGET, SEED, SIZE

from dragonnx import DragConfig, DragSession, Generator, Outcome
from dragonnx._core import Threads, WindowPlan
from dragonnx.drag.config import DragSettings
from dragonnx.drag.descriptor import Descriptor
from dragonnx.drag.problem import DragProblem
from dragonnx.drag.step import step_for
from dragonnx.drag.step.device_features import DeviceFeatures
from dragonnx.drag.step.host_features import HostFeatures
from dragonnx.drag.tracking import reference_features, track
from dragonnx.drag.windows import FeatureWindows
from dragonnx.model.principal import PrincipalW

SIDE = 32


def settings(preset: str, *, image_height: int = SIDE) -> DragSettings:
    config = DragConfig(preset=preset, r1=16, r2=96)  # type: ignore[arg-type]
    return config.settings(
        image_height=image_height, point_count=1, trainable_layers=6, recommended={}
    )


def windows(features: np.ndarray) -> FeatureWindows:
    plan = WindowPlan.whole(features.shape[1:], (SIDE, SIDE), 1)
    return FeatureWindows(np.ascontiguousarray(features[None], np.float32), plan)


def hills(x: float, y: float, noise: float) -> np.ndarray:
    """Features whose first three channels tell where (x, y) is; seven noisy ones are all alike."""
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(float)
    near = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 18)
    rng = np.random.default_rng(0)
    shared = noise * rng.standard_normal((SIDE, SIDE))
    told = np.stack([near, (columns - x) * near, (rows - y) * near])
    return np.concatenate([told, np.repeat(shared[None], 7, axis=0)])


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu")


def test_principal_directions_of_known_ws() -> None:
    rng = np.random.default_rng(1)
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    spreads = np.array([9, 4, 2, 1, 0.0])
    found = PrincipalW.of(rng.standard_normal((20_000, 5)) * spreads @ turn.T + 3)
    # 20,000 samples know a spread to half a percent; four of its errors.
    np.testing.assert_allclose(found.spreads, spreads, rtol=0.02, atol=1e-3)
    alike = np.abs(np.sum(found.directions * turn.T, axis=1))
    np.testing.assert_allclose(alike, 1, atol=1e-3)
    lengths = np.linalg.norm(found.floored(0.25), axis=1)
    np.testing.assert_allclose(lengths, [9, 4, 2.25, 2.25, 2.25], rtol=0.02)


def test_a_models_ws_have_unit_spread_in_their_coordinates(generator: Generator) -> None:
    found = generator.principal_w()
    assert generator.principal_w() is found
    z = np.random.default_rng(2).standard_normal((2000, generator.manifest.z_dim))
    w = generator.w_plus(z=z.astype(np.float32), truncation_psi=1.0)[:, 0]
    spread = ((w - w.mean(axis=0)) @ found.directions[:8].T / found.spreads[:8]).std(axis=0)
    # Both samples know a spread to a few percent.
    np.testing.assert_allclose(spread, 1, atol=0.1)


def test_whitened_features_vary_alike_in_all_directions() -> None:
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0] * [9, 5, 3, 2, 1, 0]
    features = np.einsum("ab,bhw->ahw", turn, rng.standard_normal((6, 40, 40)))
    found = Descriptor.of(features.astype(np.float32))
    mapped = found.described(windows(features)).values
    variation = np.linalg.eigvalsh(np.cov(mapped.reshape(6, -1)))
    # A tenth of the mean of 81, 25, 9, 4, 1 and 0 is 2: v is divided by v + 2.
    np.testing.assert_allclose(variation, [0, 0.33, 0.67, 0.82, 0.93, 0.98], atol=0.03)


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.3, -0.4), (-2.4, 1.2)])
def test_handles_are_found_between_pixels(shift: tuple[float, float]) -> None:
    at, moved = np.array([[15.0, 17.0]]), np.array([[15.0, 17.0]]) + shift
    first, second = windows(hills(*at[0], noise=0)), windows(hills(*moved[0], noise=0))
    found = {}
    for preset in ("paper", "best"):
        references = reference_features(first, at, None)
        found[preset] = track(second, at, references, settings(preset), Threads(1), None)
    np.testing.assert_array_equal(found["paper"], np.rint(moved))
    # The features are nearly quadratic around the handle.
    np.testing.assert_allclose(found["best"], moved, atol=0.12)


def test_what_varies_everywhere_does_not_lead_tracking_astray() -> None:
    """Noise that seven channels share outweighs what tells the handle, until it is whitened."""
    at, moved = np.array([[12.0, 12.0]]), np.array([[17.0, 15.0]])
    first, second = hills(*at[0], noise=2), hills(*moved[0], noise=2)
    off = []
    for whitened in (None, Descriptor.of(first.astype(np.float32))):
        references = reference_features(windows(first), at, whitened)
        found = track(windows(second), at, references, settings("best"), Threads(1), whitened)
        off.append(np.linalg.norm(found - moved))
    assert off[0] > 3
    assert off[1] < 1.5


def test_a_description_tells_what_lies_around() -> None:
    """By its own cell another place is more like the handle; what lies above the cells tells them apart."""
    first, second = np.zeros((2, 1, SIDE, SIDE), np.float32)
    first[0, [8, 10], 8] = 1
    second[0, [8, 10], 9] = 0.9
    second[0, 10, 19] = 1
    learned = np.zeros((2, 1, 5, 5), np.float32)
    learned[0, 0, 2, 2] = learned[1, 0, 0, 2] = 30
    for kernel, x in ((None, 19), (learned, 9)):
        descriptor = Descriptor.of(first, kernel)
        references = reference_features(windows(first), np.array([[8.0, 10.0]]), descriptor)
        between = np.array([[14.0, 10.0]])
        found = track(
            windows(second), between, references, settings("best"), Threads(1), descriptor
        )
        np.testing.assert_allclose(found, [[x, 10]], atol=0.5)


def test_a_description_beyond_the_map_repeats_its_border() -> None:
    rng = np.random.default_rng(5)
    features = rng.standard_normal((3, SIDE, SIDE)).astype(np.float32)
    learned = rng.standard_normal((4, 3, 3, 3)).astype(np.float32)
    found = Descriptor((learned,)).described(windows(features)).values[0]
    padded = np.pad(features, ((0, 0), (1, 1), (1, 1)), mode="edge")
    for x, y in [(0, 0), (7, 12), (SIDE - 1, 5)]:
        expected = np.einsum("kcij,cij->k", learned, padded[:, y : y + 3, x : x + 3])
        # Sums of 27 products in float32.
        np.testing.assert_allclose(found[:, y, x], expected, atol=1e-5)


@pytest.mark.parametrize("side", [0, 1, 5])
@pytest.mark.parametrize("r2", [2, 24])
def test_windows_hold_the_pixels_beside_the_one_that_is_found(
    generator: Generator, r2: float, side: int
) -> None:
    """Handles run to the edge of a search window, since the second latent is of another animal."""
    m = generator.manifest
    rng = np.random.default_rng(4)
    descriptor = None
    if side:
        kernel = rng.standard_normal((8, m.feature_map.channels, side, side)) / side
        descriptor = Descriptor((kernel.astype(np.float32),))
    handles = rng.uniform(0, SIZE - 1, (12, 2))
    s = DragConfig(preset="best", r1=1, r2=r2).settings(
        image_height=SIZE, point_count=12, trainable_layers=6, recommended=m.drag_settings
    )
    problem = DragProblem(s, handles, None, Threads(1), descriptor=descriptor)
    windowed, whole = (
        HostFeatures(generator, s, 1, whole=each, around=problem.around) for each in (False, True)
    )
    assert windowed.cut is not None
    assert whole.cut is None
    found = []
    for source in (windowed, DeviceFeatures(generator, problem, ()), whole):
        first = source.at(generator.w_plus(1), handles)
        references = reference_features(first.windows, handles, descriptor)
        second = source.at(generator.w_plus(2), handles)
        found.append(track(second.windows, handles, references, s, Threads(1), descriptor))
    # Features differ in float32's last digits, and squares of them.
    np.testing.assert_allclose(found[0], found[2], atol=1e-2)
    np.testing.assert_array_equal(found[1], found[2])


def test_it_reaches_a_target_in_fewer_steps_than_the_paper(generator: Generator) -> None:
    steps = {}
    for preset in ("paper", "best"):
        session = DragSession(
            generator, generator.w_plus(SEED), [NOSE], [NOSE_TARGET],
            config=DragConfig(preset=preset),  # type: ignore[arg-type]
        )  # fmt: skip
        steps[preset] = len(list(session))
        assert session.outcome is Outcome.REACHED
    assert steps["best"] <= 0.6 * steps["paper"]


def test_with_a_mask_it_holds_the_rest_as_well_in_half_the_steps(generator: Generator) -> None:
    rows, columns = np.mgrid[:SIZE, :SIZE]
    mask = np.hypot(columns - NOSE[0], rows - NOSE[1]) < 40
    target = (NOSE[0] + 10, NOSE[1])
    before = np.asarray(generator.image(generator.w_plus(SEED)), float)
    steps, changes = {}, {}
    for preset in ("released", "best"):
        session = DragSession(
            generator, generator.w_plus(SEED), [NOSE], [target], mask,
            # As near as `released` goes by itself, so that both move as far.
            DragConfig(preset=preset, stop_distance=2),  # type: ignore[arg-type]
        )  # fmt: skip
        steps[preset] = len(list(session))
        assert session.outcome is Outcome.REACHED
        changes[preset] = abs(np.asarray(generator.image(session.w_plus)) - before)[~mask].mean()
    assert steps["best"] <= 0.5 * steps["released"]
    # Of one drag: 1.75 levels of 255 and 1.58; over many drags they change as much. Without
    # settings of its own for masks `best` stalls here.
    assert changes["best"] <= 1.2 * changes["released"]


@pytest.mark.parametrize("masked", [False, True])
def test_the_map_may_stay_on_the_device(
    generator: Generator, monkeypatch: pytest.MonkeyPatch, *, masked: bool
) -> None:
    """As on CUDA, where windows of the map come to the host, with what their descriptions read."""
    mask = None
    if masked:
        mask = np.ones((SIZE, SIZE), bool)
        mask[: SIZE // 3] = False
    traces = []
    for there in (False, True):
        way = functools.partial(step_for, map_on_device=there)
        monkeypatch.setattr("dragonnx.drag.session.step_for", way)
        session = DragSession(
            generator, generator.w_plus(SEED), [NOSE], [NOSE_NEAR], mask,
            DragConfig(preset="best", windows=False),
        )  # fmt: skip
        list(session)
        assert session.outcome is Outcome.REACHED
        traces.append(session.trace)
    # The graph and the kernel of the mask add the same float32 terms in another order.
    np.testing.assert_allclose(*traces, atol=1e-3)

"""Inversion: from a picture to a latent that shows it, and the parts that do it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.bundled import SIZE
from support.interrupts import interrupted

from dragonnx import (
    DragSession,
    Generator,
    InputError,
    InversionConfig,
    InversionSession,
    StateError,
    align_face,
    invert,
)
from dragonnx.inversion.coarse import RENEWAL, CoarseLoss
from dragonnx.inversion.image_loss import PyramidLoss, psnr
from dragonnx.inversion.latent_space import SMALLEST_SCALE, LatentSpace
from dragonnx.inversion.photo import Photo, align
from dragonnx.model.passes import BoundPass

HANG = 60.0
"""Seconds after which a test that waits has failed."""
SHORT = InversionConfig(steps=12, candidates=8)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


@pytest.fixture(scope="module")
def photo(generator: Generator) -> Photo:
    """A picture of the model's own, at a truncation at which it is not among the candidates."""
    return Photo(generator.image(generator.w_plus(101, truncation_psi=0.6)))


@pytest.mark.parametrize("space", ["w+", "w"])
def test_a_generated_picture_is_found_again(generator: Generator, photo: Photo, space: str) -> None:
    config = InversionConfig(space=space, steps=100)  # type: ignore[arg-type]
    session = InversionSession(generator, photo, config)
    steps = list(session)
    assert [step.number for step in steps] == list(range(1, 101))
    assert steps[0].psnr < 25
    # Four to five times as many steps, the default, give 35 dB and more: see the slow tests.
    assert session.psnr > {"w+": 32, "w": 29}[space]
    assert session.w_plus.shape == (1, generator.manifest.num_ws, generator.manifest.w_dim)
    if space == "w":
        assert (session.w_plus == session.w_plus[:, :1]).all()
    found = generator.image_layers(session.w_plus).image
    # The best step looked at this very latent; the same graph gives the same picture.
    assert psnr(found, session.target) == pytest.approx(session.psnr, abs=1e-3)


def test_pillows_picture_is_looked_for_as_its_file(generator: Generator, tmp_path: Path) -> None:
    """Transparent, 16 bits deep, turned by EXIF, or as a palette: invert looks for the same."""
    wide = Image.effect_noise((SIZE * 2, SIZE), 60).convert("RGB")
    clear = wide.copy()
    clear.putalpha(Image.linear_gradient("L").resize(wide.size))
    exif = Image.Exif()
    exif[0x0112] = 6
    wide.save(tmp_path / "turned.jpg", exif=exif)
    clear.save(tmp_path / "clear.png")
    Image.fromarray(np.asarray(wide)[:, :, 0].astype(np.uint16) * 257).save(tmp_path / "deep.png")
    wide.quantize(30).save(tmp_path / "palette.png", transparency=3)
    for path in sorted(tmp_path.iterdir()):
        from_file = invert(generator, path).photo
        with Image.open(path) as picture:
            for session in (invert(generator, picture), InversionSession(generator, picture)):
                assert np.array_equal(session.photo.picture, from_file.picture), path
                assert (session.photo.weights is None) == (path.name in ("deep.png", "turned.jpg"))
                if from_file.weights is not None:
                    assert np.array_equal(session.photo.weights, from_file.weights), path
    with pytest.raises(InputError, match="the photo must be a path or a Pillow image"):
        invert(generator, np.asarray(wide))  # type: ignore[arg-type]


def test_small_images_are_compared_first(generator: Generator, photo: Photo) -> None:
    """The whole image is looked at now and then; layers that the small one does not show stay."""
    config = InversionConfig(steps=4 * RENEWAL, candidates=8, noise=0.0)
    session = InversionSession(generator, photo, config)
    first = next(session)
    start = session.w_plus[0]
    meanwhile = [next(session).psnr for _ in range(RENEWAL)]
    assert meanwhile[:-1] == [first.psnr] * (RENEWAL - 1)
    assert meanwhile[-1] > first.psnr + 1
    moved = (session.w_plus[0] != start).any(axis=1)
    shown = 10  # one w for 4 px, two for each of 8, 16, 32, 64 px, one for the colours of 64 px
    assert moved.tolist() == [True] * shown + [False] * (len(moved) - shown)
    list(session)
    assert (session.w_plus[0] != start).any(axis=1).all()


def test_a_corrected_small_image_is_the_whole_one_made_small() -> None:
    random = np.random.default_rng(2)
    target, image = random.standard_normal((2, 1, 3, 64, 32)).astype(np.float32)
    small = random.standard_normal((1, 3, 16, 8)).astype(np.float32)
    weights = np.ones((64, 32), np.float32)
    weights[:8] = 0
    coarse = CoarseLoss(target, weights, (16, 8))
    correction = coarse.correction(image, small)
    value, gradient = coarse(small, correction)

    pooled = [x.reshape(1, 3, 16, 4, 8, 4).mean(axis=(3, 5)) for x in (target, image)]
    expected = PyramidLoss(weights[::4, ::4])
    expected.set_target(pooled[0])
    reference = expected(pooled[1])
    # Sums in float32 in another order.
    assert value == pytest.approx(reference[0], rel=1e-5)
    np.testing.assert_allclose(gradient, reference[1], atol=1e-5 * np.abs(reference[1]).max())
    image[..., :8, :] += 1  # what does not count
    np.testing.assert_array_equal(coarse.correction(image, small), correction)


def test_a_found_picture_can_be_dragged(generator: Generator, photo: Photo) -> None:
    session = invert(generator, photo, SHORT)
    list(session)
    drag = DragSession(
        generator, session.w_plus, [(SIZE / 2, SIZE / 2)], [(SIZE / 2 + 8, SIZE / 2)]
    )
    first = drag.distances[0]
    list(islice(drag, 5))
    assert drag.distances[0] < first


def test_the_middle_of_a_photo_of_any_size_is_taken(generator: Generator) -> None:
    picture = Image.new("RGB", (300, 200), "red")
    picture.paste("blue", (50, 0, 250, 200))
    session = invert(generator, picture, SHORT)
    assert session.photo.picture.size == (SIZE, SIZE)
    assert np.asarray(session.photo.picture)[..., 2].min() == 255


def test_a_part_of_which_nothing_counts_is_refused(generator: Generator) -> None:
    weights = Image.new("L", (600, 600))
    weights.paste(255, (0, 0, 40, 40))
    whole = Photo(Image.new("RGB", (600, 600)), weights)
    five = [(300, 300), (350, 300), (325, 325), (305, 350), (345, 350)]
    size = generator.manifest.image_size
    for part in (align(whole, size, box=(200, 200, 400, 400)), align_face(whole, five, size)):
        with pytest.raises(InputError, match="counts: it is transparent, masked out"):
            InversionSession(generator, part)


def test_what_does_not_count_changes_nothing(generator: Generator, photo: Photo) -> None:
    weights = Image.new("L", (SIZE, SIZE), 255)
    weights.paste(0, (0, 0, SIZE, SIZE // 4))
    spoilt = photo.picture.copy()
    spoilt.paste("lime", (0, 0, SIZE, SIZE // 4))
    clean, disturbed = (
        InversionSession(generator, Photo(picture, weights), SHORT)
        for picture in (photo.picture, spoilt)
    )
    assert [step.loss for step in clean] == [step.loss for step in disturbed]
    np.testing.assert_array_equal(clean.w_plus, disturbed.w_plus)


def test_it_goes_on_as_if_it_had_never_stopped(
    generator: Generator, photo: Photo, tmp_path: Path
) -> None:
    whole, first, second = (InversionSession(generator, photo, SHORT) for _ in range(3))
    expected = [step.loss for step in whole]
    found = [next(first).loss for _ in range(5)]
    first.save(tmp_path / "progress.npz")
    second.resume(tmp_path / "progress.npz")
    assert second.steps == 5
    assert second.picture == first.picture
    found += [step.loss for step in second]
    assert found == expected
    np.testing.assert_array_equal(second.w_plus, whole.w_plus)


def test_an_interrupt_at_any_moment_changes_nothing(generator: Generator, photo: Photo) -> None:
    whole, broken = (InversionSession(generator, photo, SHORT) for _ in range(2))
    interrupted(lambda: next(whole), None)  # loads graphs
    lines = interrupted(lambda: next(whole), None)
    list(whole)
    random = np.random.default_rng(6)
    while broken.steps < SHORT.steps:
        before = broken.steps
        interrupted(lambda: next(broken, None), int(random.integers(1, lines + 1)))
        assert broken.steps - before in (0, 1)
        next(broken, None)
    np.testing.assert_array_equal(broken.w_plus, whole.w_plus)
    assert (broken.psnr, broken.picture) == (whole.psnr, whole.picture)


def test_two_threads_in_one_session_are_refused(
    generator: Generator, photo: Photo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, alone = (InversionSession(generator, photo, SHORT) for _ in range(2))
    next(session)
    at_work, go_on = threading.Event(), threading.Event()
    pull_back = BoundPass.pull_back

    def held(self: BoundPass) -> np.ndarray:
        at_work.set()
        assert go_on.wait(HANG)
        return pull_back(self)

    monkeypatch.setattr(BoundPass, "pull_back", held)
    thread = threading.Thread(target=next, args=(session,))
    thread.start()
    assert at_work.wait(HANG)
    session.save(tmp_path / "progress.npz")  # what was reached before
    for ask in (lambda: next(session), lambda: session.resume(tmp_path / "progress.npz")):
        with pytest.raises(StateError, match="another thread is at work on this inversion"):
            ask()
    assert session.steps == 1
    go_on.set()
    thread.join(HANG)
    assert session.steps == 2
    list(session)
    list(alone)
    np.testing.assert_array_equal(session.w_plus, alone.w_plus)
    session.resume(tmp_path / "progress.npz")
    assert session.steps == 1


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("coordinates", lambda a: a[:, :-1]),
        ("coordinates", lambda a: a[:-1]),
        ("best", lambda a: a * np.nan),
        ("square", lambda a: -1 - a),
        ("mean", lambda a: a.astype(np.float32)),
        ("correction", lambda a: a[..., :-1]),
        ("facts", lambda a: np.array(str(a).replace('"steps": 1', '"steps": 1.5'))),
        ("facts", lambda a: np.array(str(a).replace('"best_psnr"', '"psnr_best"'))),
    ],
)
def test_progress_that_cannot_be(
    generator: Generator,
    photo: Photo,
    tmp_path: Path,
    name: str,
    spoil: Callable[[np.ndarray], np.ndarray],
) -> None:
    path = tmp_path / "progress.npz"
    session = InversionSession(generator, photo, SHORT)
    next(session)
    session.save(path)
    with np.load(path) as archive:
        arrays = dict(archive)
    np.savez(path, **{**arrays, name: spoil(arrays[name])})

    def go_on() -> None:
        session.resume(path)
        next(session)

    with pytest.raises(InputError, match="progress"):
        go_on()
    assert session.steps == 1


def test_progress_of_something_else_is_refused(
    generator: Generator, photo: Photo, tmp_path: Path
) -> None:
    path = tmp_path / "progress.npz"
    session = InversionSession(generator, photo, SHORT)
    with pytest.raises(InputError, match="no step of the inversion was done yet"):
        session.save(path)
    next(session)
    session.save(path)
    for other in (
        InversionSession(generator, photo, replace(SHORT, pull=1.0)),
        InversionSession(generator, Photo(Image.new("RGB", (SIZE, SIZE))), SHORT),
    ):
        with pytest.raises(InputError, match="belongs to another photo, model or other settings"):
            other.resume(path)
    path.write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(InputError, match="is no progress file of a drag or an inversion"):
        session.resume(path)
    np.savez(path, w_plus=session.w_plus)  # as another option of the commands takes
    with pytest.raises(InputError, match="is no progress file of a drag or an inversion"):
        session.resume(path)


def test_the_best_latents_picture_costs_no_run(generator: Generator, photo: Photo) -> None:
    session = InversionSession(generator, photo, SHORT)
    with pytest.raises(InputError, match="no step"):
        _ = session.picture
    for _ in range(3):
        next(session)
    again = np.asarray(generator.image(session.w_plus), np.float64)
    assert np.abs(np.asarray(session.picture) - again).max() <= 1


def test_what_a_notebook_shows_of_it(generator: Generator, photo: Photo) -> None:
    session = InversionSession(generator, photo, InversionConfig(steps=1))
    assert repr(session) == "<InversionSession: 0 of 1 steps>"
    list(session)
    assert repr(session) == f"<InversionSession: 1 of 1 steps, {session.psnr:.1f} dB>"


def test_cancelling_keeps_the_best(generator: Generator, photo: Photo) -> None:
    session = InversionSession(generator, photo, SHORT)
    best = min(next(session).loss for _ in range(4))
    session.cancel()
    with pytest.raises(StopIteration):
        next(session)
    assert session.steps == 4
    compare = PyramidLoss()
    compare.set_target(session.target)
    distance = compare(generator.image_layers(session.w_plus).image)[0]
    assert 0 <= best - distance < 1e-3  # what is missing is the pull


def test_a_start_can_be_given(generator: Generator, photo: Photo) -> None:
    truth = generator.w_plus(101, truncation_psi=0.6)
    session = InversionSession(generator, photo, replace(SHORT, noise=0.0), w_plus=truth)
    assert next(session).psnr > 50  # only the rounding to 8 bits is missing


def test_a_step_size_that_is_too_large_is_said(generator: Generator, photo: Photo) -> None:
    session = InversionSession(generator, photo, replace(SHORT, step_size=1e30))
    with pytest.raises(InputError, match=r"diverged after . steps: take a smaller step size"):
        list(session)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"space": "z"}, r"space must be w\+ or w, not 'z'"),
        ({"steps": 0}, "steps must be a whole number from 1 to 1000000, not 0"),
        ({"steps": 1.5}, "steps must be a whole number .* not 1.5"),
        ({"step_size": float("nan")}, "step_size must be a positive number"),
        ({"coarse": -0.1}, "coarse must be a number from 0 to 1, not -0.1"),
        ({"ramp_down": 2}, "ramp_down must be a number from 0 to 1"),
        ({"pull": -1}, "pull must be a number from 0 to 1e"),
        ({"noise": True}, "noise must be a number from 0 to 1e"),
        ({"candidates": 10**6}, "candidates must be a whole number from 0 to 10000, not 1000000"),
        ({"seed": 2**40}, "seed must be a whole number from 0 to 4294967295, not 1099511627776"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        InversionConfig(**values)  # type: ignore[arg-type]


def test_the_schedule_is_the_projectors() -> None:
    """The released projector's, written down: ramps of 5 % and 25 %, noise gone after 75 %."""
    config = InversionConfig(steps=1000, noise=1.0)
    for step in (20, 400, 749, 750, 900, 999):
        t = step / 1000
        ramp = 0.5 - 0.5 * np.cos(min(1.0, (1 - t) / 0.25) * np.pi)
        # It starts from exactly 0 there, one step earlier here.
        assert config.rate(step) == pytest.approx(ramp * min(1.0, (step + 1) / 50))
        assert config.noise_at(step) == pytest.approx(max(0.0, 1 - t / 0.75) ** 2)
    assert config.rate(520, since=500) == pytest.approx(21 / 50)  # where a descent begins anew


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("size", [(64, 32), (34, 38), (40, 24)], ids=str)
def test_the_pyramid_losss_gradient(size: tuple[int, int], *, weighted: bool) -> None:
    """The loss is quadratic, so that a central difference is its derivative for any step."""
    random = np.random.default_rng(0)
    image, target, direction = random.standard_normal((3, 1, 3, *size)).astype(np.float32)
    weights = random.uniform(size=size) if weighted else None
    loss = PyramidLoss(weights)
    loss.set_target(target)
    assert loss(target)[0] == 0
    value, gradient = loss(image)
    assert gradient.dtype == np.float32
    ahead, behind = (loss(image + sign * direction)[0] for sign in (1, -1))
    # float32 sums of 6144 terms: rounding, and the difference of two close values, stay below 1e-4.
    assert np.vdot(gradient, direction) == pytest.approx((ahead - behind) / 2, abs=1e-4 * value)


def test_the_pyramid_loss_sees_what_pixels_do_not() -> None:
    """A shape that is out of place by more than its size is nearer the nearer it is."""
    target = np.zeros((1, 3, 64, 64), np.float32)
    target[..., 10:14, 10:14] = 1
    loss = PyramidLoss()
    loss.set_target(target)
    distances = []
    for shift in (0, 5, 40):
        image = np.roll(target, shift, axis=3)
        distances.append(loss(image)[0])
    assert distances == sorted(distances)


def test_the_latent_space_is_a_change_of_coordinates() -> None:
    random = np.random.default_rng(1)
    samples = (random.standard_normal((500, 6)) * [5, 2, 1, 1, 0.1, 0]).astype(np.float32)
    samples = samples @ np.linalg.qr(random.standard_normal((6, 6)))[0].astype(np.float32)
    space = LatentSpace.of(samples, samples.mean(axis=0))
    np.testing.assert_allclose(space.w(space.coordinates(samples)), samples, atol=1e-5)
    spread = space.coordinates(samples).std(axis=0)
    assert ((spread > 0.95) & (spread < 1.05)).sum() == 4  # those above the floor
    assert space.scales.min() == pytest.approx(SMALLEST_SCALE * space.scales.max())
    # dL/dcoordinates of L = sum(w * g) is what a change of one coordinate does.
    g = random.standard_normal(6).astype(np.float32)
    unit = space.w(np.eye(6)) - space.w(np.zeros((1, 6)))
    np.testing.assert_allclose(space.gradient(g), unit @ g, atol=1e-4)

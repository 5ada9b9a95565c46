"""Directions that a start goes along: kept with the document, added to whatever picture it has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dragonnx import Generator, InputError, load_latent
from dragonnx.document import Document, LatentStart, open_document, save_document
from dragonnx.document.latents import current_w_plus
from dragonnx.document.outputs import output, report
from dragonnx.document.pictures import open_picture
from dragonnx.document.run import drag
from dragonnx.document.start import Along
from dragonnx.document.state import PointPair
from dragonnx.drag.config import DragConfig

SMALL = Path(__file__).parents[1] / "fixtures" / "bundle-v2"
EXACT = 1e-5
"""Sums of numbers of about 1 in float32, in another order."""


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open(SMALL, "cpu", threads=1)


@pytest.fixture
def along(generator: Generator) -> tuple[Along, ...]:
    shape = generator.w_plus(0).shape
    rng = np.random.default_rng(0)
    vectors = [rng.standard_normal(shape, np.float32) for _ in range(3)]
    return tuple(
        Along(f"d{k}.npy", amount, vector)
        for k, (amount, vector) in enumerate(zip((0.5, 0.0, -1.5), vectors, strict=True))
    )


def total(along: tuple[Along, ...]) -> np.ndarray:
    return np.sum([each.amount * each.vector for each in along], axis=0)


def test_a_seed_goes_along_directions_wherever_it_is_kept(
    tmp_path: Path, generator: Generator, along: tuple[Along, ...]
) -> None:
    start = LatentStart(3, 0.5, directions=along)
    document = Document(model=str(SMALL), start=start)
    wanted = generator.w_plus(3, truncation_psi=0.5) + total(along)
    assert start.describe() == "seed 3 + d0.npy:0.5 + d2.npy:-1.5"
    np.testing.assert_allclose(current_w_plus(document, generator), wanted, atol=EXACT)
    save_document(document, tmp_path / "a.dragonnx")
    output("picture").write(document, generator, tmp_path / "a.png")
    for opened in (open_document(tmp_path / "a.dragonnx"), open_picture(tmp_path / "a.png")):
        np.testing.assert_allclose(current_w_plus(opened, generator), wanted, atol=EXACT)
        assert [(e.name, e.amount) for e in opened.start.directions] == [
            (e.name, e.amount) for e in along
        ]
    for name in ("a.dragonnx", "a.png"):
        latent = load_latent(tmp_path / name, generator=generator)
        np.testing.assert_allclose(latent, wanted, atol=EXACT)


def test_a_latent_goes_along_directions(generator: Generator, along: tuple[Along, ...]) -> None:
    base = generator.w_plus(5)
    document = Document(model=str(SMALL), start=LatentStart(w_plus=base, directions=along))
    np.testing.assert_allclose(current_w_plus(document, generator), base + total(along), atol=EXACT)


def test_what_a_drag_reached_goes_along_them_and_back(
    generator: Generator, along: tuple[Along, ...]
) -> None:
    document = Document(
        model=str(SMALL), start=LatentStart(3, directions=along[:1]), config=DragConfig(max_steps=2),
        pairs=(PointPair((8, 8), (12, 8)),),
    )  # fmt: skip
    dragged = drag(document, generator)
    assert report(dragged)["seed"] is None, "no seed gives that picture"
    reached = current_w_plus(dragged, generator)
    moved = dragged.with_directions((replace(along[0], amount=2.0), *along[1:]))
    step = 1.5 * along[0].vector + along[2].step
    np.testing.assert_allclose(current_w_plus(moved, generator), reached + step, atol=EXACT)
    assert moved.pairs[0].handle == dragged.pairs[0].handle
    assert moved.pairs[0].origin is None, "a reset leaves it where the drag left it"
    assert moved.start.describe().startswith("seed 3, dragged + d0.npy:2")
    back = moved.with_directions(along[:1])
    np.testing.assert_allclose(current_w_plus(back, generator), reached, atol=EXACT)


def test_what_does_not_fit_is_refused(generator: Generator, along: tuple[Along, ...]) -> None:
    other = Along("other", 1, np.zeros((1, 2, 3), np.float32))
    with pytest.raises(InputError, match="directions must have the shape of w_plus"):
        LatentStart(w_plus=generator.w_plus(1), directions=(other,))
    with pytest.raises(InputError, match="of each other"):
        LatentStart(directions=(other, *along))
    with pytest.raises(InputError):
        current_w_plus(
            Document(model=str(SMALL), start=LatentStart(directions=(other,))), generator
        )
    with pytest.raises(InputError, match="amount"):
        Along("far", 1e6, other.vector)


def test_vectors_count_as_memory_once(along: tuple[Along, ...]) -> None:
    document = Document(start=LatentStart(directions=along))
    counted: set[int] = set()
    assert document.nbytes(counted) == sum(each.vector.nbytes for each in along)
    again = document.with_directions(tuple(replace(each, amount=3) for each in along))
    assert again.nbytes(counted) == 0

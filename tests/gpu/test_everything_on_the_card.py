"""What a card computes besides drags: where the nodes run, pictures, inversion."""

from __future__ import annotations

import numpy as np
import pytest
from gpu.conftest import OpenOnCard, had
from support.bundled import SEED

from dragonnx import Generator, InversionConfig, InversionSession
from dragonnx.drag.windows import Geometry, plan_windows
from dragonnx.inversion.photo import Photo

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_no_node_off_the_card(open_on_card: OpenOnCard, precision: str) -> None:
    generator = open_on_card(precision)
    m = generator.manifest
    centre = np.array([[m.image_size[1] / 2, m.image_size[0] / 2]])
    geometry = Geometry.of(m)
    windows = {cut: plan_windows(centre, 9, geometry, cut).inputs for cut in m.cuts}
    placements = dict(generator.placements(windows))
    assert {f"{name}.onnx" for name in placements} == {
        name for name in m.files if name.endswith(".onnx")
    }
    wanted = generator.device.provider.ort_name
    assert {graph: list(placed) for graph, placed in placements.items()} == {
        graph: [wanted] for graph in placements
    }


@pytest.mark.parametrize("seed", [SEED, 5, 21])
def test_pictures_are_equal_within_a_level(
    seed: int, on_card: Generator, on_cpu: Generator
) -> None:
    """A value that lies between two levels may be rounded to either."""
    w_plus = on_cpu.w_plus(seed)
    for name in ("image", "preview"):
        there, here = (
            np.asarray(getattr(generator, name)(w_plus), int) for generator in (on_card, on_cpu)
        )
        assert np.abs(there - here).max() <= 1
        assert (there != here).mean() < 0.01


def test_latents_are_equal(on_card: Generator, on_cpu: Generator) -> None:
    # w's are of size ten, and each is rounded a few times.
    np.testing.assert_allclose(on_card.w_plus(SEED), on_cpu.w_plus(SEED), atol=4e-5)


def test_a_card_by_its_number(on_cpu: Generator) -> None:
    generator = Generator.open("critters", device=had("cuda:0"))
    w_plus = on_cpu.w_plus(SEED)
    there, here = (np.asarray(each.image(w_plus), float) for each in (generator, on_cpu))
    assert np.abs(there - here).mean() < 0.5


def test_an_inversion_comes_as_close(on_card: Generator, on_cpu: Generator) -> None:
    photo = Photo(on_cpu.image(on_cpu.w_plus(101, truncation_psi=0.6)))
    config = InversionConfig(steps=12, candidates=8)
    there, here = (
        [step.psnr for step in InversionSession(generator, photo, config)]
        for generator in (on_card, on_cpu)
    )
    assert here[-1] > here[0] + 2
    assert there[0] == pytest.approx(here[0], abs=1e-2)
    # Its loss has kinks everywhere: noise of 1e-5 on images and gradients moves it by 0.06 dB.
    np.testing.assert_allclose(there, here, atol=0.2)

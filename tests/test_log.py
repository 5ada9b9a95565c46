"""What the logger "dragonnx" tells, and that nothing is printed."""

from __future__ import annotations

import logging
import subprocess
import sys

import numpy as np
import pytest
from support.bundled import FAR, NOSE, SEED, SIZE

from dragonnx import DragConfig, DragSession, Generator, InversionConfig, Photo, invert, log


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


def told(caplog: pytest.LogCaptureFixture, level: int) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == level]


def test_a_program_that_configures_no_logging_sees_nothing() -> None:
    code = (
        "import numpy as np\n"
        "from dragonnx import DragSession, Generator\n"
        "from dragonnx.log import logger\n"
        "generator = Generator.open('critters', device='cpu')\n"
        f"mask = np.arange({SIZE})[:, None] + np.zeros({SIZE}) > 50\n"
        f"next(DragSession(generator, generator.w_plus({SEED}), [{NOSE}], [{FAR}], mask))\n"
        "logger.warning('running on the CPU')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    assert (done.stdout, done.stderr) == (b"", b"")


def test_what_takes_long_is_told(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "SLOW", 0.0)
    with caplog.at_level(logging.INFO, "dragonnx"):
        generator = Generator.open("critters", device="cpu", threads=1)
        w_plus = generator.w_plus(SEED)
        next(DragSession(generator, w_plus, [NOSE], [FAR]))
        photo = Photo(generator.image(w_plus))
        next(invert(generator, photo, InversionConfig(steps=1, candidates=1)))
    messages = [message.split(" took ")[0] for message in told(caplog, logging.INFO)]
    assert messages[:2] == ["opening the model critters", "loading mapping.onnx"]
    assert set(messages) >= {
        "drag step 1",
        "looking for a place to start from",
        "inversion step 1",
        "loading image_pullback.onnx",
    }


def test_what_is_quick_is_told_in_debug_alone(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, generator: Generator
) -> None:
    monkeypatch.setattr(log, "SLOW", 3600.0)
    session = DragSession(generator, generator.w_plus(SEED), [NOSE], [FAR])
    with caplog.at_level(logging.DEBUG, "dragonnx"):
        next(session)
    assert told(caplog, logging.INFO) == []
    assert told(caplog, logging.DEBUG)[-1].startswith("drag step 1 took ")


def test_why_a_drag_computes_the_whole_map_is_told(
    caplog: pytest.LogCaptureFixture, generator: Generator
) -> None:
    w_plus = generator.w_plus(SEED)
    mask = np.ones((SIZE, SIZE), bool)
    mask[0] = False
    points = [(x, y) for x in range(20, 240, 20) for y in range(20, 240, 20)]
    with caplog.at_level(logging.INFO, "dragonnx"):
        DragSession(generator, w_plus, [NOSE], [FAR])
        DragSession(generator, w_plus, [NOSE], [FAR], mask)
        DragSession(generator, w_plus, [NOSE], [FAR], config=DragConfig(windows=False))
        DragSession(generator, w_plus, points, points)
    assert [message.split(", since ")[1] for message in told(caplog, logging.INFO)] == [
        "the term mask needs it",
        "windows are switched off",
        "windows around its points would cost more",
    ]

"""A model, and a document that was dragged with it."""

from __future__ import annotations

import numpy as np
import pytest
from support.bundled import NOSE, NOSE_TARGET, SEED, SIZE

from dragonnx.document import Document, LatentStart, drag
from dragonnx.drag.config import DragConfig
from dragonnx.model.generator import Generator


@pytest.fixture(scope="session")
def generator() -> Generator:
    return Generator.open(device="cpu", threads=1)


@pytest.fixture(scope="session")
def marked() -> Document:
    """Points and a mask, and a drag of three steps asked for."""
    mask = np.ones((SIZE, SIZE), bool)
    mask[:20] = False
    document = Document(start=LatentStart(seed=SEED), config=DragConfig(max_steps=3))
    return document.with_point(NOSE).with_point(NOSE_TARGET).with_mask(mask)


@pytest.fixture(scope="session")
def dragged(generator: Generator, marked: Document) -> Document:
    return drag(marked, generator, keep_frames=True)

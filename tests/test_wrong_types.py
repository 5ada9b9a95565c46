"""Whatever a program passes is taken as it is or refused in one sentence: never cut, never a traceback."""

# ruff: noqa: ARG005 every call of the table takes the generator, whether it needs it or not

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from support.bundled import NOSE, NOSE_TARGET, NUM_WS, SEED, SIZE, W_DIM

from dragonnx import (
    CombinedLoss,
    Document,
    DragConfig,
    DragonnxError,
    DragSession,
    FaceDetector,
    Generator,
    InversionConfig,
    InversionSession,
    LatentStart,
    PerceptualLoss,
    Photo,
    PointPair,
    PyramidLoss,
    align_face,
    load_latent,
    load_mask,
    load_photo,
    open_document,
    open_picture,
    read_landmarks,
    save_document,
    save_latent,
    save_picture,
)
from dragonnx.document import DragRun
from dragonnx.drag.step import HostStep
from dragonnx.inversion.photo import align

VALUES: dict[str, Any] = {
    "None": None,
    "True": True,
    "1.5": 1.5,
    "-1": -1,
    "0": 0,
    "10**30": 10**30,
    "a number as text": "3",
    "a text with a zero": "x\0y",
    "bytes": b"x",
    "nan": float("nan"),
    "inf": float("inf"),
    "1j": 1j,
    "an object": object(),
    "[]": [],
    "{}": {},
    "()": (),
    "ragged": [[1, 2], [3]],
    "points as texts": [("1", "2")],
    "points of three": [(1, 2, 3)],
    "points of flags": [(True, False)],
    "points of nan": [(float("nan"), 1)],
    "points of None": [(None, 1)],
    "a point": NOSE,
    "points": [NOSE],
    "an array of objects": np.array([None]),
    "complex numbers": np.full((1, NUM_WS, W_DIM), 1j),
    "huge numbers": np.full((1, NUM_WS, W_DIM), 1e300),
    "no points": np.zeros((0, 2)),
    "a date": np.datetime64("2020"),
    "a number of NumPy": np.int64(2),
    "a real number of NumPy": np.float64(1.5),
    "a function": lambda *_: True,
    "a picture": Image.new("1", (SIZE, SIZE)),
    "a path": Path("nowhere"),
    "a set": {1, 2},
    "grey levels": np.zeros((SIZE, SIZE)),
    "2**31": 2**31,
    "half a character": "\ud800",
    "a long text": "ä" * 200,
}
REAL = {"1.5", "a number of NumPy", "a real number of NumPy"}
SEEDS = {"0", "2**31", "a number of NumPy"}
FILES_TO_WRITE = {"a number as text", "a path"}


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator.open("critters", device="cpu", threads=1)


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


class Computed(Exception):  # noqa: N818
    """What was passed was taken, and computing began."""


@pytest.fixture(autouse=True)
def nothing_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    def init(*_: object) -> None:
        raise Computed

    monkeypatch.setattr(HostStep, "init", init)


def drag(g: Generator, **given: Any) -> DragSession:
    whole = {"generator": g, "handle_points": [NOSE], "target_points": [NOSE_TARGET], **given}
    return DragSession(**{"w_plus": g.w_plus(SEED), **whole})


def inversion(g: Generator, **given: Any) -> InversionSession:
    photo = Photo(Image.new("RGB", (SIZE, SIZE)))
    return InversionSession(**{"generator": g, "photo": photo, **given})


def document() -> Document:
    return Document().with_point(NOSE).with_point(NOSE_TARGET)


Call = Callable[[Generator, Any], object]
FIVE = [(100, 100), (150, 100), (125, 125), (105, 150), (145, 150)]
PHOTO = Photo(Image.new("RGB", (SIZE, SIZE)))
NONE = {"None"}
FLAGS = {"None", "a picture", "points of flags"}
CALLS: dict[str, tuple[Call, set[str]]] = {
    "Generator.open": (lambda g, v: Generator.open(v, "cpu"), set()),
    "device": (lambda g, v: Generator.open("critters", v), set()),
    "threads": (lambda g, v: Generator.open("critters", "cpu", v), NONE | {"a number of NumPy"}),
    "precision": (lambda g, v: Generator.open("critters", "cpu", 1, v), set()),
    "seed": (lambda g, v: g.w_plus(v), SEEDS | {"a point"}),  # which can be two seeds
    "z": (lambda g, v: g.w_plus(z=v), set()),
    "label": (lambda g, v: g.w_plus(1, label=v), NONE),
    "truncation_psi": (lambda g, v: g.w_plus(1, truncation_psi=v), NONE | REAL | {"-1", "0"}),
    "image": (lambda g, v: g.image(v), set()),
    "features": (lambda g, v: g.features(v), set()),
    "cut": (lambda g, v: g.features(g.w_plus(1), cut=v), NONE),
    "windows": (lambda g, v: g.features(g.w_plus(1), cut=16, windows=v), set()),
    "latent for a generator": (lambda g, v: load_latent(v, generator=g), set()),
    "generator of a drag": (lambda g, v: drag(g, generator=v), set()),
    "w_plus of a drag": (lambda g, v: drag(g, w_plus=v), set()),
    "handle_points": (lambda g, v: drag(g, handle_points=v), {"points"}),
    "target_points": (lambda g, v: drag(g, target_points=v), {"points"}),
    "mask": (lambda g, v: drag(g, mask=v), NONE),
    "config of a drag": (lambda g, v: drag(g, config=v), NONE),
    "keep_latents": (lambda g, v: drag(g, keep_latents=v), {"True"}),
    "DragSession.save": (lambda g, v: drag(g).save(v), FILES_TO_WRITE),
    "DragSession.resume": (lambda g, v: drag(g).resume(v), set()),
    "max_steps": (lambda g, v: DragConfig(max_steps=v), NONE | {"a number of NumPy"}),
    "step_size": (lambda g, v: DragConfig(step_size=v), NONE | REAL | {"10**30", "2**31"}),
    "generator of an inversion": (lambda g, v: inversion(g, generator=v), set()),
    "photo": (lambda g, v: inversion(g, photo=v), {"a picture"}),
    "config of an inversion": (lambda g, v: inversion(g, config=v), NONE),
    "loss": (lambda g, v: inversion(g, loss=v), NONE),
    "w_plus of an inversion": (lambda g, v: inversion(g, w_plus=v), NONE),
    "InversionSession.resume": (lambda g, v: inversion(g).resume(v), set()),
    "steps of an inversion": (lambda g, v: InversionConfig(steps=v), {"a number of NumPy"}),
    "weights": (lambda g, v: PyramidLoss(v), NONE | {"no points", "grey levels"}),
    "edge_weight": (lambda g, v: PyramidLoss(None, v), REAL | {"0"}),
    "weight of a loss": (lambda g, v: CombinedLoss(PyramidLoss(), PyramidLoss(), v), REAL | {"0"}),
    "first loss": (lambda g, v: CombinedLoss(v, PyramidLoss()), set()),
    "PerceptualLoss.open": (lambda g, v: PerceptualLoss.open(v), set()),
    "num_ws": (lambda g, v: load_latent("none.npz", v), set()),
    "number of a latent": (lambda g, v: load_latent("none.npz", index=v, generator=g), set()),
    "load_latent": (lambda g, v: load_latent(v), set()),
    "save_latent to": (lambda g, v: save_latent(g.w_plus(1), v), FILES_TO_WRITE),
    "save_latent": (lambda g, v: save_latent(v, "latent.npz"), set()),
    "open_document": (lambda g, v: open_document(v), set()),
    "save_document to": (lambda g, v: save_document(document(), v), FILES_TO_WRITE),
    "save_document": (lambda g, v: save_document(v, "a.dragonnx"), set()),
    "preview": (lambda g, v: save_document(document(), "a.dragonnx", v), NONE | {"bytes"}),
    "open_picture": (lambda g, v: open_picture(v), set()),
    "save_picture to": (lambda g, v: save_picture(document(), g, v), set()),
    "save_picture": (lambda g, v: save_picture(v, g, "a.png"), set()),
    "generator of a picture": (lambda g, v: save_picture(document(), v, "a.png"), set()),
    "quality": (
        lambda g, v: save_picture(document(), g, "a.jpg", v),
        NONE | {"a number of NumPy"},
    ),
    "start of a document": (lambda g, v: Document(start=v), set()),
    "seed of a document": (lambda g, v: LatentStart(seed=v), SEEDS),
    "label of a document": (
        lambda g, v: LatentStart(label=v),
        {"None", "0", "a number of NumPy", "a point"},
    ),
    "w_plus of a document": (lambda g, v: LatentStart(w_plus=v), NONE),
    "mask of a document": (lambda g, v: Document().with_mask(v), FLAGS),
    "config of a document": (lambda g, v: Document(config=v), set()),
    "pairs of a document": (lambda g, v: Document(pairs=v), {"[]", "()"}),
    "handle": (lambda g, v: PointPair(v), {"a point"}),
    "picture of a photo": (lambda g, v: Photo(v), set()),
    "weights of a photo": (lambda g, v: Photo(Image.new("RGB", (SIZE, SIZE)), v), NONE),
    "load_photo": (lambda g, v: load_photo(v), {"a picture"}),
    "mask of a photo": (lambda g, v: load_photo(Image.new("RGB", (SIZE, SIZE)), v), NONE),
    "load_mask": (lambda g, v: load_mask(v, (SIZE, SIZE)), {"a picture"}),
    "size of a mask": (lambda g, v: load_mask(Image.new("L", (SIZE, SIZE)), v), set()),
    "photo to align": (lambda g, v: align(v, (SIZE, SIZE)), set()),
    "size to align": (lambda g, v: align(PHOTO, v), {"a point"}),
    "box": (lambda g, v: align(PHOTO, (SIZE, SIZE), box=v), NONE),
    "fit": (lambda g, v: align(PHOTO, (SIZE, SIZE), fit=v), set()),
    "landmarks": (lambda g, v: align_face(PHOTO, v, (SIZE, SIZE)), set()),
    "photo of a face": (lambda g, v: align_face(v, FIVE, (SIZE, SIZE)), {"a picture"}),
    "size of a face": (lambda g, v: align_face(PHOTO, FIVE, v), {"a point"}),
    "fit of a face": (lambda g, v: align_face(PHOTO, FIVE, (SIZE, SIZE), fit=v), set()),
    "read_landmarks": (lambda g, v: read_landmarks(v), set()),
    "FaceDetector.open": (lambda g, v: FaceDetector.open(v), set()),
    "number of a pair": (lambda g, v: document().with_target(v, NOSE), {"0"}),
    "number of a pair to remove": (lambda g, v: document().without_pair(v), {"0"}),
    "document to drag": (lambda g, v: DragRun(v, g), set()),
    "generator of a document": (lambda g, v: DragRun(document(), v), set()),
    "steps": (
        lambda g, v: DragRun(document(), g).go_on(steps=v),
        NONE | {"0", "a number of NumPy"},
    ),
    "progress": (lambda g, v: DragRun(document(), g).go_on(progress=v), NONE | {"a function"}),
    "stop": (lambda g, v: DragRun(document(), g).go_on(stop=v), NONE | {"a function"}),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_value_is_taken_or_refused(generator: Generator, name: str) -> None:
    call, expected = CALLS[name]
    taken = set()
    for label, value in VALUES.items():
        try:
            call(generator, value)
        except Computed:
            taken.add(label)
        except DragonnxError as error:
            message = str(error)
            assert message, label
            assert "\n" not in message, message
            assert len(message) < 700, message
        else:
            taken.add(label)
    assert taken == expected

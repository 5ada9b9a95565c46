"""Detectors of faces: both families are decoded, and the largest face of the photo is found."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.face_models import BOX, FIVE, insightface, yunet

from dragonnx import InputError, Photo
from dragonnx.inversion.faces.choice import chosen_face, landmarks_in
from dragonnx.inversion.faces.detector import FaceDetector
from dragonnx.inversion.faces.families import family_of
from dragonnx.model.checking.foreign import check_foreign

MAKERS = {
    "yunet": yunet,
    "yunet of any size": lambda **how: yunet(None, **how),
    "yunet of 320 x 256": lambda **how: yunet((256, 320), **how),
    "scrfd": insightface,
    "scrfd with a batch": lambda **how: insightface(batched=True, **how),
    "scrfd of 640 x 480": lambda **how: insightface((480, 640), **how),
    "scrfd of five levels": lambda **how: insightface(levels=5, **how),
}


def detector(folder: Path, content: bytes) -> FaceDetector:
    (folder / "faces.onnx").write_bytes(content)
    return FaceDetector.open(folder / "faces.onnx", threads=1)


def with_spots(size: tuple[int, int], *spots: tuple[int, int, int]) -> Photo:
    """Black, with red squares at (left, top, side)."""
    picture = Image.new("RGB", size)
    for left, top, side in spots:
        picture.paste((255, 0, 0), (left, top, left + side, top + side))
    return Photo(picture)


def expected(left: float, top: float, side: float) -> np.ndarray:
    """Landmarks of a square that is one cell: from its corner, whose middle is half a pixel in."""
    return np.array((left, top)) + side * FIVE


@pytest.mark.parametrize("maker", MAKERS)
def test_a_face_is_found_where_it_is(tmp_path: Path, maker: str) -> None:
    found = detector(tmp_path, MAKERS[maker]())
    assert found.family == ("YuNet" if "yunet" in maker else "SCRFD or RetinaFace")
    size = found._size[::-1]
    (face,) = found.faces(with_spots(size, (96, 64, 16)))
    # Numbers of float32 through exponentials and square roots.
    np.testing.assert_allclose(face.landmarks, expected(96, 64, 16), atol=1e-3)
    np.testing.assert_allclose(face.box, np.tile((96, 64), 2) + 16 * BOX, atol=1e-3)
    assert face.score > 0.99


@pytest.mark.parametrize("maker", ["yunet", "scrfd"])
@pytest.mark.parametrize("stride", [8, 16, 32])
def test_every_size_of_cells_counts(tmp_path: Path, maker: str, stride: int) -> None:
    found = detector(tmp_path, MAKERS[maker](strides=(stride,)))
    (face,) = found.faces(with_spots((640, 640), (320, 160, stride)))
    np.testing.assert_allclose(face.landmarks, expected(320, 160, stride), atol=1e-3)


@pytest.mark.parametrize("maker", ["yunet", "scrfd"])
@pytest.mark.parametrize(
    ("size", "scale"),
    [((1280, 960), 2), ((2560, 2560), 4), ((640, 100), 1), ((100, 1280), 2), ((320, 320), 0.5)],
)
def test_a_photo_of_another_size_is_drawn_to_fit(
    tmp_path: Path, maker: str, size: tuple[int, int], scale: float
) -> None:
    """Upper left, black beside it; landmarks are in the photo's pixels again."""
    side = int(16 * scale)
    spot = (side * (size[0] // side // 2), side * (size[1] // side // 2))
    (face,) = detector(tmp_path, MAKERS[maker]()).faces(with_spots(size, (*spot, side)))
    # A network's pixel 0 is the middle of the first `scale` pixels of the photo.
    middle = (expected(spot[0] / scale, spot[1] / scale, 16) + 0.5) * scale - 0.5
    np.testing.assert_allclose(face.landmarks, middle, atol=0.01 * scale)


def test_a_face_that_fills_the_photo_is_found_smaller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both families were trained on faces of less than half of what they see."""
    found, tried = detector(tmp_path, insightface()), []
    look = FaceDetector._faces

    def sees_small_ones(self: FaceDetector, picture: Image.Image, scale: float) -> list:
        tried.append(scale)
        return look(self, picture, scale) if scale < 0.5 else []

    monkeypatch.setattr(FaceDetector, "_faces", sees_small_ones)
    (face,) = found.faces(with_spots((640, 640), (256, 128, 64)))
    middle = (expected(64, 32, 16) + 0.5) * 4 - 0.5
    np.testing.assert_allclose(face.landmarks, middle, atol=0.01)
    assert tried == [1.0, 0.5, 0.25]


def test_red_alone_is_a_face_to_both_families(tmp_path: Path) -> None:
    """One wants blue first, the other red first."""
    for content in (yunet(), insightface()):
        found = detector(tmp_path, content)
        for colour in ((0, 0, 255), (0, 255, 0), (255, 255, 255)):
            picture = Image.new("RGB", (640, 640))
            picture.paste(colour, (96, 64, 112, 80))
            assert found.faces(Photo(picture)) == []


def test_the_same_face_is_found_once_and_the_largest_comes_first(tmp_path: Path) -> None:
    found = detector(tmp_path, insightface(strides=(16, 32)))
    # Two cells beside each other share most of their boxes; two anchors share all.
    photo = with_spots((640, 640), (96, 64, 16), (400, 64, 16), (416, 64, 16), (320, 320, 32))
    faces = found.faces(photo)
    assert faces[0].width == pytest.approx(80, abs=0.01)
    np.testing.assert_allclose(faces[0].landmarks, expected(320, 320, 32), atol=1e-3)
    assert [round(face.width) for face in faces[1:]] == [40] * (len(faces) - 1)
    boxes = np.array([face.box for face in faces])
    assert len(np.unique(boxes.round(), axis=0)) == len(faces)


def test_which_face_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "faces.onnx"
    path.write_bytes(insightface(strides=(16, 32)))
    photo = with_spots((640, 640), (96, 64, 16), (320, 320, 32))
    points, note = landmarks_in(photo, None, path)
    np.testing.assert_allclose(points, expected(320, 320, 32), atol=1e-3)
    assert note == (
        "4 faces were found, and the largest is taken; the others are 2 at 108,82, 3 at 332,338, "
        "4 at 348,354"
    )
    points, note = landmarks_in(photo, None, path, 2)
    np.testing.assert_allclose(points, expected(96, 64, 16), atol=1e-3)
    assert note == ""
    with pytest.raises(InputError, match="there is no face 5: 4 were found"):
        landmarks_in(photo, None, path, 5)
    with pytest.raises(InputError, match="no face was found in the photo: turn it upright"):
        landmarks_in(with_spots((640, 640)), None, path)
    with pytest.raises(InputError, match="the number of a face must be"):
        chosen_face(FaceDetector.open(path).faces(photo), 0)


def test_outputs_may_come_in_any_order(tmp_path: Path) -> None:
    found = detector(tmp_path, insightface(shuffled=lambda names: names[::-1]))
    (face,) = found.faces(with_spots((640, 640), (96, 64, 16)))
    np.testing.assert_allclose(face.landmarks, expected(96, 64, 16), atol=1e-3)


# --- what cannot be used ------------------------------------------------------------------------


def refusal(folder: Path, content: bytes) -> str:
    with pytest.raises(InputError) as refused:
        detector(folder, content)
    told = str(refused.value)
    assert told.startswith(f"the face model {folder / 'faces.onnx'} cannot be ")
    assert "\n" not in told
    return told


def test_a_detector_without_landmarks(tmp_path: Path) -> None:
    assert "without their landmarks" in refusal(tmp_path, insightface(with_points=False))


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n", b"\x80\x02}q\x01.", b"PK\x03\x04" * 9])
def test_a_file_that_is_no_network(tmp_path: Path, content: bytes) -> None:
    refusal(tmp_path, content)


def test_what_was_looked_through_is_what_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever replaces the file meanwhile gains nothing."""
    path = tmp_path / "faces.onnx"
    path.write_bytes(insightface())

    def looked_through(content: bytes, size: tuple[int, int]) -> object:
        path.write_bytes(b"another file")
        return check_foreign(content, size)

    monkeypatch.setattr("dragonnx.model.foreign_network.check_foreign", looked_through)
    assert FaceDetector.open(path).family == "SCRFD or RetinaFace"


def test_the_note_of_a_large_file_is_no_network(tmp_path: Path) -> None:
    """What is downloaded of some repositories where Git keeps large files elsewhere."""
    path = tmp_path / "faces.onnx"
    path.write_bytes(
        b"version https://git-lfs.github.com/spec/v1\noid sha256:8f2383e4\nsize 232589\n"
    )
    with pytest.raises(InputError, match="download the file itself"):
        FaceDetector.open(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"the face model .*missing\.onnx cannot be read"):
        FaceDetector.open(tmp_path / "missing.onnx")
    with (tmp_path / "large.onnx").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(InputError, match="too large"):
        FaceDetector.open(tmp_path / "large.onnx")


def test_outputs_of_other_networks() -> None:
    size = (640, 640)
    for outputs in (
        {},
        {"output": (1, 1000)},
        {"boxes": (1, 100, 4), "scores": (1, 100, 1), "points": (1, 100, 10)},
        {"loc": (1, 5875, 14), "conf": (1, 5875, 2), "iou": (1, 5875, 1)},
        {f"{kind}_{s}": (1, 7, 1) for kind in ("cls", "obj", "bbox", "kps") for s in (8, 16, 32)},
        {"cls_8": (1, 6400, 1)},
        {f"{c}{n}": (n, c) for c in (1, 4, 10) for n in (12800, 3200, 801)},
        *(  # fewer scores, boxes or points than the others
            {f"{c}{n}": (n, c) for c in (1, 4, 10) for n in (12800, 3200, 800)[: 3 - (c == fewer)]}
            for fewer in (1, 4, 10)
        ),
        {f"{c}{n}": (n, c) for c in (1, 4, 10) for n in (12800, 3200, 800 * (c == 1) + 400)},
    ):
        with pytest.raises(InputError, match="YuNet of OpenCV's zoo"):
            family_of(outputs, size)


def test_numbers_that_are_none_are_no_faces() -> None:
    shapes = {f"{c}{n}": (n, c) for c in (1, 4, 10) for n in (12800, 3200, 800)}
    family = family_of(shapes, (640, 640))
    outputs = {name: np.ones(shape, np.float32) for name, shape in shapes.items()}
    outputs["412800"] = np.full((12800, 4), np.nan, np.float32)
    outputs["103200"] = np.full((3200, 10), np.inf, np.float32)
    found = family.found(outputs, (640, 640))
    assert len(found.scores) == 800
    assert np.isfinite(found.boxes).all()

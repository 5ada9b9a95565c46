"""Which part of a photo a command shows the model: a box, all of it, or a face."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dragonnx.cli.arguments import crop_box
from dragonnx.cli.console import say
from dragonnx.errors import InputError
from dragonnx.types import Align, Fit, Points

if TYPE_CHECKING:
    from dragonnx.inversion.photo import Photo

AlignOption = Annotated[
    Align, typer.Option(help="face: turn and cut it as FFHQ's faces, by its landmarks.")
]
Landmarks = Annotated[
    Path | None, typer.Option(help="Of the face, 5 or 68: JSON, lines of x y, or .pts.")
]
FaceModel = Annotated[
    Path | None, typer.Option(help="Finds them: an .onnx of YuNet, SCRFD or RetinaFace.")
]
FaceNumber = Annotated[
    int | None, typer.Option(help="Which of the faces it finds; 1 is the largest.")
]


def check_part(
    align: Align,
    landmarks: Path | None,
    face_model: Path | None,
    face: int | None,
    box: str | None,
) -> None:
    """Refuse options that contradict one another, before anything is read.

    Raises:
        InputError: They do.
    """
    if align == "none":
        for name, value in (("landmarks", landmarks), ("face-model", face_model), ("face", face)):
            if value is not None:
                raise InputError(f"--{name} is for --align face, which is missing")
        return
    if box is not None:
        raise InputError("--box and --align face both say which part is shown: name one of them")
    if (landmarks is None) == (face_model is None):
        raise InputError(
            "--align face needs the face's landmarks (--landmarks FILE) or a network that finds them "
            "(--face-model FILE.onnx), one of the two; dragonnx brings none and fetches none"
        )
    if face is not None and face_model is None:
        raise InputError("--face is for --face-model: landmarks are those of one face")


def part_of(
    photo: Photo,
    image_size: tuple[int, int],
    *,
    box: str | None,
    fit: Fit,
    align: Align,
    landmarks: Path | None,
    face_model: Path | None,
    face: int | None,
    threads: int | None = None,
) -> tuple[Photo, Points | None]:
    """The part of a photo that options name, at the size (height, width) of the model's images.

    Returns:
        The part, and the landmarks that it was aligned by, if any.

    Raises:
        InputError: An option cannot be used for this photo.
        DeviceError: ONNX Runtime is not installed.
    """
    if align == "none":
        from dragonnx.inversion.photo import align as cut

        return cut(photo, image_size, box=crop_box(box) if box else None, fit=fit), None
    from dragonnx.inversion.faces.alignment import align_face
    from dragonnx.inversion.faces.choice import landmarks_in

    points, note = landmarks_in(photo, landmarks, face_model, face, threads)
    if note:
        say(f"{note} (--face N takes another)")
    return align_face(photo, points, image_size, fit=fit), points

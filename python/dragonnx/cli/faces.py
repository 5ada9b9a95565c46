"""Which part of a photo a command shows the model: a box, all of it, or a face."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class PartOptions:
    """What the options say of the part of a photo that is shown; contradictions are refused at once.

    Attributes:
        box: As it is typed; None for all of the photo.
        fit: If the part has another shape than the model's images.
        align: Whether a face is turned and cut.
        landmarks: The file of the face's, or None.
        face_model: The network that finds them, or None.
        face: Which of the faces that it finds; None for the largest.

    Raises:
        InputError: They contradict one another.
    """

    box: str | None
    fit: Fit
    align: Align
    landmarks: Path | None
    face_model: Path | None
    face: int | None

    def __post_init__(self) -> None:
        if self.align == "face" and self.box is not None:
            raise InputError(
                "--box and --align face both say which part is shown: name one of them"
            )
        from dragonnx.inversion.faces.choice import check_source

        check_source(self.align, self.landmarks, self.face_model, self.face, _option)

    def of(
        self, photo: Photo, image_size: tuple[int, int], threads: int | None = None
    ) -> tuple[Photo, Points | None]:
        """The part of a photo, at the size (height, width) of the model's images.

        Returns:
            The part, and the landmarks that it was aligned by, if any.

        Raises:
            InputError: An option cannot be used for this photo.
            DeviceError: ONNX Runtime is not installed.
        """
        if self.align == "none":
            from dragonnx.inversion.photo import align

            box = crop_box(self.box) if self.box else None
            return align(photo, image_size, box=box, fit=self.fit), None
        from dragonnx.inversion.faces.alignment import align_face
        from dragonnx.inversion.faces.choice import landmarks_in

        points, note = landmarks_in(photo, self.landmarks, self.face_model, self.face, threads)
        if note:
            say(f"{note} (--face N takes another)")
        return align_face(photo, points, image_size, fit=self.fit), points


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"

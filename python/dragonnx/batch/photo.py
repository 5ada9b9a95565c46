"""The face of a job's photo: by which landmarks it is turned and cut."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dragonnx.inversion.photo import Photo


@dataclass(frozen=True)
class FaceSource:
    """Where the landmarks of a photo's face come from; one of both is there.

    Attributes:
        landmarks: The file that they are written in.
        face_model: The network that finds them.
        face: Which of the faces that it finds; None for the largest.
    """

    landmarks: Path | None
    face_model: Path | None
    face: int | None

    def part(
        self, path: Path, image_size: tuple[int, int], threads: int
    ) -> tuple[Photo, dict[str, Any]]:
        """The face of a photo, at the size (height, width) of the model's images.

        Returns:
            It, and what a report says of it, as JSON values.

        Raises:
            InputError: A file cannot be used, or there is no such face.
        """
        from dragonnx.inversion.faces.alignment import align_face
        from dragonnx.inversion.faces.choice import landmarks_in
        from dragonnx.inversion.photo import load_photo

        photo = load_photo(path, image_size=image_size)
        points, note = landmarks_in(photo, self.landmarks, self.face_model, self.face, threads)
        facts: dict[str, Any] = {"landmarks": points.tolist()}
        if note:
            facts["note"] = note
        return align_face(photo, points, image_size), facts

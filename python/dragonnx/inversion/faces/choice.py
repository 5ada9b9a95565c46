"""Which face of a photo is meant, and where its landmarks come from: a file, or a network."""

from __future__ import annotations

import os
from collections.abc import Callable

from dragonnx.errors import InputError
from dragonnx.inversion.faces.detector import FaceDetector, FoundFace
from dragonnx.inversion.faces.landmarks import MOST_FACES, read_landmarks
from dragonnx.inversion.photo import Photo
from dragonnx.reading.values import whole
from dragonnx.types import Points

_TOLD = 5
"""Faces that are told of, beside the one that is taken."""


def landmarks_in(
    photo: Photo,
    file: str | os.PathLike[str] | None,
    network: str | os.PathLike[str] | None,
    number: int | None = None,
    threads: int | None = None,
) -> tuple[Points, str]:
    """Landmarks of a face, and what is to be told of other faces; empty where there is none.

    Args:
        photo: The whole photo.
        file: Where they are written, or None.
        network: An ONNX file that finds them, or None.
        number: Which of the faces that it finds, the largest being 1; None is the largest.
        threads: CPU threads; None leaves it to ONNX Runtime.

    Raises:
        InputError: A file cannot be used, or there is no such face.
        DeviceError: ONNX Runtime is not installed.
    """
    if file is not None:
        return read_landmarks(file), ""
    if network is None:
        raise InputError("landmarks come from a file or from a network: name one")
    faces = FaceDetector.open(network, threads).faces(photo)
    face = chosen_face(faces, number)
    return face.landmarks, "" if number is not None else _others(faces)


def check_source(
    align: str,
    landmarks: object,
    face_model: object,
    face: object,
    named: Callable[[str], str] = str,
) -> None:
    """Refuse what contradicts itself about where a face's landmarks come from.

    Args:
        align: "face" where one is turned and cut, or "none".
        landmarks: What names their file, or None.
        face_model: What names the network that finds them, or None.
        face: Which of the faces that it finds, or None.
        named: How whoever asks calls each of these.

    Raises:
        InputError: It does.
    """
    if align == "none":
        given = {"landmarks": landmarks, "face_model": face_model, "face": face}
        for name, value in given.items():
            if value is not None:
                raise InputError(f"{named(name)} is for {named('align')} face, which is missing")
        return
    by_file, by_network = named("landmarks"), named("face_model")
    if landmarks is not None and face_model is not None:
        raise InputError(f"{by_file} and {by_network} both say where the face is: name one of them")
    if landmarks is None and face_model is None:
        raise InputError(
            f"{named('align')} face needs the face's landmarks ({by_file} FILE) or a network that finds "
            f"them ({by_network} FILE.onnx); dragonnx brings none and fetches none"
        )
    if face is not None and face_model is None:
        raise InputError(f"{named('face')} is for {by_network}: landmarks are those of one face")
    if face is not None:
        whole(face, named("face"), 1, MOST_FACES)


def chosen_face(faces: list[FoundFace], number: int | None = None) -> FoundFace:
    """One of the faces of a photo.

    Args:
        faces: The largest first.
        number: Which, from 1 on; None is the largest.

    Raises:
        InputError: There is none, or not so many.
    """
    if not faces:
        raise InputError(
            "no face was found in the photo: turn it upright, cut it closer, or give the landmarks"
        )
    at = 1 if number is None else whole(number, "the number of a face", 1, MOST_FACES)
    if at > len(faces):
        raise InputError(f"there is no face {at}: {len(faces)} were found, the largest being 1")
    return faces[at - 1]


def _others(faces: list[FoundFace]) -> str:
    if len(faces) == 1:
        return ""
    places = (
        f"{number} at {(face.box[0] + face.box[2]) / 2:.0f},{(face.box[1] + face.box[3]) / 2:.0f}"
        for number, face in enumerate(faces[1 : 1 + _TOLD], 2)
    )
    more = ", ..." * (len(faces) > 1 + _TOLD)
    return (
        f"{len(faces)} faces were found, and the largest is taken; the others are "
        f"{', '.join(places)}{more}"
    )

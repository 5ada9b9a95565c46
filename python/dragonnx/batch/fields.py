"""What a job may say: one table, of which checks, columns of CSV and the JSON schema are made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from dragonnx.batch.formats import PICTURES, VIDEOS
from dragonnx.document.state import LONGEST_PATH, MOST_PAIRS
from dragonnx.drag.config import PresetName
from dragonnx.drag.points import FARTHEST
from dragonnx.inversion.faces.landmarks import MOST_FACES
from dragonnx.media import LOSSLESS
from dragonnx.model.drag_settings import (
    LARGEST_DISTANCE,
    LARGEST_STEP_SIZE,
    LARGEST_WEIGHT,
    MOST_LAYERS,
    MOST_STEPS,
)
from dragonnx.model.facts import LARGEST_LABEL, LARGEST_PSI
from dragonnx.model.labels import SEVERAL
from dragonnx.model.latent import LARGEST_SEED
from dragonnx.model.latent_choice import MOST_LATENTS
from dragonnx.paths import PORTABLE_NAME
from dragonnx.types import Align, Space

CellKind = Literal["text", "whole", "number", "flag", "points", "label"]


@dataclass(frozen=True)
class Field:
    """One thing that a job may say.

    Attributes:
        cell: How a cell of CSV is read.
        about: For users.
        schema: Of its JSON value, but for null, which is as good as leaving it out.
    """

    cell: CellKind
    about: str
    schema: Mapping[str, Any]


def _path(what: str) -> Field:
    about = f"{what}; the path is relative to the file of jobs"
    return Field("text", about, {"type": "string", "minLength": 1, "maxLength": LONGEST_PATH})


def _range(
    cell: CellKind, about: str, least: float | None, most: float, above: float | None = None
) -> Field:
    kind = "integer" if cell == "whole" else "number"
    schema: dict[str, Any] = {"type": kind, "maximum": most}
    if least is not None:
        schema["minimum"] = least
    if above is not None:
        schema["exclusiveMinimum"] = above
    return Field(cell, about, schema)


def _choice(about: str, choices: tuple[str, ...]) -> Field:
    return Field("text", about, {"enum": list(choices)})


_POINT = {
    "type": "array",
    "description": "(x, y) in pixels of the image, pixel centres at integers",
    "items": {"type": "number", "minimum": -FARTHEST, "maximum": FARTHEST},
    "minItems": 2,
    "maxItems": 2,
}
_POINTS = {
    "type": "array",
    "maxItems": MOST_PAIRS,
    "items": {
        "type": "object",
        "properties": {"handle": _POINT, "target": _POINT},
        "required": ["handle", "target"],
        "additionalProperties": False,
    },
}
SETTINGS: Mapping[str, Field] = {
    "preset": _choice("Defaults of the settings", get_args(PresetName)),
    "space": _choice("Whether each layer has a w of its own", get_args(Space)),
    "step_size": _range(
        "number",
        "Adam's learning rate; with best, in spreads of w",
        None,
        LARGEST_STEP_SIZE,
        above=0,
    ),
    "lambda_mask": _range("number", "Weight of the mask", 0, LARGEST_WEIGHT),
    "r1": _range("number", "Patch radius, at 512 px", None, LARGEST_DISTANCE, above=0),
    "r2": _range("number", "Tracking window, at 512 px", None, LARGEST_DISTANCE, above=0),
    "stop_distance": _range(
        "number", "In pixels: a drag ends where every handle is so near", None, LARGEST_DISTANCE, 0
    ),
    "max_steps": _range("whole", "Give up after these", 1, MOST_STEPS),
    "trainable_layers": _range("whole", "Of the first w's", 1, MOST_LAYERS),
    "windows": Field("flag", "Whether windows may be computed", {"type": "boolean"}),
}
"""Of a drag, as `DragConfig` has them."""
FIELDS: Mapping[str, Field] = {
    "id": Field(
        "text",
        "Names the job's files; the line's number where it is left out",
        {"type": "string", "pattern": f"^{PORTABLE_NAME}$"},
    ),
    "document": _path(
        "The edit: a .dragonnx document or a saved picture; other fields override it"
    ),
    "model": Field(
        "text",
        "A known model's name, or a bundle folder relative to the file of jobs",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_PATH},
    ),
    "seed": _range("whole", "Start from the picture of this seed", 0, LARGEST_SEED),
    "latent": _path("Start from this latent, a file that `--latent` takes"),
    "index": _range("whole", "Which of several latents in the file, from 0", 0, MOST_LATENTS),
    "photo": _path("Start from this photo, which is inverted first"),
    "align": _choice("face: turn and cut the photo as FFHQ's faces", get_args(Align)),
    "landmarks": _path("Of the face in the photo, 5 or 68: JSON, lines of x y, or .pts"),
    "face_model": _path("Finds them: an .onnx of YuNet, SCRFD or RetinaFace"),
    "face": _range("whole", "Which of the faces that it finds; 1 is the largest", 1, MOST_FACES),
    "truncation_psi": _range(
        "number", "Closeness of a seed's picture to the average", -LARGEST_PSI, LARGEST_PSI
    ),
    "label": Field(
        "label",
        "The class, for a model that has classes: 3, several as [0, 3], or weights as {0: 0.7, 3: 0.3}; "
        f"in CSV 3, {SEVERAL}",
        {
            "type": ["integer", "array", "object"],
            "minimum": 0,
            "maximum": LARGEST_LABEL,
            "items": {"type": "integer", "minimum": 0, "maximum": LARGEST_LABEL},
            "minItems": 1,
            "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
            "minProperties": 1,
        },
    ),
    "points": Field("points", "What is dragged where; [] only makes the picture", _POINTS),
    "mask": _path("Picture: white may move, black is fixed"),
    "config": Field(
        "text",
        "Settings of the drag; what is left out is the document's, or what suits the model",
        {
            "type": "object",
            "properties": {
                name: {"description": field.about, **field.schema}
                for name, field in SETTINGS.items()
            },
            "additionalProperties": False,
        },
    ),
    "format": _choice("Of the picture", tuple(PICTURES)),
    "quality": _range("whole", "Of a jpeg or webp; a webp of 100 is lossless", 1, LOSSLESS),
    "video": _choice("Save the drag as this too", VIDEOS),
    "inversion_steps": _range("whole", "For a photo", 1, MOST_STEPS),
}
"""All of a job."""
STARTS = ("seed", "latent", "photo")
"""Of which a job has one at most."""
OF_PHOTOS = ("inversion_steps", "align", "landmarks", "face_model", "face")
"""That a job without a photo may not have."""
COLUMNS: Mapping[str, Field] = {
    **{name: field for name, field in FIELDS.items() if name != "config"},
    **{f"config.{name}": field for name, field in SETTINGS.items()},
}
"""Of CSV."""


def schema() -> dict[str, Any]:
    """The JSON schema of one line of a file of jobs, as editors use it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A job of dragonnx batch",
        "description": "One line of a JSON Lines file is one job: an edit and what it starts from.",
        "type": "object",
        "properties": {
            name: {"description": field.about, **_or_null(field.schema)}
            for name, field in FIELDS.items()
        },
        "additionalProperties": False,
        "anyOf": [{"required": [name]} for name in (*STARTS, "document")],
    }


def _or_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "enum" in schema:
        return {"enum": [*schema["enum"], None]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    return {**schema, "type": [*kinds, "null"]}

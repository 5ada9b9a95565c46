"""The files that a job leaves: in which formats, and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragonnx.errors import InputError
from dragonnx.media import ANIMATION_SUFFIXES, QUALITY, check_animation, check_quality, format_of
from dragonnx.reading.values import one_of

PICTURES: Mapping[str, str] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}
"""How a picture's file ends, by its format."""
VIDEOS = tuple(suffix[1:] for suffix in ANIMATION_SUFFIXES)
REPORT = ".json"
"""How a report ends."""
SUFFIXES = (REPORT, *dict.fromkeys((*PICTURES.values(), *ANIMATION_SUFFIXES)))
"""Of all that a job may leave, its report first."""


@dataclass(frozen=True)
class Formats:
    """Of a job's files, or of those of every job that does not say.

    Attributes:
        picture: Of `PICTURES`.
        quality: Of a JPEG or WebP, 1 to 100; None is 95.
        video: Of `VIDEOS`, where a drag is to be saved as one too.

    Raises:
        InputError: One is none, or the picture's has no quality, or both files would have one name.
    """

    picture: str = "png"
    quality: int | None = None
    video: str | None = None

    def __post_init__(self) -> None:
        one_of(self.picture, "format", tuple(PICTURES))
        check_quality(self.quality, [Path(self.picture_of("a"))])
        if self.video is None:
            return
        check_animation(Path(f"a.{one_of(self.video, 'video', VIDEOS)}"))
        if self.video == self.picture:
            raise InputError(
                f"the picture and the video cannot both be {self.picture}, since they would have one "
                "name: take another format for one"
            )

    def over(self, said: Mapping[str, Any], *, is_drag: bool) -> Formats:
        """Those of a job, which may say another thing.

        Args:
            said: What the job says.
            is_drag: Whether there is anything that a video could be of.

        Raises:
            InputError: As when one is made; or there is a video of nothing.
        """
        picture = one_of(said.get("format", self.picture), "format", tuple(PICTURES))
        takes_quality = format_of(Path(f"a{PICTURES[picture]}")).is_lossy
        found = Formats(
            picture,
            said.get("quality", self.quality if takes_quality else None),
            said.get("video", self.video if is_drag else None),
        )
        if found.video and not is_drag:
            raise InputError("a video is of a drag, and the job has no points")
        return found

    def facts(self) -> dict[str, Any]:
        """What the content of the files depends on, as JSON values."""
        # A format other than PNG is told of where there is one alone, so that the results of earlier
        # versions stay.
        quality = QUALITY if self.quality is None else self.quality
        other = {} if self.picture == "png" else {"picture": [self.picture, quality]}
        return {"video": self.video, **other}

    def picture_of(self, name: str) -> str:
        """The name of a job's picture."""
        return f"{name}{PICTURES[self.picture]}"

    def video_of(self, name: str) -> str:
        """The name of the video of a job that has one."""
        return f"{name}.{self.video}"

    def files_of(self, name: str) -> list[str]:
        """The names of a job's files beside its report."""
        return [self.picture_of(name), *([self.video_of(name)] if self.video else [])]


def report_of(name: str) -> str:
    """The name of a job's report."""
    return f"{name}{REPORT}"

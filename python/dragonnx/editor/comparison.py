"""What the picture is compared with: how it was before the drag, or the photo that it comes from."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from dragonnx.document.result import DragResult
from dragonnx.types import Float32, Picture


class Shown(enum.Enum):
    """What the canvas shows; the value is what a user reads."""

    NOW = "the picture"
    BEFORE = "the picture before the drag"
    PHOTO = "the photo"


@dataclass(frozen=True, eq=False)
class Before:
    """The picture from before a drag.

    Attributes:
        picture: It.
        latent: Its w_plus, [num_ws, w_dim]; None as long as the drag has told none.
    """

    picture: Picture
    latent: Float32 | None = None

    def belongs_to(self, result: DragResult) -> bool:
        """Whether this is from where that drag began."""
        return self.latent is not None and np.array_equal(self.latent, result.latents[0])


@dataclass
class Comparison:
    """What is compared with the picture, and how.

    Attributes:
        shown: What the canvas shows.
        wipe: Whether only on the left of the cross-hair, and the picture on its right.
        before: The picture from before the drag, as far as it is known.
        photo: The photo that was inverted last, as the model's picture would show it.
    """

    shown: Shown = Shown.NOW
    wipe: bool = False
    before: Before | None = None
    photo: Picture | None = None

    def begin_drag(self, picture: Picture | None) -> None:
        """A drag begins with this picture; None where it is not known."""
        self.before = None if picture is None else Before(picture)
        self.end()

    def told_latent(self, latent: Float32) -> None:
        """The drag tells where it began."""
        if self.before is not None and self.before.latent is None:
            self.before = Before(self.before.picture, latent)

    def end(self) -> None:
        """Show the picture alone."""
        self.shown, self.wipe = Shown.NOW, False

    def other(self) -> Picture | None:
        """What is shown in place of the picture or beside it; None for nothing."""
        if self.shown is Shown.PHOTO:
            return self.photo
        before = self.before if self.shown is Shown.BEFORE else None
        return None if before is None else before.picture

"""Makes the pictures of the bundled model: a sheet of samples, and the drags that its page shows.

python scripts/pictures.py
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from dragonnx import DragSession, Generator
from dragonnx.media import side_by_side, with_points

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "critters.md"
_COLUMNS, _ROWS = 8, 3
_SIDE = 128


@dataclass(frozen=True)
class ShownDrag:
    """A drag that the page of the bundled model gives as a command.

    Attributes:
        seed: Of the animal.
        handle: The handle point (x, y).
        target: Its target.
        what: The comment beside the command.
    """

    seed: int
    handle: tuple[int, int]
    target: tuple[int, int]
    what: str


def shown_drags() -> list[ShownDrag]:
    """The commented `dragonnx drag` commands of that page."""
    command = r"dragonnx drag --seed (\d+) --point (\d+),(\d+):(\d+),(\d+) -o \S+ +# (.+)"
    return [
        ShownDrag(int(seed), (int(x), int(y)), (int(tx), int(ty)), what)
        for seed, x, y, tx, ty, what in re.findall(command, PAGE.read_text("utf-8"))
    ]


def sample_sheet(generator: Generator) -> Image.Image:
    """Pictures of the first seeds."""
    sheet = Image.new("RGB", (_COLUMNS * _SIDE, _ROWS * _SIDE))
    for seed in range(_COLUMNS * _ROWS):
        picture = generator.image(generator.w_plus(seed))
        small = picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        sheet.paste(small, (seed % _COLUMNS * _SIDE, seed // _COLUMNS * _SIDE))
    return sheet


def before_and_after(generator: Generator, drag: ShownDrag) -> Image.Image:
    """A drag's first picture with its points, and its last."""
    w_plus = generator.w_plus(drag.seed)
    session = DragSession(generator, w_plus, [drag.handle], [drag.target])
    for _ in session:
        pass
    targets = session.target_points
    before = with_points(generator.image(w_plus), np.array([drag.handle], np.float64), targets)
    after = with_points(generator.image(session.w_plus), session.handle_points, targets)
    return side_by_side([before, after])


def main() -> None:
    generator = Generator.open("critters", device="cpu")
    sample_sheet(generator).save(DOCS / "critters.png", optimize=True)
    pairs = [before_and_after(generator, drag) for drag in shown_drags()]
    side_by_side(pairs).save(DOCS / "drag.png", optimize=True)


if __name__ == "__main__":
    main()

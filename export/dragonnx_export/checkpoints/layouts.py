"""Every way in which projects name the arrays of a StyleGAN2 generator, told by one of the names."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dragonnx_export.checkpoints import (
    adriansahlman,
    basicsr,
    genforce,
    mmgeneration,
    nvidia_arrays,
    rosinality,
    stylegan3_arrays,
)
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.contents import Contents

Reader = Callable[[Mapping[str, object], object, int, Choices], Contents]
"""From a state dict, the average w beside it or None, a bound and the user's choices."""


@dataclass(frozen=True)
class Layout:
    """The names of one project.

    Attributes:
        project: What it is called, in words for the user.
        markers: Names that only its generators have; each is one of every such generator.
        read: Reads its state dicts.
    """

    project: str
    markers: tuple[str, ...]
    read: Reader


LAYOUTS = (
    Layout("rosinality", (rosinality.MARKER,), rosinality.read_rosinality),
    Layout("NVIDIA", nvidia_arrays.MARKERS, nvidia_arrays.read_nvidia_arrays),
    Layout("NVIDIA", (stylegan3_arrays.MARKER,), stylegan3_arrays.read_stylegan3_arrays),
    Layout("GenForce or Hammer", (genforce.MARKER,), genforce.read_genforce),
    Layout("BasicSR", (basicsr.MARKER,), basicsr.read_basicsr),
    Layout("MMGeneration or MMagic", mmgeneration.MARKERS, mmgeneration.read_mmgeneration),
    Layout("adriansahlman", adriansahlman.MARKERS, adriansahlman.read_adriansahlman),
)


def layouts_in(names: Mapping[str, object]) -> Iterator[tuple[str, Layout]]:
    """The generators among the arrays of a state dict: what their names begin with, and how to read.

    Args:
        names: All its arrays by name. A prefix is empty or ends with a full stop.
    """
    for layout in LAYOUTS:
        for name in names:
            for marker in layout.markers:
                prefix = name.removesuffix(marker)
                if prefix != name and (not prefix or prefix.endswith(".")):
                    yield prefix, layout


MARKERS = tuple(marker for layout in LAYOUTS for marker in layout.markers)
"""How a name of every state dict that is read ends."""

"""What the user says of a checkpoint, and what is taken where neither user nor file says it."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import InputError
from dragonnx_export.checkpoints.errors import CheckpointError
from dragonnx_export.checkpoints.weights import NO_FILTER
from dragonnx_export.families.stylegan2.architecture import UNSEEN, Architecture

DEFAULT_MAPPING_LR = 0.01
"""Of NVIDIA's code and of all that builds on it, unless it is told otherwise."""

NO_CLAMP = (
    "the file does not say at what value activations are clamped, so they are not clamped; give "
    "it with --conv-clamp"
)
_USUAL_CLAMP = (
    "the file does not say at what value activations are clamped, so {taken:g} was taken, as its code "
    "does; give another with --conv-clamp"
)
_UNSTATED_LR = (
    "the file does not say the mapping network's learning rate multiplier, so {taken:g} was taken; "
    "give another with --mapping-lr"
)
_SUGGESTED_LR = (
    "the file does not say the mapping network's learning rate multiplier, so {taken:g} was taken, "
    "but its weights look like those of about {suggested:.1g}; give that with --mapping-lr"
)
_FAR = 3.0
"""By which factor weights drift in training at most: multipliers in use differ by 10 and more."""


@dataclass(frozen=True)
class Choices:
    """What the user may say of a file.

    Attributes:
        network: Name of the generator to take where there are several.
        mapping_lr: The mapping network's learning rate multiplier, of a file that does not say it.
        conv_clamp: Bound on the activations, of a file that does not say it.

    Raises:
        InputError: A number is not above 0.
    """

    network: str | None = None
    mapping_lr: float | None = None
    conv_clamp: float | None = None

    def __post_init__(self) -> None:
        for option, value, _ in self._facts():
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{option} must be a number above 0, not {value:g}")

    def _facts(self) -> tuple[tuple[str, float | None, str], ...]:
        return (
            ("--mapping-lr", self.mapping_lr, "mapping_lr_multiplier"),
            ("--conv-clamp", self.conv_clamp, "conv_clamp"),
        )

    def refuse_facts(self, stated: Collection[str] = UNSEEN) -> None:
        """Refuse what contradicts or repeats a file that states facts itself.

        Args:
            stated: Which; all of them by default.

        Raises:
            CheckpointError: One of these was given.
        """
        for option, value, name in self._facts():
            if value is not None and name in stated:
                raise CheckpointError(f"it says itself what {option} is to say; leave that out")

    def completed(
        self,
        architecture: Architecture,
        arrays: Mapping[str, NDArray[Any]],
        stated: Collection[str],
    ) -> tuple[Architecture, tuple[str, ...]]:
        """An architecture with what its file does not state, and a note on each such fact.

        Args:
            architecture: What the file states; of the rest what its code would take.
            arrays: The generator's, by NVIDIA's names.
            stated: Which facts of `UNSEEN` the file states.

        Raises:
            CheckpointError: The user says what the file states.
        """
        self.refuse_facts(stated)
        notes = []
        if "mapping_lr_multiplier" not in stated:
            lr, note = self.lr_multiplier(arrays, "mapping.fc")
            architecture = replace(architecture, mapping_lr_multiplier=lr)
            notes.append(note)
        if "conv_clamp" not in stated:
            clamp, note = self.clamp(architecture.conv_clamp)
            architecture = replace(architecture, conv_clamp=clamp)
            notes.append(note)
        if "resample_filter" not in stated:
            notes.append(NO_FILTER)
        return architecture, tuple(notes)

    def lr_multiplier(self, arrays: Mapping[str, NDArray[Any]], mapping: str) -> tuple[float, str]:
        """The mapping network's learning rate multiplier, and a note on where it comes from.

        Args:
            arrays: The generator's.
            mapping: How the names of its mapping network's layers begin.
        """
        if self.mapping_lr is not None:
            return self.mapping_lr, f"--mapping-lr {self.mapping_lr:g} was given"
        suggested = _suggested(
            values
            for name, values in arrays.items()
            if name.startswith(mapping) and values.ndim == 2 and values.dtype.kind == "f"
        )
        taken = DEFAULT_MAPPING_LR
        if suggested and not taken / _FAR <= suggested <= taken * _FAR:
            return taken, _SUGGESTED_LR.format(taken=taken, suggested=suggested)
        return taken, _UNSTATED_LR.format(taken=taken)

    def clamp(self, usual: float | None = None) -> tuple[float | None, str]:
        """The bound on activations, and a note on where it comes from.

        Args:
            usual: That of the code that wrote the file, where nothing else is said.
        """
        if self.conv_clamp is not None:
            return self.conv_clamp, f"--conv-clamp {self.conv_clamp:g} was given"
        return usual, NO_CLAMP if usual is None else _USUAL_CLAMP.format(taken=usual)

    def refuse_clamp(self, project: str) -> None:
        """Refuse a clamp for a network that has none.

        Raises:
            CheckpointError: A clamp was given.
        """
        if self.conv_clamp is not None:
            raise CheckpointError(
                f"it is a network of {project}, which clamps nothing; leave --conv-clamp out"
            )


def _suggested(weights: Iterable[NDArray[Any]]) -> float | None:
    """The multiplier that weights were drawn for: their spread is its reciprocal at the start."""
    with np.errstate(all="ignore"):
        squares = [float(np.mean(np.square(values, dtype=np.float64))) for values in weights]
    mean = float(np.mean(squares)) if squares else 0.0
    return mean**-0.5 if 0 < mean < np.inf else None

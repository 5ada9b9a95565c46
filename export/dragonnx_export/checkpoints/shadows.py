"""Averages that lie in a file without being whole networks: parameters alone, under other names.

Trainers average parameters and leave out buffers (noise images, filters). Where such averages stand
beside the network that they are of, that gives what they lack.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dragonnx.errors import InputError
from dragonnx.reading.pickles.vocabulary import quoted
from dragonnx_export.checkpoints.averages import is_average
from dragonnx_export.checkpoints.candidates import Candidate, StateDictCandidate, distinct
from dragonnx_export.checkpoints.choices import Choices
from dragonnx_export.checkpoints.contents import Contents
from dragonnx_export.checkpoints.contents_walk import Found, Place
from dragonnx_export.checkpoints.weights import as_array

_BUFFER = re.compile(
    r"noises\.|injected_noise_|.*(?:kernel|filter|filter_kernel|\.noise|noise_const|w_avg|latent_avg)$"
)


@dataclass(frozen=True)
class ShadowCandidate(StateDictCandidate):
    """Averaged parameters, and the rest of the network that they were averaged over.

    Attributes:
        rest: Where the rest is from.
    """

    rest: str

    def read(self, max_elements: int, choices: Choices) -> Contents:
        """See `Candidate.read`."""
        contents = super().read(max_elements, choices)
        note = (
            f"the average holds parameters only, so what else there is was taken from {self.rest}"
        )
        return replace(contents, notes=(*contents.notes, note))


def with_shadows(listed: Sequence[Candidate], found: Found) -> list[Candidate]:
    """The candidates, with those that are averages of parameters made whole."""
    in_training = [candidate for candidate in listed if not candidate.average]
    whole = [c for c in distinct(in_training) if isinstance(c, StateDictCandidate)]
    made = [_completed(candidate, whole) for candidate in listed]
    for live in whole:
        made += _without_dots(live, found)
        made += _in_lists(live, found)
    return made


def _completed(candidate: Candidate, whole: Sequence[StateDictCandidate]) -> Candidate:
    """An average that lacks arrays, with those of the only network it can be of."""
    if not isinstance(candidate, StateDictCandidate) or not candidate.average:
        return candidate
    of = [live for live in whole if live.layout is candidate.layout]
    lacking = of[0].entries.keys() - candidate.entries.keys() if len(of) == 1 else set()
    if not lacking or not all(map(_BUFFER.match, lacking)):
        return candidate
    return _shadow(of[0], candidate.place, candidate.entries)


def _without_dots(live: StateDictCandidate, found: Found) -> Iterator[Candidate]:
    """Averages whose names are those of the parameters with the full stops left out (LitEma)."""
    marker = next(name for name in live.layout.markers if name in live.entries)
    dense = marker.replace(".", "")
    for state in found.dicts:
        for name in state.entries:
            prefix = name.removesuffix(dense)
            outer, _, last = name.rpartition(".")
            if prefix == name or "." in last or not last.endswith(dense):
                continue
            averaged = {
                own: state.entries[prefix + own.replace(".", "")]
                for own in live.entries
                if prefix + own.replace(".", "") in state.entries
            }
            if all(map(_BUFFER.match, live.entries.keys() - averaged.keys())):
                yield _shadow(live, (*state.place, *outer.split(".")), averaged)


def _in_lists(live: StateDictCandidate, found: Found) -> Iterator[Candidate]:
    """Averages in a list, in the order of the parameters, where number and shapes fit."""
    names = [name for name in live.entries if not _BUFFER.match(name)]
    for place, arrays in found.lists:
        if is_average(place) and len(arrays) == len(names):
            averaged = dict(zip(names, arrays, strict=True))
            if all(_same_shape(name, array, live.entries) for name, array in averaged.items()):
                yield _shadow(live, place, averaged)


def _same_shape(name: str, array: object, entries: Mapping[str, object]) -> bool:
    try:
        return as_array(name, array).shape == as_array(name, entries[name]).shape
    except InputError:
        return False


def _shadow(
    live: StateDictCandidate, place: Place, averaged: Mapping[str, object]
) -> ShadowCandidate:
    return ShadowCandidate(
        place=place,
        average=True,
        entries={**live.entries, **averaged},
        latent_avg=live.latent_avg,
        layout=live.layout,
        transposed=live.transposed,
        rest=quoted(live.name),
    )

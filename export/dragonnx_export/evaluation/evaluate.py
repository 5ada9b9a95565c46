"""An evaluation: every entrant drags every case; what came of it is written as it comes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dragonnx.errors import InputError
from dragonnx.inversion.perceptual import PerceptualLoss
from dragonnx.model.generator import Generator
from dragonnx_export.evaluation.cases import Case, Cases
from dragonnx_export.evaluation.critic import Critic
from dragonnx_export.evaluation.drags import Score, dragged
from dragonnx_export.evaluation.entrants import Entrant
from dragonnx_export.evaluation.judge import Judge
from dragonnx_export.evaluation.scores_file import ScoresFile

_TOLD_EVERY = 20
"""Cases."""


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What was measured.

    Attributes:
        facts: The model, the draw and the judge.
        entrants: In the order of tables.
        cases: By kind.
        refused: Targets that were drawn and are not feasible.
        scores: Of every entrant, kind and case.
    """

    facts: dict[str, Any]
    entrants: tuple[Entrant, ...]
    cases: dict[str, tuple[Case, ...]]
    refused: int
    scores: dict[tuple[str, str, int], Score]

    def of(self, entrant: str, kind: str) -> list[Score]:
        """The scores of an entrant in the cases of a kind, in their order."""
        return [self.scores[entrant, kind, number] for number in range(len(self.cases[kind]))]


def evaluate(
    generator: Generator,
    judge: Judge,
    entrants: Sequence[Entrant],
    *,
    drags: int,
    seed: int,
    kinds: Sequence[str],
    folder: Path,
    perceptual: PerceptualLoss | None = None,
    tell: Callable[[str], None] = lambda _line: None,
) -> Evaluation:
    """Let every entrant do every drag, but for those whose scores lie in the folder.

    The first cases are the same however many there are, so that an evaluation may go on to more.

    Args:
        generator: The model.
        judge: Says where landmarks are.
        entrants: Who drags.
        drags: How many cases of one point; see `cases`.
        seed: Of the draw.
        kinds: Which of `cases.KINDS`.
        folder: Of what is written.
        perceptual: Compares the pictures of pairs, beside their pixels.
        tell: Is told how far it got, a line now and then.

    Raises:
        InputError: The folder holds another evaluation, or no case can be drawn.
    """
    if len({entrant.name for entrant in entrants}) < len(entrants):
        raise InputError("an entrant is named twice")
    m = generator.manifest
    facts = {
        "model": m.name,
        "image_size": list(m.image_size),
        "manifest": hashlib.sha256(m.to_json().encode()).hexdigest(),
        "judge": judge.sha256,
        "seed": seed,
        "perceptual": None if perceptual is None else perceptual.name,
    }
    file = ScoresFile(folder, facts)
    draw = Cases(generator, judge, seed)
    critic: Critic | None = None
    cases: dict[str, tuple[Case, ...]] = {}
    for kind in kinds:
        drawn: list[Case] = []
        for number, case in enumerate(draw.drawn(kind, drags)):
            drawn.append(case)
            # Case by case, so that what was stopped half-way compares the same drags.
            for entrant in entrants:
                if (entrant.name, kind, number) in file.scores:
                    continue
                if critic is None:
                    tell("looking at what the model usually shows ...")
                    critic = Critic.of(generator)
                file.add(dragged(generator, judge, critic, entrant, case, number, perceptual))
            if (number + 1) % _TOLD_EVERY == 0:
                tell(f"{kind}: {number + 1} cases")
        cases[kind] = tuple(drawn)
        tell(f"{kind}: {len(drawn)} cases are done")
    return Evaluation(
        facts=facts,
        entrants=tuple(entrants),
        cases=cases,
        refused=draw.refused,
        scores=file.scores,
    )

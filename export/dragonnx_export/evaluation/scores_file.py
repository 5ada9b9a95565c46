"""The scores of an evaluation as JSON lines, one a drag, so that it goes on where it was stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dragonnx.errors import InputError
from dragonnx.files import save_bytes
from dragonnx_export.evaluation.drags import Look, Reconstruction, Score

SCORES_NAME = "drags.jsonl"

Key = tuple[str, str, int]
"""Entrant, kind and number of a case."""


class ScoresFile:
    """The file of one evaluation's scores. Its first line says what they are of.

    Args:
        folder: Where it lies; it is made if need be.
        facts: All that the drags depend on, beside who drags.

    Raises:
        InputError: The file is of another evaluation, or cannot be read.
    """

    def __init__(self, folder: Path, facts: Mapping[str, Any]) -> None:
        self._path = folder / SCORES_NAME
        self.scores: dict[Key, Score] = {}
        folder.mkdir(parents=True, exist_ok=True)
        lines = self._path.read_text("utf-8").splitlines() if self._path.exists() else []
        # A line that an interrupt cut short is made again.
        whole = [line for line in map(_parsed, lines) if line is not None]
        if whole and whole[0] != dict(facts):
            raise InputError(
                f"{self._path} holds the drags of another evaluation ({_short(whole[0])}): name "
                "another folder, or remove that file"
            )
        for line in whole[1:]:
            self._keep(_score(line))
        text = "".join(f"{json.dumps(line)}\n" for line in whole or [dict(facts)])
        save_bytes(text.encode(), self._path)  # a kill leaves the old one

    def add(self, score: Score) -> None:
        """Keep one more, at once."""
        self._keep(score)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(asdict(score))}\n")

    def _keep(self, score: Score) -> None:
        self.scores[score.entrant, score.kind, score.number] = score


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _score(facts: Any) -> Score:
    try:
        looks = tuple(Look(**look) for look in facts["looks"])
        found = facts["reconstruction"]
        reconstruction = None if found is None else Reconstruction(**found)
        return Score(**{**facts, "looks": looks, "reconstruction": reconstruction})
    except (TypeError, KeyError) as error:
        raise InputError(
            f"{SCORES_NAME} was written by another version: name another folder"
        ) from error


def _short(facts: Any) -> str:
    return ", ".join(f"{name} {facts[name]}" for name in facts) if isinstance(facts, dict) else "?"

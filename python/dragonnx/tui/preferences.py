"""What the editor remembers and lets a user choose: keys, theme, canvas mode, precision, hint seen.

One JSON file that a user may edit: {"keys": {"drag": "space,g"}, "theme": "nord"}.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import get_args

from dragonnx.errors import InputError
from dragonnx.files import atomic_path
from dragonnx.paths import user_folder
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.regular_file import MEBIBYTE, read_bytes
from dragonnx.reading.values import flag, one_of, record, shown, text
from dragonnx.tui.actions import BY_ID
from dragonnx.types import Precision

FILE_NAME = "editor.json"
_LARGEST = MEBIBYTE
"""Bytes of it."""
_LONGEST = 200
"""Characters of a name, or of the keys of an action."""
_MOST_TOLD = 5
"""Of the keys that cannot be used."""


@dataclass
class Preferences:
    """A user's choices.

    Attributes:
        keys: Keys by action id, instead of the table's.
        theme: The colour theme; empty for the default.
        mode: The canvas mode's name; empty for the best that the terminal shows.
        precision: Of convolutions, where the command line does not name one.
        hint_seen: Whether the first-run hint was followed.
        is_whole: Whether all of the file was understood. Else it is not written over: somebody wrote what
            was not, and may mend it.
    """

    keys: dict[str, str] = field(default_factory=dict)
    theme: str = ""
    mode: str = ""
    precision: Precision = "auto"
    hint_seen: bool = False
    is_whole: bool = field(default=True, compare=False, repr=False)

    @classmethod
    def load(cls, path: Path | None = None) -> tuple[Preferences, str]:
        """Read the file.

        Returns:
            The choices, and a sentence about what could not be used, empty where all could.
        """
        try:
            path = path or preferences_path()
        except InputError as error:
            return cls(), f"{error}: until then the defaults are used"
        if not os.path.lexists(path):
            return cls(), ""
        try:
            facts = record(parse_json(read_bytes(path, _LARGEST), str(path)), str(path))
        except InputError as error:
            return cls(
                is_whole=False
            ), f"{error}: the defaults are used, and the file is left as it is"
        preferences, told = cls(), []
        checks: dict[str, Callable[[object, str], object]] = {
            "keys": record, "theme": _word, "mode": _word, "precision": _precision,
            "hint_seen": flag,
        }  # fmt: skip
        for name, check in checks.items():
            try:
                if name in facts:
                    setattr(preferences, name, check(facts[name], name))
            except InputError as error:
                told.append(str(error))
        preferences.keys, refused = _usable_keys(preferences.keys)
        told += refused
        unknown = [name for name in facts if name not in checks]
        if unknown:
            told.append(f"there is no choice {shown(unknown[0])}: they are {', '.join(checks)}")
        preferences.is_whole = not told
        told.append("until then the file is left as it is")
        return preferences, "" if preferences.is_whole else f"{path}: {'; '.join(told)}"

    def save(self, path: Path | None = None) -> None:
        """Write the file; a place that cannot be written loses nothing of value."""
        facts = asdict(self)
        if not facts.pop("is_whole"):
            return
        try:
            path = path or preferences_path()
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as temporary:
                content = json.dumps(facts, indent=1) + "\n"
                temporary.write_text(content, "utf-8", newline="\n")
        except (InputError, OSError):
            return


def _word(value: object, name: str) -> str:
    """A text that can be shown."""
    word = text(value, name, _LONGEST)
    if not word.isprintable():
        raise InputError(f"{name} must be a text that can be shown, not {shown(word)}")
    return word


def _precision(value: object, name: str) -> str:
    return one_of(value, name, get_args(Precision))


def _usable_keys(keys: Mapping[str, object]) -> tuple[dict[str, str], list[str]]:
    """The keys of known actions, and sentences about the others."""
    usable, told = {}, []
    for action, key in keys.items():
        try:
            if action not in BY_ID:
                raise InputError(f"there is no action {shown(action)}")
            usable[action] = _word(key, f"keys.{action}")
        except InputError as error:
            told.append(str(error))
    told += _refuse_taken(usable)
    return usable, told[:_MOST_TOLD]


def _refuse_taken(keys: dict[str, str]) -> list[str]:
    """Leave out keys that another action has, its own or chosen ones; sentences about them."""
    told = []
    while taken := _first_taken(keys):
        action, key, other = taken
        del keys[action]
        told.append(f"{shown(key)} cannot be the key of {action}: {other} has it")
    return told


def _first_taken(keys: Mapping[str, str]) -> tuple[str, str, str] | None:
    """A chosen key that two actions would have: the action that chose it, the key, the other."""
    owners = {name: _split(keys.get(name, action.keys)) for name, action in BY_ID.items()}
    for action in keys:
        for other, theirs in owners.items():
            if other != action and (both := owners[action] & theirs):
                return action, min(both), other
    return None


def _split(keys: str) -> set[str]:
    return {key.strip() for key in keys.split(",")}


def preferences_path() -> Path:
    """Where the file lies; DRAGONNX_CONFIG names another folder.

    Raises:
        InputError: There is no home folder.
    """
    return user_folder("config", "DRAGONNX_CONFIG") / FILE_NAME

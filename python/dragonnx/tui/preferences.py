"""What the editor remembers and lets a user choose: keys, theme, canvas mode, precision, hint seen.

One JSON file that a user may edit: {"keys": {"drag": "space,g"}, "theme": "nord"}.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dragonnx.errors import InputError
from dragonnx.files import atomic_path
from dragonnx.paths import user_folder
from dragonnx.tui.actions import BY_ID
from dragonnx.types import Precision

FILE_NAME = "editor.json"


@dataclass
class Preferences:
    """A user's choices.

    Attributes:
        keys: Keys by action id, instead of the table's.
        theme: The colour theme; empty for the default.
        mode: The canvas mode's name; empty for the best that the terminal shows.
        precision: Of convolutions, where the command line does not name one.
        hint_seen: Whether the first-run hint was followed.
    """

    keys: dict[str, str] = field(default_factory=dict)
    theme: str = ""
    mode: str = ""
    precision: Precision = "auto"
    hint_seen: bool = False

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
        try:
            values = json.loads(path.read_text("utf-8-sig"))  # as editors of Windows write
        except FileNotFoundError:
            return cls(), ""
        except (OSError, ValueError) as error:
            return cls(), f"{path} cannot be read ({error}): the defaults are used"
        if not isinstance(values, dict):
            return cls(), f"{path} must hold a JSON object: the defaults are used"
        keys = values.get("keys", {})
        keys = keys if isinstance(keys, dict) else {}
        unknown = sorted(str(name) for name in keys if name not in BY_ID)
        told = [f"there is no action {', '.join(unknown)}"] if unknown else []
        precision: Precision = "auto"
        match values.get("precision", "auto"):
            case "auto" | "float32" | "tf32" as chosen:
                precision = chosen
            case other:
                told.append(f"the precision must be auto, float32 or tf32, not {other!r}")
        preferences = cls(
            keys={str(k): str(v) for k, v in keys.items() if k in BY_ID and isinstance(v, str)},
            theme=str(values.get("theme", "")),
            mode=str(values.get("mode", "")),
            precision=precision,
            hint_seen=values.get("hint_seen") is True,
        )
        return preferences, f"{path}: {'; '.join(told)}" if told else ""

    def save(self, path: Path | None = None) -> None:
        """Write the file; a place that cannot be written loses nothing of value."""
        try:
            path = path or preferences_path()
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomic_path(path) as temporary:
                text = json.dumps(asdict(self), indent=1) + "\n"
                temporary.write_text(text, "utf-8", newline="\n")
        except (InputError, OSError):
            return


def preferences_path() -> Path:
    """Where the file lies; DRAGONNX_CONFIG names another folder.

    Raises:
        InputError: There is no home folder.
    """
    return user_folder("config", "DRAGONNX_CONFIG") / FILE_NAME

"""Files that were used last, for the lists that users choose from. Losing them loses no work."""

from __future__ import annotations

import contextlib
import json

from dragonnx.document.recovery import state_folder
from dragonnx.document.state import LONGEST_PATH
from dragonnx.errors import InputError, OutputError
from dragonnx.files import save_bytes
from dragonnx.reading.json_text import parse_json
from dragonnx.reading.regular_file import MEBIBYTE, read_bytes
from dragonnx.reading.values import items, text

MOST = 12
"""As many as are seen at once."""
_MOST_READ = 1000


class Recent:
    """Names of files, the newest first; several editors may share them.

    Args:
        name: What they are for; names the file in the state folder.
    """

    def __init__(self, name: str) -> None:
        self._name = f"recent-{name}.json"

    def all(self) -> list[str]:
        """Those that can be read; none where there is no list, or a damaged one."""
        try:
            path = state_folder() / self._name
            if not path.exists():
                return []
            known = items(parse_json(read_bytes(path, MEBIBYTE), str(path)), "names", _MOST_READ)
            return [text(each, "name", LONGEST_PATH) for each in known][:MOST]
        except (InputError, OSError):
            return []

    def add(self, name: str) -> None:
        """Put a name first."""
        names = [name, *(each for each in self.all() if each != name)][:MOST]
        # A full disk or a folder that cannot be written leaves the list as it was.
        with contextlib.suppress(InputError, OutputError, OSError):
            path = state_folder() / self._name
            path.parent.mkdir(parents=True, exist_ok=True)
            save_bytes(json.dumps(names).encode(), path)

"""Writing what took long to make: where its place takes it no more, it is kept elsewhere."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from dragonnx.cli.console import say
from dragonnx.errors import DragonnxError, OutputError

_LONGEST_STEM = 40
"""Characters of a name that the kept file's begins with: file systems bound the length of names."""


def deliver(results: Iterable[tuple[Path | None, Callable[[Path], object]]]) -> None:
    """Write results, each of them even where another fails.

    A result whose file cannot be written is kept in the folder of the user's that the editor's lost
    work is in, too.

    Args:
        results: Where to, or None for a result that nobody wants, and what writes it.

    Raises:
        OutputError: Some could not be written; the message says where they are kept, if anywhere.
        DragonnxError: Something else is wrong with one; the others are written.
    """
    failures: list[DragonnxError] = []
    for path, write in results:
        if path is None:
            continue
        try:
            write(path)
        except OutputError as error:
            failures.append(OutputError(f"{error}; it {keep_elsewhere(path, write)}"))
        except DragonnxError as error:
            failures.append(error)
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise OutputError(", and ".join(map(str, failures))) from failures[0]


def keep_elsewhere(path: Path, write: Callable[[Path], object]) -> str:
    """Write a result into the user's folder, under a name of its own.

    Args:
        path: Where it was to go.
        write: Writes it.

    Returns:
        What became of it, to be said after "it".
    """
    from dragonnx.document.recovery import state_folder

    try:
        folder = state_folder() / "kept"
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / f"{path.stem[:_LONGEST_STEM]}-{secrets.token_hex(4)}{path.suffix}"
        write(place)
    except (DragonnxError, OSError) as error:
        return f"could not be kept elsewhere either: {error}"
    return f"is kept as {place}"


class Keeper:
    """Saves what was found so far. Where it cannot, it says so once, and the work goes on.

    Args:
        save: Does it; raises OutputError where it cannot.
    """

    def __init__(self, save: Callable[[], object]) -> None:
        self._save = save
        self._complained = False

    def __call__(self) -> None:
        """Save."""
        try:
            self._save()
        except OutputError as error:
            if not self._complained:
                say(f"{error}; the work goes on")
            self._complained = True
        else:
            self._complained = False

"""Results in a folder, which one batch at a time works in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from dragonnx.batch.formats import SUFFIXES
from dragonnx.batch.results import LARGEST_FILE, Results
from dragonnx.errors import InputError, OutputError
from dragonnx.files import remove_unfinished
from dragonnx.locks import is_at, lock
from dragonnx.reading.regular_file import read_bytes

_CLAIM = ".dragonnx-batch"
"""Held locked by who is at work in the folder."""


class ResultFolder(Results):
    """See `Results`.

    Args:
        folder: The folder; it is made where it is missing.
    """

    kind = "folder"

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self._folder = folder

    def names(self) -> Iterator[str]:
        """See `Results.names`."""
        try:
            yield from [entry.name for entry in self._folder.iterdir()]
        except FileNotFoundError:
            return
        except (OSError, ValueError) as error:  # a name with a zero is a ValueError
            raise self._unusable(error) from error

    @contextlib.contextmanager
    def claimed(self, *, resume: bool) -> Iterator[None]:
        """See `Results.claimed`. What a killed run left half written is removed."""
        claim = self._folder / _CLAIM
        self.check_empty(resume=resume)
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            handle = _locked(claim)
        except (OSError, ValueError) as error:  # a name with a zero is a ValueError
            raise self._unusable(error) from error
        if handle is None:
            raise InputError(f"another batch is at work in {self._folder}: wait for its end")
        try:
            remove_unfinished(self._folder)
            try:
                yield
            finally:
                remove_unfinished(self._folder)
                if os.name != "nt":  # it removes no file that is open
                    claim.unlink(missing_ok=True)
        finally:
            os.close(handle)

    def at(self, file: str) -> str:
        """See `Results.at`."""
        return str(self._folder / file)

    def path(self, file: str) -> Path:
        """See `Results.path`."""
        return self._folder / file

    def has(self, file: str) -> bool:
        """See `Results.has`."""
        return (self._folder / file).is_file()

    def content(self, file: str) -> bytes | None:
        """See `Results.content`."""
        try:
            return read_bytes(self._folder / file, LARGEST_FILE)
        except InputError:
            return None

    @contextlib.contextmanager
    def adding(self) -> Iterator[Path]:
        """See `Results.adding`. Whoever writes does so whole or not at all, and the report last."""
        yield self._folder

    def clear(self, name: str) -> None:
        """See `Results.clear`."""
        for suffix in SUFFIXES:
            path = self._folder / f"{name}{suffix}"
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(
                    f"{path} cannot be replaced ({error.strerror or error})"
                ) from error

    def _unusable(self, error: Exception) -> OutputError:
        reason = getattr(error, "strerror", None) or error
        return OutputError(f"{self._folder} cannot be written to ({reason})")


def _locked(claim: Path) -> int | None:
    """The descriptor of a file that is now locked; None where another holds it.

    Raises:
        OSError: It cannot be opened.
    """
    while True:
        handle = os.open(claim, os.O_RDWR | os.O_CREAT, 0o666)
        if not lock(handle):
            os.close(handle)
            return None
        if is_at(handle, claim):
            return handle
        os.close(handle)  # who had it has removed it meanwhile

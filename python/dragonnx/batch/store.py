"""Results in an object store, as fsspec reaches it: made in a folder of this machine, then sent."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from dragonnx.batch.folder import ResultFolder
from dragonnx.batch.formats import REPORT, SUFFIXES
from dragonnx.batch.results import Results
from dragonnx.errors import InputError, OutputError
from dragonnx.folders import temporary_folder
from dragonnx.paths import address_in, as_path, usable

_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_MARK = ".dragonnx-batch"
"""Written first, and removed at the end: so a place that takes nothing is told of before any work."""
_ONE_PROCESS = "memory"
"""The protocol of what is in a process alone, where workers are others."""


def results_at(output: str | os.PathLike[str]) -> Results:
    """Where results go, by what a user names: a folder, or an address such as s3://bucket/run.

    Raises:
        InputError: It is neither, or fsspec or what it needs for such an address is not installed.
    """
    path = as_path(output)
    is_address = isinstance(output, str) and _ADDRESS.match(output) is not None
    address = str(output) if is_address else address_in(path)
    if not address:
        with usable(path):
            return ResultFolder(path.absolute())
    if address.partition(":")[0].lower() == "file":
        raise InputError(f"results go into a folder by its path, not by {address}")
    if address.partition(":")[0].lower() == _ONE_PROCESS:
        raise InputError(
            f"results cannot go to {address}: the memory of a process is of no other one, and workers "
            "are processes"
        )
    return ResultStore(address)


class ResultStore(Results):
    """See `Results`. Two batches at a time in one place are not refused: a store has no locks.

    A store holds whole objects alone, so that nothing half written is ever in it.

    Args:
        address: Of the place, such as s3://bucket/run.

    Raises:
        InputError: fsspec, or what it needs for such an address, is not installed; or there is none.
    """

    kind = "place"

    def __init__(self, address: str) -> None:
        super().__init__(address.rstrip("/"))
        try:
            from fsspec.core import url_to_fs
        except ImportError as error:
            raise InputError(
                f"results go to {address} by fsspec, which is not installed: pip install "
                "'dragonnx[store]'"
            ) from error
        try:
            self._system, root = url_to_fs(address)
        # Each system of fsspec raises what it likes.
        except Exception as error:
            raise InputError(f"results cannot go to {address}: {_words(error)}") from error
        self._root = root.rstrip("/")

    def names(self) -> Iterator[str]:
        """See `Results.names`."""
        with self._reached():
            self._system.invalidate_cache()
            try:
                listed = self._system.ls(self._root, detail=False)
            except FileNotFoundError:
                listed = []
        for each in listed:
            if each.strip("/") != self._root.strip("/"):  # some name the place itself
                yield each.rstrip("/").rpartition("/")[2]

    @contextlib.contextmanager
    def claimed(self, *, resume: bool) -> Iterator[None]:
        """See `Results.claimed`. Nobody else is kept away."""
        self.check_empty(resume=resume)
        with self.adding() as folder:
            (folder / _MARK).touch()
        self.may_hold_others = resume
        try:
            yield
        finally:
            with contextlib.suppress(OutputError):  # it does no harm there
                self._remove(_MARK)

    def at(self, file: str) -> str:
        """See `Results.at`."""
        return f"{self.address}/{file}"

    def path(self, _file: str) -> None:
        """See `Results.path`."""

    def has(self, file: str) -> bool:
        """See `Results.has`."""
        with self._reached():
            self._system.invalidate_cache()  # other machines write there, too
            return bool(self._system.exists(self._inside(file)))

    def content(self, file: str) -> bytes | None:
        """See `Results.content`. It is asked for at once, and not for its size: each job has a look."""
        with self._reached():
            self._system.invalidate_cache()
            try:
                return bytes(self._system.cat_file(self._inside(file)))
            except FileNotFoundError:
                return None

    @contextlib.contextmanager
    def adding(self) -> Iterator[Path]:
        """See `Results.adding`. Files are sent when all of them are written."""
        with _temporary() as made:
            yield made
            files = sorted(made.iterdir(), key=lambda file: (file.suffix == REPORT, file.name))
            with self._reached():
                for file in files:
                    self._system.put_file(str(file), self._inside(file.name))

    def clear(self, name: str) -> None:
        """See `Results.clear`."""
        for suffix in SUFFIXES:
            self._remove(f"{name}{suffix}")

    def _remove(self, file: str) -> None:
        if self.has(file):
            with self._reached(), contextlib.suppress(FileNotFoundError):  # another was quicker
                self._system.rm_file(self._inside(file))

    def _inside(self, file: str) -> str:
        return f"{self._root}/{file}"

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        # Each system of fsspec raises what it likes, as for a network that is gone.
        except Exception as error:
            raise OutputError(f"{self.address} cannot be used ({_words(error)})") from error


@contextlib.contextmanager
def _temporary() -> Iterator[Path]:
    """A folder of this machine for what is sent when it is whole.

    Raises:
        OutputError: There is no place for one.
    """
    with contextlib.ExitStack() as stack:
        try:
            made = stack.enter_context(temporary_folder(Path(tempfile.gettempdir())))
        except OSError as error:
            raise OutputError(
                f"no temporary folder can be made for results ({error.strerror or error})"
            ) from error
        yield made


def _words(error: Exception) -> str:
    """What an error says, in one line."""
    return " ".join(str(getattr(error, "strerror", None) or error).split()) or type(error).__name__

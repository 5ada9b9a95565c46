"""The files of a bundle's folder: regular ones inside it, each with the content that its manifest says.

What was verified may be changed by who may write to the folder before ONNX Runtime opens it: this is
against files that came from strangers, and not against users of the same machine.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from dragonnx.errors import BundleError, InputError
from dragonnx.model.facts import FileRecord
from dragonnx.reading.regular_file import ANY_SIZE, opened_file, sha256_of

_ADVICE = "copy the whole folder again, or export it again"
_THREADS = 4
_SETTLED = 2 * 10**9
"""Nanoseconds. A file that changed that long ago gets another time when it changes again, on any system."""
_MOST_KNOWN = 4096
"""Files of which the hash is remembered."""

_known: dict[tuple[int, ...], str] = {}
_known_lock = threading.Lock()


@contextlib.contextmanager
def verified_files(
    folder: Path, records: Mapping[str, FileRecord], kept: Collection[str] = ()
) -> Iterator[Callable[[str], bytes]]:
    """Verify files while the block runs; when it has ended, all of them are what they must be.

    Hashing leaves Python to other threads. What was hashed before in this process, and has not changed
    since, is not hashed again.

    Args:
        folder: Where they lie.
        records: What each must be, by name.
        kept: Names of those whose content is asked for in the block.

    Yields:
        A function from one of these names to the file's content, once it is verified.

    Raises:
        BundleError: A file is missing, a link out of the folder, or not what it must be.
    """
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="dragonnx-verify") as pool:
        # The largest takes longest, so it is first.
        found = {
            name: pool.submit(_verified, folder, name, records[name], name in kept)
            for name in sorted(records, key=lambda name: -records[name].size)
        }
        try:
            yield lambda name: found[name].result()
            for name in records:
                found[name].result()
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextlib.contextmanager
def opened_inside(folder: Path, name: str) -> Iterator[BinaryIO]:
    """A regular file of a bundle's folder, open for reading.

    Raises:
        BundleError: It is missing, is no regular file, or is a link out of the folder.
        InputError: It cannot be read in the block.
    """
    path = folder / name
    with contextlib.ExitStack() as stack:
        try:
            if folder.resolve() != path.resolve().parent:
                raise BundleError(
                    f"{name} of the bundle {folder} is a link that leaves the folder, and a bundle is whole "
                    "in its own: copy what the links lead to (cp -RL on Unix)"
                )
            # Its size is compared with what the manifest says.
            file = stack.enter_context(opened_file(path, ANY_SIZE))
        # Links that go round are a RuntimeError to older versions of Python.
        except (OSError, RuntimeError, InputError) as error:
            raise _unreadable(folder, name, error) from error
        yield file


def _unreadable(folder: Path, name: str, error: Exception) -> BundleError:
    cause = error.__cause__ if isinstance(error, InputError) and error.__cause__ else error
    return BundleError(
        f"{name} of the bundle {folder} is missing or unreadable "
        f"({getattr(cause, 'strerror', None) or cause}): {_ADVICE}"
    )


def _verified(folder: Path, name: str, record: FileRecord, kept: bool) -> bytes:
    """Verify one file; its content where it is kept."""
    content = None
    with opened_inside(folder, name) as file:
        try:
            fits = os.fstat(file.fileno()).st_size == record.size
            if fits and kept:
                content = file.read(record.size)
            fits = fits and _digest(file, record.size, content) == record.sha256
        except OSError as error:
            raise _unreadable(folder, name, error) from error
    if not fits:
        raise BundleError(
            f"{name} of the bundle {folder} is not the file that was exported (its content was "
            f"altered or cut short): {_ADVICE}"
        )
    return content or b""


def _digest(file: BinaryIO, size: int, content: bytes | None) -> str:
    """The SHA-256 of a file of that size, or of its content where that is read already.

    What is known of a file that has not changed is not computed again.
    """
    before = _state(file)
    with _known_lock:
        known = _known.get(before)
    if known is not None and content is None:
        return known
    found = sha256_of(file, size) if content is None else hashlib.sha256(content).hexdigest()
    if _state(file) == before and time.time_ns() - max(before[-2:]) > _SETTLED:
        with _known_lock:
            if len(_known) >= _MOST_KNOWN:
                _known.clear()
            _known[before] = found
    return found


def _state(file: BinaryIO) -> tuple[int, ...]:
    """What tells a file, and whether it has changed; its times come last."""
    facts = os.fstat(file.fileno())
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns

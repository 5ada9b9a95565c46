"""Paths as users give them, and the folders that a system keeps for each user."""

from __future__ import annotations

import contextlib
import os
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from dragonnx.errors import InputError

PORTABLE_NAME = "[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""What can be typed without quotes, and is a file's name but for what `is_portable_name` refuses."""
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
"""Names of devices on Windows, whatever follows after a dot."""
_REFUSED = frozenset('<>:"/\\|?*')
"""Characters that Windows has in no name."""
_LONGEST_STEM = 60
"""Characters of a name that is made from another one."""


_ADDRESS = re.compile(r"(https?|ftp|file|s3|gs|hf|git|ssh):[/\\]+", re.IGNORECASE)


def address_in(path: Path) -> str:
    """The address on the Internet that a path is, with the slash that paths lose; else empty."""
    found = _ADDRESS.match(str(path))
    return f"{found[1]}://{str(path)[found.end() :]}" if found else ""


def as_path(path: object) -> Path:
    """A path that a program names: a text, or an object that stands for one, such as a `Path`.

    Raises:
        InputError: It is another thing.
    """
    try:
        text = os.fspath(path)  # type: ignore[call-overload]
    except TypeError:
        text = None
    if not isinstance(text, str):
        raise InputError(
            f"a file is named by a text or by a path such as pathlib.Path, not {type(path).__name__}"
        )
    return Path(text)


def is_portable_name(name: str) -> bool:
    """Whether every system takes a text for the name of a file or folder, in the folder it is put in."""
    return (
        re.fullmatch(PORTABLE_NAME, name) is not None
        and not name.endswith(".")
        and not _RESERVED.fullmatch(name)
    )


def portable_name(text: str) -> str:
    """A text made into such a name, umlauts without their dots and a hyphen for what else it lacks.

    Returns:
        The name; empty where nothing of the text can be in one.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", plain).strip("-._")[:_LONGEST_STEM].rstrip("-._")
    return name if is_portable_name(name) else ""


def file_stem(name: str) -> str:
    """What another file may be called after one of this name, without its end.

    Args:
        name: Of a file, as its document tells it: it may come from a stranger, and from another system.

    Returns:
        The stem, with a low line for what some system refuses in names; empty where nothing is left.
    """
    stem = Path(name).stem
    return "".join(c if c.isprintable() and c not in _REFUSED else "_" for c in stem)[
        :_LONGEST_STEM
    ].strip(" ._")


def typed_path(text: str) -> Path:
    """A path as a user types it: `~` is the home folder, where there is one."""
    # Path.expanduser raises for a user that does not exist; this leaves such a name as it is.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def pasted_path(text: str) -> str:
    """A path as terminals paste it where a file is dropped on them, as it is typed.

    It may be quoted, its blanks may have backslashes, it may be an address `file://...`, and blanks or
    the end of a line may follow. Another text is left as it is but for what surrounds it.
    """
    text = text.strip().partition("\n")[0].strip()
    if text.lower().startswith("file://"):
        from urllib.parse import urlsplit
        from urllib.request import url2pathname  # which loads what speaks to servers

        path = url2pathname(urlsplit(text).path)
        return path if len(path) > 1 else text
    if os.name == "nt" or not (text.startswith(("'", '"')) or "\\" in text):
        return text.strip('"') if os.name == "nt" else text
    import shlex

    try:
        words = shlex.split(text)
    except ValueError:  # a quote that is not closed is part of a name
        return text
    return words[0] if len(words) == 1 else text


def user_folder(
    kind: Literal["cache", "config", "data", "state"], variable: str, inside: str = ""
) -> Path:
    """Where a user's own files of dragonnx go.

    Args:
        kind: What they are, as the system sorts them.
        variable: Of the environment; names another place.
        inside: Folder in the system's place.

    Raises:
        InputError: There is no home folder.
    """
    if chosen := os.environ.get(variable):
        return typed_path(chosen)
    import platformdirs

    folder: Path = getattr(platformdirs, f"user_{kind}_path")("dragonnx") / inside
    if not folder.is_absolute():  # it begins with a ~ that stands for nothing
        raise InputError(
            f"there is no home folder to keep files in: set HOME to it, or {variable} to a folder"
        )
    return folder


@contextlib.contextmanager
def usable(path: Path) -> Iterator[None]:
    """Refuse a path that the system does not even look for.

    Raises:
        InputError: A name in it is too long or impossible, links go in a circle, a folder on the way
            is closed to us, or the folder that it starts from is gone.
    """
    try:
        yield
    except InputError:
        raise
    # A ValueError for a name with a zero character, and a RuntimeError for links in a circle.
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(f"{path} cannot be used ({_reason(error)})") from error


def _reason(error: Exception) -> object:
    if isinstance(error, RuntimeError):
        return "its links go in a circle"
    return getattr(error, "strerror", None) or error

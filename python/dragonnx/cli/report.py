"""What an issue needs to know of a machine, with nothing that tells whose it is or where things lie."""

from __future__ import annotations

import getpass
import importlib.metadata
import locale
import os
import platform
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from dragonnx import __version__
from dragonnx.cli.console import has_terminal
from dragonnx.cli.diagnosis import runtime_findings
from dragonnx.errors import BundleError
from dragonnx.model.library import known_manifests

_BESIDE = ("dragonnx-export", "onnx", "torch", "safetensors")
"""Distributions that dragonnx does not ask for, and that tell how it is used."""
_TOLD = (
    "TERM", "COLORTERM", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "NO_COLOR", "DRAGONNX_GRAPHICS",
    "DRAGONNX_MAX_MEGAPIXELS", "ORT_DISABLE_TELEMETRY", "OMP_NUM_THREADS",
)  # fmt: skip
"""Variables whose values are choices; of the others only that they are set."""
_SET = (
    "TMUX", "STY", "SSH_CONNECTION", "WT_SESSION", "DRAGONNX_CACHE", "DRAGONNX_CONFIG", "DRAGONNX_MODELS",
    "DRAGONNX_STATE", "CUDA_VISIBLE_DEVICES",
)  # fmt: skip


class Anonymous:
    """Takes the names of a user and a machine out of texts.

    Args:
        homes: The user's folders, which become `~`.
        users: What the user is called, which becomes `USER` wherever it stands alone.
        hosts: What the machine is called, which becomes `HOST`.
    """

    def __init__(self, homes: Iterable[str], users: Iterable[str], hosts: Iterable[str]) -> None:
        folders = {home.rstrip("/\\") for home in homes} - {""}
        self._hidden = [
            (re.compile(rf"{re.escape(home)}(?![\w-])", re.IGNORECASE), "~")
            for home in sorted(folders, key=len, reverse=True)
        ]
        for names, word in ((users, "USER"), (hosts, "HOST")):
            self._hidden += [
                (re.compile(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", re.IGNORECASE), word)
                for name in sorted({*names} - {""}, key=len, reverse=True)
            ]

    @classmethod
    def of_this_machine(cls) -> Anonymous:
        """As the system calls who runs this, and itself."""
        told = [os.environ.get(name, "") for name in ("HOME", "USERPROFILE")]
        homes = [*told, os.path.expanduser("~")]  # noqa: PTH111 which never fails
        homes += [os.path.realpath(home) for home in homes if home]
        users = [os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")]
        try:
            users.append(getpass.getuser())
        except (OSError, KeyError, ImportError):  # a number without a name, as in a container
            users.append(Path(homes[-1]).name)
        host = platform.node()
        return cls([home for home in homes if home != "~"], users, (host, host.partition(".")[0]))

    def hide(self, text: str) -> str:
        """The text without them."""
        for pattern, word in self._hidden:
            text = pattern.sub(word, text)
        return text


def report() -> Iterator[str]:
    """One line for each fact; names are still in it, for `Anonymous` to take out."""
    yield f"dragonnx: {__version__}"
    python = f"{platform.python_implementation()} {platform.python_version()}"
    yield f"Python: {python}, {platform.architecture()[0]}"
    yield f"system: {platform.platform()}, {os.cpu_count()} cores"
    yield f"libraries: {', '.join(_libraries())}"
    # Before ONNX Runtime is loaded, for which dragonnx sets a variable itself.
    values = [f"{name}={os.environ[name]}" for name in _TOLD if name in os.environ]
    values += [f"{name} is set" for name in _SET if name in os.environ]
    yield f"environment: {', '.join(values) or 'nothing of note'}"
    yield from runtime_findings()
    for folder, found in known_manifests():
        if isinstance(found, BundleError):
            said = str(found).replace(str(folder), folder.name)
            yield f"model {folder.name}: unusable. {said}"
        else:
            width, height = found.image_size[1], found.image_size[0]
            yield f"model {folder.name}: {found.family}, {width} x {height} px"
    yield from _terminal()


def _libraries() -> Iterator[str]:
    """What dragonnx asks for, with the extras, as far as it is there."""
    asked = importlib.metadata.requires("dragonnx") or []
    users = (text for text in asked if not re.search(r"extra == .dev\b", text))
    names = [match[0] for text in users if (match := re.match(r"[\w.-]+", text))]
    for name in sorted({*names, *_BESIDE}, key=str.lower):
        try:
            yield f"{name} {importlib.metadata.version(name)}"
        except importlib.metadata.PackageNotFoundError:
            continue


def _terminal() -> Iterator[str]:
    from dragonnx.tui.asking import ask_terminal
    from dragonnx.tui.terminal import best_mode

    columns, rows = shutil.get_terminal_size()
    encodings = f"{sys.stdout.encoding}, {locale.getencoding()}, {sys.getfilesystemencoding()}"
    yield f"terminal: {columns} x {rows}, {best_mode().value}, encodings {encodings}"
    if not has_terminal():
        yield "graphics: not asked for, since the output goes elsewhere"
    else:
        shows = ask_terminal()
        yield f"graphics: {shows.graphics.protocol.value if shows.graphics else 'no'}"
        yield f"truecolor: {'yes' if shows.truecolor else 'no'}"

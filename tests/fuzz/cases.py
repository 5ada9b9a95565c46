"""One input of a reader: the files that it finds, some of them no files at all."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TypeAlias

import numpy as np
from fuzz.mutate import Mutation, cut, grown, mutated_bytes
from fuzz.mutate_arrays import mutated_npy
from fuzz.mutate_graph import mutated_graph
from fuzz.mutate_json import mutated_json
from fuzz.mutate_pickle import mutated_pickle
from fuzz.mutate_picture import mutated_picture
from fuzz.mutate_zip import mutated_zip

Place: TypeAlias = Callable[[Path], object]
"""Makes something at a path."""
_TERABYTE = 1 << 40


@dataclass(frozen=True)
class Case:
    """Files by their path below a folder, and which of them the reader is given.

    Attributes:
        files: The content of each, or what makes it.
        opened: The path that is opened; empty for the folder itself.
    """

    files: Mapping[str, bytes | Place]
    opened: str = ""

    def lay(self, folder: Path) -> Path:
        """Put the files into an empty folder; returns the path to open."""
        for name, content in self.files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            else:
                content(path)
        return folder / self.opened


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(_TERABYTE)


def _socket(path: Path) -> None:
    # The path of a socket must be short, so it is bound from where it lies.
    before = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path.name[:60])
    finally:
        os.chdir(before)


def _folder(path: Path) -> None:
    (path / "inside").mkdir(parents=True)


def _link_to(target: str) -> Place:
    return lambda path: path.symlink_to(target)


NO_FILES: Mapping[str, Place] = {
    "pipe": os.mkfifo,
    "folder": _folder,
    "socket": _socket,
    "terabyte": _sparse,
    "endless": _link_to("/dev/zero"),
    "nothing": _link_to("/dev/null"),
    "random": _link_to("/dev/urandom"),
    "loop": lambda path: path.symlink_to(path.name),
    "dangling": _link_to("not-there"),
    "outside": _link_to("/etc/passwd"),
    "memory": _link_to("/proc/self/mem"),
    "terminal": _link_to("/dev/tty"),
    "missing": lambda path: None,
}
"""What can lie where a file is expected."""

STRANGE_NAMES = (
    "a\nb", "\x1b]0;title\x07", "\x1b[2J", "\u202egnp", "\udcff\udcfe", "n" * 200, "~root", "-o", "a'b\"c",
    "%s", " ", "\x7f\x9b", "CON", "{0}", "[red]x[/red]",
)  # fmt: skip
"""Names before the suffix; file systems take anything but a slash and a zero."""


def mutated_content(random: Random, name: str, data: bytes) -> bytes:
    """A file changed in its own format, or cut, grown, or emptied."""
    chance = random.random()
    if chance < 0.04:
        return cut(random, data)
    if chance < 0.07:
        return grown(random, data)
    if chance < 0.08:
        return b""
    return mutation_of(name, data)(random, data)


def mutation_of(name: str, data: bytes) -> Mutation:
    """How a file of this name or content is changed."""
    if name.endswith(".onnx"):
        return mutated_graph
    if data.startswith(b"PK"):
        return lambda random, content: mutated_zip(random, content, _mutated_member)
    if data.startswith(b"\x93NUMPY"):
        return mutated_npy
    if data.startswith(b"\x80"):
        return mutated_pickle
    if data.lstrip()[:1] in (b"{", b"["):
        return mutated_json
    if data.startswith((b"\x89PNG", b"\xff\xd8", b"RIFF")):
        return mutated_picture
    return mutated_bytes


def _mutated_member(random: Random, data: bytes) -> bytes:
    text = _text_of(data)
    if text is None or random.random() < 0.2:
        return mutation_of("", data)(random, data)
    changed = mutated_json(random, text.encode("utf-8", "replace")).decode("utf-8", "replace")
    stream = io.BytesIO()
    np.save(stream, np.array(changed.rstrip("\0") or "x"), allow_pickle=False)
    return stream.getvalue()


def _text_of(data: bytes) -> str | None:
    """The text that is kept as an array of one, as facts of progress files are."""
    kind = re.match(rb"\x93NUMPY.{4}\{'descr': '<U(\d+)'", data[:80], re.DOTALL)
    if kind is None or 4 * int(kind[1]) > len(data):
        return None
    try:
        return str(np.load(io.BytesIO(data), allow_pickle=False))
    except Exception:  # an array changed before: its header fails in a dozen ways
        return None


def mutated_file(random: Random, name: str, data: bytes) -> Case:
    """A single file: changed, something else than a file, or of a strange name."""
    chance = random.random()
    if chance < 0.03:
        return Case({name: NO_FILES[random.choice(sorted(NO_FILES))]}, name)
    if chance < 0.06:
        name = random.choice(STRANGE_NAMES) + Path(name).suffix
        return Case({name: random.choice((data, mutated_content(random, name, data)))}, name)
    if chance < 0.07:  # a link within the folder is as good as the file
        return Case({"real": data, name: _link_to("real")}, name)
    return Case({name: mutated_content(random, name, data)}, name)


def mutated_folder(
    random: Random, files: Mapping[str, bytes], mended: Callable[[dict[str, bytes | Place]], None]
) -> Case:
    """A folder of which some files are changed, missing, or no files.

    Args:
        random: Where all choices come from.
        files: The valid ones.
        mended: Makes what the folder says of its files right again, mostly.
    """
    changed: dict[str, bytes | Place] = dict(files)
    for _ in range(random.choice((1, 1, 1, 2))):
        name = random.choice(sorted(files))
        chance = random.random()
        if chance < 0.03:
            changed[name] = NO_FILES[random.choice(sorted(NO_FILES))]
        elif chance < 0.05:
            changed[name] = files[random.choice(sorted(files))]
        else:
            changed[name] = mutated_content(random, name, files[name])
    if random.random() < 0.95:
        mended(changed)
    folder = random.choice(STRANGE_NAMES) if random.random() < 0.03 else "model"
    return Case({f"{folder}/{name}": content for name, content in changed.items()}, folder)


def with_right_sums(changed: dict[str, bytes | Place]) -> None:
    """Make a manifest's sizes and checksums those of the files; what is no manifest stays."""
    import hashlib

    manifest = changed.get("manifest.json")
    if not isinstance(manifest, bytes):
        return
    try:
        facts = json.loads(manifest)
        for name in facts["files"]:
            content = changed.get(name)
            if isinstance(content, bytes):
                digest = hashlib.sha256(content).hexdigest()
                facts["files"][name] = {"sha256": digest, "size": len(content)}
        changed["manifest.json"] = json.dumps(facts).encode("utf-8", "surrogatepass")
    except (ValueError, KeyError, TypeError, RecursionError):
        return


def remove(folder: Path) -> None:
    """Remove what `Case.lay` made, and make the folder empty again."""
    shutil.rmtree(folder)
    folder.mkdir()

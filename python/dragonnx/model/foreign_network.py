"""A network of pictures that a user has from elsewhere: looked through, then loaded."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from dragonnx.errors import BundleError, InputError
from dragonnx.model.checking.foreign import LARGEST, ForeignGraph, check_foreign
from dragonnx.reading.foreign_kinds import ONNX, foreign_kind
from dragonnx.reading.regular_file import read_bytes
from dragonnx.runtime import Graph, choose_device


@dataclass(frozen=True)
class ForeignNetwork:
    """A file that may be run. Use `ForeignNetwork.read`.

    Attributes:
        path: The file.
        name: What it is called in messages.
        content: Its bytes, which are those that were looked through.
        facts: What it takes and gives.
    """

    path: Path
    name: str
    content: bytes
    facts: ForeignGraph

    @classmethod
    def read(cls, path: Path, what: str, usual: tuple[int, int]) -> Self:
        """Look through a file; ONNX Runtime does not see it.

        Args:
            path: The file.
            what: What it is to its user, such as "the face model".
            usual: (height, width) of the pictures for a network that takes any.

        Raises:
            InputError: It cannot be read, is no network of pictures, or may not be run.
        """
        name = f"{what} {path}"
        content = read_bytes(path, LARGEST, what)
        if (foreign := foreign_kind(content)) is not None and foreign.kind != ONNX:
            raise InputError(
                f"{name} cannot be used: it is {foreign.kind}; {foreign.advice or 'give an ONNX file'}"
            )
        try:
            facts = check_foreign(content, usual)
        except BundleError as error:
            raise InputError(f"{name} cannot be used: {error}") from error
        return cls(path, name, content, facts)

    def load(self, threads: int | None = None) -> Graph:
        """The graph of what was looked through, on the CPU.

        Args:
            threads: CPU threads; None leaves it to ONNX Runtime.

        Raises:
            InputError: ONNX Runtime cannot load it.
            DeviceError: ONNX Runtime is not installed.
        """
        try:
            return Graph(self.path, choose_device("cpu"), threads, content=self.content)
        except BundleError as error:
            reason = " ".join(str(error.__cause__).split())[:300]
            raise InputError(f"{self.name} cannot be loaded by ONNX Runtime ({reason})") from error

"""What is installed, what runs where, and what is missing: what `dragonnx doctor` says."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from collections.abc import Iterator

from dragonnx import __version__, _core
from dragonnx.cli.comparison import windows_of
from dragonnx.errors import DragonnxError
from dragonnx.model.generator import Generator
from dragonnx.model.library import known_models, user_models_folder
from dragonnx.runtime import PROVIDERS, runtime_version, why_not


def diagnose() -> Iterator[str]:
    """One line for each finding."""
    yield f"dragonnx {__version__}, Python {platform.python_version()}, {platform.platform()}"
    versions = (f"{name} {_version(name)}" for name in ("numpy", "pillow", "typer"))
    yield f"libraries: {', '.join(versions)}; kernels: {_core.__name__} with {os.cpu_count()} cores"
    yield from runtime_findings()
    for line in known_models():
        yield f"model {line}"
    try:
        yield f"your own models are looked for in {user_models_folder()}"
    except DragonnxError as error:
        yield f"your own models: {error}"


def runtime_findings() -> Iterator[str]:
    """One line for ONNX Runtime and for each device that it could compute on."""
    try:
        yield f"runtime: {runtime_version()}"
        for provider in reversed(PROVIDERS):
            reason = why_not(provider)
            yield f"{provider.name}: no, {reason}" if reason else f"{provider.name}: yes"
    except DragonnxError as error:
        yield f"runtime: missing. {error}"


def diagnose_model(generator: Generator) -> Iterator[str]:
    """Where each of a model's graphs runs, and the nodes that do not run on its device."""
    wanted = generator.device.provider.ort_name
    for graph, placed in generator.placements(windows_of(generator)):
        elsewhere = {provider: kinds for provider, kinds in placed.items() if provider != wanted}
        listed = "; ".join(f"{', '.join(kinds)} on {name}" for name, kinds in elsewhere.items())
        yield f"graph {graph}: {wanted}" + (f", but {listed}" if listed else ", every node")


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "(version unknown)"

"""A machine with NVIDIA GPUs, as far as `ctypes` and ONNX Runtime's module show one."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest import mock

from dragonnx.runtime import cuda, providers
from dragonnx.runtime.ort import onnxruntime

CUDA_13 = frozenset(
    ("libcudart.so.13", "libcublasLt.so.13", "libcublas.so.13", "libcurand.so.10", "libcudnn.so.9")
)
"""What the library of onnxruntime-gpu 1.31.1 for Linux is linked with, and cuDNN."""
CUDA_12 = frozenset(
    (
        "libcudart.so.12", "libcublasLt.so.12", "libcublas.so.12", "libcurand.so.10", "libcudnn.so.9",
        "libcufft.so.11", "libnvrtc.so.12",
    )
)  # fmt: skip
"""That of onnxruntime-gpu 1.21.0."""
WINDOWS_CUDA_13 = frozenset(
    ("cudart64_13.dll", "cublasLt64_13.dll", "cublas64_13.dll", "cudnn64_9.dll")
)
"""That of onnxruntime-gpu 1.31.1 for Windows."""


@dataclass(frozen=True)
class CudaMachine:
    """See the module.

    Attributes:
        libraries: Files of shared libraries that can be loaded, the driver's apart.
        gpus: How many; None where there is no driver.
        capability: Each GPU's compute capability.
        driver: The newest CUDA that the driver knows, 1000 * major + 10 * minor.
        release: ONNX Runtime's version.
        built_with: The CUDA that ONNX Runtime was built with.
        is_windows: Whether the system is Windows.
        starts: Whether the driver can be initialised.
        is_built_in: Whether ONNX Runtime is built for CUDA.
    """

    libraries: frozenset[str] = CUDA_13
    gpus: int | None = 1
    capability: tuple[int, int] = (9, 0)
    driver: int = 13000
    release: str = "1.31.1"
    built_with: str = "13.0"
    is_windows: bool = False
    starts: bool = True
    is_built_in: bool = True

    @contextmanager
    def here(self) -> Iterator[None]:
        """This machine instead of the one that there is."""
        providers_there = ["CUDAExecutionProvider"] * self.is_built_in + ["CPUExecutionProvider"]
        ort = mock.patch.multiple(
            onnxruntime(), create=True, __version__=self.release, cuda_version=self.built_with,
            get_available_providers=lambda: providers_there, preload_dlls=_preload,
        )  # fmt: skip
        system = mock.patch.object(cuda, "_IS_WINDOWS", self.is_windows)
        with ort, system, mock.patch.object(ctypes, "CDLL", self._load):
            _forget()
            try:
                yield
            finally:
                _forget()

    def _load(self, name: str, **_mode: object) -> object:
        if name == ("nvcuda.dll" if self.is_windows else "libcuda.so.1") and self.gpus is not None:
            return SimpleNamespace(
                cuInit=lambda _flags: 0 if self.starts else 100,
                cuDeviceGetCount=lambda to: _put(to, self.gpus),
                cuDriverGetVersion=lambda to: _put(to, self.driver),
                cuDeviceGet=_put,
                cuDeviceGetAttribute=lambda to, what, _card: _put(to, self.capability[what - 75]),
            )
        if name not in self.libraries:
            raise OSError(f"{name}: cannot open shared object file: No such file or directory")
        return SimpleNamespace()


def _put(reference: Any, value: int | None) -> int:
    reference._obj.value = value
    return 0


def _preload() -> None:
    sys.stdout.write("Failed to load something\n")


def _forget() -> None:
    providers.why_not.cache_clear()
    providers._say_once.cache_clear()

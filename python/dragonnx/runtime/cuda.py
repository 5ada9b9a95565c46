"""What CUDA takes: a driver, a GPU, and shared libraries of the versions ONNX Runtime was built with."""

from __future__ import annotations

import contextlib
import ctypes
import io
from dataclasses import dataclass
from typing import Any

from dragonnx.runtime.ort import onnxruntime

INSTALL = "pip uninstall onnxruntime, then pip install 'dragonnx[gpu]'"
_IS_WINDOWS = hasattr(ctypes, "windll")
_CUFFT = {12: 11, 13: 12}
"""The version of cuFFT that comes with each CUDA; of other CUDAs nothing is known here."""
_NEXT_AFTER_CUDA = {12: "1.27"}
"""The first onnxruntime-gpu on PyPI that is built with a newer CUDA than that."""
_FFT_AND_NVRTC_ON_DEMAND = (1, 28)
"""From this ONNX Runtime on they are loaded by operators alone that no graph here has."""
_CAPABILITY_MAJOR, _CAPABILITY_MINOR = 75, 76
_AMPERE = 8


@dataclass(frozen=True)
class Library:
    """A shared library that ONNX Runtime loads.

    Attributes:
        title: What messages call it.
        stem: Its file's name without the parts that a system adds.
        version: Which it must be.
        others: Versions that a machine may have instead.
    """

    title: str
    stem: str
    version: int
    others: tuple[int, ...]

    def file(self, version: int) -> str:
        """The name of a version's file."""
        if not _IS_WINDOWS:
            return f"lib{self.stem}.so.{version}"
        return f"{self.stem}64_{version}.dll"

    def obstacle(self) -> str:
        """Why it cannot be loaded, as the end of a sentence; empty where it can."""
        if not (error := _load_error(self.file(self.version))):
            return ""
        present = [self.file(v) for v in self.others if not _load_error(self.file(v))]
        instead = f", while {' and '.join(present)} of another version is there" if present else ""
        return f"{self.title} {self.version}, which cannot be loaded ({error}){instead}"


def obstacle(ordinal: int = 0) -> str:
    """Why ONNX Runtime cannot use a GPU of this machine, as the end of a sentence; empty where it can.

    ONNX Runtime's own library for CUDA is not loaded: it would end in an error of its own.

    Args:
        ordinal: Which GPU, from 0.

    Raises:
        DeviceError: No ONNX Runtime is installed.
    """
    if missing := no_driver():
        return missing
    driver = _driver()
    if driver.cuInit(0) != 0:
        return "the NVIDIA driver cannot be initialised"
    count = _asked(driver.cuDeviceGetCount)
    if count == 0:
        return "the NVIDIA driver sees no GPU"
    if ordinal >= count:
        named = "cuda:0 alone" if count == 1 else f"cuda:0 to cuda:{count - 1}"
        return f"the NVIDIA driver sees no GPU of number {ordinal} but {named}"
    return _wrong_driver(driver) or _missing_library()


def no_driver() -> str:
    """That the machine has no driver for a GPU, as the end of a sentence; empty where it has."""
    try:
        _driver()
    except OSError as error:
        return f"no NVIDIA driver was found ({error})"
    return ""


def no_tf32(ordinal: int = 0) -> str:
    """Why a GPU that can be used has no TensorFloat-32, as the end of a sentence; empty where it has.

    Args:
        ordinal: Which GPU, from 0.
    """
    driver = _driver()
    driver.cuInit(0)
    card = _asked(driver.cuDeviceGet, ordinal)
    major, minor = (
        _asked(driver.cuDeviceGetAttribute, attribute, card)
        for attribute in (_CAPABILITY_MAJOR, _CAPABILITY_MINOR)
    )
    if major >= _AMPERE:
        return ""
    return (
        f"the GPU has none: its compute capability is {major}.{minor}, and TF32 needs {_AMPERE}.0"
    )


def _driver() -> ctypes.CDLL:
    return ctypes.CDLL("nvcuda.dll" if _IS_WINDOWS else "libcuda.so.1")


def _asked(function: Any, *arguments: int) -> int:
    """The number that a function of the driver gives; 0 where it fails."""
    answer = ctypes.c_int(0)
    return answer.value if function(ctypes.byref(answer), *arguments) == 0 else 0


def _cuda_major() -> int:
    """The CUDA that ONNX Runtime was built with; 0 where it does not tell."""
    major = str(getattr(onnxruntime(), "cuda_version", "")).partition(".")[0]
    return int(major) if major.isdecimal() else 0


def _wrong_driver(driver: ctypes.CDLL) -> str:
    built_with = _cuda_major()
    supported = _asked(driver.cuDriverGetVersion)  # 1000 * major + 10 * minor
    major, minor = supported // 1000, supported % 1000 // 10
    if not supported or major >= built_with:
        return ""
    bound = _NEXT_AFTER_CUDA.get(major)
    older = f", or pip install 'onnxruntime-gpu[cuda,cudnn]<{bound}'" if bound else ""
    return (
        f"the NVIDIA driver knows CUDA up to {major}.{minor} and {_name()} is built with CUDA {built_with}: "
        f"install a newer driver{older}"
    )


def _missing_library() -> str:
    ort = onnxruntime()
    if hasattr(ort, "preload_dlls"):
        # Finds CUDA and cuDNN where pip installed them. What it misses, it prints; here that is told below.
        with contextlib.redirect_stdout(io.StringIO()):
            ort.preload_dlls()
    for library in _libraries():
        if problem := library.obstacle():
            return f"{_name()} needs {problem}: pip install 'dragonnx[gpu]' brings it"
    return ""


def _libraries() -> list[Library]:
    """What ONNX Runtime's library for CUDA is linked with, and cuDNN, which every convolution takes."""
    cuda = _cuda_major()
    if cuda not in _CUFFT:
        return []
    others = tuple(v for v in (11, 12, 13, 14) if v != cuda)
    libraries = [
        Library("CUDA's runtime", "cudart", cuda, others),
        Library("cuBLAS", "cublasLt", cuda, others),
        Library("cuBLAS", "cublas", cuda, others),
        Library("cuDNN", "cudnn", 9, (8, 10)),
    ]
    release = tuple(int(part) for part in onnxruntime().__version__.split(".")[:2])
    on_demand = release >= _FFT_AND_NVRTC_ON_DEMAND
    if not on_demand:
        cufft = _CUFFT[cuda]
        libraries.append(Library("cuFFT", "cufft", cufft, (cufft - 1, cufft + 1)))
    if not _IS_WINDOWS:  # there the library is linked with neither
        libraries.append(Library("cuRAND", "curand", 10, ()))
        if not on_demand:
            libraries.append(Library("NVRTC", "nvrtc", cuda, others))
    return libraries


def _load_error(file: str) -> str:
    """What the system says when it cannot load a library; empty where it can."""
    try:
        # Windows looks along PATH only in this mode, as it does for ONNX Runtime.
        ctypes.CDLL(file, winmode=0)
    except OSError as error:
        return " ".join(str(error).split())
    return ""


def _name() -> str:
    return f"onnxruntime-gpu {onnxruntime().__version__}"

"""Where graphs can run: one table of providers, and the choice of a device among them."""

from __future__ import annotations

import ctypes
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from dragonnx.errors import DeviceError
from dragonnx.runtime.ort import onnxruntime
from dragonnx.types import DeviceName

logger = logging.getLogger("dragonnx")


@dataclass(frozen=True)
class Provider:
    """A kind of device, as users and as ONNX Runtime name it.

    Attributes:
        name: What users type.
        title: What messages call it.
        ort_name: ONNX Runtime's name of the execution provider.
        memory: ONNX Runtime's name of the memory in which its tensors lie.
        options: Options of the execution provider.
        install: The command that brings an ONNX Runtime with it.
        obstacle: Why the machine has no such device, as the end of a sentence; empty where it has.
    """

    name: str
    title: str
    ort_name: str
    memory: str
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    install: str = ""
    obstacle: Callable[[], str] = lambda: ""


@dataclass(frozen=True)
class Device:
    """Where graphs run.

    Attributes:
        provider: A row of `PROVIDERS`.
        ordinal: Which of several devices of that kind, from 0.
        note: Why `auto` did not choose a GPU although its runtime is installed, else empty.
    """

    provider: Provider
    ordinal: int = 0
    note: str = ""

    @property
    def kind(self) -> str:
        """The provider's name: "cpu" or "cuda"."""
        return self.provider.name

    @property
    def name(self) -> str:
        """What `choose_device` takes to give this device again: "cpu", "cuda", "cuda:1"."""
        return f"{self.kind}:{self.ordinal}" if self.ordinal else self.kind

    def session_providers(self) -> list[tuple[str, dict[str, str]]]:
        """What an ONNX Runtime session takes: this provider, then the CPU for what it lacks."""
        if self.provider is CPU:
            return [(CPU.ort_name, {})]
        options = {"device_id": str(self.ordinal), **self.provider.options}
        return [(self.provider.ort_name, options), (CPU.ort_name, {})]


def choose_device(requested: DeviceName = "auto") -> Device:
    """The device for a request.

    Args:
        requested: A provider's name, with `:N` for the one of that number from 0; "auto" takes the
            first GPU that works, else the CPU.

    Raises:
        DeviceError: No ONNX Runtime is installed, or the device is unknown or not to be had.
    """
    name, colon, number = requested.partition(":")
    known = {provider.name: provider for provider in PROVIDERS}
    if name not in {"auto", *known} or (
        colon and (name in ("auto", "cpu") or not number.isdecimal())
    ):
        *names, last = "auto", *sorted(known)
        raise DeviceError(
            f"the device must be {', '.join(names)} or {last}, not {requested!r}; with several GPUs, "
            "cuda:1 is the second one"
        )
    onnxruntime()
    if name != "auto":
        provider = known[name]
        if reason := why_not(provider):
            raise DeviceError(f"{provider.title} was asked for, but {reason}")
        return Device(provider, int(number or 0))
    note = ""
    for provider in PROVIDERS:
        if provider is CPU:
            continue
        if not (reason := why_not(provider)):
            return Device(provider)
        if _is_built_in(provider):  # of a build without it nobody expects it
            note = _say_once(f"running on the CPU, since {reason}")
    return Device(CPU, note=note)


@functools.cache
def why_not(provider: Provider) -> str:
    """Why a provider cannot be used here, as the end of a sentence; empty where it can.

    Raises:
        DeviceError: No ONNX Runtime is installed.
    """
    if not _is_built_in(provider):
        return f"the installed onnxruntime {onnxruntime().__version__} is built without it: {provider.install}"
    return provider.obstacle()


def _is_built_in(provider: Provider) -> bool:
    return provider.ort_name in onnxruntime().get_available_providers()


def _no_cuda() -> str:
    try:
        driver = ctypes.CDLL("nvcuda.dll" if hasattr(ctypes, "windll") else "libcuda.so.1")
    except OSError as error:
        return f"no NVIDIA driver was found ({error})"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return "the NVIDIA driver cannot be initialised"
    if count.value == 0:
        return "the NVIDIA driver sees no GPU"
    if hasattr(onnxruntime(), "preload_dlls"):
        onnxruntime().preload_dlls()  # finds CUDA and cuDNN where pip installed them
    return ""


@functools.cache
def _say_once(note: str) -> str:
    logger.warning(note)
    return note


CPU = Provider("cpu", "the CPU", "CPUExecutionProvider", "cpu")
CUDA = Provider(
    "cuda",
    "CUDA",
    "CUDAExecutionProvider",
    "cuda",
    # TensorFloat-32 keeps ten bits of mantissa: too few for gradients checked to 1e-4.
    options={"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"},
    install="pip uninstall onnxruntime, then pip install 'dragonnx[gpu]'",
    obstacle=_no_cuda,
)
PROVIDERS = (CUDA, CPU)
"""All of them, in the order in which `auto` tries them."""

"""Where graphs can run: one table of providers, and the choice of a device among them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import get_args

from dragonnx.errors import DeviceError
from dragonnx.log import logger
from dragonnx.reading.values import shown, whole
from dragonnx.runtime import cuda
from dragonnx.runtime.ort import onnxruntime
from dragonnx.types import DeviceName, DevicePrecision, Precision

LARGEST_THREADS = 1024
"""More take seconds to start, for each graph, on any machine."""


@dataclass(frozen=True)
class Provider:
    """A kind of device, as users and as ONNX Runtime name it.

    Attributes:
        name: What users type.
        title: What messages call it.
        ort_name: ONNX Runtime's name of the execution provider.
        memory: ONNX Runtime's name of the memory in which its tensors lie.
        options: Options of the execution provider.
        window_options: Further ones for graphs of many channels on small maps.
        replay_options: Those with which the runs of a bound graph are recorded and replayed; empty
            where that brings nothing.
        precision_options: Further ones, by the precision that they give.
        install: The command that brings an ONNX Runtime with it.
        no_driver: That the machine has no driver for it, as the end of a sentence; empty where it has.
        obstacle: Why the machine has no such device of that number, as the end of a sentence; empty
            where it has.
        no_tf32: Why the device of that number has no TF32, likewise.
    """

    name: str
    title: str
    ort_name: str
    memory: str
    options: Mapping[str, str] = field(default_factory=dict, hash=False)
    window_options: Mapping[str, str] = field(default_factory=dict, hash=False)
    replay_options: Mapping[str, str] = field(default_factory=dict, hash=False)
    precision_options: Mapping[DevicePrecision, Mapping[str, str]] = field(
        default_factory=dict, hash=False
    )
    install: str = ""
    no_driver: Callable[[], str] = lambda: ""
    obstacle: Callable[[int], str] = lambda _ordinal: ""
    no_tf32: Callable[[int], str] = lambda _ordinal: ""


@dataclass(frozen=True)
class Device:
    """Where graphs run.

    Attributes:
        provider: A row of `PROVIDERS`.
        ordinal: Which of several devices of that kind, from 0.
        precision: Of convolutions and matrix products.
        note: Why `auto` did not choose a GPU although its runtime is installed, else empty.
    """

    provider: Provider
    ordinal: int = 0
    precision: DevicePrecision = "float32"
    note: str = ""

    @property
    def kind(self) -> str:
        """The provider's name: "cpu" or "cuda"."""
        return self.provider.name

    @property
    def name(self) -> str:
        """What `choose_device` takes to give this device again: "cpu", "cuda", "cuda:1"."""
        return f"{self.kind}:{self.ordinal}" if self.ordinal else self.kind

    @property
    def precisions(self) -> tuple[DevicePrecision, ...]:
        """Every precision that the device has."""
        return ("float32",) if self.provider.no_tf32(self.ordinal) else ("float32", "tf32")

    def session_providers(
        self, *, windows: bool = False, replayed: bool = False
    ) -> list[tuple[str, dict[str, str]]]:
        """What an ONNX Runtime session takes: this provider, then the CPU for what it lacks.

        Args:
            windows: Whether the graph works on small windows of maps.
            replayed: Whether runs of bound graphs are to be recorded, where the provider can.
        """
        if self.kind == CPU.name:
            return [(CPU.ort_name, {})]
        options = {
            "device_id": str(self.ordinal),
            **self.provider.options,
            **self.provider.precision_options[self.precision],
        }
        if windows:
            options |= self.provider.window_options
        if replayed:
            options |= self.provider.replay_options
        return [(self.provider.ort_name, options), (CPU.ort_name, {})]


def choose_device(requested: DeviceName = "auto", precision: Precision = "auto") -> Device:
    """The device for a request.

    Args:
        requested: A provider's name, with `:N` for the one of that number from 0; "auto" takes the
            first GPU that works, else the CPU.
        precision: Of convolutions and matrix products; "auto" takes TF32 where the device has it.

    Raises:
        DeviceError: No ONNX Runtime is installed, the device is unknown or not to be had, or it
            does not have the precision.
    """
    name, colon, number = str(requested).partition(":")
    known = {provider.name: provider for provider in PROVIDERS}
    if (
        not isinstance(requested, str)
        or name not in {"auto", *known}
        or (colon and (name in ("auto", "cpu") or not number.isdecimal()))
    ):
        *names, last = "auto", *sorted(known)
        raise DeviceError(
            f"the device must be {', '.join(names)} or {last}, not {shown(requested)}; with several GPUs, "
            "cuda:1 is the second one"
        )
    if not isinstance(precision, str) or precision not in get_args(Precision):
        raise DeviceError(f"the precision must be auto, float32 or tf32, not {shown(precision)}")
    onnxruntime()
    if name != "auto":
        provider, ordinal = known[name], int(number or 0)
        if reason := why_not(provider, ordinal):
            raise DeviceError(f"{provider.title} was asked for, but {reason}")
        return _with_precision(Device(provider, ordinal), precision)
    note = ""
    for provider in PROVIDERS:
        if provider is CPU:
            continue
        if not (reason := why_not(provider)):
            return _with_precision(Device(provider), precision)
        if _is_built_in(provider):  # of a build without it nobody expects it
            note = _say_once(f"running on the CPU, since {reason}")
    return _with_precision(Device(CPU, note=note), precision)


def checked_threads(threads: object) -> int | None:
    """A number of CPU threads, or None for as many as there are cores.

    Raises:
        InputError: It is no whole number, or none that makes sense.
    """
    return None if threads is None else whole(threads, "threads", 1, LARGEST_THREADS)


@functools.cache
def why_not(provider: Provider, ordinal: int = 0) -> str:
    """Why a provider's device of a number cannot be used here, as the end of a sentence, or empty.

    Raises:
        DeviceError: No ONNX Runtime is installed.
    """
    if not _is_built_in(provider):
        # Who has no such device is not told to install what could not run.
        if missing := provider.no_driver():
            return f"{missing}; where there is one: {provider.install}"
        return f"the installed onnxruntime {onnxruntime().__version__} is built without it: {provider.install}"
    return provider.obstacle(ordinal)


def _with_precision(device: Device, requested: Precision) -> Device:
    """The device with a precision; `auto` is what PyTorch takes for convolutions: TF32 on CUDA."""
    if requested == "tf32" and (reason := device.provider.no_tf32(device.ordinal)):
        raise DeviceError(f"TF32 was asked for, but {reason}")
    return replace(device, precision=device.precisions[-1] if requested == "auto" else requested)


def _is_built_in(provider: Provider) -> bool:
    return provider.ort_name in onnxruntime().get_available_providers()


@functools.cache
def _say_once(note: str) -> str:
    logger.warning(note)
    return note


CPU = Provider(
    "cpu",
    "the CPU",
    "CPUExecutionProvider",
    "cpu",
    no_tf32=lambda _ordinal: "the CPU computes in float32 alone: ask for auto or float32",
)
CUDA = Provider(
    "cuda",
    "CUDA",
    "CUDAExecutionProvider",
    "cuda",
    options={
        "cudnn_conv_algo_search": "HEURISTIC",
        # Less memory at the same speed: no doubling of what is reserved, and cuDNN takes what it needs.
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_use_max_workspace": "0",
    },
    # TensorFloat-32 keeps ten bits of mantissa.
    precision_options={"float32": {"use_tf32": "0"}, "tf32": {"use_tf32": "1"}},
    # Channels last: a sixth quicker on windows, a third slower on whole maps.
    window_options={"prefer_nhwc": "1"},
    replay_options={"enable_cuda_graph": "1"},
    install=cuda.INSTALL,
    no_driver=cuda.no_driver,
    obstacle=cuda.obstacle,
    no_tf32=cuda.no_tf32,
)
PROVIDERS = (CUDA, CPU)
"""All of them, in the order in which `auto` tries them."""

HOST = Device(CPU)
"""The CPU, where numbers that ONNX Runtime reads itself lie whatever the device."""

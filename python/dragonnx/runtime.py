"""The one module that knows onnxruntime: devices, sessions, values that stay on the device."""

from __future__ import annotations

import ctypes
import functools
import json
import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from dragonnx.errors import BundleError, DeviceError

DeviceName = Literal["auto", "cpu", "cuda"]
Array = NDArray[Any]

_CUDA_PROVIDER = "CUDAExecutionProvider"
_CPU_PROVIDER = "CPUExecutionProvider"
_ERRORS_ONLY = 3

logger = logging.getLogger("dragonnx")


@dataclass(frozen=True)
class Device:
    """Where graphs run.

    Attributes:
        kind: "cpu" or "cuda".
        note: Why `auto` did not choose CUDA although its runtime is installed, else empty.
    """

    kind: Literal["cpu", "cuda"]
    note: str = ""


class DeviceTensor:
    """A tensor that stays where the graph left it, to be fed to the next graph."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @property
    def shape(self) -> tuple[int, ...]:
        """The tensor's shape."""
        return tuple(self._value.shape())

    def numpy(self) -> Array:
        """A copy in host memory."""
        array: Array = self._value.numpy()
        return array


class Graph:
    """One loaded graph. `run` may be called from several threads at once.

    Args:
        path: The .onnx file, its external data beside it.
        device: Where it runs.
        threads: Threads within an operator on the CPU; None leaves it to ONNX Runtime.

    Raises:
        BundleError: ONNX Runtime cannot load the file.
        DeviceError: The graph cannot run on the device.
    """

    def __init__(self, path: Path, device: Device, threads: int | None = None) -> None:
        options = _onnxruntime().SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        self._session = _open_session(path, device, options)
        self._device = device
        self.input_names: tuple[str, ...] = tuple(i.name for i in self._session.get_inputs())
        self.output_names: tuple[str, ...] = tuple(o.name for o in self._session.get_outputs())

    def run(
        self, inputs: Mapping[str, Array | DeviceTensor], keep: Sequence[str] = ()
    ) -> tuple[dict[str, Array], dict[str, DeviceTensor]]:
        """Run once.

        Args:
            inputs: A value for each input; what an earlier graph kept is not copied.
            keep: Outputs that stay on the device.

        Returns:
            The other outputs as arrays, and the kept ones as they are, by name.
        """
        binding = self._session.io_binding()
        for name in self.input_names:
            value = inputs[name]
            if isinstance(value, DeviceTensor):
                binding.bind_ortvalue_input(name, value._value)
            else:
                binding.bind_cpu_input(name, np.ascontiguousarray(value))
        for name in self.output_names:
            binding.bind_output(name, self._device.kind if name in keep else "cpu")
        self._session.run_with_iobinding(binding)
        arrays: dict[str, Array] = {}
        kept: dict[str, DeviceTensor] = {}
        for name, value in zip(self.output_names, binding.get_outputs(), strict=True):
            if name in keep:
                kept[name] = DeviceTensor(value)
            else:
                arrays[name] = value.numpy()
        return arrays, kept


def node_placement(path: Path, device: Device, inputs: Mapping[str, Array]) -> dict[str, list[str]]:
    """Run a graph once under the profiler: the kinds of its nodes, by execution provider.

    Raises:
        BundleError: ONNX Runtime cannot load the file.
    """
    with tempfile.TemporaryDirectory() as folder:
        options = _onnxruntime().SessionOptions()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = _open_session(path, device, options)
        session.run(None, {i.name: inputs[i.name] for i in session.get_inputs()})
        events = json.loads(Path(session.end_profiling()).read_text("utf-8"))
    kinds: dict[str, set[str]] = {}
    for event in events:
        facts = event.get("args", {})
        if event.get("cat") == "Node" and "provider" in facts:
            kinds.setdefault(facts["provider"], set()).add(facts["op_name"])
    return {provider: sorted(names) for provider, names in sorted(kinds.items())}


def _open_session(path: Path, device: Device, options: Any) -> Any:
    options.log_severity_level = _ERRORS_ONLY
    # Each session has threads of its own, which spin after a run in the hope of the next one and so
    # steal the cores from the other graph of a drag step: without this, a step takes 1.8 times as long.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    if device.kind == "cuda":
        # TensorFloat-32 keeps ten bits of mantissa: too few for gradients checked to 1e-4.
        cuda = {"use_tf32": "0", "cudnn_conv_algo_search": "HEURISTIC"}
        providers: list[Any] = [(_CUDA_PROVIDER, cuda), _CPU_PROVIDER]
    else:
        providers = [_CPU_PROVIDER]
    try:
        session = _onnxruntime().InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime's exceptions share no narrower base class
        raise BundleError(
            f"ONNX Runtime cannot load {path} ({_one_line(error)}): export the bundle again "
            "with this version of dragonnx-export"
        ) from error
    if device.kind == "cuda" and _CUDA_PROVIDER not in session.get_providers():
        raise DeviceError(f"ONNX Runtime would not run {path.name} on CUDA")
    return session


def choose_device(requested: DeviceName = "auto") -> Device:
    """The device for a request.

    Raises:
        DeviceError: No ONNX Runtime is installed, or CUDA was asked for and is not to be had.
    """
    if requested not in ("auto", "cpu", "cuda"):
        raise DeviceError(f"the device must be auto, cpu or cuda, not {requested!r}")
    _onnxruntime()
    if requested == "cpu":
        return Device("cpu")
    reason = why_no_cuda()
    if not reason:
        return Device("cuda")
    if requested == "cuda":
        raise DeviceError(f"CUDA was asked for, but {reason}")
    if _CUDA_PROVIDER not in _onnxruntime().get_available_providers():
        return Device("cpu")  # the CPU build was installed: nobody expects CUDA of it
    return Device("cpu", note=_say_once(f"running on the CPU, since {reason}"))


@functools.cache
def why_no_cuda() -> str:
    """Why CUDA cannot be used here, as the end of a sentence; empty where it can.

    Raises:
        DeviceError: No ONNX Runtime is installed.
    """
    ort = _onnxruntime()
    if _CUDA_PROVIDER not in ort.get_available_providers():
        return (
            f"the installed onnxruntime {ort.__version__} is built without it: "
            "pip uninstall onnxruntime, then pip install 'dragonnx[gpu]'"
        )
    try:
        driver = ctypes.CDLL("nvcuda.dll" if hasattr(ctypes, "windll") else "libcuda.so.1")
    except OSError as error:
        return f"no NVIDIA driver was found ({error})"
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return "the NVIDIA driver cannot be initialised"
    if count.value == 0:
        return "the NVIDIA driver sees no GPU"
    if hasattr(ort, "preload_dlls"):
        ort.preload_dlls()  # finds CUDA and cuDNN where pip installed them
    return ""


def runtime_version() -> str:
    """Name and version of the installed ONNX Runtime with its providers.

    Raises:
        DeviceError: None is installed.
    """
    ort = _onnxruntime()
    return f"onnxruntime {ort.__version__} ({', '.join(ort.get_available_providers())})"


@functools.cache
def _onnxruntime() -> ModuleType:
    try:
        import onnxruntime
    except ImportError as error:
        raise DeviceError(
            "ONNX Runtime is not installed: pip install 'dragonnx[cpu]', or on a machine with an "
            "NVIDIA GPU pip install 'dragonnx[gpu]'"
        ) from error
    # A leftover namespace folder imports without error but is empty.
    if not hasattr(onnxruntime, "InferenceSession"):
        raise DeviceError(
            "the installed onnxruntime is broken: pip uninstall onnxruntime onnxruntime-gpu, then "
            "pip install 'dragonnx[cpu]' or 'dragonnx[gpu]'"
        )
    module: ModuleType = onnxruntime
    return module


@functools.cache
def _say_once(note: str) -> str:
    logger.warning(note)
    return note


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())

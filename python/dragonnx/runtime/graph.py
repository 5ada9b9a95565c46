"""A loaded graph, and tensors that stay on its device from one graph to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from dragonnx.errors import BundleError, DeviceError
from dragonnx.runtime.ort import onnxruntime
from dragonnx.runtime.providers import Device
from dragonnx.types import Array

_ERRORS_ONLY = 3


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
        options = onnxruntime().SessionOptions()
        if threads is not None:
            options.intra_op_num_threads = threads
        self._session = open_session(path, device, options)
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
            if name in keep:
                binding.bind_output(name, self._device.provider.memory, self._device.ordinal)
            else:
                binding.bind_output(name, "cpu")
        self._session.run_with_iobinding(binding)
        arrays: dict[str, Array] = {}
        kept: dict[str, DeviceTensor] = {}
        for name, value in zip(self.output_names, binding.get_outputs(), strict=True):
            if name in keep:
                kept[name] = DeviceTensor(value)
            else:
                arrays[name] = value.numpy()
        return arrays, kept


def open_session(path: Path, device: Device, options: Any) -> Any:
    """An ONNX Runtime session of a graph's file on a device.

    Raises:
        BundleError: ONNX Runtime cannot load the file.
        DeviceError: The graph cannot run on the device.
    """
    options.log_severity_level = _ERRORS_ONLY
    # Each session has threads of its own, which spin after a run in the hope of the next one and so
    # steal the cores from the other graph of a drag step: without this, a step takes 1.8 times as long.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    try:
        session = onnxruntime().InferenceSession(
            str(path), options, providers=device.session_providers()
        )
    except Exception as error:  # onnxruntime's exceptions share no narrower base class
        raise BundleError(
            f"ONNX Runtime cannot load {path} ({' '.join(str(error).split())}): export the bundle again "
            "with this version of dragonnx-export"
        ) from error
    if device.provider.ort_name not in session.get_providers():
        raise DeviceError(f"ONNX Runtime would not run {path.name} on {device.provider.title}")
    return session

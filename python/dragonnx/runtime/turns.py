"""One thread at a time on a device that records runs.

While CUDA records the run of one thread, a call of any other that takes or gives back memory, copies
or starts a kernel fails and spoils the recording (capture mode "global", which ONNX Runtime uses). So
whatever reaches such a device does it in a turn. Elsewhere threads need not wait for each other.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from dragonnx.errors import DeviceError
from dragonnx.runtime.providers import Device

_TURN = threading.RLock()  # objects may go, and so give back memory, within a turn
_NO_NEED = contextlib.nullcontext()
_MEMORY_IS_FULL = ("out of memory", "Failed to allocate memory", "bad_alloc", "bad allocation")
"""What CUDA, ONNX Runtime's allocator and C++ say."""


def turn(device: Device) -> contextlib.AbstractContextManager[object]:
    """A turn on a device, for a `with` block around calls of ONNX Runtime that reach it.

    Raises:
        DeviceError: On leaving the block, where the device's memory did not do.
    """
    return _on_card(device) if device.provider.replay_options else _NO_NEED


def is_full(error: Exception) -> bool:
    """Whether memory did not do."""
    return any(words in str(error) for words in _MEMORY_IS_FULL)


@contextlib.contextmanager
def _on_card(device: Device) -> Iterator[None]:
    with _TURN:
        try:
            yield
        except Exception as error:  # onnxruntime's exceptions share no narrower base class
            if is_full(error):
                raise DeviceError(
                    f"the memory of {device.name} is full: close other programs that use the GPU, drag "
                    "without a mask or with fewer points, or take the CPU (--device cpu)"
                ) from error
            raise

"""One thread at a time on a device that records runs.

While CUDA records the run of one thread, a call of any other that takes or gives back memory, copies
or starts a kernel fails and spoils the recording (capture mode "global", which ONNX Runtime uses). So
whatever reaches such a device does it in a turn. Elsewhere threads need not wait for each other.
"""

from __future__ import annotations

import contextlib
import threading

from dragonnx.runtime.providers import Device

_TURN = threading.RLock()  # objects may go, and so give back memory, within a turn
_NO_NEED = contextlib.nullcontext()


def turn(device: Device) -> contextlib.AbstractContextManager[object]:
    """A turn on a device, for a `with` block around calls of ONNX Runtime that reach it."""
    return _TURN if device.provider.replay_options else _NO_NEED

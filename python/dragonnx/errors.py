"""Every error that dragonnx raises on purpose. Each message is one sentence for a user."""

from __future__ import annotations


class DragonnxError(Exception):
    """Something a user can mend: the message says what was expected, what came, what to do."""


class BundleError(DragonnxError):
    """A model bundle is missing, damaged, or of an unknown format."""


class DeviceError(DragonnxError):
    """The asked-for device, or ONNX Runtime itself, is not to be had."""


class StateError(DragonnxError, RuntimeError):
    """It was asked at the wrong moment: of a closed generator, or of a session that is in use."""


class InputError(DragonnxError, ValueError):
    """An argument (a point, a mask, a latent, a setting) does not fit the model or the method."""


class OutputError(InputError):
    """A file cannot be written; what was to be in it is still in memory, and can be written again."""

"""A model of three w's that costs nothing: its picture slides as the first two say.

It has the methods of `Generator` that an editor uses, exact gradients included, so that drags and
inversions truly run, in milliseconds. What it says is simple enough to know the answers.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from dragonnx.errors import InputError
from dragonnx.model.facts import FeatureMap, GraphRecord, Source
from dragonnx.model.latent import checked_w_plus, truncate, z_of_seed
from dragonnx.model.manifest import Manifest
from dragonnx.model.passes import FeaturePass, ImagePass
from dragonnx.model.picture import picture_of
from dragonnx.model.principal import PrincipalW
from dragonnx.runtime import CPU, Device

HEIGHT, WIDTH = 48, 64
NUM_WS, W_DIM, TRAINABLE = 3, 2, 2
STEP_SIZE = 0.5
"""Of both sliding w's: a handle goes about a pixel a step."""
HANG = 60.0
"""Seconds after which a test that waits has failed."""

_WAVES = np.array([(0.31, 0.17, 0.0), (-0.23, 0.29, 1.1), (0.12, -0.37, 2.3), (0.4, 0.08, 4.0)])
"""Of the features: along x, along y, and the phase. The first three are the picture's colours."""
_CONTRAST = 0.6


class Held:
    """A place in the model where the thread that comes there waits."""

    def __init__(self) -> None:
        self._came, self._free = threading.Event(), threading.Event()

    def wait(self) -> None:
        """Wait until a thread is there."""
        assert self._came.wait(HANG), "nothing came to the place where it is held"

    def release(self) -> None:
        """Let it go on."""
        self._free.set()

    def __call__(self) -> None:
        self._came.set()
        assert self._free.wait(HANG), "what is held was never released"


class SlidingModel:
    """See the module.

    Args:
        name: The model's.
        labels: How many classes; each is another colour.
        has_preview: Whether it makes small pictures.
        size: (height, width) of the pictures.
        turns: Whether it moves and turns what it shows; turning is sliding down by as many pixels.
    """

    def __init__(
        self,
        name: str = "sliding",
        *,
        labels: int = 0,
        has_preview: bool = True,
        size: tuple[int, int] = (HEIGHT, WIDTH),
        turns: bool = False,
    ) -> None:
        self.device = Device(CPU)
        self.threads = 1
        small = (GraphRecord(role="preview", file="preview.onnx"),) if has_preview else ()
        small += (GraphRecord(role="transform", file="transform.onnx"),) if turns else ()
        self.manifest = Manifest(
            name=name, family="none", image_size=size, feature_map=FeatureMap.over(size, size, 4),
            windows=None, graphs=small, z_dim=W_DIM, w_dim=W_DIM, num_ws=NUM_WS,
            label_dim=labels, trainable_layers=TRAINABLE, truncation_psi=0.7,
            drag_settings={"step_size": STEP_SIZE, "r1": 20, "r2": 64}, files={},
            source=Source(format="none", sha256="0" * 64, licence="none"), versions={},
        )  # fmt: skip
        self.calls: Counter[str] = Counter()
        self.labels: list[int | None] = []
        """That latents were made with."""
        self._before: dict[str, Callable[[], object]] = {}

    # --- troubles -----------------------------------------------------------------------------

    @contextmanager
    def failing(self, method: str, error: Exception, after: int = 0) -> Iterator[None]:
        """Let a method fail, once it was called so many times."""
        left = iter(range(after))

        def fail() -> None:
            if next(left, None) is None:
                raise error

        with self._doing(method, fail):
            yield

    @contextmanager
    def held(self, method: str) -> Iterator[Held]:
        """Let a thread that calls a method wait, at the latest until the end of the block."""
        place = Held()
        with self._doing(method, place):
            try:
                yield place
            finally:
                place.release()

    @contextmanager
    def _doing(self, method: str, action: Callable[[], object]) -> Iterator[None]:
        self._before[method] = action
        try:
            yield
        finally:
            del self._before[method]

    def _called(self, method: str) -> None:
        self.calls[method] += 1
        self._before.get(method, lambda: None)()

    # --- as `Generator` -----------------------------------------------------------------------

    @property
    def w_avg(self):
        return np.zeros(W_DIM, np.float32)

    def w_plus(self, seed=None, *, z=None, label=None, truncation_psi=None):
        self._called("w_plus")
        self.labels.append(label)
        classes = self.manifest.label_dim
        if (label is not None) != bool(classes):
            raise InputError("a label is needed where there are classes, and nowhere else")
        codes = z_of_seed(seed, W_DIM) if z is None else np.asarray(z, np.float32)
        psi = self.manifest.truncation_psi if truncation_psi is None else truncation_psi
        w = truncate(codes * 6 + 5 * (label or 0), self.w_avg, psi)
        return np.repeat(w[:, None], NUM_WS, axis=1)

    def principal_w(self):
        return PrincipalW(np.eye(W_DIM, dtype=np.float32), np.array([3, 2], np.float32))

    def checked_w_plus(self, w_plus):
        return checked_w_plus(w_plus, NUM_WS, W_DIM)

    def transform(self, w_plus, *, rotation, translation):
        self._called("transform")
        moved = self.checked_w_plus(w_plus).copy()
        moved[:, 0] += np.float32(translation) + np.float32([0, rotation])
        return moved

    def image(self, w_plus):
        self._called("image")
        return picture_of(self._image(self.checked_w_plus(w_plus)))

    def preview(self, w_plus):
        self._called("preview")
        return picture_of(self._image(self.checked_w_plus(w_plus))).reduce(4)

    def features(self, w_plus, *, cut=None, windows=None):
        assert cut is windows is None
        self._called("features")
        latent = self.checked_w_plus(w_plus)
        return FeaturePass(latent, np.sin(self._phases(latent)).astype(np.float32)[None], {})

    def pullback(self, forward, grad_features):
        self._called("pullback")
        return self._slid(forward.w_plus, grad_features[0], 1.0)[None, :TRAINABLE]

    def bound_features(self, user, w_plus, cut, windows):
        del user
        assert cut is None
        assert not windows
        return _SlidingPass(self.features, self.pullback, "features", w_plus)

    def bound_image(self, w_plus, *, preview=False):
        return _SlidingPass(
            lambda w: self.image_layers(w, preview=preview), self.image_pullback, "image", w_plus
        )

    def image_layers(self, w_plus, *, preview=False):
        self._called("image_layers")
        latent = self.checked_w_plus(w_plus)
        return ImagePass(latent, _small(self._image(latent)) if preview else self._image(latent),
                         {}, preview)  # fmt: skip

    def image_pullback(self, forward, grad_image):
        self._called("image_pullback")
        grad = grad_image[0]
        if forward.preview:
            grad = np.repeat(np.repeat(grad, 4, axis=-2), 4, axis=-1) / 16
        gradient = self._slid(forward.w_plus, grad, _CONTRAST)
        gradient[TRAINABLE:] = grad.sum() / 100
        return gradient[None]

    # --- what it shows ------------------------------------------------------------------------

    def _phases(self, latent):
        """Of each wave at each pixel, [4, H, W]; the first two w's are how far all has slid."""
        height, width = self.manifest.image_size
        right, down = latent[0, :TRAINABLE].sum(axis=0)
        y, x = np.mgrid[:height, :width]
        along_x, along_y, phase = _WAVES.T[..., None, None]
        return along_x * (x - right) + along_y * (y - down) + phase

    def _slid(self, latent, grad, contrast):
        """The gradient [NUM_WS, W_DIM] of waves [C, H, W] with respect to how far all has slid."""
        waves = np.cos(self._phases(latent)[: len(grad)]) * grad * contrast
        gradient = -(_WAVES[: len(grad), :2] * waves.sum(axis=(1, 2))[:, None]).sum(axis=0)
        return np.repeat(gradient[None].astype(np.float32), NUM_WS, axis=0)

    def _image(self, latent):
        waves = _CONTRAST * np.sin(self._phases(latent)[:3])
        return (waves + latent[0, TRAINABLE:].sum() / 100).astype(np.float32)[None]


def _small(image):
    height, width = image.shape[-2:]
    return image.reshape(1, 3, height // 4, 4, width // 4, 4).mean(axis=(3, 5))


class _SlidingPass:
    """As `BoundPass`."""

    def __init__(self, forward, pullback, result, w_plus):
        self._forward, self._pullback, self._name = forward, pullback, result
        self.result, self.gradient = _SlidingBuffer(), _SlidingBuffer()
        self.run({"w_plus": w_plus})

    def run(self, inputs):
        self._last = self._forward(inputs["w_plus"])
        self.result.write(getattr(self._last, self._name))

    def pull_back(self):
        return self._pullback(self._last, self.gradient.read())


class _SlidingBuffer:
    """As `Buffer`, in host memory."""

    def write(self, values):
        self._values = values.copy()

    def read(self):
        return self._values.copy()

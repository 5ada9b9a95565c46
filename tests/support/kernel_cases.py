"""Feature maps, windows and points for the kernel tests."""

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from dragonnx._core import WindowPlan

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]

# Values are at most about 4 in size. F^ then carries a few float32 roundings of 2.4e-7 each.
ROUNDING = 2e-6


@dataclass(frozen=True)
class Case:
    features: F32  # [C, fh, fw]
    image_size: tuple[int, int]
    points: F64  # [n, 2]
    seed: int

    @property
    def rng(self) -> np.random.Generator:
        return np.random.default_rng(self.seed)

    @property
    def feature_size(self) -> tuple[int, int]:
        return self.features.shape[1], self.features.shape[2]

    def whole(self) -> WindowPlan:
        """The plan that says: the data are the whole map."""
        return WindowPlan.whole(self.feature_size, self.image_size, len(self.points))

    def windows(self, reach: float) -> "Windowed":
        """One window a point, equal in size, in reverse order, with all that is `reach` px away."""
        cells = np.array(self.feature_size[::-1])
        pixels = np.array(self.image_size[::-1])
        scale = cells / pixels
        low = (
            np.floor((np.clip(self.points - reach, 0, pixels - 1) + 0.5) * scale - 0.5).astype(int)
            - 1
        )
        high = (
            np.ceil((np.clip(self.points + reach, 0, pixels - 1) + 0.5) * scale - 0.5).astype(int)
            + 1
        )
        size = np.minimum((high - low + 1).max(axis=0, initial=1), cells)
        origins = np.clip(low, 0, cells - size)[::-1].astype(np.int64)
        (width, height) = size
        crops = [self.features[:, y : y + height, x : x + width] for x, y in origins]
        plan = WindowPlan(
            origins.copy(),
            (height, width),
            self.feature_size,
            self.image_size,
            np.arange(len(self.points))[::-1].astype(np.int64),
        )
        return Windowed(np.stack(crops), plan)


@dataclass(frozen=True)
class Windowed:
    features: F32  # [N, C, h, w]
    plan: WindowPlan

    def assemble(self, grad_windows: F32, feature_size: tuple[int, int]) -> F64:
        """The windows' gradients summed where they lie in the whole map [C, fh, fw]."""
        whole = np.zeros((grad_windows.shape[1], *feature_size))
        height, width = grad_windows.shape[2:]
        for grad, (x, y) in zip(grad_windows, self.plan.origins, strict=True):
            whole[:, y : y + height, x : x + width] += grad
        return whole


def coordinates(pixels: int) -> st.SearchStrategy[float]:
    """On pixels, half-way, anywhere, and a little outside; the corners often."""
    return st.one_of(
        st.sampled_from([0.0, pixels - 1.0]),
        st.integers(-2, pixels + 1).map(float),
        st.integers(0, 2 * pixels).map(lambda value: value / 2),
        st.floats(-2, pixels + 1),
    )


@st.composite
def cases(draw: st.DrawFn, points: int = 2) -> Case:
    """Integer scales, fractions and reductions; never forced square; maps down to a single cell."""
    feature_size = draw(st.tuples(st.integers(1, 7), st.integers(1, 7)))
    scaled = st.tuples(st.integers(1, 4), st.integers(1, 4)).map(
        lambda scale: (feature_size[0] * scale[0], feature_size[1] * scale[1])
    )
    height, width = draw(st.one_of(scaled, st.tuples(st.integers(1, 24), st.integers(1, 24))))
    seed = draw(st.integers(0, 2**32 - 1))
    features = np.random.default_rng(seed).uniform(-2, 2, (3, *feature_size)).astype(np.float32)
    at = draw(
        st.lists(
            st.tuples(coordinates(width), coordinates(height)), min_size=points, max_size=points
        )
    )
    return Case(
        features, (height, width), np.array(at, dtype=np.float64).reshape(points, 2), seed + 1
    )

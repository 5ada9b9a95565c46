"""Where a model's w's lie: their principal directions, and how far they spread along each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dragonnx.types import Float32

SAMPLES = 4096
"""Enough for 512 directions: spreads are known to a few percent."""
_SEED = 0
_TOGETHER = 512
"""Latent codes that a mapping network takes at once."""


@dataclass(frozen=True, eq=False)
class PrincipalW:
    """Of many w's of random z, before truncation.

    Attributes:
        directions: One a row, orthonormal, the one of the largest spread first, [w_dim, w_dim].
        spreads: The standard deviation along each, [w_dim].
    """

    directions: Float32
    spreads: Float32

    @classmethod
    def of(cls, w: NDArray[np.floating]) -> PrincipalW:
        """Of w's [N, w_dim]."""
        covariance = np.cov(w.astype(np.float64), rowvar=False, ddof=0)
        spreads, directions = np.linalg.eigh(np.atleast_2d(covariance))
        return cls(
            np.ascontiguousarray(directions.T[::-1], np.float32),
            np.sqrt(np.maximum(spreads[::-1], 0)).astype(np.float32),
        )

    @classmethod
    def measured(
        cls, mapping: Callable[[Float32, int | None], Float32], z_dim: int, classes: int
    ) -> PrincipalW:
        """Of a mapping network.

        Args:
            mapping: From z [N, z_dim] and their class, None without classes, to w [N, w_dim].
            z_dim: Length of z.
            classes: How many there are; each gets its share of the samples.
        """
        rng = np.random.default_rng(_SEED)
        found = []
        for _ in range(SAMPLES // _TOGETHER):
            z = rng.standard_normal((_TOGETHER, z_dim), np.float32)
            label = int(rng.integers(classes)) if classes else None
            found.append(mapping(z, label))
        return cls.of(np.concatenate(found))

    def floored(self, share: float) -> Float32:
        """The directions, each as long as its spread, or as this share of the largest, [w_dim, w_dim].

        Args:
            share: Below it spreads are taken for the noise that a mapping network has everywhere.
        """
        lengths = np.maximum(self.spreads, share * self.spreads[0])
        return np.asarray(self.directions * lengths[:, None], np.float32)

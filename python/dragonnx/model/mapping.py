"""From seeds or latent codes, and classes, to the latents of a model: its mapping network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from dragonnx.errors import BundleError, InputError
from dragonnx.model.graphs import GraphSet
from dragonnx.model.labels import Label, fitting_label, label_row
from dragonnx.model.latent import checked_psi, checked_seeds, truncate, z_of_seed
from dragonnx.model.manifest import Manifest
from dragonnx.model.principal import PrincipalW
from dragonnx.reading.array_values import checked_array
from dragonnx.types import Float32


class MappingNetwork:
    """The mapping network of a model, and where its w's lie.

    Args:
        manifest: The model's.
        graphs: Where its graph is.
        w_avg: The mean of w, [w_dim].
    """

    def __init__(self, manifest: Manifest, graphs: GraphSet, w_avg: Float32) -> None:
        self._manifest = manifest
        self._graphs = graphs
        self._w_avg = w_avg
        self._principal_w: PrincipalW | None = None

    def w_plus(
        self,
        seed: int | Sequence[int] | None,
        z: ArrayLike | None,
        label: Label | None,
        truncation_psi: float | None,
    ) -> Float32:
        """As `Generator.w_plus`."""
        m = self._manifest
        if (seed is None) == (z is None):
            raise InputError("either a seed or z must be given, and not both")
        psi = m.truncation_psi if truncation_psi is None else checked_psi(truncation_psi)
        # One by one: a product of several rows may be rounded in another order.
        codes = (
            [checked_array(z, "z", ("N", m.z_dim), np.float32)]
            if seed is None
            else [z_of_seed(each, m.z_dim) for each in checked_seeds(seed)]
        )
        given = [{"z": rows, **self._label_input(label, len(rows))} for rows in codes]
        graph = self._graphs.get("mapping")
        w = np.concatenate([graph.run(inputs)[0]["w"] for inputs in given])
        if not np.isfinite(w).all():
            raise BundleError(
                f"the mapping network of {m.name} gives values that are not finite numbers: its weights "
                "are damaged, so export the bundle again"
            )
        return np.repeat(truncate(w, self._w_avg, psi)[:, None], m.num_ws, axis=1)

    def principal_w(self) -> PrincipalW:
        """As `Generator.principal_w`."""
        if self._principal_w is None:  # two threads at once find the same

            def mapped(z: Float32, label: int | None) -> Float32:
                return self.w_plus(None, z, label, 1.0)[:, 0]

            m = self._manifest
            self._principal_w = PrincipalW.measured(mapped, m.z_dim, m.label_dim)
        return self._principal_w

    def _label_input(self, label: Label | None, rows: int) -> dict[str, Float32]:
        classes = self._manifest.label_dim
        found = fitting_label(label, self._manifest.name, classes)
        return {} if found is None else {"label": label_row(found, classes).repeat(rows, axis=0)}

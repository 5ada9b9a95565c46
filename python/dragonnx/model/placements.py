"""Where the nodes of a model's graphs run: each graph is run once, and ONNX Runtime's profiler tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from dragonnx.model.bundle import Bundle
from dragonnx.model.facts import IMAGE_ROLES, GraphRole, graph_name
from dragonnx.model.graphs import GraphSet
from dragonnx.runtime import Device, node_placement
from dragonnx.types import Array, Float32


def placements(
    bundle: Bundle,
    graphs: GraphSet,
    device: Device,
    w_avg: Float32,
    windows: Mapping[int, Mapping[str, Array]],
) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Each graph's name, then its node kinds by execution provider.

    Args:
        bundle: The model.
        graphs: Its graphs, which make each other's inputs.
        device: Where they run.
        w_avg: A latent that it can show, [w_dim].
        windows: For each cut, inputs of its graphs as `plan_windows` gives them.
    """
    m = bundle.manifest

    def placed(
        role: GraphRole, inputs: Mapping[str, Array], cut: int | None = None
    ) -> tuple[str, dict[str, list[str]]]:
        return graph_name(role, cut), node_placement(bundle.graph(role, cut), device, inputs)

    w_plus = np.repeat(w_avg[None, None], m.num_ws, axis=1)
    mapping = {"z": np.zeros((1, m.z_dim), np.float32)}
    if m.label_dim:
        mapping["label"] = np.eye(1, m.label_dim, dtype=np.float32)
    yield placed("mapping", mapping)
    for image, layers, pullback in IMAGE_ROLES:
        if m.graph(image):
            yield placed(image, {"w_plus": w_plus})
        if m.graph(layers):
            yield placed(layers, {"w_plus": w_plus})
            given = graphs.get(layers).run({"w_plus": w_plus})[0]
            inputs = {"w_plus": w_plus, **given, "grad_image": given["image"]}
            yield placed(pullback, inputs)
    if m.graph("transform"):
        yield placed("transform", {"w_plus": w_plus, "motion": np.eye(1, 4, dtype=np.float32)})
    for cut in (None, *m.cuts):
        inputs = {"w_plus": w_plus, **({} if cut is None else windows[cut])}
        yield placed("features", inputs, cut)
        given = graphs.get("features", cut).run(inputs)[0]
        inputs = {**inputs, **given, "grad_features": given["features"]}
        yield placed("pullback", inputs, cut)

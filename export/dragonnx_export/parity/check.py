"""Proof that the graphs equal the checkpoint: outputs against torch, gradients against autograd."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from dragonnx.model.facts import IMAGE_ROLES, WINDOWED_ROLES, GraphRecord, ParityRecord
from dragonnx.model.manifest import Manifest
from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.parity.cases import SEEDS, Arrays, ParityCase, parity_cases
from dragonnx_export.parity.record import Difference, parity_record, refuse_failed
from dragonnx_export.parity.reference import ReferenceNetwork

VALUE_REASON = (
    "float32 sums over up to 4608 terms a convolution and a dozen layers differ by their order"
)
GRADIENT_REASON = (
    "as for values, forward and backward; the reference takes the slopes that the graph took, "
    "since a leaky ReLU within rounding of its kink may take either"
)

_REFERENCES = {"torch float64": torch.float64, "torch float32": torch.float32}

Progress = Callable[[str], None]
"""Takes what is being done, a line for the user."""


def check_parity(
    manifest: Manifest, folder: Path, network: ReferenceNetwork, progress: Progress
) -> tuple[ParityRecord, ...]:
    """Run every graph in a folder, optimised as users run it, and compare with torch.

    Args:
        manifest: The model's facts and graphs.
        folder: Where they are.
        network: What they were made from, in torch.
        progress: Is told what is being checked.

    Returns:
        One record for each graph, output and precision of the reference.

    Raises:
        ParityError: Some output exceeds its tolerance; the message names them all.
    """
    differences: dict[tuple[str, str, str], list[Difference]] = {}
    for case in parity_cases(manifest, network.image_channels, network.w):
        progress(f"checking seed {case.seed} of {SEEDS[0]} to {SEEDS[-1]} against torch ...")
        torch_gives = network.reference(case)
        for graph, measured in _run_graphs(manifest, folder, network, case):
            for reference, dtype in _REFERENCES.items():
                if dtype is torch.float64 and not _is_doubled(manifest, network, graph, case):
                    continue
                expected = torch_gives.outputs(graph, measured, dtype)
                for output, values in expected.items():
                    found = Difference.between(measured[output], values, case.seed)
                    differences.setdefault((reference, graph.name, output), []).append(found)
    records = [
        parity_record(*key, found, value_reason=VALUE_REASON, gradient_reason=GRADIENT_REASON)
        for key, found in sorted(differences.items())
    ]
    refuse_failed(records, "checkpoint")
    unchecked = {graph.name for graph in manifest.graphs} - {record.graph for record in records}
    assert not unchecked, f"no case runs {unchecked}"  # noqa: S101
    return tuple(records)


def _is_doubled(
    manifest: Manifest, network: ReferenceNetwork, graph: GraphRecord, case: ParityCase
) -> bool:
    """Whether to take the time for float64, and the memory, in which torch unfolds large maps."""
    whole_image = graph.role in IMAGE_ROLES[0]
    small = math.prod(manifest.image_size) <= network.largest_double_image
    return case.seed == SEEDS[0] and (small or not whole_image)


def _run_graphs(
    manifest: Manifest, folder: Path, network: ReferenceNetwork, case: ParityCase
) -> Iterator[tuple[GraphRecord, Arrays]]:
    """Every graph of a case with its outputs; a pullback's come with those that tell its slopes.

    One at a time, and loaded for one run: all at once would need gigabytes at 1024 px.
    """

    def run(graph: GraphRecord, inputs: Arrays) -> Arrays:
        return Graph(folder / graph.file, Device(CPU), once=True).run(inputs)[0]

    w_plus = {"w_plus": case.w_plus}
    first = case.seed == SEEDS[0]
    if mapping := manifest.graph("mapping"):
        yield mapping, run(mapping, case.mapping_inputs)
    for _, *passes in IMAGE_ROLES if first else ():
        layers, pullback = map(manifest.graph, passes)
        if layers and pullback:
            forward = run(layers, w_plus)
            grad = {"grad_image": case.grad_for(forward["image"])}
            pulled = run(pullback, {**w_plus, **forward, **grad})
            image, forward = {"image": forward["image"]}, network.telling(forward)
            yield layers, image
            yield pullback, {**forward, **grad, **pulled}
            del forward  # of all layers, where one graph and one layer are what there is memory for
    repeated = first or math.prod(manifest.image_size) <= network.largest_repeated_image
    for role, *_ in IMAGE_ROLES if repeated else ():
        if image_graph := manifest.graph(role):
            yield image_graph, run(image_graph, w_plus)
    if transform := manifest.graph("transform"):
        yield transform, run(transform, {**w_plus, "motion": case.motion})
    for part in case.parts:
        features, pullback = (manifest.graph(role, part.cut) for role in WINDOWED_ROLES)
        if features and pullback:
            inputs = {**w_plus, **part.inputs}
            forward = run(features, inputs)
            yield features, forward
            pulled = run(pullback, {**inputs, **forward, "grad_features": part.grad_features})
            yield pullback, {**network.telling(forward), **pulled}


def table(records: tuple[ParityRecord, ...]) -> Iterator[str]:
    """The relative differences as lines for the user: an output a line, a reference a column."""
    references = tuple(_REFERENCES)
    heads = "".join(f"{reference:>15}" for reference in references)
    yield f"{'graph':<18}{'output':<12}{heads}   bound"
    rows: dict[tuple[str, str], dict[str, ParityRecord]] = {}
    for record in records:
        rows.setdefault((record.graph, record.output), {})[record.reference] = record
    for (graph, output), found in sorted(rows.items()):
        cells = (f"{found[r].max_relative:.1e}" if r in found else "-" for r in references)
        measured = "".join(f"{cell:>15}" for cell in cells)
        bound = next(iter(found.values())).tolerance
        yield f"{graph:<18}{output:<12}{measured}{bound:>8.0e}"

"""Proof that the graphs equal the checkpoint: outputs against torch, gradients against autograd."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch

from dragonnx.model.manifest import PREVIEW, ParityRecord, graph_name
from dragonnx.runtime import CPU, Device, Graph
from dragonnx_export.families.stylegan2.checkpoint import Checkpoint
from dragonnx_export.families.stylegan2.networks import Generator
from dragonnx_export.families.stylegan2.reference import SEEDS, ParityCase, Reference, parity_cases
from dragonnx_export.families.stylegan2.taken_slopes import Arrays
from dragonnx_export.parity.record import Difference, parity_record, refuse_failed

VALUE_REASON = (
    "float32 sums over up to 4608 terms a convolution and a dozen layers differ by their order"
)
GRADIENT_REASON = (
    "as for values, forward and backward; the reference takes the slopes that the graph took, "
    "since a leaky ReLU within rounding of its kink may take either"
)

_LARGEST_DOUBLE_IMAGE = 512
_REFERENCES = {"torch float64": torch.float64, "torch float32": torch.float32}

Progress = Callable[[str], None]
"""Takes what is being done, a line for a person."""


def check_parity(
    checkpoint: Checkpoint,
    folder: Path,
    feature_resolution: int,
    trainable_layers: int,
    cuts: Sequence[int],
    progress: Progress,
) -> tuple[ParityRecord, ...]:
    """Run every graph in a folder, optimised as users run it, and compare with torch.

    Args:
        checkpoint: What they were made from.
        folder: Where they are.
        feature_resolution: Of the block that is dragged.
        trainable_layers: How many w's the pullbacks give a gradient for.
        cuts: Where windows may begin.
        progress: Is told what is being checked.

    Returns:
        One record for each graph, output and precision of the reference.

    Raises:
        ParityError: Some output exceeds its tolerance; the message names them all.
    """
    generator = Generator.from_checkpoint(checkpoint)
    differences: dict[tuple[str, str, str], list[Difference]] = {}
    for case in parity_cases(checkpoint, generator, feature_resolution, cuts):
        progress(f"checking seed {case.seed} of {SEEDS[0]} to {SEEDS[-1]} against torch ...")
        torch_gives = Reference(generator, case, feature_resolution, trainable_layers)
        for graph, measured in _run_graphs(folder, case):
            for reference, dtype in _REFERENCES.items():
                if not _affordable(checkpoint, graph, case, dtype):
                    continue
                generator.to(dtype)
                expected = torch_gives.outputs(graph, measured)
                for output, values in expected.items():
                    found = Difference.between(measured[output], values, case.seed)
                    differences.setdefault((reference, graph, output), []).append(found)
    records = [
        parity_record(*key, found, value_reason=VALUE_REASON, gradient_reason=GRADIENT_REASON)
        for key, found in sorted(differences.items())
    ]
    refuse_failed(records, "checkpoint")
    return tuple(records)


def _affordable(checkpoint: Checkpoint, graph: str, case: ParityCase, dtype: torch.dtype) -> bool:
    """Whether to take the time, and for float64, in which torch unfolds large maps, the memory."""
    whole_image = graph in {"image", "image_layers", "image_pullback"}
    small = not whole_image or checkpoint.architecture.resolution <= _LARGEST_DOUBLE_IMAGE
    if dtype is torch.float64 or graph in {"image_layers", "image_pullback"}:
        return case.seed == SEEDS[0] and (small or dtype is torch.float32)
    return True


def _run_graphs(folder: Path, case: ParityCase) -> Iterator[tuple[str, Arrays]]:
    """Every graph of a case with its outputs; a pullback's come with its layers' outputs.

    One at a time, and loaded for one run: all at once would need gigabytes at 1024 px.
    """

    def run(name: str, inputs: Arrays) -> Arrays:
        outputs = Graph(folder / f"{name}.onnx", Device(CPU)).run(inputs)[0]
        # Copies, since an output that is not one keeps all that its session ever allocated.
        return {output: values.copy() for output, values in outputs.items()}

    w_plus = {"w_plus": case.w_plus}
    yield "mapping", run("mapping", case.mapping_inputs)
    yield "image", run("image", w_plus)
    has_preview = (folder / f"{PREVIEW}.onnx").exists()
    if has_preview:
        yield PREVIEW, run(PREVIEW, w_plus)
    if case.seed == SEEDS[0]:
        for kind in ("image", *((PREVIEW,) if has_preview else ())):
            forward = dict(run(f"{kind}_layers", w_plus))
            yield f"{kind}_layers", forward
            grad_image = case.grad_for(forward.pop("image"))
            pulled = run(f"{kind}_pullback", {**w_plus, **forward, "grad_image": grad_image})
            yield f"{kind}_pullback", {**forward, **pulled, "grad_image": grad_image}
    for part in case.parts:
        inputs = {**w_plus, **part.inputs}
        forward = dict(run(graph_name("features", part.cut), inputs))
        yield graph_name("features", part.cut), forward
        inputs = {**inputs, **forward, "grad_features": part.grad_features}
        pulled = run(graph_name("pullback", part.cut), inputs)
        yield graph_name("pullback", part.cut), {**forward, **pulled}


def table(records: tuple[ParityRecord, ...]) -> Iterator[str]:
    """The relative differences as lines for a person: an output a line, a reference a column."""
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

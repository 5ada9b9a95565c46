"""From a checkpoint to a verified bundle folder, all or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dragonnx.model.bundle import Bundle, checked_kernel
from dragonnx.model.decoding import LONGEST_NAME, LONGEST_TEXT
from dragonnx.model.facts import MANIFEST_NAME, FileRecord, GraphRecord, Source, graph_name
from dragonnx.model.latent import checked_psi
from dragonnx.model.manifest import TRACKING_NAME, W_AVG_NAME, Manifest
from dragonnx.reading.values import text
from dragonnx.types import Float32
from dragonnx_export.families.family import FamilyCheckpoint, FamilyModel
from dragonnx_export.families.registry import Dragged, model_of
from dragonnx_export.folder_writer import (
    ExportError,
    array_file,
    check_target,
    library_versions,
    serialised,
    staged,
    write_files,
)
from dragonnx_export.graphs.weight_file import WeightFile
from dragonnx_export.parity.check import Progress, check_parity

USUAL_PSI = 0.7
"""The truncation of most pictures of StyleGAN2 that are shown."""
NO_PSI = f"No truncation was named, so truncation_psi {USUAL_PSI:g} was taken."
"""A note for a bundle whose user did not choose it."""


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What the user may choose about a bundle.

    Attributes:
        name: A short name for users.
        licence: Of the weights.
        note: Anything else about them.
        feature_resolution: Block whose output is dragged; None leaves it to the family.
        feature_layer: Layer whose output is dragged, counted from 0, where a family goes by layers.
        trainable_layers: For how many of the first w's the pullback gives a gradient.
        truncation_psi: The truncation that suits the model.
        drag_settings: `DragConfig` values that suit the model, as a manifest has them.
        tracking: The map of features by which points are followed, [K, C, s, s]; None for none.
        overwrite: Whether a bundle that is already there may be replaced.

    Raises:
        InputError: A text or the truncation is not what a manifest may have.
    """

    name: str
    licence: str = "not stated"
    note: str = ""
    feature_resolution: int | None = None
    feature_layer: int | None = None
    trainable_layers: int = 6
    truncation_psi: float = USUAL_PSI
    drag_settings: Mapping[str, float] = field(default_factory=dict)
    tracking: Float32 | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        text(self.name, "the model's name", LONGEST_NAME)
        text(self.licence, "the licence", LONGEST_TEXT)
        text(self.note, "the note", LONGEST_TEXT)
        checked_psi(self.truncation_psi)


def write_bundle(
    checkpoint: FamilyCheckpoint,
    folder: Path,
    options: ExportOptions,
    progress: Progress = lambda _line: None,
    further: Mapping[str, bytes] | None = None,
) -> Manifest:
    """Author the graphs, prove them against torch, and put the finished folder in its place.

    Args:
        checkpoint: The generator.
        folder: The bundle's.
        options: What the user chose.
        progress: Is told what is being done, a line each.
        further: Files that belong to the bundle besides, by name.

    Raises:
        BundleError: What was made is not within what bundles may be; nothing is written.
        ExportError: The folder is taken or cannot be written, or an option does not fit.
        ParityError: A graph does not equal the checkpoint; nothing is written.
    """
    if not options.trainable_layers >= 1:
        raise ExportError(f"trainable layers must be at least 1, not {options.trainable_layers}")
    dragged = Dragged(options.feature_resolution, options.feature_layer)
    model = model_of(checkpoint, dragged, options.trainable_layers)
    check_target(folder, overwrite=options.overwrite)
    further = dict(further or {})
    if options.tracking is not None:
        channels = model.facts.feature_map.channels
        checked_kernel(options.tracking, "the map by which points are followed", channels)
        further[TRACKING_NAME] = array_file(options.tracking)
    progress("writing the graphs ...")
    with staged(folder) as staging:
        graphs, files = _write_graphs(model, staging, further)
        manifest = Manifest(
            name=options.name,
            **vars(model.facts),
            graphs=graphs,
            truncation_psi=options.truncation_psi,
            drag_settings=dict(options.drag_settings),
            files=files,
            source=Source(
                format=checkpoint.format,
                sha256=checkpoint.sha256,
                licence=options.licence,
                note=" ".join(filter(None, (options.note, *map(_sentence, checkpoint.notes)))),
            ),
            versions=library_versions(),
        )
        parity = check_parity(manifest, staging, model.network(), progress)
        manifest = dataclasses.replace(manifest, parity=parity)
        (staging / MANIFEST_NAME).write_text(manifest.to_json(), "utf-8", newline="\n")
        Bundle.open(staging)  # what nobody could open is not written
        # What came there meanwhile, which may be minutes, is nobody's to replace either.
        check_target(folder, overwrite=options.overwrite)
    return manifest


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:].removesuffix('.')}."


def _write_graphs(
    model: FamilyModel, staging: Path, further: Mapping[str, bytes]
) -> tuple[tuple[GraphRecord, ...], dict[str, FileRecord]]:
    """Write every file of the bundle but the manifest; what it says of graphs and files."""
    weights = WeightFile()
    graphs: list[GraphRecord] = []
    contents: dict[str, bytes] = {}
    for graph in model.graphs(weights):
        name = graph_name(graph.role, graph.cut)
        graphs.append(GraphRecord(role=graph.role, file=f"{name}.onnx", cut=graph.cut))
        contents[graphs[-1].file] = serialised(graph.model)
    contents = {**contents, W_AVG_NAME: array_file(model.w_avg), **further}
    return tuple(graphs), write_files(staging, contents, weights)

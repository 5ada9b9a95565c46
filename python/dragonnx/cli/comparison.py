"""How far a model's graphs on one device, or in one precision, lie from those on another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from dragonnx.drag.windows import Geometry, plan_windows
from dragonnx.model.facts import IMAGE_ROLES, graph_name
from dragonnx.model.generator import Generator
from dragonnx.types import Array, DevicePrecision, Float32

_SEED = 0


def windows_of(generator: Generator) -> dict[int, Mapping[str, Array]]:
    """For each cut, inputs that make windows in the middle of the image."""
    m = generator.manifest
    centre = np.array([m.image_size[::-1]]) / 2
    geometry = Geometry.of(m)
    return {cut: plan_windows(centre, 1, geometry, cut).inputs for cut in m.cuts}


def compare(reference: Generator, other: Generator) -> dict[str, float]:
    """Largest difference of each graph's output, over the reference's largest value, by graph name.

    A pullback is given what its own generator's forward pass kept, and the same gradient in both.

    Args:
        reference: What is right.
        other: The same model.
    """
    label = 0 if reference.manifest.label_dim else None
    w_plus = reference.w_plus(_SEED, label=label)
    found = {"mapping": _difference(w_plus, other.w_plus(_SEED, label=label))}
    pairs = zip(_outputs(reference, w_plus), _outputs(other, w_plus), strict=True)
    found.update((name, _difference(right, value)) for (name, right), (_, value) in pairs)
    return found


def comparison_table(
    reference: Generator, others: Mapping[DevicePrecision, Generator]
) -> Iterator[str]:
    """A heading, then a line for each graph with its difference in each of the others."""
    columns = [compare(reference, other) for other in others.values()]
    width = max(map(len, columns[0]))
    yield "largest difference from the CPU, in parts of the largest value there:"
    yield f"{'graph':{width}}{''.join(f'{name:>10}' for name in others)}"
    for graph in columns[0]:
        yield f"{graph:{width}}{''.join(f'{column[graph]:10.1e}' for column in columns)}"


def _outputs(generator: Generator, w_plus: Float32) -> Iterator[tuple[str, Array]]:
    """What the graphs make of a latent, by their names."""
    m, windows = generator.manifest, windows_of(generator)
    yield "image", np.asarray(generator.image(w_plus), np.float32)
    if m.has_preview:
        yield "preview", np.asarray(generator.preview(w_plus), np.float32)
    for preview, (_, layers, pullback) in zip((False, True), IMAGE_ROLES, strict=True):
        if m.graph(layers):
            shown = generator.image_layers(w_plus, preview=preview)
            yield layers, shown.image
            yield pullback, generator.image_pullback(shown, _gradient(shown.image.shape))
    for cut in (None, *m.cuts):
        forward = generator.features(w_plus, cut=cut, windows=None if cut is None else windows[cut])
        yield graph_name("features", cut), forward.features
        gradient = generator.pullback(forward, _gradient(forward.features.shape))
        yield graph_name("pullback", cut), gradient


def _gradient(shape: tuple[int, ...]) -> Float32:
    return np.random.default_rng(_SEED).standard_normal(shape, np.float32)


def _difference(right: Array, value: Array) -> float:
    return float(np.abs(value - right).max() / np.abs(right).max())

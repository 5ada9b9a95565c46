"""What a checkpoint is, in lines for the user."""

from __future__ import annotations

from collections.abc import Iterator

from dragonnx_export.checkpoints.contents import Checkpoint
from dragonnx_export.families.stylegan2 import architecture as stylegan2
from dragonnx_export.families.stylegan3 import architecture as stylegan3

_LABEL_WIDTH = 13
_VARIANTS = {
    "skip": "skip (the colours of all blocks add up)",
    "orig": "orig (the last block alone gives colours)",
    "resnet": "resnet (residual blocks; the last gives colours)",
}


def facts(checkpoint: Checkpoint) -> Iterator[str]:
    """The recognised format and every fact about the generator, a line each."""
    a = checkpoint.architecture
    height, width = a.image_size
    colours = "grey" if a.image_channels == 1 else f"{a.image_channels} colours"
    parameters = sum(values.size for values in checkpoint.weights.values())
    yield line("recognised", checkpoint.format)
    if checkpoint.network:
        yield line("network", checkpoint.network)
    yield line("image", f"{width} x {height} px, {colours}")
    yield line("latents", f"z of {a.z_dim}, {a.num_ws} w's of {a.w_dim}")
    yield line("classes", str(a.label_dim) if a.label_dim else "none")
    yield line(
        "mapping", f"{a.mapping_layers} layers, learning rate times {a.mapping_lr_multiplier:g}"
    )
    yield from _of_stylegan2(a) if isinstance(a, stylegan2.Architecture) else _of_stylegan3(a)
    yield line("weights", f"{parameters / 1e6:.1f} million, {parameters * 4 / 1e6:.1f} MB")
    yield line("sha256", checkpoint.sha256)
    for note in checkpoint.notes:
        yield line("note", note)


def _of_stylegan2(a: stylegan2.Architecture) -> Iterator[str]:
    taps = " ".join(f"{tap:g}" for tap in a.resample_filter)
    channels = ", ".join(f"{resolution}: {count}" for resolution, count in a.channels.items())
    yield line("architecture", _VARIANTS[a.variant])
    if (a.base_height, a.base_width) != (4, 4):
        yield line(
            "first block", f"{a.base_width} x {a.base_height}; number 4, the next 8, 16, ..."
        )
    yield line("channels", channels)
    noise = "on" if a.use_noise else "off"
    yield line("layers", f"noise {noise}, {_clamp(a.conv_clamp)}, filter {taps}")


def _of_stylegan3(a: stylegan3.Architecture) -> Iterator[str]:
    filters = "radial" if any(layer.radial for layer in a.layers) else "separable"
    first = a.layers[0]
    yield line(
        "architecture",
        f"{len(a.layers)} layers, convolutions of {first.kernel}x{first.kernel}, {filters} filters",
    )
    yield line("maps", ", ".join(f"{layer.outputs} of {layer.out_size}" for layer in a.layers))
    yield line("layers", f"{_clamp(first.clamp)}, input of {first.inputs} waves")


def _clamp(conv_clamp: float | None) -> str:
    return "no clamp" if conv_clamp is None else f"clamped at {conv_clamp:g}"


def line(label: str, text: str) -> str:
    """One fact, in columns."""
    return f"{label:<{_LABEL_WIDTH}}{text}"

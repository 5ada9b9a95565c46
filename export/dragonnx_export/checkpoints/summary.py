"""What a checkpoint is, in lines for the user."""

from __future__ import annotations

from collections.abc import Iterator

from dragonnx_export.families.stylegan2.checkpoint import Checkpoint

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
    channels = ", ".join(f"{resolution}: {count}" for resolution, count in a.channels.items())
    colours = "grey" if a.image_channels == 1 else f"{a.image_channels} colours"
    clamp = "no clamp" if a.conv_clamp is None else f"clamped at {a.conv_clamp:g}"
    taps = " ".join(f"{tap:g}" for tap in a.resample_filter)
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
    yield line("architecture", _VARIANTS[a.variant])
    if (a.base_height, a.base_width) != (4, 4):
        yield line(
            "first block", f"{a.base_width} x {a.base_height}; number 4, the next 8, 16, ..."
        )
    yield line("channels", channels)
    yield line("layers", f"noise {'on' if a.use_noise else 'off'}, {clamp}, filter {taps}")
    yield line("weights", f"{parameters / 1e6:.1f} million, {parameters * 4 / 1e6:.1f} MB")
    yield line("sha256", checkpoint.sha256)
    for note in checkpoint.notes:
        yield line("note", note)


def line(label: str, text: str) -> str:
    """One fact, in columns."""
    return f"{label:<{_LABEL_WIDTH}}{text}"

"""Times a drag step of dragonnx and of plain torch in one run, interleaved, on random weights.

    python benchmarks/drag_step.py --output out/benchmarks

Generators have the channels of StyleGAN2's config-f. Writes results.json, table.md and plot.png.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from random_models import bundle, config_f, random_weights
from reference.plain_draggan import PlainDrag

from dragonnx import DragConfig, DragSession, Generator
from dragonnx.drag.cost import cost
from dragonnx.drag.windows import Geometry
from dragonnx_export.families.stylegan2 import networks

SIZES = (256, 512, 1024)
POINTS = (1, 3, 8, 16)
MASKED = (512,)


def points(size: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Handles spread over the image, each with a target far away."""
    random = np.random.default_rng(count)
    handles = random.integers(size // 8, size * 7 // 8, (count, 2)).astype(np.float64)
    return handles, size - 1 - handles + np.where(handles == (size - 1) / 2, 9.0, 0.0)


def half_mask(size: int) -> np.ndarray:
    """The left half may move."""
    mask = np.zeros((size, size), bool)
    mask[:, : size // 2] = True
    return mask


def dragonnx_step(
    generator: Generator, count: int, *, windows: bool = True, masked: bool = False
) -> Callable[[], object]:
    """A function that does one step of a running drag."""
    size = generator.manifest.image_size[0]
    handles, targets = points(size, count)
    mask = half_mask(size) if masked else None
    config = DragConfig(windows=windows, max_steps=10**6, step_size=1e-4)
    session = DragSession(generator, generator.w_plus(0), handles, targets, mask, config)
    return lambda: next(session)


def torch_step(
    generator: networks.Generator, w_plus: np.ndarray, count: int, *, masked: bool = False
) -> Callable[[], object]:
    """The same of the plain implementation."""
    size = generator.architecture.resolution
    handles, targets = points(size, count)
    drag = PlainDrag(
        generator=generator,
        w_plus=torch.tensor(w_plus),
        handles=torch.tensor(handles),
        targets=torch.tensor(targets),
        feature_resolution=128,
        r1=3 * size / 512,
        r2=12 * size / 512,
        step_size=1e-4,
        mask=torch.tensor(half_mask(size)) if masked else None,
    )
    return drag.step


def interleaved(steps: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each, taken in turn so that a drift of the machine meets all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for number in range(rounds + 1):
        for name, step in steps.items():
            # What is quick is taken more often in a round: its median needs more values.
            for _ in range(1 if name.startswith("torch") else 4):
                began = time.perf_counter()
                step()
                if number:  # the first round warms up
                    seconds[name].append(time.perf_counter() - began)
    return {name: statistics.median(values) for name, values in seconds.items()}


def time_steps(folder: Path, rounds: int) -> list[dict[str, Any]]:
    """One row for each size, number of points, and mask."""
    rows = []
    for size in SIZES:
        generator = Generator.open(bundle(size, folder), device="cpu")
        plain = networks.Generator.from_checkpoint(random_weights(config_f(size)))
        w_plus = generator.w_plus(0)
        for count in POINTS:
            steps = {
                "torch": torch_step(plain, w_plus, count),
                "dragonnx": dragonnx_step(generator, count),
            }
            if count == 1:
                steps["whole maps"] = dragonnx_step(generator, count, windows=False)
            rows.append(
                {"size": size, "points": count, "mask": False, **interleaved(steps, rounds)}
            )
            say(rows[-1])
        if size in MASKED:
            steps = {
                "torch": torch_step(plain, w_plus, 1, masked=True),
                "dragonnx": dragonnx_step(generator, 1, masked=True),
            }
            rows.append({"size": size, "points": 1, "mask": True, **interleaved(steps, rounds)})
            say(rows[-1])
    return rows


def kernel_share(folder: Path) -> dict[str, float]:
    """Milliseconds that the Rust kernels take in a windowed step at 512 px, and their share."""
    from dragonnx.drag.step import host
    from dragonnx.drag.terms.motion import MotionSupervision

    generator = Generator.open(bundle(512, folder), device="cpu")
    step = dragonnx_step(generator, 1)
    spent = 0.0

    def timed(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal spent
            began = time.perf_counter()
            try:
                return function(*arguments)
            finally:
                spent += time.perf_counter() - began

        return call

    originals = MotionSupervision.add_to, host.track
    MotionSupervision.add_to, host.track = timed(originals[0]), timed(originals[1])  # type: ignore[method-assign]
    try:
        step()
        spent = 0.0
        began = time.perf_counter()
        for _ in range(30):
            step()
        total = time.perf_counter() - began
    finally:
        MotionSupervision.add_to, host.track = originals  # type: ignore[method-assign]
    return {"milliseconds": spent / 30 * 1e3, "share": spent / total}


def sgemm_share(folder: Path, rounds: int) -> dict[str, float]:
    """The rate of dense features and pullback as a share of a plain matrix product's."""
    generator = Generator.open(bundle(512, folder), device="cpu")
    w_plus = generator.w_plus(0)
    cotangent = np.ones_like(generator.features(w_plus).features)
    a = torch.randn(2048, 2048)
    steps: dict[str, Callable[[], object]] = {
        "dense": lambda: generator.pullback(generator.features(w_plus), cotangent),
        "torch sgemm": lambda: a @ a,
    }
    seconds = interleaved(steps, rounds * 2)
    m = generator.manifest
    assert m.windows
    # Two operations for each multiply-add, and as many backward as forward.
    operations = 4 * cost(Geometry.of(m), m.windows.channels, None, 0, 0)
    dense = operations / 1e9 / seconds["dense"]
    sgemm = 2 * 2048**3 / 1e9 / seconds["torch sgemm"]
    return {"dense GFLOP/s": dense, "sgemm GFLOP/s": sgemm, "share": dense / sgemm}


RUN_DRAGONNX = """
import resource, sys
from dragonnx import DragConfig, DragSession, Generator
generator = Generator.open(sys.argv[1], device="cpu")
config = DragConfig(max_steps=3, step_size=1e-4)
handles, targets = [(300, 300)], [(900, 900)]
list(DragSession(generator, generator.w_plus(0), handles, targets, config=config))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""
"""A process of its own that never imports torch, as a user's would."""

RUN_TORCH = """
import resource, sys
import numpy as np
from drag_step import torch_step
from random_models import config_f, random_weights
from dragonnx_export.families.stylegan2.networks import Generator
generator = Generator.from_checkpoint(random_weights(config_f(1024)))
step = torch_step(generator, np.zeros((1, 18, 512), np.float32), 1)
for _ in range(3):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024))
"""


def peak_memory(folder: Path) -> dict[str, float]:
    """Peak resident MiB of three steps at 1024 px, each kind in a process of its own.

    Empty where the system does not tell a process's peak.
    """
    if importlib.util.find_spec("resource") is None:
        return {}
    path = str(bundle(1024, folder))
    peaks = {}
    for kind, code in (("torch", RUN_TORCH), ("dragonnx", RUN_DRAGONNX)):
        command = [sys.executable, "-c", code, path]
        here = Path(__file__).parent
        env = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parent / "tests")])}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
        peaks[kind] = float(done.stdout) / 2**20
    return peaks


def cold_start() -> dict[str, float]:
    """Median seconds of whole processes."""
    python = [sys.executable, "-c"]
    program = [sys.executable, "-m", "dragonnx.cli"]
    commands = {
        "python": [*python, "pass"],
        "import dragonnx": [*python, "import dragonnx"],
        "dragonnx --help": [*program, "--help"],
        "dragonnx generate": [*program, "generate", "-o", os.devnull + ".png"],
    }
    commands["dragonnx generate"][-1] = str(Path("out") / "cold-start.png")
    return interleaved(
        {
            name: lambda command=command: subprocess.run(  # type: ignore[misc]
                command, check=True, capture_output=True
            )
            for name, command in commands.items()
        },
        3,
    )


def table(results: dict[str, Any]) -> str:
    """The steps as a Markdown table."""
    lines = [
        "| image | points | mask | plain torch | dragonnx | ratio |",
        "|---|---|---|---|---|---|",
    ]
    for row in results["steps"]:
        ratio = row["torch"] / row["dragonnx"]
        lines.append(
            f"| {row['size']} px | {row['points']} | {'yes' if row['mask'] else 'no'} "
            f"| {row['torch'] * 1e3:.0f} ms | {row['dragonnx'] * 1e3:.0f} ms | {ratio:.0f} |"
        )
    return "\n".join(lines) + "\n"


def plot(results: dict[str, Any], path: Path) -> None:
    """Time a step against image size and against the number of points."""
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.4), sharey=True)
    free = [row for row in results["steps"] if not row["mask"]]
    for name, colour in (("torch", "#c0392b"), ("whole maps", "#e0a030"), ("dragonnx", "#2c6fbb")):
        single = [row for row in free if row["points"] == 1]
        left.plot([r["size"] for r in single], [r[name] for r in single], "o-", color=colour,
                  label={"torch": "plain torch", "whole maps": "dragonnx, whole maps",
                         "dragonnx": "dragonnx"}[name])  # fmt: skip
        several = [row for row in free if row["size"] == 512 and name in row]
        if len(several) > 1:
            right.plot(
                [r["points"] for r in several], [r[name] for r in several], "o-", color=colour
            )
    left.set(
        xscale="log", yscale="log", xlabel="image size [px], one point", ylabel="seconds a step"
    )
    left.set_xticks(SIZES, [str(size) for size in SIZES])
    left.minorticks_off()
    right.set(xlabel="points, 512 px", xticks=POINTS)
    left.legend(frameon=False, loc="center left", bbox_to_anchor=(0, 0.38))
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def machine() -> dict[str, str]:
    """What the numbers were measured with."""
    known = Path("/proc/cpuinfo")  # Linux; elsewhere Python knows the processor's name
    lines = known.read_text("utf-8").splitlines() if known.exists() else []
    told = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    processor = next(told, platform.processor())
    names = ("dragonnx", "numpy", "onnxruntime", "torch")
    return {"processor": processor, "cores": str(os.cpu_count()), **{n: version(n) for n in names}}


def say(row: object) -> None:
    print(row, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("out/benchmarks"))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    results: dict[str, Any] = {"machine": machine()}
    results["cold start"] = cold_start()
    say(results)
    results["sgemm"] = sgemm_share(arguments.output, arguments.rounds)
    say(results["sgemm"])
    results["kernels"] = kernel_share(arguments.output)
    results["memory"] = peak_memory(arguments.output)
    say(results["memory"])
    results["steps"] = time_steps(arguments.output, arguments.rounds)
    (arguments.output / "results.json").write_text(
        json.dumps(results, indent=1) + "\n", "utf-8", newline="\n"
    )
    (arguments.output / "table.md").write_text(table(results), "utf-8", newline="\n")
    plot(results, arguments.output / "plot.png")
    print(table(results))


if __name__ == "__main__":
    main()

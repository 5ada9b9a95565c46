"""What is measured on the CPU alone: the kernels' share of a step, the graphs' rate, cold starts."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from random_models import bundle
from workloads import Place, dragonnx_step, interleaved

from dragonnx.drag.cost import cost
from dragonnx.drag.windows import Geometry


def kernel_share(folder: Path) -> dict[str, float]:
    """Milliseconds that the Rust kernels take in a windowed step at 512 px, and their share."""
    from dragonnx.drag.step import host
    from dragonnx.drag.terms.motion import MotionSupervision

    generator = Place().open(bundle(512, folder))
    step = dragonnx_step(generator, 1, "paper")
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
    generator = Place().open(bundle(512, folder))
    w_plus = generator.w_plus(0)
    cotangent = np.ones_like(generator.features(w_plus).features)
    a = torch.randn(2048, 2048)
    steps: dict[str, Callable[[], object]] = {
        "dense": lambda: generator.pullback(generator.features(w_plus), cotangent),
        "torch sgemm": lambda: a @ a,
    }
    seconds = interleaved(steps, rounds * 2)
    m = generator.manifest
    # Two operations for each multiply-add, and as many backward as forward.
    operations = 4 * cost(Geometry.of(m), None, 0, 0)
    dense = operations / 1e9 / seconds["dense"]
    sgemm = 2 * 2048**3 / 1e9 / seconds["torch sgemm"]
    return {"dense GFLOP/s": dense, "sgemm GFLOP/s": sgemm, "share": dense / sgemm}


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

"""Peak memory and rate of a drag at 1024 px, each in a process of its own.

    python benchmarks/peak_memory.py --bundle out/benchmarks/config-f-1024 --kind dragonnx \\
        --device cuda --points 8

On the CPU it is the process's resident memory. On a card it is what the card has in use at most, less
what it had in use before, so that the context counts; other programs must leave the card alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from workloads import Place, Work, dragonnx_step

SIZE = 1024
MIB = 2**20
TIMED = 40
"""Steps over which a rate is taken, after those in which buffers and algorithms are found."""


def peak_memory(
    bundle: Path, kind: str, place: Place, count: int, *, masked: bool
) -> dict[str, float]:
    """Peak "MiB" of a drag and its "steps per second", in a new process.

    Empty where the system does not tell a process's peak.

    Args:
        bundle: Of 1024 px.
        kind: "dragonnx" or "torch".
        place: Where it runs.
        count: How many points are dragged.
        masked: Whether half of the image must stay.
    """
    if not place.on_card and importlib.util.find_spec("resource") is None:
        return {}
    here = Path(__file__)
    command = [
        sys.executable, str(here), "--bundle", str(bundle), "--kind", kind, "--points", str(count),
        "--device", place.device, "--precision", place.precision, "--preset", place.preset,
        *(["--masked"] if masked else []),
    ]  # fmt: skip
    paths = [str(here.parents[1] / "tests"), os.environ.get("PYTHONPATH", "")]
    # The card's own order of cards, which nvidia-smi goes by too.
    env = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=env)
    told: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return told


def drag(bundle: Path, kind: str, place: Place, count: int, *, masked: bool) -> Work:
    """One step of the drag that is measured; torch is loaded only for its own."""
    if kind == "dragonnx":
        return dragonnx_step(place.open(bundle), count, place.preset, masked=masked)
    import numpy as np
    from plain_torch import plain_generator, torch_step

    w_plus = np.zeros((1, 18, 512), np.float32)
    return torch_step(plain_generator(SIZE, place), w_plus, count, place, masked=masked)


def resident_peak() -> float:
    """MiB that this process had at most in memory."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage's peak begins with what the parent process had
        lines = status.read_text("utf-8").splitlines()
        return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / MIB


def used_on_card(place: Place) -> float:
    """MiB that all programs together have in use on the card."""
    number = place.device.partition(":")[2] or "0"
    query = ["--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    done = subprocess.run(
        ["nvidia-smi", "-i", number, *query], capture_output=True, text=True, check=True
    )
    return float(done.stdout)


@contextmanager
def watched(place: Place) -> Iterator[list[float]]:
    """MiB in use on the card, asked for again and again; first what was in use before."""
    seen, done = [used_on_card(place)], threading.Event()

    def watch() -> None:
        while not done.is_set():
            seen.append(used_on_card(place))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def main() -> None:
    """Drag, then print what it took as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--kind", choices=["dragonnx", "torch"], required=True)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--preset", default="paper")
    parser.add_argument("--points", type=int, default=1)
    parser.add_argument("--masked", action="store_true")
    arguments = parser.parse_args()
    place = Place(arguments.device, arguments.precision, arguments.preset)
    told: dict[str, float] = {}
    with watched(place) if place.on_card else nullcontext([]) as seen:
        step = drag(
            arguments.bundle, arguments.kind, place, arguments.points, masked=arguments.masked
        )
        for _ in range(3):
            step()
    if place.on_card:
        began = time.perf_counter()
        for _ in range(TIMED):
            step()  # ends with values on the host, so the card has finished it by then
        told["steps per second"] = TIMED / (time.perf_counter() - began)
        told["MiB"] = max(*seen, used_on_card(place)) - seen[0]
    else:
        told["MiB"] = resident_peak()
    print(json.dumps(told))


if __name__ == "__main__":
    main()

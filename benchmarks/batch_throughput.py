"""How many jobs a second a batch does against its number of workers, and what a worker takes in memory.

    python benchmarks/batch_throughput.py --output out/benchmarks
    PYTHONPATH=tests python benchmarks/batch_throughput.py --memory --output out/benchmarks

Rates are taken in turn, round by round, so that a drift of the machine meets all alike; the time of
starting processes is not in them. Memory is the sum of the proportional set sizes of all workers, in
which a page that two share counts half for each. Only Linux tells them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dragonnx.batch import run
from dragonnx.batch.shares import cores

JOBS = 24
STEPS = 20
MIB = 1024
"""KiB, in which the system tells sizes."""


KINDS = ("drag", "picture", "video")


def jobs(model: str, size: int, steps: int, kind: str = "drag") -> Iterator[dict[str, Any]]:
    """Drags that all take so many steps, since their targets are far away, or pictures alone."""
    more = {"video": "gif"} if kind == "video" else {}
    config = {"max_steps": steps, "stop_distance": 1e-6}
    pair = {"handle": [size * 0.44, size * 0.59], "target": [size * 0.9, size * 0.1]}
    for seed in itertools.count():
        drag = {} if kind == "picture" else {"points": [pair], "config": config, **more}
        yield {"model": model, "seed": seed, **drag}


def rate(model: str, size: int, workers: int, kind: str) -> float:
    """Jobs a second of a batch, once every worker has done two."""
    warm = 2 * workers
    with tempfile.TemporaryDirectory() as folder:
        results = run(jobs(model, size, STEPS, kind), folder, workers=workers, device="cpu")
        for _ in range(warm):
            next(results)
        began = time.perf_counter()
        for _ in range(JOBS):
            assert next(results).outcome == "done"
        seconds = time.perf_counter() - began
        results.close()
    return JOBS / seconds


def throughput(model: str, size: int, rounds: int, kind: str) -> dict[str, Any]:
    """The median rate of each number of workers, and its ratio to one worker with all cores' threads."""
    counts = [count for count in range(1, cores() + 1) if cores() % count == 0]
    rates: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(rounds):
        for count in counts:
            rates[count].append(rate(model, size, count, kind))
    ratios = {
        count: statistics.median(
            many / one for many, one in zip(rates[count], rates[1], strict=True)
        )
        for count in counts
    }
    return {
        "cores": cores(),
        "jobs a second": {count: statistics.median(values) for count, values in rates.items()},
        "ratio to one worker": ratios,
        "all rates": rates,
    }


def memory(model: str, size: int, steps: int, seconds: float, kind: str) -> dict[str, Any]:
    """MiB of all workers together, with one and with two of them: over time the peak, and a tenth.

    A drag takes little and a picture much, so that of drags the lowest tenth is of moments in which all
    drag; of pictures alone it is of moments between two of them, in which one worker has work at most.

    Both are batches of two workers, which share their weights; in the first one a job comes when the
    one before is done, so that the second worker is never started.
    """
    found: dict[str, Any] = {}
    for count in (1, 2):
        wanted = threading.Semaphore(count)

        def given(wanted: threading.Semaphore = wanted) -> Iterator[dict[str, Any]]:
            for job in jobs(model, size, steps, kind):
                wanted.acquire()
                yield job

        with tempfile.TemporaryDirectory() as folder, sampled() as samples:
            results = run(given(), folder, workers=2, device="cpu")
            end = float("inf")
            for number, result in enumerate(results):
                assert result.outcome == "done", result.reason
                if number == 2 * count:  # all is loaded, and has run
                    samples.clear()
                    end = time.monotonic() + seconds
                if time.monotonic() > end:
                    break
                wanted.release()
            held = sorted(samples)
            results.close()
        found[f"{count} workers"] = {"tenth": held[len(held) // 10], "peak": held[-1]}
    for when in ("tenth", "peak"):
        first, both = (found[f"{count} workers"][when] for count in (1, 2))
        found[f"second by {when}"] = (both - first) / first
    return found


@contextmanager
def sampled() -> Iterator[list[float]]:
    """MiB of all workers together, asked for again and again."""
    samples: list[float] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.1):
            samples.append(sum(map(_pss, _workers())))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield samples
    finally:
        done.set()
        thread.join()


def _workers() -> list[int]:
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text("utf-8").split()
    return [int(pid) for pid in children]


def _pss(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    except OSError:  # it has ended
        return 0.0
    return float(next(line for line in lines if line.startswith("Pss:")).split()[1]) / MIB


def plot(found: dict[str, Any], path: Path) -> None:
    """Jobs a second against workers, as times those of one worker: the median, and all rounds."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(4.6, 3))
    rates = {int(count): values for count, values in found["all rates"].items()}
    labels = [f"{c} x {found['cores'] // c} thread{'s' * (found['cores'] > c)}" for c in rates]
    medians = [found["ratio to one worker"][count] for count in found["ratio to one worker"]]
    axes.bar(labels, medians, color="#2c6fbb", width=0.5)
    for at, values in enumerate(rates.values()):
        ratios = [many / one for many, one in zip(values, rates[1], strict=True)]
        axes.plot([at] * len(ratios), ratios, "o", color="black", markersize=3)
    axes.set_xlabel("workers")
    axes.set_ylabel("drags a second, of one worker's")
    figure.tight_layout()
    figure.savefig(path, dpi=110)


def main() -> None:
    """Measure, print and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--model", default="critters")
    parser.add_argument("--size", type=int, default=256, help="of the model's images")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--memory", action="store_true", help="of workers, instead of rates")
    parser.add_argument("--steps", type=int, default=30, help="of each drag, for memory")
    parser.add_argument("--kind", choices=KINDS, default="drag", help="of jobs")
    parser.add_argument("--seconds", type=float, default=30, help="of that")
    arguments = parser.parse_args()
    arguments.output.mkdir(parents=True, exist_ok=True)
    if arguments.memory:
        from random_models import bundle  # which needs the exporter

        model = bundle(512, arguments.output)
        found = memory(str(model), 512, arguments.steps, arguments.seconds, arguments.kind)
    else:
        found = throughput(arguments.model, arguments.size, arguments.rounds, arguments.kind)
    kind = "" if arguments.kind == "drag" else f"-{arguments.kind}"
    name = f"batch-memory{kind}.json" if arguments.memory else f"batch{kind}.json"
    (arguments.output / name).write_text(json.dumps(found, indent=1), "utf-8")
    print(json.dumps(found, indent=1))
    if not arguments.memory:
        plot(found, arguments.output / "batch.png")


if __name__ == "__main__":
    main()

"""Times a drag step of dragonnx and of plain torch in one run, interleaved, on random weights.

    python benchmarks/drag_step.py --output out/benchmarks
    python benchmarks/drag_step.py --device cuda --output out/benchmarks/cuda --bundles out/benchmarks

Generators have the channels of StyleGAN2's config-f, and one those of StyleGAN3's config T. Writes
results.json and table.md, and on the CPU plot.png. On a card, or with --short, other rows are taken,
and images and memory are measured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from benchmark_report import plot, table
from on_the_cpu import cold_start, kernel_share, sgemm_share
from peak_memory import peak_memory
from plain_torch import plain_generator, torch_image, torch_step, wait_for
from random_models import Family, bundle
from workloads import Place, Work, dragonnx_image, dragonnx_step, interleaved

import dragonnx
from dragonnx import Generator
from dragonnx.drag.config import DEFAULT_PRESET
from dragonnx.runtime import choose_device, runtime_version
from dragonnx_export.families.stylegan2.networks import Generator as PlainGenerator
from dragonnx_export.families.stylegan3.network import Generator as PlainStyleGAN3


@dataclass(frozen=True)
class Row:
    """What one row of the table times.

    Attributes:
        size: Of the image, in pixels.
        points: How many are dragged.
        mask: Whether half of the image must stay.
        family: Of the generator.
    """

    size: int
    points: int
    mask: bool = False
    family: Family = "stylegan2"


FULL = (
    *(Row(256, count) for count in (1, 3, 8, 16)),
    *(Row(512, count) for count in (1, 3, 8, 16)),
    Row(512, 1, mask=True),
    *(Row(1024, count) for count in (1, 3, 8, 16)),
    Row(512, 1, family="stylegan3"),
)
SHORT = (
    *(Row(512, count) for count in (1, 3, 8, 16)),
    Row(512, 1, mask=True),
    *(Row(1024, count) for count in (1, 8)),
    Row(1024, 1, mask=True),
)
PICTURES = (512, 1024)
HELD = (Row(1024, 8), Row(1024, 1, mask=True))
"""Drags whose memory is measured beside the short table; beside the full one it is one point's."""

Places = Mapping[str, Place]
"""Where dragonnx is timed, by the name of its column."""
DEFAULT_PRESET_COLUMN = f"dragonnx, {DEFAULT_PRESET}"
"""Of drags that name no preset; the others do in a step what plain torch does."""
Result = dict[str, Any]


class Results:
    """What was measured, by part. A row that fails is told of at once, and costs no other.

    Args:
        folder: Where results.json and table.md are written, anew after each row.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.parts: dict[str, Any] = {"failed": []}

    def add(self, part: str, row: Result, measure: Callable[[], Result]) -> None:
        """Measure one row of a part."""
        rows = self.parts.setdefault(part, [])
        try:
            rows.append({**row, **measure()})
        except Exception:  # whatever is wrong with one row, the others are wanted
            traceback.print_exc()
            self.parts["failed"].append({"part": part, **row})
        else:
            say(rows[-1])
        self.write("results.json", json.dumps(self.parts, indent=1) + "\n")
        self.write("table.md", table(self.parts))

    def write(self, name: str, text: str) -> None:
        """Write one of the files."""
        (self._folder / name).write_text(text, "utf-8", newline="\n")


def time_steps(
    results: Results, rows: Sequence[Row], folder: Path, places: Places, rounds: int
) -> None:
    """Seconds that a step takes, for each row."""
    for (size, family), group in groupby(rows, lambda row: (row.size, row.family)):
        generators = opened(bundle(size, folder, family), places)
        plain = plain_generator(size, places["dragonnx"], family)
        for row in group:
            works = partial(step_works, row, generators, places, plain, whole_maps=rows is FULL)
            results.add("steps", asdict(row), partial(timed, works, places["dragonnx"], rounds))


def step_works(
    row: Row, generators: Mapping[str, Generator], places: Places, plain: PlainGenerator | PlainStyleGAN3,
    place: Place, *, whole_maps: bool,
) -> dict[str, Work]:  # fmt: skip
    """A step of each kind."""
    first = generators["dragonnx"]
    plain_step = torch_step(plain, first.w_plus(0), row.points, place, masked=row.mask)
    works = {"torch": plain_step} | {
        name: dragonnx_step(generators[name], row.points, each.preset, masked=row.mask)
        for name, each in places.items()
    }
    if whole_maps and row.points == 1 and not row.mask:
        works["whole maps"] = dragonnx_step(first, row.points, place.preset, windows=False)
    return works


def time_pictures(results: Results, folder: Path, places: Places, rounds: int) -> None:
    """Seconds that a picture takes, for each size."""
    places = {name: each for name, each in places.items() if each == without_preset(each)}
    for size in PICTURES:
        works = partial(picture_works, size, folder, places)
        results.add("pictures", {"size": size}, partial(timed, works, places["dragonnx"], rounds))


def picture_works(size: int, folder: Path, places: Places, place: Place) -> dict[str, Work]:
    """A picture of each kind."""
    generators = opened(bundle(size, folder), places)
    w_plus = generators["dragonnx"].w_plus(0)
    works = {"torch": torch_image(plain_generator(size, place), w_plus, place)}
    return works | {name: dragonnx_image(generator) for name, generator in generators.items()}


def opened(path: Path, places: Places) -> dict[str, Generator]:
    """A bundle's generator for each column; one for all that differ in the preset alone."""
    generators = {each: each.open(path) for each in set(map(without_preset, places.values()))}
    return {name: generators[without_preset(place)] for name, place in places.items()}


def without_preset(place: Place) -> Place:
    """Where and how exactly, whatever the preset."""
    return replace(place, preset="paper")


def timed(works: Callable[[Place], dict[str, Work]], place: Place, rounds: int) -> Result:
    """Median seconds of each."""
    wait = (lambda: wait_for(place)) if place.on_card else None
    return interleaved(works(place), rounds, wait)


def measure_memory(results: Results, rows: Sequence[Row], folder: Path, places: Places) -> None:
    """What `peak_memory` says of each row, for dragonnx with either preset and for plain torch."""
    kinds = [(name, "dragonnx") for name in ("dragonnx", DEFAULT_PRESET_COLUMN)]
    for row in rows:
        path = bundle(row.size, folder)
        for name, kind in (*kinds, ("torch", "torch")):
            place = places.get(name, places["dragonnx"])
            peak = partial(peak_memory, path, kind, place, row.points, masked=row.mask)
            results.add("memory", {**asdict(row), "kind": name}, peak)


def machine(place: Place) -> dict[str, str]:
    """What the numbers were measured with."""
    known = Path("/proc/cpuinfo")  # Linux; elsewhere Python knows the processor's name
    lines = known.read_text("utf-8").splitlines() if known.exists() else []
    told = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    facts = {
        "processor": next(told, platform.processor()),
        "cores": str(os.cpu_count()),
        "dragonnx": dragonnx.__version__,
        "runtime": runtime_version(),
        **{name: version(name) for name in ("numpy", "torch")},
        "precision": choose_device(place.device, place.precision).precision,
    }
    if place.on_card:
        facts["card"] = torch.cuda.get_device_name(place.device)
        facts["cuDNN of torch"] = str(torch.backends.cudnn.version())
        facts["torch's convolutions"] = "TF32" if torch.backends.cudnn.allow_tf32 else "float32"
    return facts


def say(result: object) -> None:
    print(result, file=sys.stderr, flush=True)


def measure_all(
    results: Results, folder: Path, places: Places, rounds: int, *, short: bool
) -> None:
    """Measure what the tables show.

    Args:
        results: Where it goes.
        folder: Where the models are, or come to be.
        places: The columns.
        rounds: How often each work of a row is taken.
        short: Whether to measure what a card is measured with.
    """
    place, parts = places["dragonnx"], results.parts
    parts |= {"machine": machine(place), "columns": list(places)}
    say(parts)
    if short:
        time_steps(results, SHORT, folder, places, rounds)
        time_pictures(results, folder, places, rounds)
        measure_memory(results, HELD, folder, places)
        return
    parts["cold start"] = cold_start()
    parts["sgemm"] = sgemm_share(folder, rounds)
    parts["kernels"] = kernel_share(folder)
    measure_memory(results, [Row(1024, 1)], folder, places)
    time_steps(results, FULL, folder, places, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("out/benchmarks"))
    parser.add_argument("--bundles", type=Path, help="folder of the models [--output]")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:1")
    parser.add_argument(
        "--precision", nargs="*", help="one column each [auto; on a card also float32]"
    )
    parser.add_argument("--rounds", type=int, help="[3; on a card 4]")
    parser.add_argument("--short", action="store_true", help="what a card is measured with")
    arguments = parser.parse_args()
    output, folder = arguments.output, arguments.bundles or arguments.output
    for each in (output, folder):
        each.mkdir(parents=True, exist_ok=True)
    on_card = Place(arguments.device).on_card
    first, *more = arguments.precision or (["auto", "float32"] if on_card else ["auto"])
    places = {"dragonnx": Place(arguments.device, first)}
    places[DEFAULT_PRESET_COLUMN] = replace(places["dragonnx"], preset=DEFAULT_PRESET)
    places |= {f"dragonnx, {precision}": Place(arguments.device, precision) for precision in more}
    short = arguments.short or on_card
    results = Results(output)
    measure_all(results, folder, places, arguments.rounds or (4 if on_card else 3), short=short)
    if not short:
        plot(results.parts, output / "plot.png")
    print(table(results.parts))
    if failed := results.parts["failed"]:
        sys.exit(f"{len(failed)} rows failed: {failed}")


if __name__ == "__main__":
    main()

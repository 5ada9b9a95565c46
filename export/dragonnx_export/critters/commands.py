"""The commands of `python -m dragonnx_export.critters`: render, train, sheet, checkpoint."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from dragonnx.console import say

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

DataOption = Annotated[Path, typer.Option(help="Folder of the rendered training data.")]
StateOption = Annotated[Path, typer.Option(help="Folder of the training's state, log and sheets.")]
PauseOption = Annotated[Path | None, typer.Option(help="While this file exists, the work sleeps.")]

STATE_NAME = "state.pt"
SIZES = (64, 256)
"""Sizes of the rendered shards; a stage uses the smallest that it can be pooled from."""


@app.command("render")
def render_command(
    data: DataOption,
    size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 256,
    shards: Annotated[int, typer.Option(help="How many shards there are to be.")] = 65,
    pause_file: PauseOption = None,
) -> None:
    """Render training data; goes on where it was stopped."""
    from dragonnx_export.critters.pause import pause_while
    from dragonnx_export.critters.shards import render_shards, shard_folder

    render_shards(data, size, shards, pause_while(pause_file))
    say(f"{shard_folder(data, size)}: {shards} shards")


@app.command("train")
def train_command(
    state: StateOption,
    data: DataOption,
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 2,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    save_seconds: Annotated[float, typer.Option(help="Between saves of the state.")] = 120,
    sheet_seconds: Annotated[float, typer.Option(help="Between looks at held-out data.")] = 300,
    pause_file: PauseOption = None,
) -> None:
    """Train, or go on training, until the plan is done."""
    import torch

    from dragonnx_export.critters.pause import pause_while
    from dragonnx_export.critters.plan import ARCHITECTURE, PLAN
    from dragonnx_export.critters.shards import Shards
    from dragonnx_export.critters.sheet import comparison_sheet, write_sheet
    from dragonnx_export.critters.training import Training, held_out_psnr

    torch.set_num_threads(threads)
    state.mkdir(parents=True, exist_ok=True)
    kept = state / STATE_NAME
    training = Training.resume(kept, PLAN) if kept.exists() else Training(ARCHITECTURE, PLAN)
    wait = pause_while(pause_file)
    sets: dict[int, Shards] = {}

    def shards_for(resolution: int) -> Shards:
        size = min(size for size in SIZES if size >= resolution)
        if size not in sets:
            sets[size] = Shards(data, size)
        while len(sets[size]) < 2:
            say(f"waiting for shards of {size} px in {data}")
            time.sleep(10)
            sets[size].refresh()
        return sets[size]

    def note(resolution: int) -> None:
        shards = shards_for(resolution)
        shards.refresh()
        quality = held_out_psnr(training.average, shards, resolution)
        speed = (training.step - noted[1]) / max(time.monotonic() - noted[0], 1e-9)
        line = (
            f"{time.strftime('%H:%M:%S')} step {training.step} {resolution} px loss {smooth:.4f} "
            f"held-out {quality:.2f} dB, {len(shards)} shards, {speed:.2f} steps/s"
        )
        say(line)
        with (state / "log.txt").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        write_sheet(
            state / f"sheet-{resolution}.png",
            comparison_sheet(training.average, shards, resolution),
        )

    started = time.monotonic()
    saved, noted = started, (started, training.step)
    smooth = 0.0
    while training.step < PLAN.steps:
        wait()
        resolution = PLAN.stage_at(training.step)[0].resolution
        loss = training.advance(shards_for(resolution))
        smooth = loss if smooth == 0.0 else smooth + 0.01 * (loss - smooth)
        now = time.monotonic()
        ends = (
            training.step == PLAN.steps or resolution != PLAN.stage_at(training.step)[0].resolution
        )
        over = minutes is not None and now - started > 60 * minutes
        if ends or over or now - saved > save_seconds:
            training.save(kept)
            saved = now
        if ends or over or now - noted[0] > sheet_seconds:
            note(resolution)
            noted = (time.monotonic(), training.step)
        if over:
            break


@app.command("checkpoint")
def checkpoint_command(
    output: Annotated[Path, typer.Argument(help="The checkpoint (.npz) to write.")],
    state: StateOption,
) -> None:
    """Turn the newest state of a training into a checkpoint that dragonnx-export reads."""
    from dragonnx_export.checkpoints.native import write_native
    from dragonnx_export.critters.plan import PLAN
    from dragonnx_export.critters.training import Training, measure_w_avg

    training = Training.resume(state / STATE_NAME, PLAN)
    measure_w_avg(training.average)
    weights = {name: array.numpy() for name, array in training.average.state_dict().items()}
    write_native(output, training.average.architecture, weights)
    say(f"{output}: after {training.step} steps, {output.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    app()

"""The commands of `python -m dragonnx_critters`: render, train, checkpoint, and to judge."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dragonnx.cli.console import say
from dragonnx.cli.options import Threads
from dragonnx_export.commands.evaluate import (
    Ablations,
    Drags,
    DrawSeed,
    Entrants,
    Kinds,
    Output,
    Perceptual,
    Plot,
)

# The commands' own imports are inside: torch takes seconds, and --help shall not.

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)

DataOption = Annotated[Path, typer.Option(help="Folder of the rendered training data.")]
StateOption = Annotated[Path, typer.Option(help="Folder of the training's state, log and sheets.")]
PauseOption = Annotated[Path | None, typer.Option(help="While this file exists, the work sleeps.")]


@app.command("render")
def render_command(
    data: DataOption,
    size: Annotated[int, typer.Option(help="Side of the images in pixels.")] = 256,
    shards: Annotated[int, typer.Option(help="How many shards there are to be.")] = 65,
    pause_file: PauseOption = None,
) -> None:
    """Render training data; goes on where it was stopped."""
    from dragonnx_critters.run import pause_while
    from dragonnx_critters.shards import render_shards, shard_folder

    render_shards(data, size, shards, pause_while(pause_file))
    say(f"{shard_folder(data, size)}: {shards} shards")


@app.command("train")
def train_command(
    state: StateOption,
    data: DataOption,
    network: Annotated[
        str, typer.Option(help="What to train: bundled, or small, of 128 px and half the channels.")
    ] = "bundled",
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 2,
    minutes: Annotated[float | None, typer.Option(help="Stop after this long.")] = None,
    save_seconds: Annotated[float, typer.Option(help="Between saves of the state.")] = 120,
    look_seconds: Annotated[float, typer.Option(help="Between looks at held-out data.")] = 300,
    compile_steps: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Let torch compile the steps first.")
    ] = True,
    start: Annotated[
        Path | None,
        typer.Option(help="Where there is no state yet, begin with a checkpoint's weights ..."),
    ] = None,
    start_step: Annotated[int, typer.Option(help="... at this step of the plan.")] = 0,
    pause_file: PauseOption = None,
) -> None:
    """Train, or go on training, until the plan is done."""
    import torch

    from dragonnx_critters.run import Run, begin, keep_freed_memory

    torch.set_num_threads(threads)
    keep_freed_memory()
    if start is not None:
        begin(state, start, start_step, network)
    run = Run(
        state, data, network=network, pause_file=pause_file, save_seconds=save_seconds,
        look_seconds=look_seconds, compiled=compile_steps,
    )  # fmt: skip
    run.go(minutes)


@app.command("checkpoint")
def checkpoint_command(
    output: Annotated[Path, typer.Argument(help="The checkpoint (.npz) to write.")],
    state: StateOption,
) -> None:
    """Turn the newest state of a training into a checkpoint that dragonnx-export reads."""
    from dragonnx_critters.plan import PLAN
    from dragonnx_critters.run import state_path
    from dragonnx_critters.training import Training, measure_w_avg
    from dragonnx_export.checkpoints.native import write_native

    training = Training.resume(state_path(state), PLAN)
    measure_w_avg(training.average)
    weights = {
        name: array.contiguous().numpy() for name, array in training.average.state_dict().items()
    }
    # Rounding is far below what training leaves: a picture changes by less than a level of 255.
    write_native(output, training.average.architecture, weights, half=True)
    say(f"{output}: after {training.step} steps, {output.stat().st_size / 1e6:.1f} MB")


@app.command("estimator")
def estimator_command(
    output: Annotated[Path, typer.Argument(help="The landmark estimator (.onnx) to write.")],
    data: DataOption,
    steps: Annotated[int, typer.Option(help="Batches of 16 to train it on.")] = 4_000,
    threads: Annotated[int, typer.Option(help="Threads for torch.")] = 2,
) -> None:
    """Train an estimator of landmarks on renders of 256 px; tell its errors on held-out ones."""
    import torch

    from dragonnx.files import atomic_path
    from dragonnx_critters.estimator import (
        IMAGE_SIZE,
        described,
        held_out_errors,
        train_estimator,
    )
    from dragonnx_critters.estimator_graph import estimator_graph
    from dragonnx_critters.run import keep_freed_memory
    from dragonnx_critters.shards import SHARD, Shards

    torch.set_num_threads(threads)
    keep_freed_memory()
    shards = Shards(data, IMAGE_SIZE)

    def tell(step: int, error: float) -> None:
        if step % 250 == 0:
            say(f"step {step}: mean error of the batch {error:.2f} px")

    estimator = train_estimator(shards, steps, tell=tell)
    with atomic_path(output) as temporary:
        temporary.write_bytes(estimator_graph(estimator).SerializeToString())
    for line in described(held_out_errors(estimator, shards.held_out(SHARD))):
        say(line)
    say(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@app.command("follow")
def follow_command(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint of critters.")],
    resolution: Annotated[
        list[int] | None, typer.Option(help="Blocks to compare [32, 64, 128].")
    ] = None,
    walks: Annotated[int, typer.Option(help="Random walks through z.")] = 8,
) -> None:
    """Measure how well the features of a block follow points."""
    import numpy as np

    from dragonnx_critters.following import follow_landmarks
    from dragonnx_export.checkpoints import of_stylegan2, read_checkpoint
    from dragonnx_export.families.stylegan2.networks import Generator

    generator = Generator.from_checkpoint(of_stylegan2(read_checkpoint(checkpoint)))
    for block in follow_landmarks(generator, resolution or [32, 64, 128], walks=walks):
        errors = block.errors
        say(
            f"{block.resolution} px block: {len(errors)} landmarks, median move "
            f"{np.median(block.moves):.1f} px; median error {np.median(errors):.1f} px, "
            f"80 % within {np.percentile(errors, 80):.1f} px"
        )


@app.command("judge")
def judge_command(
    checkpoint: Annotated[Path, typer.Argument(help="A checkpoint of critters.")],
    data: DataOption,
    estimator: Annotated[Path, typer.Option(help="The landmark estimator's .onnx file.")],
) -> None:
    """Measure a generator: likeness to renders, shape kept apart from colour, smoothness."""
    import numpy as np

    from dragonnx_critters.estimator_graph import open_estimator
    from dragonnx_critters.interpolation import measure_unevenness
    from dragonnx_critters.mixing import measure_mixing
    from dragonnx_critters.shards import SHARD, Shards, size_for
    from dragonnx_critters.training import held_out_psnr
    from dragonnx_export.checkpoints import of_stylegan2, read_checkpoint
    from dragonnx_export.families.stylegan2.networks import Generator

    generator = Generator.from_checkpoint(of_stylegan2(read_checkpoint(checkpoint)))
    size = generator.architecture.resolution
    likeness = held_out_psnr(generator, Shards(data, size_for(size)), size, SHARD)
    say(f"held-out renders at {size} px: {likeness:.2f} dB, mean of {SHARD}")
    mixing = measure_mixing(generator, open_estimator(estimator))
    for what, shift, unit in (
        (
            "from where its latent code has them the estimator finds landmarks off",
            mixing.landmark_error,
            "px",
        ),
        ("another appearance moves landmarks", mixing.landmark_shift, "px"),
        (
            "of renders, where nothing moves, by the estimator's doing,",
            mixing.estimator_shift,
            "px",
        ),
        ("another geometry changes the backdrop", mixing.colour_shift, "levels of 255"),
    ):
        middle, most = np.percentile(shift, [50, 95])
        say(f"{what} by {middle:.2f} {unit} (median), {most:.2f} (95 %)")
    uneven = measure_unevenness(generator)
    say(
        f"along lines in W the largest change is {np.median(uneven):.2f} times the mean one "
        f"(median), {uneven.max():.2f} at most in {len(uneven)} lines"
    )


@app.command("evaluate")
def evaluate_command(
    estimator: Annotated[Path, typer.Option(help="The landmark estimator's .onnx file.")],
    output: Output,
    model: Annotated[str, typer.Option(help="A bundle of critters.")] = "critters",
    drags: Drags = 40,
    seed: DrawSeed = 0,
    entrant: Entrants = None,
    kind: Kinds = None,
    perceptual: Perceptual = None,
    threads: Threads = None,
    *,
    ablations: Ablations = False,
    plot: Plot = True,
) -> None:
    """Measure drags as `dragonnx-export evaluate` does, of targets that the renderer's factors can reach."""
    from dragonnx_critters.reachable import CritterJudge
    from dragonnx_export.commands.evaluate import measure

    measure(
        model,
        CritterJudge(estimator),
        output,
        drags,
        seed,
        entrant,
        kind,
        perceptual,
        "cpu",
        threads,
        with_ablations=ablations,
        plot=plot,
    )


@app.command("sheet")
def sheet_command(
    output: Annotated[Path, typer.Argument(help="The picture (.png) to write.")],
    checkpoint: Annotated[
        Path | None, typer.Option(help="Show this generator; without it, the renderer.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the latent codes.")] = 0,
    truncation_psi: Annotated[float, typer.Option(help="For a generator.")] = 1.0,
) -> None:
    """A sheet of 24 critters, rendered or generated from the same latent codes."""
    from dragonnx_critters.sheet import rendered_sheet, sample_sheet, write_sheet

    if checkpoint is None:
        write_sheet(output, rendered_sheet(seed))
        return
    from dragonnx_export.checkpoints import of_stylegan2, read_checkpoint
    from dragonnx_export.families.stylegan2.networks import Generator

    generator = Generator.from_checkpoint(of_stylegan2(read_checkpoint(checkpoint)))
    write_sheet(output, sample_sheet(generator, seed, truncation_psi=truncation_psi))

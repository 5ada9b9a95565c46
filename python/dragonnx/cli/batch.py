"""The command `dragonnx batch`: many edits at once, from a file of jobs."""

from __future__ import annotations

import contextlib
import json
import statistics
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from dragonnx.cli.console import say, show
from dragonnx.cli.options import Device, PrecisionOption, Quality
from dragonnx.errors import OutputError
from dragonnx.text import visible

if TYPE_CHECKING:
    from dragonnx.batch import Job, JobResult
    from dragonnx.batch.engine import EngineName
    from dragonnx.batch.overview import Row

FAILED = 1
"""The exit code where a job failed."""
_MOST_TOLD = 10
"""Failed jobs that are told of one by one."""


def _show_schema(wanted: bool) -> None:
    if wanted:
        from dragonnx.batch import schema

        for line in json.dumps(schema(), indent=2).splitlines():
            show(line)
        raise typer.Exit


def batch(
    jobs: Annotated[
        Path, typer.Argument(help="A .jsonl file, one job a line, or .csv; see --schema.")
    ],
    output: Annotated[
        str,
        typer.Option(
            "-o",
            "--output",
            help="The folder for the results, or an address such as s3://bucket/run.",
        ),
    ],
    workers: Annotated[
        int | None,
        typer.Option(
            help="Worker processes [one a core, or what memory has room for; with CUDA one a card]."
        ),
    ] = None,
    *,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on in the folder: what is done there stays.")
    ] = False,
    inversion_steps: Annotated[int, typer.Option(help="For photos whose job does not say.")] = 500,
    picture: Annotated[
        str, typer.Option("--format", help="Of pictures whose job does not say: png, jpeg or webp.")
    ] = "png",
    quality: Quality = None,
    video: Annotated[
        str | None, typer.Option(help="Save each drag as gif, webp or mp4 too.")
    ] = None,
    engine: Annotated[
        str, typer.Option(help="local: processes here; ray: actors of a Ray cluster.")
    ] = "local",
    address: Annotated[
        str | None, typer.Option(help="Of the Ray cluster [RAY_ADDRESS, or this machine alone].")
    ] = None,
    gpus: Annotated[
        float | None,
        typer.Option(help="With Ray: share of a card for each worker [1 with --device cuda]."),
    ] = None,
    device: Device = "auto",
    precision: PrecisionOption = "auto",
    _schema: Annotated[
        bool,
        typer.Option(
            "--schema",
            help="Show the JSON schema of a job, for editors.",
            is_eager=True,
            callback=_show_schema,
        ),
    ] = False,
) -> None:
    """Do many edits at once, from a file with a job a line.

    Each result is a picture with its recipe, and a report.
    All jobs are checked before anything starts. A job that fails does not stop the others; with
    --resume it is tried again, and so is one whose line has changed. The exit code is 1 where some
    failed.
    """
    from dragonnx.batch import JobFileError, read_jobs, run
    from dragonnx.batch.overview import Row, save_sheet, save_summary
    from dragonnx.batch.store import results_at

    began = time.perf_counter()
    try:
        todo = read_jobs(
            jobs, inversion_steps=inversion_steps, format=picture, quality=quality, video=video
        )
    except JobFileError as error:
        for line in error.lines:
            say(line)
        raise
    results = run(
        todo, output, workers=workers, resume=resume, device=device, precision=precision,
        engine=cast("EngineName", engine), address=address, gpus=gpus,
    )  # fmt: skip
    found: dict[str, Row] = {}
    earlier = changed = done = 0
    try:
        with contextlib.closing(results):
            for result in _with_progress(results, todo):
                found[result.id] = Row.of(result)
                done += result.outcome == "done"
                earlier += result.was_there
                changed += result.was_changed
    except KeyboardInterrupt:
        say(f"{done} of {len(todo)} jobs are done; --resume goes on")
        raise
    except OutputError as error:
        raise OutputError(
            f"{error}; {done} of {len(todo)} jobs are done, --resume goes on"
        ) from error
    rows = [found[job.id] for job in todo]
    pictures = [job.formats.picture_of(job.id) for job in todo if found[job.id].outcome == "done"]
    place = results_at(output)
    written = [save_summary(rows, place), save_sheet(pictures, place)]
    _tell(rows, earlier, changed, time.perf_counter() - began)
    say(f"wrote {', '.join(filter(None, written))}")
    if done < len(todo):
        raise typer.Exit(FAILED)


def _with_progress(results: Iterator[JobResult], todo: Sequence[Job]) -> Iterator[JobResult]:
    """The results, with a bar that tells how many there are, at which rate, and the time left."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("jobs"), MofNCompleteColumn(), BarColumn(),
        TextColumn("{task.description}"), TimeRemainingColumn(), TextColumn("left"),
    )  # fmt: skip
    began: float | None = None
    done = failed = 0
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("starting", total=len(todo))
        for result in results:
            if result.was_there:
                progress.update(task, advance=1)
            else:
                # The first one's time is that of starting, too.
                done += began is not None
                began = time.perf_counter() if began is None else began
                failed += result.outcome == "failed"
                rate = done / max(time.perf_counter() - began, 1e-9)
                told = f"{rate:.2f} a second" if done else "started"
                told += f", {failed} failed" if failed else ""
                progress.update(task, advance=1, description=told)
            yield result


def _tell(rows: Sequence[Row], earlier: int, changed: int, seconds: float) -> None:
    """What became of all jobs: a table, and each that failed."""
    from rich.console import Console
    from rich.table import Table

    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(
            row.drag or ("picture" if row.outcome == "done" else "failed"), []
        ).append(row)
    table = Table("outcome", *("jobs", "steps (median)", "seconds (median)"))
    for name, group in sorted(groups.items()):
        table.add_row(
            name,
            str(len(group)),
            _median([row.steps for row in group if row.steps is not None], 0),
            _median([row.seconds for row in group if row.seconds is not None], 2),
        )
    Console(stderr=True).print(table)
    failed = [row for row in rows if row.outcome == "failed"]
    for row in failed[:_MOST_TOLD]:
        say(f"{row.id} failed: {row.reason}")
    if len(failed) > _MOST_TOLD:
        say(f"and {len(failed) - _MOST_TOLD} more failed, see the summary")
    told = f"{len(rows) - len(failed)} of {len(rows)} jobs are done, in {seconds:.0f} s"
    told += f"; {earlier} of them were there" if earlier else ""
    told += f"; {changed} were done again, since they had changed" if changed else ""
    say(visible(told))


def _median(values: Sequence[float], digits: int) -> str:
    return f"{statistics.median(values):.{digits}f}" if values else ""

"""One job from its start to its files: what the editor and the command line do, without either."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dragonnx.batch.formats import report_of
from dragonnx.batch.job import Job
from dragonnx.batch.messages import Setup
from dragonnx.batch.results import JobResult, head
from dragonnx.document.latents import effective_label
from dragonnx.document.outputs import output, report
from dragonnx.document.run import drag
from dragonnx.document.start import LatentStart
from dragonnx.document.state import Document
from dragonnx.errors import DragonnxError, OutputError
from dragonnx.log import logger
from dragonnx.media import save_json

if TYPE_CHECKING:
    from pathlib import Path

    from dragonnx.inversion.photo import Photo
    from dragonnx.model.generator import Generator


def do(job: Job, generator: Generator, setup: Setup) -> JobResult:
    """Do a job and write its files, the report last. One that fails has a report that says why.

    Args:
        job: The job.
        generator: Its model.
        setup: What the worker was told.

    Raises:
        OutputError: A file cannot be written.
    """
    began = time.perf_counter()
    results, formats = setup.results, job.formats
    try:
        document, inversion = _started(job, generator, setup.threads)
        if document.pairs:
            document = drag(document, generator, keep_frames=formats.video is not None)
        with results.replacing(job.id) as folder:
            picture = folder / formats.picture_of(job.id)
            output("picture").write(document, generator, picture, formats.quality)
            if formats.video:
                video = folder / formats.video_of(job.id)
                output("animation").write(document, generator, video)
            facts = {
                **head(job, "done", setup.run, time.perf_counter() - began),
                "drag": report(document) if document.result is not None else None,
                "inversion": inversion,
            }
            save_json(facts, folder / report_of(job.id))
    except OutputError:
        raise
    except DragonnxError as error:
        reason = str(error)
    except MemoryError:
        reason = "there is not enough memory for this: take fewer workers"
    except Exception as error:
        # A fault of dragonnx itself: the others go on, and the report is where it is looked for.
        logger.exception("the job %s failed", job.id)
        reason = f"a fault of dragonnx, please report it: {type(error).__name__}: {error}"
    else:
        return results.done(job, facts)
    return results.save_failure(job, reason, setup.run, time.perf_counter() - began)


def _started(
    job: Job, generator: Generator, threads: int
) -> tuple[Document, dict[str, Any] | None]:
    """The document with its start, which is found first where it is a photo, and how that went."""
    document = job.document
    if job.photo is None:
        return document, None
    from dragonnx.inversion.config import InversionConfig
    from dragonnx.inversion.report import report_of
    from dragonnx.inversion.session import InversionSession

    config = InversionConfig(steps=job.inversion_steps)
    label = effective_label(document.start, generator)
    photo: Path | Photo = job.photo
    face: dict[str, Any] = {}
    if job.face is not None:
        photo, face = job.face.part(job.photo, generator.manifest.image_size, threads)
    session = InversionSession(generator, photo, config, label=label)
    seconds = [step.seconds for step in session]
    start = LatentStart(w_plus=session.w_plus, name=document.start.name)
    found = {**face, **report_of(session, session.picture, seconds)}
    return replace(document, start=start), found

"""One who does jobs: the model of the last one stays open for the next."""

from __future__ import annotations

from dragonnx.batch.job import Job
from dragonnx.batch.messages import Setup
from dragonnx.batch.results import JobResult
from dragonnx.batch.work import do
from dragonnx.model.bundle import Bundle
from dragonnx.model.generator import Generator
from dragonnx.runtime import choose_device


class Bench:
    """Where jobs are done, one after another.

    Args:
        setup: What a worker is told.

    Raises:
        DeviceError: The device is not to be had.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._device = choose_device(setup.device, setup.precision)
        self._opened: Bundle | None = None
        self._generator: Generator | None = None

    def do(self, job: Job) -> JobResult:
        """Do a job; its bundle was verified by whoever gave it.

        Raises:
            BundleError: The model cannot be opened.
            OutputError: A file cannot be written.
        """
        if self._generator is None or job.bundle != self._opened:
            if self._generator is not None:
                self._generator.close()
            setup = self._setup
            self._generator = Generator(job.bundle, self._device, setup.threads, setup.sharing)
            self._opened = job.bundle
        return do(job, self._generator, self._setup)

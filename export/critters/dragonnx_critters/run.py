"""A training run in a folder: its state, its log, a sheet to look at, and when each is renewed."""

from __future__ import annotations

import ctypes
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dragonnx.cli.console import say
from dragonnx.errors import InputError
from dragonnx_critters.plan import BUNDLED, NETWORKS, Network
from dragonnx_critters.shards import Shards, size_for
from dragonnx_critters.sheet import comparison_sheet, write_sheet
from dragonnx_critters.training import Training, held_out_psnr
from dragonnx_export.checkpoints import of_stylegan2, read_checkpoint
from dragonnx_export.families.stylegan2.networks import Generator

_SHARDS_TO_START = 2  # the held-out one and another


class Run:
    """Trains a network from where the folder's state stands, and keeps the folder up to date.

    Args:
        folder: Holds state.pt, log.txt and a sheet of held-out critters for each resolution.
        data: Folder of the shards; more of them may appear while the training runs.
        network: A name of `NETWORKS`.
        pause_file: While this file exists, the training sleeps.
        save_seconds: Between saves of the state.
        look_seconds: Between looks at held-out critters.
        compiled: Whether torch compiles the steps, see `Training`.

    Raises:
        InputError: There is no such network, or the folder holds the state of another one.
    """

    def __init__(
        self,
        folder: Path,
        data: Path,
        *,
        network: str = BUNDLED,
        pause_file: Path | None = None,
        save_seconds: float = 120.0,
        look_seconds: float = 300.0,
        compiled: bool = False,
    ) -> None:
        self.folder = folder
        self._data = data
        self._wait = pause_while(pause_file)
        self._save_seconds = save_seconds
        self._look_seconds = look_seconds
        self._sets: dict[int, Shards] = {}
        known = _network(network)
        self._plan = known.plan
        kept = state_path(folder)
        if not kept.exists():
            folder.mkdir(parents=True, exist_ok=True)
            self.training = Training(known.architecture, self._plan, compiled=compiled)
            return
        self.training = Training.resume(kept, self._plan, compiled=compiled)
        if self.training.generator.architecture != known.architecture:
            raise InputError(f"the state in {folder} is not of the network {network}")

    def go(self, minutes: float | None = None) -> None:
        """Train until the plan is done or the time is up."""
        started = saved = looked = time.monotonic()
        looked_step, loss = self.training.step, 0.0
        while self.training.step < self._plan.steps:
            self._wait()
            stage, within = self._plan.stage_at(self.training.step)
            new = self.training.advance(self._shards(stage.resolution))
            loss = new if loss == 0.0 else loss + 0.01 * (new - loss)
            now = time.monotonic()
            over = minutes is not None and now - started > 60 * minutes
            due = over or within == stage.steps - 1
            if due or now - saved > self._save_seconds:
                self.training.save(state_path(self.folder))
                saved = now
            if due or now - looked > self._look_seconds:
                rate = (self.training.step - looked_step) / (now - looked)
                self._look(stage.resolution, f"loss {loss:.4f}, {rate:.2f} steps/s")
                looked, looked_step = time.monotonic(), self.training.step
            if over:
                break

    def _shards(self, resolution: int) -> Shards:
        size = size_for(resolution)
        shards = self._sets.setdefault(size, Shards(self._data, size))
        while len(shards) < _SHARDS_TO_START:
            say(f"waiting for shards of {size} px in {self._data}")
            time.sleep(10)
            shards.refresh()
        return shards

    def _look(self, resolution: int, facts: str) -> None:
        """Log the quality on held-out critters and renew their sheet."""
        shards = self._shards(resolution)
        shards.refresh()
        average = self.training.average
        quality = held_out_psnr(average, shards, resolution)
        line = (
            f"{time.strftime('%H:%M:%S')} step {self.training.step} {resolution} px "
            f"held-out {quality:.2f} dB, {facts}, {len(shards)} shards"
        )
        say(line)
        with (self.folder / "log.txt").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
        sheet = comparison_sheet(average, shards, resolution)
        write_sheet(self.folder / f"sheet-{resolution}.png", sheet)


def begin(folder: Path, checkpoint: Path, step: int, network: str = BUNDLED) -> None:
    """Make the state of a run from a checkpoint's weights, where the folder holds none yet.

    Args:
        folder: The run's.
        checkpoint: A generator of critters.
        step: Which step of the network's plan comes next.
        network: A name of `NETWORKS`.

    Raises:
        InputError: There is no such network, or the checkpoint is of another architecture.
    """
    if state_path(folder).exists():
        return
    known = _network(network)
    training = Training(known.architecture, known.plan)
    training.take_over(Generator.from_checkpoint(of_stylegan2(read_checkpoint(checkpoint))), step)
    folder.mkdir(parents=True, exist_ok=True)
    training.save(state_path(folder))


def _network(name: str) -> Network:
    if name not in NETWORKS:
        raise InputError(f"there is no network {name} to train: {', '.join(NETWORKS)}")
    return NETWORKS[name]


def state_path(folder: Path) -> Path:
    """The file of a run that everything else can be made from."""
    return folder / "state.pt"


def keep_freed_memory() -> None:
    """Let the C library keep what is freed for the next step, where it can be told so.

    Otherwise every large tensor's pages come from the system anew: a third of the processor's time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:  # absent from other C libraries than glibc
        trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # from malloc.h
        mallopt(mmap_threshold, 1 << 30)
        mallopt(trim_threshold, (1 << 31) - 1)
        mallopt(top_pad, 1 << 28)


def pause_while(path: Path | None, seconds: float = 2.0) -> Callable[[], None]:
    """A function that returns at once, save while `path` exists: then it sleeps until it is gone.

    Long jobs call it, so that others can measure undisturbed.

    Args:
        path: The file that asks for a pause; None never does.
        seconds: Between looks.
    """

    def wait() -> None:
        while path is not None and path.exists():
            time.sleep(seconds)

    return wait

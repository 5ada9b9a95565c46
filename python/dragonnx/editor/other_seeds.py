"""The same edit on other seeds: done in the background, shown as a sheet, opened one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dragonnx.document import Recovery
from dragonnx.document.outputs import free_path
from dragonnx.editor.files import FileCommands
from dragonnx.editor.phase import Change
from dragonnx.editor.seed_batch import SeedBatch
from dragonnx.editor.seed_events import SeedBatchEnded, SeedEdited, SeedsSaved
from dragonnx.editor.state import EditorState, Part
from dragonnx.errors import InputError
from dragonnx.model.latent import checked_seed

if TYPE_CHECKING:
    from dragonnx.types import DeviceName, Precision

MOST_SEEDS = 1000
"""More than anybody looks through."""


class OtherSeeds:
    """The edit that was begun last on other seeds, and what came of it.

    Args:
        state: The editor's.
        files: Opens what came of it.
        device: Where to compute.
        precision: Of convolutions.
    """

    def __init__(
        self, state: EditorState, files: FileCommands, device: DeviceName, precision: Precision
    ) -> None:
        self._state = state
        self._files = files
        self._device: DeviceName = device
        self._precision: Precision = precision
        self._batch: SeedBatch | None = None
        self.marked: dict[int, None] = {}
        """Seeds that were marked for the next such edit, in this order."""
        self.seeds: tuple[int, ...] = ()
        """In the order in which they were chosen; none before the first edit."""
        self.done: dict[int, SeedEdited] = {}
        """What came of the edit, by seed."""
        self.is_running = False
        self._kept: set[int] = set()
        """Seeds whose results were opened or saved."""
        self._after_save: Change | None = None
        self._stem = ""

    @property
    def unkept(self) -> int:
        """How many results are there that were neither opened nor saved, and go with the editor."""
        return sum(
            each.path is not None and seed not in self._kept for seed, each in self.done.items()
        )

    def suggested_folder(self) -> Path:
        """Where results would be saved: a folder that does not exist yet."""
        return free_path(Path(), f"{self._stem}-seeds", "")

    def start(self, seeds: Sequence[int]) -> None:
        """Do what the document says on each of these seeds; what was done before is let go.

        Raises:
            InputError: There is nothing to drag, there are no seeds, or too many.
        """
        self.check(seeds)
        state = self._state
        self.close()
        self.seeds, self.done, self.is_running = tuple(seeds), {}, True
        self._kept, self._stem = set(), self._files.suggested_stem()
        self._batch = SeedBatch(
            state.document.at_start(), self.seeds, state.jobs.post, self._device, self._precision
        )
        self._batch.start()
        state.changed(Part.SHEET)
        state.say(f"The same edit on {_count(len(self.seeds))} ... K shows how far it is.")

    def check(self, seeds: Sequence[int]) -> None:
        """Refuse what `start` refuses."""
        if not self._state.document.complete_pairs:
            raise InputError("There is no edit yet: place a handle point and its target first")
        if not 0 < len(seeds) <= MOST_SEEDS:
            raise InputError(f"Mark from 1 to {MOST_SEEDS} seeds first, not {len(seeds)}")
        for seed in seeds:
            checked_seed(seed)

    def stop(self) -> None:
        """End it; what is done stays."""
        if self._batch is None or not self.is_running:
            self._state.say("No edit of other seeds runs.")
            return
        self._batch.stop()
        self._state.say("Ending the edit of other seeds ...")

    def open(self, seed: int) -> None:
        """Go on with what came of a seed, as a document.

        Raises:
            InputError: It is not done, or could not be done.
        """
        done = self.done.get(seed)
        if done is None:
            raise InputError(f"seed {seed} is not done yet")
        if done.path is None:
            raise InputError(f"seed {seed} could not be done: {done.failure}")
        self._kept.add(seed)
        self._files.open(done.path)

    def save(self, folder: Path, then: Change | None = None) -> None:
        """Write what is done and was not opened as pictures, each of which opens as a document.

        What is still to be done is ended.

        Args:
            folder: Is made, and must not be there yet.
            then: What to do once they are written; nothing where that fails.

        Raises:
            InputError: There is nothing to write.
        """
        if self._batch is None or not self.unkept:
            raise InputError("every result on other seeds was opened or saved")
        self._after_save = then
        self._batch.save(folder, frozenset(self._kept))
        self._state.say(f"Writing {folder} ...")

    def saved(self, event: SeedsSaved) -> None:
        """Say what was written, and go on."""
        then, self._after_save = self._after_save, None
        if event.batch is not self._batch:
            return
        if event.failure:
            self._state.say(event.failure, "bad", "Could not save the results")
            return
        self._kept.update(event.seeds)
        self._state.say(f"Wrote {_results(len(event.seeds))} into {event.folder}.", "good")
        if then is not None:
            then()

    def edited(self, event: SeedEdited) -> None:
        """Take over what came of a seed."""
        if event.batch is self._batch:
            self.done[event.seed] = event
            self._state.changed(Part.SHEET)

    def ended(self, event: SeedBatchEnded) -> None:
        """Say what was done."""
        if event.batch is not self._batch:
            return
        self.is_running = False
        state, total = self._state, len(self.seeds)
        done = sum(each.path is not None for each in self.done.values())
        state.changed(Part.SHEET)
        if event.failure:
            state.say(event.failure, "bad", "Could not edit the other seeds")
        elif done == total:
            state.say(f"The edit is done on {_count(done)}; K shows them.", "good")
        else:
            state.say(f"The edit is done on {done} of {_count(total)}; K shows them.", "hint")

    def close(self, leave_to: Recovery | None = None) -> None:
        """End it, and remove what is done.

        Args:
            leave_to: Keeps what was neither opened nor saved as lost work.
        """
        if self._batch is not None:
            self._batch.close(leave_to, frozenset(self._kept))

    def join(self, seconds: float | None = None) -> None:
        """Wait for the end after `close`."""
        if self._batch is not None:
            self._batch.join(seconds)


def _results(count: int) -> str:
    return "1 result" if count == 1 else f"{count} results"


def _count(seeds: int) -> str:
    return "1 seed" if seeds == 1 else f"{seeds} seeds"

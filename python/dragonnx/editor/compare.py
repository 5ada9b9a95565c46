"""Comparing: before and after, in place of each other or side by side; and the bare picture."""

from __future__ import annotations

from dragonnx.editor.comparison import Before, Shown
from dragonnx.editor.events import BeforeMade
from dragonnx.editor.phase import Dragging
from dragonnx.editor.state import EditorState, Part


class CompareCommands:
    """What can be compared.

    Args:
        state: The editor's.
    """

    def __init__(self, state: EditorState) -> None:
        self._state = state

    def show_next(self) -> None:
        """Show what the picture is to be compared with, the next of it, or again the picture."""
        state, comparison = self._state, self._state.comparison
        others = self._others()
        if not others:
            state.say("There is nothing to compare: drag, or invert a photo with P.")
            return
        at = others.index(comparison.shown) + 1 if comparison.shown in others else 0
        if at == len(others):
            comparison.end()
            self._tell("This is the picture.")
            return
        self._show(others[at])
        after = others[at + 1] if at + 1 < len(others) else Shown.NOW
        where = "On the left is" if comparison.wipe else "This is"
        self._tell(f"{where} {comparison.shown.value}; c shows {after.value}.")

    def wipe(self) -> None:
        """Show what it is compared with on the left of the cross-hair, or the picture alone."""
        comparison, others = self._state.comparison, self._others()
        if comparison.wipe:
            comparison.end()
            self._tell("This is the picture.")
        elif not others:
            self.show_next()
        else:
            self._show(comparison.shown if comparison.shown in others else others[0])
            comparison.wipe = True
            self._tell(f"Left of the cross-hair is {comparison.shown.value}; C ends that.")

    def bare(self) -> None:
        """Hide all that lies over the picture, or show it again."""
        state = self._state
        state.bare = not state.bare
        self._tell("The bare picture; b shows points and mask again." if state.bare
                   else "Points and mask are shown.")  # fmt: skip

    def before_made(self, event: BeforeMade) -> None:
        """Take over the picture from before a drag."""
        self._state.comparison.before = Before(event.picture, event.latent)
        self._state.changed(Part.SCENE)

    def _others(self) -> list[Shown]:
        """What there is to compare the picture with."""
        state, runs = self._state, self._state.running
        others = []
        if isinstance(runs, Dragging):
            others += [Shown.BEFORE] * (state.comparison.before is not None)
        elif runs is None and state.document.result is not None:
            others.append(Shown.BEFORE)
        return others + [Shown.PHOTO] * (state.comparison.photo is not None)

    def _show(self, shown: Shown) -> None:
        state, comparison = self._state, self._state.comparison
        comparison.shown = shown
        result = None if state.running else state.document.result
        is_known = comparison.before is not None and (
            result is None or comparison.before.belongs_to(result)
        )
        if shown is Shown.BEFORE and not is_known and result is not None:
            comparison.before = None
            state.jobs.show_before(state.document, result.latents[0])

    def _tell(self, text: str) -> None:
        self._state.say(text)
        self._state.changed(Part.SCENE)

"""Offers what editors left behind when they were killed, crashed, or lost their terminal."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import OptionList

from dragonnx.document.recovery import LostWork
from dragonnx.editor.lost_work import LostDocument, LostWorkCommands
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.screens.confirm import Choice, ConfirmScreen
from dragonnx.tui.screens.dialog import Buttons, Dialog
from dragonnx.tui.widgets.literal import Choices, Words
from dragonnx.tui.widgets.thumbnail import Thumbnail


class LostWorkScreen(Dialog[LostWork]):
    """A list of lost documents, the newest first, and a picture of the one in it that is marked.

    Args:
        lost_work: Reads and discards them.
        works: What was lost; at least one.
        mode: How pictures are shown.
    """

    heading = "Lost work"
    advice = (
        "Each line is a document whose editor ended before it was saved. Enter recovers the marked "
        "one, d discards it after asking. Escape loses nothing: what is in the list is offered again "
        "at the next start."
    )
    CSS_PATH: ClassVar[list[str]] = ["dialog.tcss", "lost_work.tcss"]  # type: ignore[assignment]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "recover", "Recover"),
        Binding("d,delete", "discard", "Discard"),
    ]

    def __init__(
        self, lost_work: LostWorkCommands, works: list[LostWork], mode: CanvasMode
    ) -> None:
        super().__init__()
        self._lost_work = lost_work
        self._works = list(works)
        self._mode = mode
        self._known: dict[LostWork, LostDocument] = {}

    def compose(self) -> ComposeResult:
        """The list, and what is known of the marked document."""
        with Vertical(classes="dialog"):
            yield Words("An editor ended before its work was saved:", classes="title")
            with Horizontal(id="lost"):
                with Vertical(id="lost-list"):
                    yield Choices(*(self._line(work) for work in self._works))
                    yield Words(id="lost-facts")
                yield Thumbnail(self._mode, id="lost-picture")
            yield Words(classes="problem")
            yield Words(
                "Enter recovers, d discards, Esc keeps all for the next start", classes="hint"
            )
            yield Buttons("Recover", "Discard (d)")

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Show what is known of the marked document."""
        event.stop()
        self._show()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Recover it."""
        event.stop()
        self.accept()

    def accept(self) -> None:
        """Answer with the marked document, where it can be read."""
        work = self._marked()
        if self._look(work).is_readable:
            self.dismiss(work)
        else:
            self.show_problem("This one cannot be recovered. It stays where it is until d.")

    def action_recover(self) -> None:
        """As Enter."""
        self.accept()

    def action_discard(self) -> None:
        """Remove the marked document, after asking."""
        work = self._marked()

        def use(answer: str | None) -> None:
            if answer == "y":
                self._lost_work.discard(work)
                self._remove(work)

        fact = f"{self._lost_work.name(work)} will be gone for good."
        self.app.push_screen(
            ConfirmScreen(fact, Choice("n", "Keep it"), Choice("y", "Discard", loses=True)), use
        )

    def other(self) -> None:
        """The dialog's own button."""
        self.action_discard()

    def _remove(self, work: LostWork) -> None:
        self._works.remove(work)
        if not self._works:
            self.dismiss(None)
            return
        choices = self.query_one(Choices)
        at = choices.highlighted or 0
        choices.show(*(self._line(each) for each in self._works))
        choices.highlighted = min(at, len(self._works) - 1)
        self._show()

    def _marked(self) -> LostWork:
        return self._works[self.query_one(Choices).highlighted or 0]

    def _look(self, work: LostWork) -> LostDocument:
        """What is known of a document; each is read once, and only when it is marked."""
        if work not in self._known:
            self._known[work] = self._lost_work.look(work)
        return self._known[work]

    def _show(self) -> None:
        found = self._look(self._marked())
        self.query_one("#lost-facts", Words).update(found.facts)
        self.query_one(Thumbnail).show(found.picture)
        self.show_problem("")

    def _line(self, work: LostWork) -> str:
        return f"{self._lost_work.when(work):%Y-%m-%d %H:%M}  {self._lost_work.name(work)}"

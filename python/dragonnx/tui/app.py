"""The application: makes the parts, recovers lost work, and offers every action by name."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import events, work
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.message import Message
from textual.screen import Screen

from dragonnx.document import Document, History, LatentStart, Recovery
from dragonnx.errors import InputError
from dragonnx.tui.actions import ACTIONS, app_bindings, keys_of
from dragonnx.tui.autosave import Autosave
from dragonnx.tui.cells import CanvasMode
from dragonnx.tui.graphics import Graphics
from dragonnx.tui.messages import AutosaveFailed
from dragonnx.tui.preferences import Preferences
from dragonnx.tui.screens.confirm import ConfirmScreen
from dragonnx.tui.screens.editor import EditorScreen
from dragonnx.tui.terminal import best_mode
from dragonnx.tui.worker import Worker

if TYPE_CHECKING:
    from dragonnx.document.recovery import LostWork


class EditorApp(App[None], inherit_bindings=False):
    """The terminal editor.

    Args:
        file: What to open: a document, a saved picture, a latent.
        model: The model to begin with.
        seed: The picture to begin with.
        device: Where to compute.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    TITLE = "dragonnx"
    BINDINGS: ClassVar[list[BindingType]] = app_bindings()

    def __init__(
        self,
        file: Path | None = None,
        model: str | None = None,
        seed: int = 0,
        device: str = "auto",
        graphics: Graphics | None = None,
    ) -> None:
        super().__init__()
        self.preferences, self._complaint = Preferences.load()
        self._file = file
        start = LatentStart(seed=seed)
        document = Document(start=start) if model is None else Document(model=model, start=start)
        self.recovery = Recovery()
        self.worker = Worker(self._post, device)
        self.autosave = Autosave(self.recovery, lambda reason: self._post(AutosaveFailed(reason)))
        self.editor = EditorScreen(History(document), self.worker, self.autosave, self.preferences)
        self.editor.graphics = graphics
        self.editor.mode = self._mode()

    def on_mount(self) -> None:
        """Show the editor, then what is to be opened or recovered."""
        if self.preferences.theme in self.available_themes:
            self.theme = self.preferences.theme
        self.set_keymap(self.preferences.keys)
        self.push_screen(self.editor)
        self.compute()
        self.theme_changed_signal.subscribe(self, lambda _theme: self._remember_theme())
        self.call_after_refresh(self._begin)

    async def on_event(self, event: events.Event) -> None:
        """Let what a person does be seen before the drag goes on."""
        if isinstance(event, events.InputEvent):
            self.editor.before_steps()
        await super().on_event(event)

    @work(thread=True, exclusive=True, group="worker", exit_on_error=False)
    def compute(self) -> None:
        """The one thread that computes."""
        self.worker.run()

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the table, for the command palette."""
        if screen is self.editor:
            for action in ACTIONS:
                if action.id == "command_palette":
                    continue
                if action.group != "View" or "_" not in action.id or action.id.startswith("zoom"):
                    title = f"{action.label} ({keys_of(action, self.preferences.keys)})"
                    yield SystemCommand(title, action.help, self._runner(action.call))
        yield SystemCommand("Choose a theme", "Look through the themes.", self.action_change_theme)
        yield SystemCommand("Save a screenshot", "An SVG of the screen.", self.deliver_screenshot)

    def _runner(self, call: str):  # type: ignore[no-untyped-def]
        async def run() -> None:
            await self.editor.run_action(call)

        return run

    async def on_unmount(self) -> None:
        """End the threads; the autosave goes, since its person ended the editor."""
        self.worker.close()
        self.autosave.close(keep=False)
        self.preferences.save()

    def _post(self, message: Message) -> None:
        """Post to the editor from any thread."""
        self.editor.post_message(message)

    def _mode(self) -> CanvasMode:
        """What was chosen, where the terminal can show it; else the best that it can show."""
        best = CanvasMode.PIXELS if self.editor.graphics else best_mode()
        order = list(CanvasMode)
        chosen = next((mode for mode in order if mode.name == self.preferences.mode), best)
        return chosen if order.index(chosen) >= order.index(best) else best

    def _remember_theme(self) -> None:
        self.preferences.theme = self.theme
        self.preferences.save()

    def _begin(self) -> None:
        if self._complaint:
            self.notify(self._complaint, severity="warning", markup=False)
        if self._file is not None:
            self.editor.open_path(self._file)
        for lost in self.recovery.lost()[:1]:
            self._offer(lost)

    def _offer(self, lost: LostWork) -> None:
        name = lost.saved_as.name if lost.saved_as else "a session that was never saved"
        self.push_screen(
            ConfirmScreen(
                f"An editor ended before its work was saved: {name}.",
                yes="Recover", no="Discard",
            ),
            lambda answer: self._answered(lost, answer),
        )  # fmt: skip

    def _answered(self, lost: LostWork, answer: bool | None) -> None:
        if answer is None:
            self.editor.say("The lost session is kept; it is offered again at the next start.")
            return
        if answer:
            try:
                document = self.recovery.recover(lost)
            except InputError as error:
                self.editor.say(f"Could not recover: {error}", "bad")
                return
            self.editor.recovered(document, lost.saved_as)
            self.autosave.flush()
        self.recovery.discard(lost)

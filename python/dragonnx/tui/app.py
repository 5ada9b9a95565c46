"""The application: makes the parts, and offers every action by name."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from textual import events
from textual._ansi_sequences import SYNC_END, SYNC_START
from textual._compositor import CompositorUpdate
from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.markup import escape
from textual.notifications import SeverityLevel
from textual.screen import Screen

from dragonnx.document import Document
from dragonnx.editor.editor import Editor
from dragonnx.editor.events import Event
from dragonnx.text import visible
from dragonnx.tui.actions import ACTIONS, app_bindings, keys_of
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.drawing.owed import Owed
from dragonnx.tui.line import Line
from dragonnx.tui.messages import EditorEvent
from dragonnx.tui.palette import ActionProvider
from dragonnx.tui.preferences import Preferences
from dragonnx.tui.screens.editor import EditorScreen
from dragonnx.tui.terminal import best_mode
from dragonnx.tui.typed import Typed
from dragonnx.tui.widgets.literal import NothingHidden
from dragonnx.types import DeviceName, Precision

_READ_A_SECOND = 15
"""Characters, by who looks at a picture meanwhile."""


class EditorApp(App[None], inherit_bindings=False):
    """The terminal editor.

    Args:
        document: What to begin with.
        file: What to open then: a document, a saved picture, a latent.
        index: Which of several latents in it, from 0.
        device: Where to compute.
        precision: Of convolutions; "auto" is what the user's file of choices says.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    TITLE = "dragonnx"
    CSS_PATH = "app.tcss"
    COMMANDS: ClassVar = {ActionProvider}
    BINDINGS: ClassVar[list[BindingType]] = app_bindings()

    def __init__(
        self,
        document: Document,
        file: Path | None = None,
        index: int = 0,
        device: DeviceName = "auto",
        precision: Precision = "auto",
        graphics: Graphics | None = None,
    ) -> None:
        super().__init__()
        self.preferences, self._complaint = Preferences.load()
        self._file, self._index = file, index
        self._last_look = NothingHidden()
        self._owed = Owed()
        self._typed = Typed(
            super().on_event, lambda: [self, *self._registry], self._handle_exception
        )
        self._is_waiting = False
        self.ended_outside = False
        """Whether something else than the user ended the editor."""
        self.editor = Editor(
            document,
            self._post,
            device=device,
            precision=self.preferences.precision if precision == "auto" else precision,
            is_first_time=not self.preferences.hint_seen,
        )
        mode = _mode(self.preferences, graphics)
        self.editor_screen = EditorScreen(self.editor, self.preferences, mode, graphics)

    def on_mount(self) -> None:
        """Show the editor, then what is to be opened or recovered."""
        if self.preferences.theme in self.available_themes:
            self.theme = self.preferences.theme
        self.set_keymap(self.preferences.keys)
        self.push_screen(self.editor_screen)
        self.theme_changed_signal.subscribe(self, lambda _theme: self._remember_theme())
        self.call_after_refresh(self._begin)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """Show a sentence in a box, as long as it takes to read where nobody says how long."""
        if timeout is None:
            timeout = max(self.NOTIFICATION_TIMEOUT, len(message) / _READ_A_SECOND)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def get_driver_class(self) -> type[Driver]:
        """What reads keys and writes frames."""
        driver = super().get_driver_class()
        if sys.platform != "win32":
            from dragonnx.tui.driver import TerminalDriver

            driver = TerminalDriver
        return driver

    def end_outside(self, code: int) -> None:
        """End, and keep the work: a signal came, or the terminal is gone."""
        self.ended_outside = True
        self.exit(return_code=code)

    def line_has_room(self) -> None:
        """Write what the terminal is still owed."""
        self._is_waiting = False
        line = getattr(self._driver, "line", None)
        if line is not None and self._running:
            self._pay(line)

    def _display(self, screen: Screen[object], renderable: Any) -> None:
        """Paint a frame, as far as the line to the terminal takes it."""
        line = getattr(self._driver, "line", None)
        shows = self._running and not self._closed and not self._batch_count
        if line is None or not shows or not isinstance(renderable, CompositorUpdate):
            super()._display(screen, renderable)
            return
        self._owed.add(renderable)
        self._pay(line)
        self.post_display_hook()

    def _pay(self, line: Line) -> None:
        """Write of what is owed what there is room for, and the rest when there is more."""
        if self._is_waiting:
            return
        room = line.room()
        if room > 0 and (text := self._owed.take(room, self.console)):
            if self._sync_available:
                text = f"{SYNC_START}{text}{SYNC_END}"
            line.write(text, asks=True)
        if self._owed:
            self._is_waiting = True
            line.call_when_room()

    async def on_event(self, event: events.Event) -> None:
        """Take what the user does in its order, and let it be seen before the drag goes on."""
        if isinstance(event, events.InputEvent | events.Paste) and not event.is_forwarded:
            self.editor_screen.yield_to_screen()
            self._typed.put(event)
        else:
            await super().on_event(event)

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What looks at each line of text before it goes to the terminal."""
        return [*super().get_line_filters(), self._last_look]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the table, for the command palette."""
        if screen is self.editor_screen:
            for action in ACTIONS:
                if action.id == "command_palette":
                    continue
                if action.group != "View" or "_" not in action.id or action.id.startswith("zoom"):
                    title = f"{action.label} ({keys_of(action, self.preferences.keys)})"
                    # The palette reads markup, in which "[" is a key that a user may choose.
                    yield SystemCommand(escape(title), action.help, self._runner(action.call))
        yield SystemCommand("Choose a theme", "Look through the themes.", self.action_change_theme)
        yield SystemCommand("Save a screenshot", "An SVG of the screen.", self.deliver_screenshot)

    def _runner(self, call: str):  # type: ignore[no-untyped-def]
        async def run() -> None:
            await self.editor_screen.run_action(call)

        return run

    async def on_unmount(self) -> None:
        """End the threads; the autosave stays where a mistake of ours ended the editor."""
        self.editor.close(keep=self.ended_outside or bool(self.return_code))
        self.preferences.hint_seen = not self.editor.state.is_first_time
        self.preferences.save()

    def _post(self, event: Event) -> None:
        """Post to the editor's screen from any thread."""
        self.editor_screen.post_message(EditorEvent(event))

    def _remember_theme(self) -> None:
        self.preferences.theme = self.theme
        self.preferences.save()

    def _begin(self) -> None:
        if self._complaint:
            self.notify(visible(self._complaint), severity="warning", markup=False)
        if self._file is not None:
            self.editor.files.open(self._file, self._index)
        self.editor_screen.questions.lost_work()


def _mode(preferences: Preferences, graphics: Graphics | None) -> CanvasMode:
    """What was chosen, where the terminal can show it; else the best that it can show."""
    best = CanvasMode.PIXELS if graphics else best_mode()
    order = list(CanvasMode)
    chosen = next((mode for mode in order if mode.name == preferences.mode), best)
    return chosen if order.index(chosen) >= order.index(best) else best

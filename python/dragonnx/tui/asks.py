"""What all questions have in common: dialogs are opened, and answers handed to the editor."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from dragonnx.editor.editor import Editor
from dragonnx.errors import InputError
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics


class Asks:
    """Asks, and calls the editor's commands with the answers.

    Args:
        app: Shows dialogs.
        editor: Gets the answers.
        mode: How pictures are shown just now.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    def __init__(
        self,
        app: App[Any],
        editor: Editor,
        mode: Callable[[], CanvasMode],
        graphics: Graphics | None = None,
    ) -> None:
        self.app = app
        self.editor = editor
        self.mode = mode
        self.graphics = graphics

    def attempt(self, command: Callable[[], object]) -> None:
        """Call a command, and say it where it refuses."""
        try:
            command()
        except InputError as error:
            self.editor.state.say(str(error))

    def when_idle(self, make: Callable[[], Any], use: Callable[[Any], None]) -> None:
        """Open a dialog once nothing runs."""
        self.editor.state.when_idle(lambda: self.app.push_screen(make(), use))

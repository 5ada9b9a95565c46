"""Edits the settings of a drag, each checked while it is typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input

from dragonnx.drag.config import DragConfig
from dragonnx.editor.answers import SETTINGS, settings_of
from dragonnx.errors import InputError
from dragonnx.tui.screens.dialog import Buttons, Form
from dragonnx.tui.widgets.literal import Line, Words


class SettingsScreen(Form[DragConfig]):
    """A line for each setting; an empty one means what suits the model, else the preset.

    Args:
        config: What was chosen so far.
        most_layers: How many layers the model can train.
        usual: What applies where nothing is chosen, by name; depends on the preset.
    """

    heading = "Settings of the drag"
    advice = (
        "Each is checked while you type. An empty line means what suits the model, else what the preset "
        "says; that value is shown in it. The next drag uses what is set here."
    )

    def __init__(
        self,
        config: DragConfig,
        most_layers: int,
        usual: Callable[[DragConfig], Mapping[str, float]],
    ) -> None:
        super().__init__()
        self._config = config
        self._most_layers = most_layers
        self._usual = usual

    def compose(self) -> ComposeResult:
        """The lines."""
        with Vertical(classes="dialog"):
            yield Words("Settings of the drag", classes="title")
            usual = self._usual(self._config)
            for name, label, _ in SETTINGS:
                value = getattr(self._config, name)
                with Horizontal(classes="row"):
                    yield Words(label)
                    yield Line(
                        "" if value is None else f"{value}",
                        id=name,
                        placeholder=_placeholder(usual, name),
                        compact=True,
                    )
            yield Words(classes="problem")
            yield Words(
                "Tab or ↑↓ moves, Enter accepts, Esc leaves; empty: the default", classes="hint"
            )
            yield Buttons("OK")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what is wrong, and what the lines that are left empty stand for now."""
        config = self._read()
        event.input.set_class(config is None, "-invalid")
        if config is not None:
            usual = self._usual(config)
            for line in self.query(Line):
                line.placeholder = _placeholder(usual, line.id or "")

    def accept(self) -> None:
        """Answer, where everything fits."""
        config = self._read()
        if config is not None:
            self.dismiss(config)

    def _read(self) -> DragConfig | None:
        """The settings, or None after saying what is wrong."""
        texts = self.texts(name for name, _, _ in SETTINGS)
        try:
            config = settings_of(texts, self._most_layers)
        except InputError as error:
            self.show_problem(f"{error}.")
            return None
        self.show_problem("")
        return config


def _placeholder(usual: Mapping[str, float], name: str) -> str:
    return f"{usual[name]:g}" if name in usual else ""

"""Edits the settings of a drag, each checked while it is typed."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Label

from dragonnx.drag.config import DragConfig
from dragonnx.errors import InputError
from dragonnx.tui.screens.dialog import Buttons, Dialog

FIELDS: tuple[tuple[str, str, type], ...] = (
    ("preset", "Preset: paper or released", str),
    ("space", "Space: w+ or w", str),
    ("step_size", "Step size", float),
    ("lambda_mask", "Lambda of the mask", float),
    ("r1", "r1, patch radius at 512 px", float),
    ("r2", "r2, tracking window at 512 px", float),
    ("stop_distance", "Stop distance in pixels", float),
    ("max_steps", "Step limit", int),
    ("trainable_layers", "Trainable layers", int),
)
"""Name in `DragConfig`, label, type."""


class SettingsScreen(Dialog[DragConfig]):
    """A line for each setting; an empty one means what suits the model, else the preset.

    Args:
        config: What was chosen so far.
        most_layers: How many layers the model can train.
        effective: What applies where nothing is chosen, by name.
    """

    heading = "Settings of the drag"
    advice = (
        "Each is checked while you type. An empty line means what suits the model, else what the preset "
        "says; that value is shown in it. The next drag uses what is set here."
    )

    def __init__(
        self, config: DragConfig, most_layers: int, effective: dict[str, float] | None = None
    ) -> None:
        super().__init__()
        self._config = config
        self._most_layers = most_layers
        self._effective = effective or {}

    def compose(self) -> ComposeResult:
        """The lines."""
        with Vertical(classes="dialog"):
            yield Label("Settings of the drag", classes="title")
            for name, label, _ in FIELDS:
                value = getattr(self._config, name)
                usual = self._effective.get(name)
                with Horizontal(classes="row"):
                    yield Label(label)
                    yield Input(
                        "" if value is None else f"{value}",
                        id=name,
                        placeholder="" if usual is None else f"{usual:g}",
                        compact=True,
                    )
            yield Label("", classes="problem", markup=False)
            yield Label(
                "Tab or ↑↓ moves, Enter accepts, Esc leaves; empty: the default", classes="hint"
            )
            yield Buttons("OK")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say at once what is wrong."""
        result = self._read()
        self.show_problem(result if isinstance(result, str) else "")
        event.input.set_class(isinstance(result, str), "-invalid")

    def accept(self) -> None:
        """Answer, where everything fits."""
        result = self._read()
        if isinstance(result, DragConfig):
            self.dismiss(result)

    def key_down(self) -> None:
        """The next line."""
        self.focus_next()

    def key_up(self) -> None:
        """The line before."""
        self.focus_previous()

    def _read(self) -> DragConfig | str:
        values: dict[str, object] = {}
        for name, label, kind in FIELDS:
            text = self.query_one(f"#{name}", Input).value.strip()
            if not text and kind is not str:
                continue
            try:
                values[name] = kind(text)
            except ValueError:
                return f"{label}: {'a whole number' if kind is int else 'a number'} is expected."
        layers = values.get("trainable_layers")
        if isinstance(layers, int) and layers > self._most_layers:
            return f"Trainable layers: at most {self._most_layers} for this model."
        try:
            return DragConfig(**values)  # type: ignore[arg-type]
        except InputError as error:
            return f"{error}."

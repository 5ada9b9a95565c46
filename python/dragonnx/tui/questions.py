"""What is asked before a command: each function opens dialogs and hands the answer to the editor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from dragonnx.drag.config import DragConfig
from dragonnx.editor.answers import label_of, psi_of, seed_of
from dragonnx.editor.inversion_job import PhotoRequest
from dragonnx.editor.state import Marker
from dragonnx.errors import InputError
from dragonnx.model.labels import label_text
from dragonnx.tui.file_questions import FileQuestions
from dragonnx.tui.model_choices import model_choices
from dragonnx.tui.screens.choice import ChoiceScreen
from dragonnx.tui.screens.directions import DirectionsScreen
from dragonnx.tui.screens.photo import PhotoScreen
from dragonnx.tui.screens.prompt import PromptScreen
from dragonnx.tui.screens.settings import SettingsScreen
from dragonnx.tui.sheet_questions import SheetQuestions

_SEED_HELP = "The seed decides the picture: the same seed, model, class and psi give the same one."
_PSI_HELP = (
    "How far pictures are from the average one: 0 is the average, 1 as the model drew them, below 1 "
    "plainer and cleaner. Empty means what suits the model. Points and mask stay."
)
_LABEL_HELP = (
    "The kind of thing that the model draws, by its number in the model's training data. Several, as "
    "0,3, each count in full; 0:0.7,3:0.3 gives them weights."
)
_MODEL_HELP = (
    "The bundled model, and those in your folder of models; or Tab and the path of a bundle folder. "
    "A model that fails leaves everything as it is."
)
_POINT_HELP = (
    "What can be done with this point. What is switched off stays out of drags and keeps its place; u "
    "brings back what was deleted."
)


class Questions(FileQuestions, SheetQuestions):
    """Asks, and calls the editor's commands with the answers."""

    def ask(self, name: str) -> None:
        """Ask what the action of that id asks."""
        getattr(self, name)()

    # --- what a picture starts from -----------------------------------------------------------

    def type_seed(self) -> None:
        """A seed."""
        editor = self.editor
        seed = str(editor.document.start.seed)

        def use(text: str | None) -> None:
            if text is not None:
                editor.latent.use_seed(seed_of(text))

        self.app.push_screen(PromptScreen("Seed", seed, check=seed_of, advice=_SEED_HELP), use)

    def type_psi(self) -> None:
        """Truncation psi."""
        editor = self.editor
        psi, model = editor.document.start.truncation_psi, editor.state.model
        own = "" if model is None else f", {model.manifest.truncation_psi:g}"

        def use(text: str | None) -> None:
            if text is not None:
                self.attempt(lambda: editor.latent.use_psi(psi_of(text)))

        self.app.push_screen(
            PromptScreen(
                f"Truncation psi: empty is the model's{own}", "" if psi is None else f"{psi:g}",
                check=psi_of, advice=_PSI_HELP,
            ),
            use,
        )  # fmt: skip

    def type_label(self) -> None:
        """The class."""
        editor = self.editor
        count = editor.latent.label_count()

        def use(text: str | None) -> None:
            if text is not None:
                self.attempt(lambda: editor.latent.use_label(label_of(text, count)))

        self.app.push_screen(
            PromptScreen(
                f"Class: 0 to {count - 1}", label_text(editor.document.start.label),
                check=lambda text: label_of(text, count), advice=_LABEL_HELP,
            ),
            use,
        )  # fmt: skip

    def directions(self) -> None:
        """How far along directions; each change is made at once."""
        editor = self.editor
        editor.directions.begin()
        self.when_idle(lambda: DirectionsScreen(editor), lambda _: None)

    def point_menu(self, marker: Marker | None = None) -> None:
        """What to do with a point: the one of this marker, else the selected one."""
        state, points = self.editor.state, self.editor.points
        index, end = marker or (state.selected, state.selected_end)
        if index is None:
            raise InputError("Select a point first: Tab, or the right button on it.")
        points.select(index, end)
        pair = state.document.pairs[index]
        commands: dict[str, tuple[str, Callable[[], object]]] = {
            "handle": (
                "Pick up the handle; the arrows move it",
                lambda: points.select(index, "handle"),
            ),
            "target": ("Pick up the target", lambda: points.select(index, "target")),
            "switch": (f"Switch it {'off' if pair.is_on else 'on'} (O)", points.switch),
            "swap": ("Swap handle and target (X)", points.swap),
            "delete": ("Delete it (d)", points.delete),
        }
        if pair.target is None:
            del commands["target"], commands["swap"]

        def use(chosen: str | None) -> None:
            points.put_down()
            if chosen is not None:
                self.attempt(commands[chosen][1])

        self.app.push_screen(
            ChoiceScreen(
                f"Point {index + 1}", [(name, label) for name, (label, _) in commands.items()],
                advice=_POINT_HELP,
            ),
            use,
        )  # fmt: skip

    def choose_model(self) -> None:
        """A model, or a bundle folder."""

        def use(model: str | None) -> None:
            if model is not None:
                self.editor.latent.use_model(model)

        self.app.push_screen(
            ChoiceScreen(
                "Model", model_choices(), other="a bundle folder's path", advice=_MODEL_HELP
            ),
            use,
        )

    def photo(self, path: Path | None = None) -> None:
        """Which photo to invert, and how."""
        photo = self.editor.photo

        def use(request: PhotoRequest | None) -> None:
            if request is not None:
                photo.invert(request)

        self.when_idle(
            lambda: PhotoScreen(
                path, photo.last_request, self.editor.state.image_size, self.mode()
            ),
            use,
        )

    def settings(self) -> None:
        """The settings of the drag."""
        state, drag = self.editor.state, self.editor.drag

        def use(config: DragConfig | None) -> None:
            if config is not None:
                self.attempt(lambda: drag.use_settings(config))

        self.when_idle(
            lambda: SettingsScreen(state.document.config, drag.most_layers(), drag.usual_settings),
            use,
        )

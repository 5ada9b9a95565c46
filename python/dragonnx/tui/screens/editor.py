"""The editor: canvas, side panel, status line; all actions come together here."""

from __future__ import annotations

from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Footer, Static

from dragonnx.tui.actions import bindings
from dragonnx.tui.cells import CanvasMode
from dragonnx.tui.editing.drag import DragEditing
from dragonnx.tui.editing.files import FileEditing
from dragonnx.tui.editing.latent import LatentEditing
from dragonnx.tui.editing.mask import MaskEditing
from dragonnx.tui.editing.photo import PhotoEditing
from dragonnx.tui.editing.tools import Tool
from dragonnx.tui.editing.view import ViewEditing
from dragonnx.tui.graphics import Graphics
from dragonnx.tui.inversion_job import RECREATING
from dragonnx.tui.messages import AutosaveFailed, ModelOpened, PictureMade, SheetGrown, WorkFailed
from dragonnx.tui.screens.contact_sheet import ContactSheetScreen
from dragonnx.tui.screens.help import HelpScreen
from dragonnx.tui.terminal import SMALLEST, cell_aspect
from dragonnx.tui.text import one_line
from dragonnx.tui.widgets.canvas import Canvas
from dragonnx.tui.widgets.side_panel import SidePanel
from dragonnx.tui.widgets.status_line import StatusLine

FIRST_HINT = "Click what to move, click where to, press Space."
_TOOL_GROUPS = ("Points", "Mask", "View")


class EditorScreen(
    DragEditing,
    MaskEditing,
    ViewEditing,
    LatentEditing,
    PhotoEditing,
    FileEditing,
    inherit_bindings=False,
):
    """What a person sees all the time."""

    CSS_PATH = "editor.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    ALLOW_SELECT = False  # a stroke with the mouse paints, it selects no text beside the canvas
    mode = CanvasMode.HALF_BLOCKS
    graphics: Graphics | None = None

    def compose(self) -> ComposeResult:
        """Title, canvas and panel, status line, keys."""
        yield Static("", id="title", markup=False)
        with Horizontal(id="body"):
            yield Canvas(mode=self.mode, aspect=cell_aspect(), graphics=self.graphics, id="canvas")
            yield SidePanel(id="panel")
        yield StatusLine(id="status")
        yield Footer(show_command_palette=False, compact=True)
        yield Static("", id="too-small", markup=False)

    def on_mount(self) -> None:
        """Ask for the first picture."""
        self.canvas.focus()
        self.worker.show(self.document)
        self.show_all()
        self.say(f"Opening {self.document.model} ...")

    def on_screen_suspend(self) -> None:
        """A dialog opens."""
        self.canvas.cover(True)

    def on_screen_resume(self) -> None:
        """No dialog is open any more."""
        self.canvas.cover(False)

    def show_title(self) -> None:
        """Show the file's name and whether it is saved."""
        super().show_title()
        self.query_one("#title", Static).update(f"dragonnx  {self.title}", layout=False)

    # --- what happens on the canvas and the panel ---------------------------------------------

    def action_place(self) -> None:
        """Use the tool at the cross-hair."""
        if self.tool is Tool.POINTS:
            self.place_point(self.cursor)
        else:
            self.stamp()

    @on(Canvas.Pressed)
    def press(self, event: Canvas.Pressed) -> None:
        """Use the tool where the mouse is."""
        self.move_cursor(*event.pixel)
        if self.tool is not Tool.POINTS:
            self.begin_stroke(event.pixel)
        elif event.marker is not None and not self._places_target(event.marker):
            self.grip(event.marker)
        else:
            self.place_point(event.pixel)

    @on(Canvas.Dragged)
    def drag_mouse(self, event: Canvas.Dragged) -> None:
        """Move a marker, or paint."""
        before = self.cursor
        self.move_cursor(*event.pixel)
        if self.stroke is not None:
            self.go_on_stroke(before, self.cursor)
        elif self.gripped is not None:
            self.move_gripped(event.pixel)
        else:
            self.show_scene()

    @on(Canvas.Released)
    def release(self, _event: Canvas.Released) -> None:
        """End what the press began, after an edit that waits."""
        if self.waiting:
            self.waiting += [self.end_stroke, self.let_go]
            return
        self.end_stroke()
        self.let_go()

    @on(Canvas.Hovered)
    def hover(self, event: Canvas.Hovered) -> None:
        """Let the cross-hair follow the mouse."""
        self.move_cursor(*event.pixel)
        self.show_scene()

    @on(Canvas.Viewed)
    def look(self, _event: Canvas.Viewed) -> None:
        """Show the zoom."""
        self.show_scene()

    @on(SidePanel.PointChosen)
    def choose_point(self, event: SidePanel.PointChosen) -> None:
        """Select the point of a row."""
        self.select(event.index)

    def _places_target(self, marker: tuple[int, str]) -> bool:
        """Whether a press on a marker places a target: the waiting handle is no obstacle."""
        waits = self.document.waits_for_target
        return waits and marker != (len(self.document.pairs) - 1, "handle")

    # --- undo, help ---------------------------------------------------------------------------

    def action_undo(self) -> None:
        """Take back the last edit."""
        self.when_still(lambda: self._walk(self.history.undo(), "Undid", "Nothing to undo."))

    def action_redo(self) -> None:
        """Bring back what was undone."""
        self.when_still(lambda: self._walk(self.history.redo(), "Did again", "Nothing to redo."))

    def _walk(self, label: str | None, verb: str, nothing: str) -> None:
        if label is None:
            self.say(nothing)
            return
        result = self.document.result
        self.losses = tuple(result.loss.tolist()) if result is not None else ()
        self.document_changed()
        self.say(f"{verb}: {label}.")

    def action_help(self) -> None:
        """All keys."""
        self.app.push_screen(HelpScreen(self.preferences.keys))

    def action_help_here(self) -> None:
        """What is under the mouse, where that is a panel; else the tool and the canvas."""
        under = self.app.mouse_over
        if isinstance(under, SidePanel | StatusLine):
            about, groups = (under.NAME, under.HELP), under.GROUPS
        else:
            about = (self.tool.value.capitalize(), f"{self.tool.help}\n{Canvas.HELP}")
            groups = _TOOL_GROUPS
        self.app.push_screen(HelpScreen(self.preferences.keys, about, groups))

    # --- what the worker says -----------------------------------------------------------------

    def on_model_opened(self, message: ModelOpened) -> None:
        """Take over the model's facts."""
        message.stop()
        manifest = message.manifest
        height, width = manifest.image_size
        self.image_size = (width, height)
        self.layer_limit = manifest.trainable_layers
        self.label_count = manifest.label_dim
        self.recommended = dict(manifest.drag_settings)
        self.model_text = manifest.name
        self.model_ready = True
        self.picture = self.photo = None
        self.move_cursor(width // 2, height // 2)
        self.radius = max(width / 12, 1.0)
        self.show_all()
        hint = "Space drags. F1 is help." if self.preferences.hint_seen else FIRST_HINT
        self.say(f"{hint} {manifest.name} on {message.device}.", "hint")

    def on_picture_made(self, message: PictureMade) -> None:
        """Show the picture of the document."""
        message.stop()
        if not self.busy:
            self.picture = message.picture
            if not message.is_preview:
                self.pictured = message.document
            self.show_all()

    def on_sheet_grown(self, message: SheetGrown) -> None:
        """Hand a picture to the contact sheet."""
        message.stop()
        if isinstance(screen := self.app.screen, ContactSheetScreen):
            screen.receive(message.ticket, message.seed, message.picture)

    def on_work_failed(self, message: WorkFailed) -> None:
        """Say what went wrong; the editor goes on."""
        message.stop()
        reason = one_line(message.reason)
        if message.what in ("drag", RECREATING) and self.busy:
            waiting = self.become_still()
            self.resumable = None
            for change in waiting:
                change()
            self.document_changed()
        self.say(f"Could not {message.what}: {reason}", "bad")
        if len(reason) > self.size.width - 30:
            self.notify(reason, title=f"Could not {message.what}", severity="error", markup=False)

    def on_autosave_failed(self, message: AutosaveFailed) -> None:
        """Say that nothing protects the work."""
        message.stop()
        self.notify(one_line(message.reason), title="Autosave does not work", severity="warning",
                    markup=False)  # fmt: skip

    def on_resize(self, event: events.Resize) -> None:
        """Say where the terminal is too small."""
        columns, rows = SMALLEST
        small = event.size.width < columns or event.size.height < rows
        self.set_class(small, "-too-small")
        self.query_one("#too-small", Static).update(
            f"dragonnx needs {columns} x {rows} characters;\nthis terminal has "
            f"{event.size.width} x {event.size.height}.\nMake it larger, or its font smaller."
        )

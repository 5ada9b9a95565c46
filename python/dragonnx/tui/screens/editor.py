"""The editor's screen: canvas, side panel, status line. Keys and clicks become commands, state is shown."""

from __future__ import annotations

import functools
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.widgets import Footer, Static

from dragonnx.editor.answers import existing_file
from dragonnx.editor.command_line import command_of
from dragonnx.editor.editor import Editor
from dragonnx.editor.events import DragProgressed, InversionProgressed
from dragonnx.editor.state import Part
from dragonnx.editor.tools import Tool
from dragonnx.paths import pasted_path
from dragonnx.tui.actions import BY_ID, bindings
from dragonnx.tui.drawing.cells import CanvasMode
from dragonnx.tui.drawing.graphics import Graphics
from dragonnx.tui.messages import EditorEvent
from dragonnx.tui.preferences import Preferences
from dragonnx.tui.questions import Questions
from dragonnx.tui.screens.dialog import Dialog
from dragonnx.tui.screens.help import HelpScreen
from dragonnx.tui.terminal import SMALLEST, cell_aspect
from dragonnx.tui.viewer import open_outside
from dragonnx.tui.widgets.canvas import Canvas
from dragonnx.tui.widgets.literal import Words
from dragonnx.tui.widgets.side_panel import SidePanel
from dragonnx.tui.widgets.status_line import StatusLine
from dragonnx.tui.widgets.tool_strip import ToolStrip

_TOOL_GROUPS = ("Points", "Mask", "View")
_DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
_UNDER_DIALOGS = Part.SCENE | Part.FACTS | Part.JUMP
"""What waits for a dialog to close while a drag runs: each frame under it would paint all of the
screen, and keys in the dialog would wait for that."""


class EditorScreen(Screen[None], inherit_bindings=False):
    """What a user sees all the time.

    Args:
        editor: What is shown.
        preferences: Keys, theme and mode.
        mode: How pictures are shown at first.
        graphics: How the terminal takes real pixels; None where it does not.
    """

    CSS_PATH = "editor.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings()
    ALLOW_SELECT = False  # a stroke with the mouse paints, it selects no text beside the canvas

    def __init__(
        self,
        editor: Editor,
        preferences: Preferences,
        mode: CanvasMode = CanvasMode.HALF_BLOCKS,
        graphics: Graphics | None = None,
    ) -> None:
        super().__init__()
        self.editor = editor
        self.preferences = preferences
        self._first_mode = mode
        self._graphics = graphics
        self._late = Part(0)
        """What changed under a dialog and is not shown yet."""

    @functools.cached_property
    def questions(self) -> Questions:
        """What is asked before some commands."""
        return Questions(self.app, self.editor, lambda: self.canvas.mode, self._graphics)

    @property
    def canvas(self) -> Canvas:
        """The canvas."""
        return self.query_one(Canvas)

    def compose(self) -> ComposeResult:
        """Title and tools, canvas and panel, status line, keys."""
        with Horizontal(id="top"):
            yield Words(id="title")
            yield ToolStrip(id="tools")
        with Horizontal(id="body"):
            yield Canvas(
                mode=self._first_mode, aspect=cell_aspect(), graphics=self._graphics, id="canvas"
            )
            yield SidePanel(id="panel")
        yield StatusLine(id="status")
        yield Footer(show_command_palette=False, compact=True)
        yield Static("", id="too-small", markup=False)

    def on_mount(self) -> None:
        """Begin to show the editor."""
        self.canvas.focus()
        self.editor.state.subscribe(self._changed)
        self._changed(Part.SCENE | Part.FACTS)
        self.editor.start()

    def on_screen_suspend(self) -> None:
        """A dialog opens."""
        dialog = self.app.screen
        beside = isinstance(dialog, Dialog) and dialog.lies_on_panel
        self.canvas.cover(not (beside and self.query_one(SidePanel).display))

    def on_screen_resume(self) -> None:
        """No dialog is open any more."""
        self.canvas.cover(False)
        late, self._late = self._late, Part(0)
        self._changed(late)

    def on_resize(self, event: events.Resize) -> None:
        """Say where the terminal is too small."""
        columns, rows = SMALLEST
        small = event.size.width < columns or event.size.height < rows
        self.set_class(small, "-too-small")
        self.query_one("#too-small", Static).update(
            f"dragonnx needs {columns} x {rows} characters;\nthis terminal has "
            f"{event.size.width} x {event.size.height}.\nMake it larger, or its font smaller."
        )

    def _compositor_refresh(self) -> None:
        """Paint what changed, under a dialog too: once.

        Textual marks a screen under a dialog for another whole paint each time it has painted it.
        """
        super()._compositor_refresh()
        if self.app.screen is not self:
            self._repaint_required = False

    # --- showing ------------------------------------------------------------------------------

    def on_editor_event(self, message: EditorEvent) -> None:
        """Hand an event to the editor; steps wait until what it changed is painted."""
        message.stop()
        if isinstance(message.event, DragProgressed | InversionProgressed):
            self.yield_to_screen()
        self.editor.receive(message.event)

    def yield_to_screen(self) -> None:
        """Keep running work from its next step until the screen is painted."""
        if self.editor.yield_to_screen():
            self.call_after_refresh(self.editor.go_on)

    def _changed(self, parts: Part) -> None:
        """Show the parts of the state that changed."""
        state = self.editor.state
        if self.app.screen is not self and state.running is not None:
            hidden = _UNDER_DIALOGS if state.notice.heading else _UNDER_DIALOGS | Part.NOTICE
            self._late |= parts & hidden
            parts &= ~hidden
        if Part.JUMP in parts:
            self.canvas.reveal(state.cursor)
        if Part.SCENE in parts:
            self.canvas.show(self.editor.scene)
            self._show_place()
        if Part.FACTS in parts:
            plain = self.canvas.mode is CanvasMode.ASCII
            self.query_one(SidePanel).show(self.editor, plain=plain)
            self.query_one(ToolStrip).show(state.tool)
            self.query_one("#title", Words).update(f"dragonnx  {state.title}", layout=False)
        if Part.NOTICE in parts:
            notice = state.notice
            line = self.query_one(StatusLine)
            line.say(notice.line, notice.tone)
            is_cut = line.content.cell_len > self.size.width
            if is_cut and (notice.heading or state.running is None):  # steps come by the dozen
                severity: SeverityLevel = "error" if notice.tone == "bad" else "information"
                self.notify(notice.text, title=notice.heading, severity=severity, markup=False)
        if Part.ALERT in parts:
            self._show_alert()
        if Part.PHOTO in parts:
            self.questions.photo(self.editor.photo.found)
        if Part.CONFLICT in parts:
            self.questions.conflict()

    def _show_alert(self) -> None:
        alert = self.editor.state.alert
        if alert.text:
            self.notify(alert.text, title=alert.heading, severity=alert.severity, markup=False)
        else:
            self.app.clear_notifications()

    def _show_place(self) -> None:
        self.query_one(StatusLine).show_place(*self.editor.state.cursor, self.canvas.view.zoom)

    # --- commands -----------------------------------------------------------------------------

    def action_command(self, name: str) -> None:
        """Call the editor's command of the table."""
        run = BY_ID[name].run
        if not isinstance(run, str):
            self.questions.attempt(lambda: run(self.editor))

    def action_ask(self, name: str) -> None:
        """Ask what comes before a command."""
        self.questions.attempt(lambda: self.questions.ask(name))

    @on(Canvas.Pressed)
    def press(self, event: Canvas.Pressed) -> None:
        """Use the tool where the mouse is."""
        self.editor.pointer.press(event.pixel, event.marker)

    @on(Canvas.Dragged)
    def drag_mouse(self, event: Canvas.Dragged) -> None:
        """Move a marker, or paint."""
        self.editor.pointer.drag(event.pixel)

    @on(Canvas.Released)
    def release(self, _event: Canvas.Released) -> None:
        """End what the press began."""
        self.editor.pointer.release()

    @on(Canvas.MenuAsked)
    def show_menu(self, event: Canvas.MenuAsked) -> None:
        """Offer what can be done with a point."""
        self.questions.attempt(lambda: self.questions.point_menu(event.marker))

    @on(Canvas.Hovered)
    def hover(self, event: Canvas.Hovered) -> None:
        """Let the cross-hair follow the mouse."""
        self.editor.pointer.hover(event.pixel)

    @on(Canvas.Viewed)
    def view_changed(self, _event: Canvas.Viewed) -> None:
        """Show the zoom."""
        self._show_place()

    @on(SidePanel.PointChosen)
    def choose_point(self, event: SidePanel.PointChosen) -> None:
        """Pick up the handle of the row's point; pressed again, its target."""
        self.questions.attempt(lambda: self.editor.points.select_other_end(event.index))

    @on(ToolStrip.Used)
    def use_tool(self, event: ToolStrip.Used) -> None:
        """Use the tool that was pressed."""
        if event.tool is Tool.POINTS:
            self.editor.points.use_tool()
        else:
            self.editor.mask.use_tool(event.tool)

    @on(SidePanel.StepChosen)
    def choose_step(self, event: SidePanel.StepChosen) -> None:
        """Look at a step of the drag."""
        self.editor.scrub.go_to(event.step)

    def on_paste(self, event: events.Paste) -> None:
        """Open a file that was dropped on the terminal, which pastes its path."""
        event.stop()
        text = pasted_path(event.text)
        if text:
            self.questions.attempt(lambda: self.questions.open_path(existing_file(text)))

    # --- the view, help -----------------------------------------------------------------------

    def action_pan(self, direction: str) -> None:
        """Move the view."""
        self.canvas.pan_by_eighths(*_DIRECTIONS[direction])

    def action_zoom_in(self) -> None:
        """Zoom in about the cross-hair."""
        self.canvas.zoom_in()

    def action_zoom_out(self) -> None:
        """Zoom out about the cross-hair."""
        self.canvas.zoom_out()

    def action_fit(self) -> None:
        """Show the whole picture."""
        self.canvas.fit()

    def action_view_file(self) -> None:
        """Open what was exported last in the system's viewer."""
        path = self.editor.files.last_written
        if path is None:
            self.editor.state.say("Nothing was exported yet: e exports.")
            return
        self.questions.attempt(lambda: open_outside(path))

    def action_copy_command(self) -> None:
        """Copy the command line of this drag; the terminal puts it on the clipboard (OSC 52)."""
        state = self.editor.state

        def copy() -> None:
            command, note = command_of(state)
            self.app.copy_to_clipboard(command)
            state.say(f"Copied{f' ({note})' if note else ''}: {command}")

        self.questions.attempt(copy)

    def action_next_mode(self) -> None:
        """Show the picture another way."""
        self.canvas.next_mode()
        self.preferences.mode = self.canvas.mode.name
        self.preferences.save()
        self._changed(Part.FACTS)
        self.editor.state.say(f"The picture is shown as {self.canvas.mode.value}.")

    def action_panel(self) -> None:
        """Show or hide the side panel."""
        self.query_one(SidePanel).show_or_hide()

    def action_next_theme(self) -> None:
        """The next colour theme."""
        names = sorted(self.app.available_themes)
        at = names.index(self.app.theme) if self.app.theme in names else -1
        self.app.theme = names[(at + 1) % len(names)]
        self.editor.state.say(f"Theme {self.app.theme}.")

    def action_help(self) -> None:
        """All keys."""
        self.app.push_screen(HelpScreen(self.preferences.keys))

    def action_help_here(self) -> None:
        """What is under the mouse, where that is a panel; else the tool and the canvas."""
        under, tool = self.app.mouse_over, self.editor.state.tool
        if isinstance(under, SidePanel | StatusLine | ToolStrip):
            about, groups = (under.NAME, under.HELP), under.GROUPS
        else:
            about = (tool.value.capitalize(), f"{tool.help}\n{Canvas.HELP}")
            groups = _TOOL_GROUPS
        self.app.push_screen(HelpScreen(self.preferences.keys, about, groups))

"""The one table of actions: it feeds keys, footer, command palette, help, and remapping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from textual.binding import Binding, BindingType

from dragonnx.editor.editor import Editor
from dragonnx.editor.tools import Tool

Command: TypeAlias = Callable[[Editor], object]
ASK: Literal["ask"] = "ask"
"""An action that asks something first: `dragonnx.tui.questions` has it by its id."""
VIEW: Literal["view"] = "view"
"""An action that is about the terminal alone: the screen has it, as Textual's action."""
LEAP = 8
"""Pixels that the cross-hair goes with Shift."""


@dataclass(frozen=True)
class Action:
    """Something that a user can do.

    Attributes:
        id: Its name in keymaps.
        keys: Keys, separated by commas, as Textual names them.
        label: A few words, for help and palette.
        group: The heading in the help.
        help: One sentence.
        run: The editor's command, or who does it.
        footer: What the footer shows; empty where it shows nothing.
    """

    id: str
    keys: str
    label: str
    group: str
    help: str
    run: Command | Literal["ask", "view"]
    footer: str = ""

    @property
    def call(self) -> str:
        """As Textual's action."""
        if self.run == VIEW:
            name, _, direction = self.id.rpartition("_")
            return f"pan('{direction}')" if name == "pan" else self.id
        return f"{'ask' if self.run == ASK else 'command'}('{self.id}')"

    def binding(self) -> Binding:
        """As Textual's binding."""
        return Binding(
            self.keys,
            self.call,
            self.footer or self.label,
            show=bool(self.footer),
            id=self.id,
            tooltip=self.help,
        )


def _group(
    name: str, *rows: tuple[str, str, str, str, Command | Literal["ask", "view"]]
) -> tuple[Action, ...]:
    """Actions of one heading; the footer shows a label's part before `*`, or all after it."""
    actions = []
    for key, keys, label, help_text, run in rows:
        short, star, long = label.partition("*")
        text = long if star else label
        actions.append(Action(key, keys, text, name, help_text, run, (short or long) * bool(star)))
    return tuple(actions)


ACTIONS: tuple[Action, ...] = (
    *_group(
        "Drag",
        ("drag", "space", "*Drag", "Start the drag, or pause it after the current step.",
         lambda e: e.drag.start_or_pause()),
        ("step", "full_stop", "Step", "Make a single step.", lambda e: e.drag.step()),
        ("stop", "x", "Stop", "End the drag, inverting a photo, or a walk that is written.",
         lambda e: e.stop()),
        ("reset", "backspace", "Reset", "Back to the picture before any drag.",
         lambda e: e.drag.reset()),
        ("step_back", "less_than_sign", "A step back", "Look at the step before; Space goes on from it.",
         lambda e: e.scrub.go_by(-1)),
        ("step_forth", "greater_than_sign", "A step forth", "Look at the step after.",
         lambda e: e.scrub.go_by(1)),
        ("steps_back", "left_curly_bracket", "Ten steps back", "Look at the tenth step before.",
         lambda e: e.scrub.go_by(-10)),
        ("steps_forth", "right_curly_bracket", "Ten steps forth", "Look at the tenth step after.",
         lambda e: e.scrub.go_by(10)),
        ("settings", "comma", "*Settings", "Step size, lambda, radii, step limit, preset, W or W+.",
         ASK),
        ("space", "w", "W / W+", "Optimise one w for all layers, or each layer's own.",
         lambda e: e.drag.switch_space()),
    ),
    *_group(
        "Points",
        ("place", "enter", "Place", "Place a handle point, then its target; use the mask tool.",
         lambda e: e.pointer.use()),
        ("next_point", "tab", "Next point", "Pick up the next handle or target; the arrows move it.",
         lambda e: e.points.select_next()),
        ("previous_point", "shift+tab", "Previous point", "Pick up the one before.",
         lambda e: e.points.select_previous()),
        ("move_handle", "h", "Handle here", "Move the selected handle to the cross-hair.",
         lambda e: e.points.move_handle()),
        ("move_target", "t", "Target here", "Move the selected target to the cross-hair.",
         lambda e: e.points.move_target()),
        ("let_go", "escape", "Let go", "Put down what is picked up; drop a shape that is not closed.",
         lambda e: e.pointer.let_go()),
        ("switch_point", "O", "Point off or on", "A point that is off stays out of drags.",
         lambda e: e.points.switch()),
        ("swap_point", "X", "Swap handle and target", "The selected point goes the other way.",
         lambda e: e.points.swap()),
        ("point_menu", "M", "Point menu", "What can be done with the selected point; so does the right button.",
         ASK),
        ("delete_point", "delete,d", "Delete point", "Delete the selected point, else the newest.",
         lambda e: e.points.delete()),
        ("clear_points", "D", "Clear points", "Delete all points.", lambda e: e.points.clear()),
    ),
    *_group(
        "Mask",
        ("tool_points", "1", "Point tool", "Clicks place and move points.",
         lambda e: e.points.use_tool()),
        ("tool_movable", "2", "Movable brush", "Paint what may move; the rest stays fixed.",
         lambda e: e.mask.use_tool(Tool.MOVABLE)),
        ("tool_fixed", "3", "Fixed brush", "Paint what stays fixed; the rest may move.",
         lambda e: e.mask.use_tool(Tool.FIXED)),
        ("tool_movable_box", "4", "Movable box", "A rectangle of what may move.",
         lambda e: e.mask.use_tool(Tool.MOVABLE_BOX)),
        ("tool_fixed_box", "5", "Fixed box", "A rectangle of what stays fixed.",
         lambda e: e.mask.use_tool(Tool.FIXED_BOX)),
        ("tool_movable_polygon", "7", "Movable polygon", "A shape of what may move, by its corners.",
         lambda e: e.mask.use_tool(Tool.MOVABLE_POLYGON)),
        ("tool_fixed_polygon", "8", "Fixed polygon", "A shape of what stays fixed, by its corners.",
         lambda e: e.mask.use_tool(Tool.FIXED_POLYGON)),
        ("tool_eraser", "6", "Eraser", "Take back what was painted.",
         lambda e: e.mask.use_tool(Tool.ERASER)),
        ("smaller_brush", "left_square_bracket", "Smaller brush", "A smaller radius.",
         lambda e: e.mask.smaller_brush()),
        ("larger_brush", "right_square_bracket", "Larger brush", "A larger radius.",
         lambda e: e.mask.larger_brush()),
        ("invert_mask", "i", "Invert mask", "Movable becomes fixed and fixed movable.",
         lambda e: e.mask.invert()),
        ("clear_mask", "I", "Clear mask", "No mask: everything may move.",
         lambda e: e.mask.clear()),
        ("show_mask", "v", "Show mask", "Show or hide the mask; it works either way.",
         lambda e: e.mask.show_or_hide()),
    ),
    *_group(
        "Picture",
        ("next_seed", "n", "*Next seed", "The picture of the next seed.",
         lambda e: e.latent.next_seed()),
        ("previous_seed", "p", "Previous seed", "The picture of the seed before.",
         lambda e: e.latent.previous_seed()),
        ("random_seed", "r", "Random seed", "A picture by chance.",
         lambda e: e.latent.random_seed()),
        ("type_seed", "s", "Type a seed", "The picture of a seed that you type.", ASK),
        ("type_psi", "y", "Truncation psi", "How far from the average picture, as a rule 0 to 1.",
         ASK),
        ("truncations", "T", "Truncation sweep", "The picture at psi 0 to 1 side by side, to choose one.", ASK),
        ("directions", "E", "Directions", "Sliders along edit directions: files of w, and the model's own.", ASK),
        ("type_label", "l", "Class", "The class, for a model that has classes.", ASK),
        ("contact_sheet", "k", "Contact sheet", "Choose among the pictures of many seeds.", ASK),
        ("other_seeds", "K", "Other seeds", "What the same edit did to the seeds marked in the contact sheet.",
         ASK),
        ("photo", "P", "Photo*Invert a photo", "Recreate your own photo with the model, then drag it.", ASK),
        ("compare", "c", "Before", "The picture before the drag, the photo, or again the picture.",
         lambda e: e.compare.show_next()),
        ("wipe", "C", "Wipe", "Before on the left of the cross-hair, after on its right.",
         lambda e: e.compare.wipe()),
        ("bare", "b", "Bare picture", "Hide points, mask and lines, or show them again.",
         lambda e: e.compare.bare()),
        ("choose_model", "m", "Model", "Choose a model, or name a bundle folder.", ASK),
    ),
    *_group(
        "View",
        ("cursor_left", "left", "Left", "Move the cross-hair, or what is picked up, by a pixel.",
         lambda e: e.pointer.move_by(-1, 0)),
        ("cursor_right", "right", "Right", "Move the cross-hair, or what is picked up, by a pixel.",
         lambda e: e.pointer.move_by(1, 0)),
        ("cursor_up", "up", "Up", "Move the cross-hair, or what is picked up, by a pixel.",
         lambda e: e.pointer.move_by(0, -1)),
        ("cursor_down", "down", "Down", "Move the cross-hair, or what is picked up, by a pixel.",
         lambda e: e.pointer.move_by(0, 1)),
        ("leap_left", "shift+left", "Leap left", "Move the cross-hair, or what is picked up, by 8 pixels.",
         lambda e: e.pointer.move_by(-LEAP, 0)),
        ("leap_right", "shift+right", "Leap right", "Move the cross-hair, or what is picked up, by 8 pixels.",
         lambda e: e.pointer.move_by(LEAP, 0)),
        ("leap_up", "shift+up", "Leap up", "Move the cross-hair, or what is picked up, by 8 pixels.",
         lambda e: e.pointer.move_by(0, -LEAP)),
        ("leap_down", "shift+down", "Leap down", "Move the cross-hair, or what is picked up, by 8 pixels.",
         lambda e: e.pointer.move_by(0, LEAP)),
        ("zoom_in", "plus,equals_sign", "Zoom in", "Zoom in about the cross-hair.", VIEW),
        ("zoom_out", "minus", "Zoom out", "Zoom out about the cross-hair.", VIEW),
        ("fit", "0", "Fit", "Show the whole picture.", VIEW),
        ("pan_left", "ctrl+left", "Pan left", "Move the view.", VIEW),
        ("pan_right", "ctrl+right", "Pan right", "Move the view.", VIEW),
        ("pan_up", "ctrl+up", "Pan up", "Move the view.", VIEW),
        ("pan_down", "ctrl+down", "Pan down", "Move the view.", VIEW),
        ("next_mode", "a", "ASCII", "Half-blocks, 256 colours, coloured ASCII, ASCII.", VIEW),
        ("panel", "f", "Side panel", "Show or hide the side panel.", VIEW),
        ("next_theme", "f4", "Theme", "The next colour theme.", VIEW),
    ),
    *_group(
        "Document",
        ("undo", "u,ctrl+z", "*Undo", "Take back the last edit; a whole drag is one edit.",
         lambda e: e.history.undo()),
        ("redo", "U,ctrl+y", "Redo", "Bring back what was undone.", lambda e: e.history.redo()),
        ("save", "ctrl+s", "Save document", "Save everything as a .dragonnx document.", ASK),
        ("save_as", "S", "Save document as", "Save the document under another name.", ASK),
        ("open", "o,ctrl+o", "Open", "A document, a picture with recipe, a latent, a mask, or a photo.",
         ASK),
        ("view_file", "V", "View file", "Open what was exported last in the system's viewer.", VIEW),
        ("copy_command", "Y", "Copy command", "Copy the command line of this drag to the clipboard.",
         VIEW),
        ("walk", "W", "Walk", "A video from this picture to other seeds, documents or latents.", ASK),
        ("export", "e", "*Export", "Picture, before and after, video (GIF, WebP, MP4), report, latent, mask.", ASK),
    ),
    *_group(
        "Editor",
        ("command_palette", "ctrl+p", "*All", "Every action by name, for keys and mouse.", VIEW),
        ("help", "f1", "Help", "All keys.", VIEW),
        ("help_here", "question_mark", "*Help", "What the current tool or widget does.", VIEW),
        ("how_to_leave", "ctrl+c", "How to leave", "Which key leaves the editor, and which ends a drag.",
         lambda e: e.state.say("q leaves the editor, x ends a drag; nothing was stopped.", "hint")),
        ("leave", "q,ctrl+q", "*Quit", "Leave; asks where the document is not saved.", ASK),
    ),
)  # fmt: skip

BY_ID = {action.id: action for action in ACTIONS}


_APP_IDS = ("command_palette",)
"""Actions that are the application's, on whatever screen."""


def bindings() -> list[BindingType]:
    """The editor's actions as bindings."""
    return [action.binding() for action in ACTIONS if action.id not in _APP_IDS]


def app_bindings() -> list[BindingType]:
    """The application's actions as bindings."""
    return [BY_ID[name].binding() for name in _APP_IDS]


def keys_of(action: Action, keymap: dict[str, str]) -> str:
    """The keys of an action as a user reads them, a keymap's where it has some."""
    return " ".join(_readable(key) for key in keymap.get(action.id, action.keys).split(","))


def _readable(key: str) -> str:
    names = {
        "full_stop": ".", "comma": ",", "plus": "+", "minus": "-", "equals_sign": "=",
        "question_mark": "?", "left_square_bracket": "[", "right_square_bracket": "]",
        "less_than_sign": "<", "greater_than_sign": ">", "left_curly_bracket": "{",
        "right_curly_bracket": "}",
        "left": "←", "right": "→", "up": "↑", "down": "↓", "space": "Space", "enter": "Enter",
        "tab": "Tab", "backspace": "Backspace", "delete": "Del",
    }  # fmt: skip
    *modifiers, last = key.strip().split("+")
    parts = [{"ctrl": "^", "shift": "⇧"}.get(m, f"{m}+") for m in modifiers]
    return "".join(parts) + names.get(last, last.upper() if parts else last)

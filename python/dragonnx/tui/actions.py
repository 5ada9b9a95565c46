"""The one table of actions: it feeds keys, footer, command palette, help, and remapping."""

from __future__ import annotations

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True)
class Action:
    """Something a person can do.

    Attributes:
        id: Its name in keymaps; the editor's method is `action_ID`.
        keys: Keys, separated by commas, as Textual names them.
        label: A few words, for the footer and the palette.
        group: The heading in the help.
        help: One sentence.
        in_footer: Whether the footer shows it.
    """

    id: str
    keys: str
    label: str
    group: str
    help: str
    in_footer: bool = False

    @property
    def call(self) -> str:
        """As Textual's action: the four directions of a movement share a method."""
        name, _, direction = self.id.rpartition("_")
        return f"{name}('{direction}')" if name in ("cursor", "leap", "pan") else self.id

    def binding(self) -> Binding:
        """As Textual's binding."""
        return Binding(
            self.keys,
            self.call,
            self.label,
            show=self.in_footer,
            id=self.id,
            tooltip=self.help,
        )


def _group(name: str, *rows: tuple[str, str, str, str]) -> tuple[Action, ...]:
    """Actions of one heading; a label that begins with `*` is shown in the footer."""
    return tuple(
        Action(id, keys, label.lstrip("*"), name, help, label.startswith("*"))
        for id, keys, label, help in rows  # noqa: A001 the table's own words
    )


ACTIONS: tuple[Action, ...] = (
    *_group(
        "Drag",
        ("drag", "space", "*Drag", "Start the drag, or pause it after the current step."),
        ("step", "full_stop", "Step", "Make a single step."),
        ("stop", "x", "Stop", "End the drag, or recreating a photo; what it reached stays."),
        ("reset", "backspace", "Reset", "Back to the picture before any drag."),
        ("settings", "comma", "*Settings", "Step size, lambda, radii, step limit, preset, W or W+."),
        ("space", "w", "W / W+", "Optimise one w for all layers, or each layer's own."),
    ),
    *_group(
        "Points",
        ("place", "enter", "Place", "Place a handle point, then its target; use the mask tool."),
        ("next_point", "tab", "Next point", "Select the next point."),
        ("previous_point", "shift+tab", "Previous point", "Select the point before."),
        ("move_handle", "h", "Handle here", "Move the selected handle to the cross-hair."),
        ("move_target", "t", "Target here", "Move the selected target to the cross-hair."),
        ("delete_point", "delete,d", "Delete point", "Delete the selected point, else the newest."),
        ("clear_points", "D", "Clear points", "Delete all points."),
    ),
    *_group(
        "Mask",
        ("tool_points", "1", "Point tool", "Clicks place and move points."),
        ("tool_movable", "2", "Movable brush", "Paint what may move; the rest stays fixed."),
        ("tool_fixed", "3", "Fixed brush", "Paint what stays fixed; the rest may move."),
        ("tool_movable_box", "4", "Movable box", "A rectangle of what may move."),
        ("tool_fixed_box", "5", "Fixed box", "A rectangle of what stays fixed."),
        ("tool_eraser", "6", "Eraser", "Take back what was painted."),
        ("smaller_brush", "left_square_bracket", "Smaller brush", "A smaller radius."),
        ("larger_brush", "right_square_bracket", "Larger brush", "A larger radius."),
        ("invert_mask", "i", "Invert mask", "Movable becomes fixed and fixed movable."),
        ("clear_mask", "I", "Clear mask", "No mask: everything may move."),
        ("show_mask", "v", "Show mask", "Show or hide the mask; it works either way."),
    ),
    *_group(
        "Picture",
        ("next_seed", "n", "*Next seed", "The picture of the next seed."),
        ("previous_seed", "p", "Previous seed", "The picture of the seed before."),
        ("random_seed", "r", "Random seed", "A picture by chance."),
        ("type_seed", "s", "Type a seed", "The picture of a seed that you type."),
        ("type_psi", "y", "Truncation psi", "How far from the average picture, as a rule 0 to 1."),
        ("type_label", "l", "Class", "The class, for a model that has classes."),
        ("contact_sheet", "k", "Contact sheet", "Choose among the pictures of many seeds."),
        ("photo", "P", "*Photo", "Recreate your own photo with the model, then drag it."),
        ("compare", "c", "Compare", "Show the photo that was recreated, or again the picture."),
        ("choose_model", "m", "Model", "Choose a model, or name a bundle folder."),
    ),
    *_group(
        "View",
        ("cursor_left", "left", "Left", "Move the cross-hair by a pixel."),
        ("cursor_right", "right", "Right", "Move the cross-hair by a pixel."),
        ("cursor_up", "up", "Up", "Move the cross-hair by a pixel."),
        ("cursor_down", "down", "Down", "Move the cross-hair by a pixel."),
        ("leap_left", "shift+left", "Leap left", "Move the cross-hair by 8 pixels."),
        ("leap_right", "shift+right", "Leap right", "Move the cross-hair by 8 pixels."),
        ("leap_up", "shift+up", "Leap up", "Move the cross-hair by 8 pixels."),
        ("leap_down", "shift+down", "Leap down", "Move the cross-hair by 8 pixels."),
        ("zoom_in", "plus,equals_sign", "Zoom in", "Zoom in about the cross-hair."),
        ("zoom_out", "minus", "Zoom out", "Zoom out about the cross-hair."),
        ("fit", "0", "Fit", "Show the whole picture."),
        ("pan_left", "ctrl+left", "Pan left", "Move the view."),
        ("pan_right", "ctrl+right", "Pan right", "Move the view."),
        ("pan_up", "ctrl+up", "Pan up", "Move the view."),
        ("pan_down", "ctrl+down", "Pan down", "Move the view."),
        ("next_mode", "a", "ASCII", "Half-blocks, 256 colours, coloured ASCII, ASCII."),
        ("panel", "f", "Side panel", "Show or hide the side panel."),
        ("next_theme", "f4", "Theme", "The next colour theme."),
    ),
    *_group(
        "Document",
        ("undo", "u,ctrl+z", "*Undo", "Take back the last edit; a whole drag is one edit."),
        ("redo", "U,ctrl+y", "Redo", "Bring back what was undone."),
        ("save", "ctrl+s", "Save session", "Save everything as a .dragonnx document."),
        ("save_as", "S", "Save session as", "Save the document under another name."),
        ("open", "o,ctrl+o", "Open", "A document, a picture with recipe, a latent, a mask, or a photo."),
        ("export", "e", "*Export", "PNG, before and after, animation, report, latent, mask."),
    ),
    *_group(
        "Editor",
        ("command_palette", "ctrl+p", "*All", "Every action by name, for keys and mouse."),
        ("help", "f1", "Help", "All keys."),
        ("help_here", "question_mark", "*Help", "What the current tool or widget does."),
        ("leave", "q,ctrl+q", "*Quit", "Leave; asks where the document is not saved."),
    ),
)  # fmt: skip

BY_ID = {action.id: action for action in ACTIONS}
KEYMAP_IDS = tuple(action.id for action in ACTIONS)


_APP_IDS = ("command_palette",)
"""Actions that are the application's, on whatever screen."""


def bindings() -> list[BindingType]:
    """The editor's actions as bindings."""
    return [action.binding() for action in ACTIONS if action.id not in _APP_IDS]


def app_bindings() -> list[BindingType]:
    """The application's actions as bindings."""
    return [BY_ID[name].binding() for name in _APP_IDS]


def keys_of(action: Action, keymap: dict[str, str]) -> str:
    """The keys of an action as a person reads them, a keymap's where it has some."""
    return " ".join(_readable(key) for key in keymap.get(action.id, action.keys).split(","))


def _readable(key: str) -> str:
    names = {
        "full_stop": ".", "comma": ",", "plus": "+", "minus": "-", "equals_sign": "=",
        "question_mark": "?", "left_square_bracket": "[", "right_square_bracket": "]",
        "left": "←", "right": "→", "up": "↑", "down": "↓", "space": "Space", "enter": "Enter",
        "tab": "Tab", "backspace": "Backspace", "delete": "Del",
    }  # fmt: skip
    *modifiers, last = key.strip().split("+")
    parts = [{"ctrl": "^", "shift": "⇧"}.get(m, f"{m}+") for m in modifiers]
    return "".join(parts) + names.get(last, last.upper() if parts else last)

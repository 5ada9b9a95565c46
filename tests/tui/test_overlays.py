"""What lies over the screen for a while leaves the last two lines free: status and keys."""

from __future__ import annotations

from support.terminal_editor import TerminalEditor
from textual.widgets._footer import FooterKey
from textual.widgets._toast import Toast
from textual.widgets._tooltip import Tooltip

from dragonnx.tui.widgets.status_line import StatusLine


async def test_a_box_leaves_the_status_line_free():
    async with TerminalEditor(toasts=True) as editor:
        editor.state.warn("Step limit", "a long sentence " * 12)
        await editor.until(lambda: editor.screen.query(Toast))
        status = editor.screen.query_one(StatusLine).region
        for toast in editor.screen.query(Toast):
            assert not toast.region.overlaps(status)
            assert toast.region.bottom <= status.y


async def test_what_the_status_line_cuts_is_shown_whole_for_as_long_as_it_takes_to_read():
    async with TerminalEditor(size=(80, 24)) as editor:
        editor.state.say("It fits.")
        await editor.rest()
        assert not editor.app._notifications
        editor.state.say(
            "Opened a.pt; u brings back what was here. " + "It holds several latents. " * 9
        )
        await editor.rest()
        (toast,) = editor.app._notifications
        assert toast.severity == "information"
        assert toast.message == editor.state.notice.text
        assert toast.timeout > 15
        editor.app.clear_notifications()
        editor.state.warn("Mask", "the handle lies outside")
        await editor.rest()
        (toast,) = editor.app._notifications
        assert toast.timeout == editor.app.NOTIFICATION_TIMEOUT


async def test_a_tip_of_a_key_leaves_the_status_line_free():
    async with TerminalEditor(toasts=True) as editor:
        for key in editor.screen.query(FooterKey):
            await editor.pilot.hover(key)
            editor.screen._handle_tooltip_timer(key)
            await editor.rest()
            tip = editor.screen.get_child_by_type(Tooltip)
            assert tip.display
            assert tip.region.bottom <= editor.screen.query_one(StatusLine).region.y


async def test_a_long_row_of_the_panel_takes_one_line():
    async with TerminalEditor() as editor:
        await editor.place((1, 1))
        document = editor.document
        for _ in range(130):
            document = document.with_point((1000.0, 1000.0)).with_point((1000.0, 1000.5))
        editor.state.apply("many points", document)
        editor.state.selected = 120
        editor.state.document_changed()
        await editor.rest()
        rows = [
            "".join(segment.text for segment in strip)[52:]
            for strip in editor.app.screen._compositor.render_strips()
        ]
        header = next(k for k, row in enumerate(rows) if "Points (131" in row)
        assert rows[header].rstrip().endswith("…")
        numbered = [row.split()[0] for row in rows[header + 1 : header + 4]]
        assert all(a.isdigit() for a in numbered), rows[header : header + 5]

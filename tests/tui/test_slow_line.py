"""A line to the terminal that takes less than is painted: frames are dropped, not queued."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from dragonnx.tui.drawing.cells import Cells, StripMaker
from dragonnx.tui.drawing.owed import Owed
from dragonnx.tui.flow import Flow

CONSOLE = Console(color_system="truecolor", force_terminal=True)


class Screen:
    """What a terminal shows, by a reader of its own: CUP, CUF, SGR of 24-bit colours, text."""

    def __init__(self, columns: int, rows: int) -> None:
        self.cells = np.full((rows, columns), None, object)

    def read(self, text: str) -> None:
        row, column, front, back, at = 0, 0, None, None, 0
        while at < len(text):
            if text[at] != "\x1b":
                self.cells[row, column] = (text[at], front, back)
                column, at = column + 1, at + 1
                continue
            end = next(k for k in range(at + 2, len(text)) if text[k].isalpha())
            numbers = [int(part or 0) for part in text[at + 2 : end].split(";")]
            if text[end] == "H":
                row, column = numbers[0] - 1, numbers[1] - 1
            elif text[end] == "C":
                column += numbers[0]
            elif text[end] == "m":
                while numbers:
                    if numbers[0] == 38:
                        front, numbers = tuple(numbers[2:5]), numbers[5:]
                    elif numbers[0] == 48:
                        back, numbers = tuple(numbers[2:5]), numbers[5:]
                    else:
                        front, back, numbers = None, None, numbers[1:]
            at = end + 1


@st.composite
def frames(draw):
    """Frames of a canvas [4, 6] beside a text, each with rows that changed, and room for it."""
    shown = []
    for _ in range(draw(st.integers(1, 6))):
        seed = draw(st.integers(0, 5))
        rng = np.random.default_rng(seed)
        colours = rng.choice(np.array([0, 9, 255], np.uint8), (2, 4, 6, 3))
        shown.append((colours, draw(st.sampled_from([0, 30, 200, 10_000])),
                      draw(st.booleans()), f"{seed}" * 3))  # fmt: skip
    return shown


@given(frames())
def test_whatever_is_dropped_in_the_end_the_newest_frame_is_shown(given_frames):
    owed, maker, screen = Owed(), StripMaker(), Screen(9, 4)
    for number, (colours, room, whole, text) in enumerate(given_frames):
        cells = Cells(np.full((4, 6), ord("▀"), np.uint32), colours[0], colours[1])
        changed = maker.update(cells)
        strips = [[maker.strips[y], Strip([Segment(text)], 3)] for y in range(4)]
        if whole or number == 0:
            owed.add(LayoutUpdate(strips, Region(0, 0, 9, 4)))
        elif changed:
            chops = [dict(zip((0, 6), row, strict=True)) for row in strips]
            spans = [(y, 0, 9) for y in changed]
            owed.add(ChopsUpdate(chops, spans, [[6, 9]] * 4))
        if room:
            screen.read(owed.take(room, CONSOLE))
    rounds = 0
    while owed:
        screen.read(owed.take(1, CONSOLE))
        rounds += 1
        assert rounds <= 5, "each time at least a row is paid"
    for y in range(4):
        for x in range(6):
            colour = (tuple(colours[0][y, x].tolist()), tuple(colours[1][y, x].tolist()))
            assert screen.cells[y, x] == ("▀", *colour)


def test_only_cells_that_changed_are_sent():
    owed, maker = Owed(), StripMaker()
    colours = np.zeros((2, 3, 200, 3), np.uint8)
    colours[0, :, :, 0] = np.arange(200)
    cells = Cells(np.full((3, 200), ord("▀"), np.uint32), colours[0], colours[1])
    maker.update(cells)
    owed.add(LayoutUpdate([[strip] for strip in maker.strips], Region(0, 0, 200, 3)))
    whole = owed.take(1e9, CONSOLE)
    other = colours[0].copy()
    other[1, [3, 150]] = 77
    maker.update(Cells(cells.characters, other, colours[1]))
    owed.add(ChopsUpdate([{0: strip} for strip in maker.strips], [(1, 0, 200)], [[200]] * 3))
    part = owed.take(1e9, CONSOLE)
    assert part.count("▀") == 2
    assert len(part) < len(whole) / 50


# --- how much a line takes ------------------------------------------------------------------------


def fill(flow: Flow, rate: float, buffer: int, seconds: float, *, answers: bool) -> list[float]:
    """Write all that there is room for to a line with a buffer; how long each byte lies in it.

    The buffer is as those of Linux: once it is full it takes nothing until it is empty.
    """
    now, level, queued, questions = 0.0, 0.0, [], []
    while now < seconds:
        now += 0.01
        level = max(level - rate * 0.01, 0)
        while questions and questions[0] <= now:
            questions.pop(0)
            flow.answered(now)
        if (room := flow.room(now)) <= 0:
            continue
        count = int(min(room, 20_000)) + 1
        if answers:
            flow.asked(count, now)
        for piece in [512] * (count // 512) + [count % 512]:
            waited = level / rate if level + piece > buffer else 0.0
            level = 0 if waited else level
            now += waited
            level += piece
            flow.wrote(piece, waited, now)
        flow.paused()
        if answers:
            questions.append(now + level / rate + 0.02)
        queued.append(level / rate)
    return queued


@pytest.mark.parametrize(
    ("rate", "answers"),
    # Without answers a line of 5 kB/s is told only by its buffer being full, for seconds.
    [(5e3, True), (20e3, True), (20e3, False), (200e3, True), (200e3, False)],
)
def test_what_lies_in_the_buffers_of_a_slow_line_is_a_moment(rate, answers):
    flow = Flow()
    buffer = 300_000 if answers else 19_000  # SSH's and the network's, or the system's alone
    if answers:
        flow.asked(0, 0)
        flow.answered(0.02)
    queued = fill(flow, rate, buffer, 120, answers=answers)
    settled = queued[len(queued) // 2 :]
    assert sorted(settled)[len(settled) * 9 // 10] < 0.45, "a key waits that long"
    assert flow.rate is None or flow.rate > 0.5 * rate, "the line is used"


@pytest.mark.parametrize("rate", [None, 20e3])
def test_answers_that_do_not_come_hold_nothing_up_for_long(rate):
    flow = Flow()
    flow.asked(0, 0)
    flow.answered(0.01)
    if rate:
        fill(flow, rate, 300_000, 20, answers=True)
    flow.asked(100_000, 100)
    flow.wrote(100_000, 0, 100)
    assert flow.room(100.1) <= 0
    assert flow.room(100.2 + flow.until_room(100.2)) > 0


def test_a_fast_line_is_never_held_back():
    flow = Flow()
    for k in range(1000):
        assert flow.room(k / 100) > 1e6
        flow.wrote(50_000, 0.0, k / 100)


# --- the editor -----------------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
@pytest.mark.parametrize("answers", [False, True])
def test_keys_and_a_pause_do_not_wait_for_frames(tmp_path, answers):
    """Counted in bytes that come before the answer, since a busy machine takes its time.

    At 20 kB/s a key that shows within 0.5 s has 10 kB before it, and a pause within 1.5 s has 30 kB.
    """
    from support.endless_drag import edit, endless_drag, truecolor
    from support.pseudo_terminal import PseudoTerminal

    endless_drag(tmp_path / "a.dragonnx")
    with PseudoTerminal(
        edit("a.dragonnx"), truecolor(), tmp_path, (80, 24), rate=20e3, answers=answers
    ) as terminal:
        terminal.wait("Opened a")
        terminal.rest(4)
        terminal.press(" ")
        terminal.wait("steps/s")
        terminal.rest(3)
        before = []
        for key, x in (("\x1b[C", 129), ("\x1b[D", 128)) * 4:
            terminal.rest(0.3)
            terminal.press(key)
            before.append(terminal.wait(f"({x}, 128)"))
        assert sorted(before)[-2] < 10_000, before
        terminal.press(" ")
        assert terminal.wait("Paused") < 30_000

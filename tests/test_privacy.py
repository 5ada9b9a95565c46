"""Nothing is told to anybody: no file that is not ours in an empty home, and no socket opened.

ONNX Runtime collects telemetry by default since 1.29: a device id and a queue of events in the user's
cache folder, with the path of the interpreter, which it sends to its maker.
"""

from __future__ import annotations

import importlib.metadata
import signal
from pathlib import Path

import pytest
from support.bundled import SEED, point_option
from support.program import ends, in_turn
from support.pseudo_terminal import PseudoTerminal
from support.sealed import CAN_SEAL, SealedHome

pytestmark = pytest.mark.skipif(not CAN_SEAL, reason="the kernel cannot be asked to watch sockets")

COMMANDS = (
    ("generate", "--seed", SEED, "-o", "a.png", "--latent-out", "a.npz"),
    ("drag", "--seed", SEED, "--point", point_option(), "--max-steps", 2, "-o", "b.png", "--video", "b.gif"),
    ("invert", "a.png", "-o", "c.npz", "--steps", 2, "--progress", "p.npz"),
    ("info",),
    ("doctor", "--model", "critters"),
    ("models", "list"),
    ("models", "add", "BUNDLE", "--name", "zoo"),
    ("models", "remove", "zoo"),
    ("generate", "--model", "no-such-model", "-o", "d.png"),
)  # fmt: skip
A_SESSION = (
    "from dragonnx import Generator\ng = Generator.open('critters', 'cpu')\ng.preview(g.w_plus(0))"
)


@pytest.fixture
def sealed(tmp_path: Path) -> SealedHome:
    return SealedHome(tmp_path)


def writes_telemetry() -> bool:
    """Whether the installed ONNX Runtime does, where nothing keeps it from doing so."""
    release = importlib.metadata.version("onnxruntime").split(".")
    return tuple(map(int, release[:2])) >= (1, 29)


def test_no_command_tells_anybody(sealed: SealedHome) -> None:
    from dragonnx.model.library import find_bundle

    bundle = find_bundle("critters")
    commands = [[bundle if part == "BUNDLE" else part for part in each] for each in COMMANDS]
    done = sealed.run(in_turn(commands))
    assert ends(done.stdout) == [0] * (len(COMMANDS) - 1) + [2], done.stderr
    assert (sealed.work / "b.gif").is_file()
    assert sealed.foreign_files() == []


def test_the_editor_tells_nobody(sealed: SealedHome) -> None:
    code = "from dragonnx.cli import main; main()"
    with PseudoTerminal(sealed.command(code), sealed.environment(), sealed.work) as terminal:
        terminal.wait("critters on cpu")
        terminal.press("q")
        assert terminal.end() == 0, terminal.written[-2000:]
    assert sealed.foreign_files() == []


def test_what_was_collected_before_us_is_not_added_to(sealed: SealedHome) -> None:
    """A program that imported ONNX Runtime itself keeps its choice of files, and we add no events."""
    asked = (
        "import onnxruntime, os\n"
        "asked = []\n"
        "onnxruntime.disable_telemetry_events = lambda: asked.append('off')\n"
        f"{A_SESSION}\nprint(asked, os.environ.get('ORT_DISABLE_TELEMETRY'))"
    )
    assert sealed.run(asked).stdout == "['off'] None\n"


def test_a_user_may_allow_it(sealed: SealedHome) -> None:
    code = f"{A_SESSION}\nimport os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert sealed.run(code).stdout == "1\n"
    assert sealed.foreign_files() == []
    assert sealed.run(code, ORT_DISABLE_TELEMETRY="0").stdout == "0\n"
    assert bool(sealed.foreign_files()) == writes_telemetry(), "else these tests see nothing"


def test_a_socket_is_seen(sealed: SealedHome) -> None:
    for family, end in (
        ("AF_UNIX", 0),
        ("AF_INET", -signal.SIGSYS),
        ("AF_NETLINK", -signal.SIGSYS),
    ):
        assert sealed.run(f"import socket; socket.socket(socket.{family})").returncode == end

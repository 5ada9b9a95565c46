"""Whatever a user types and whatever is wrong with the machine: a sentence, and never a traceback."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.forked_program import ForkedProgram, Machine, forked_program

from dragonnx.model.library import find_bundle

pytestmark = pytest.mark.skipif(
    not (hasattr(os, "fork") and Path("/dev/full").exists()), reason="this system has none of it"
)

LONG = "x" * 300
POINT = ("--point", "60,80:75,80")
COMMANDS: dict[str, tuple[str, ...]] = {
    "generate": ("generate", "-o", "out.png", "--device", "cpu", "--threads", "1"),
    "drag": (
        "drag",
        *POINT,
        "-o",
        "out.png",
        "--max-steps",
        "1",
        "--device",
        "cpu",
        "--threads",
        "1",
    ),
    "invert": (
        "invert",
        "photo.png",
        "-o",
        "out.npz",
        "--steps",
        "1",
        "--device",
        "cpu",
        "--threads",
        "1",
    ),
    "info": ("info",),
    "doctor": ("doctor",),
    "models": ("models",),
    "models add": ("models", "add", "bundle", "--name", "mine"),
    "models remove": ("models", "remove", "mine"),
    "edit": ("edit",),
    "--help": ("--help",),
    "--version": ("--version",),
}
SHOW_RESULTS = ("info", "doctor", "models", "--help", "--version")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ForkedProgram]:
    with forked_program(tmp_path_factory.mktemp("program")) as program:
        yield program


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with something for every command to work on."""
    work = tmp_path / "work"
    work.mkdir()
    Image.fromarray(np.full((32, 32, 3), 128, np.uint8)).save(work / "photo.png")
    (work / "circle.png").symlink_to("circle.png")
    (work / "circle").symlink_to("circle")
    (work / "full.png").symlink_to("/dev/full")
    (work / "full.npz").symlink_to("/dev/full")
    return work


def machine(place: Path, **arranged) -> Machine:
    home = place.parent / "home"
    env = {"HOME": str(home), "XDG_STATE_HOME": None, "XDG_DATA_HOME": None,
           "XDG_CONFIG_HOME": None, "XDG_CACHE_HOME": None, "DRAGONNX_MODELS": None,
           "DRAGONNX_STATE": None, "DRAGONNX_CONFIG": None}  # fmt: skip
    return Machine(**({"folder": str(place)} | arranged | {"env": env | arranged.get("env", {})}))


def left(place: Path) -> set[str]:
    return {path.name for path in place.iterdir()} - {
        "photo.png", "circle.png", "circle", "full.png", "full.npz"
    }  # fmt: skip


WRONG: list[tuple[str, ...]] = [
    ("info", LONG), ("info", f"./{LONG}"), ("info", "~nobody-here/x"), ("info", "\udcff\udcfe"),
    ("info", "./\udcff"), ("info", "circle"), ("info", ""), ("info", "photo.png"),
    ("info", "./photo.png"), ("info", "/dev/full"), ("info", "\x1b[2J"),
    ("models", "add", LONG), ("models", "add", "~nobody-here/x"), ("models", "add", "circle"),
    ("models", "add", "photo.png"), ("models", "add", "/dev/null"),
    ("models", "remove", LONG), ("models", "remove", "../x"), ("models", "remove", ""),
    ("models", "list", "more"),
    ("generate", "-o", f"{LONG}.png"), ("generate", "-o", f"{LONG}/a.png"), ("generate", "-o", ""),
    ("generate", "-o", "~nobody-here/x.png"), ("generate", "-o", "circle.png"), ("generate", "-o", "."),
    ("generate", "-o", "/dev/full"), ("generate", "-o", "/dev/stdout"), ("generate", "-o", "full.png"),
    ("generate", "-o", "circle/a.png"),
    ("generate", "-o", "/proc/a.png"),
    ("generate", "-o", "a.png", "--seed", str(2**40)),
    ("generate", "-o", "a.png", "--seed", "1e3"), ("generate", "-o", "a.png", "--seed", "9" * 5000),
    ("generate", "-o", "a.png", "--truncation-psi", "nan"),
    ("generate", "-o", "a.png", "--truncation-psi", "1e308"),
    ("generate", "-o", "a.png", "--label", "-1"), ("generate", "-o", "a.png", "--label", "9" * 50),
    ("generate", "-o", "a.png", "--threads", "-3"), ("generate", "-o", "a.png", "--threads", "9" * 30),
    ("generate", "-o", "a.png", "--latent", LONG), ("generate", "-o", "a.png", "--latent", "circle"),
    ("generate", "-o", "a.png", "--latent", "photo.png"),
    ("generate", "-o", "a.png", "--latent", "/dev/zero"), ("generate", "-o", "a.png", "--device", LONG),
    ("generate", "-o", "a.png", "--latent", "~nobody-here/x"),
    ("generate", "-o", "a.png", "--device", "cuda:99999999999999999999"),
    ("generate", "-o", "a.png", "--latent-out", "full.npz"),
    ("drag", "-o", "a.png", "--point", "1,2"), ("drag", "-o", "a.png", "--point", "nan,1:2,3"),
    ("drag", "-o", "a.png", "--point", "1e308,1:2,3"),
    *(("drag", "-o", "a.png", *POINT, *wrong) for wrong in (
        ("--r1", "1e308"), ("--r2", "-1"), ("--step-size", "inf"),
        ("--lambda-mask", "nan"), ("--max-steps", "9" * 30), ("--trainable-layers", "9" * 30),
        ("--mask", LONG), ("--mask", "/dev/zero"), ("--mask", "circle"),
        ("--mask", "\udcff"), ("--video", f"{LONG}.gif"), ("--video", "a.gif", "--report", "a.gif"),
        ("--progress", f"{LONG}.npz"), ("--progress", "full.npz"),
    )),
    ("drag", "-o", "full.png", *POINT, "--max-steps", "1"),
    *(("invert", photo, "-o", "a.npz") for photo in (LONG, ".", "circle", "/dev/zero", "\udcff", "")),
    *(("invert", "photo.png", "-o", "a.npz", *wrong) for wrong in (
        ("--steps", "9" * 30), ("--step-size", "nan"), ("--box", "1,2,3," + "9" * 30), ("--mask", LONG),
        ("--perceptual", LONG), ("--perceptual", "\udcff"),
        ("--progress", "photo.npz/x.npz"), ("--pull", "inf"), ("--steps", "1", "--step-size", "1e308"),
    )),
    ("invert", "photo.png", "-o", "full.npz", "--steps", "1"),
    ("invert", "photo.png", "-o", f"{LONG}.npz"),
    ("invert", "photo.png", "-o", "a.npz", "--preview", "photo.png"),
    ("drag", "-o", "./photo.png", *POINT, "--mask", "photo.png"),
    ("edit", LONG), ("fly", "\udcff"), ("\udcff",),
]  # fmt: skip


def name_of(arguments: tuple[str, ...]) -> str:
    return ascii(" ".join(each if len(each) < 40 else f"{each[:3]}..." for each in arguments))


@pytest.mark.parametrize("arguments", WRONG, ids=name_of)
def test_what_is_wrong_is_one_sentence(
    program: ForkedProgram, place: Path, arguments: tuple[str, ...]
) -> None:
    ended = program.run(*arguments, machine=machine(place))
    assert ended.code == 2, ended
    assert ended.stdout == ""
    lines = [line for line in ended.stderr.splitlines() if "steps" not in line or ": " in line]
    assert "Traceback" not in ended.stderr
    assert lines[-1].startswith("dragonnx: "), ended.stderr
    if ("full.png" in arguments or "full.npz" in arguments) and "--progress" not in arguments:
        assert "No space left on device" in lines[-1]
    assert left(place) <= ({"a.png"} if "full.npz" in arguments else set()), "half written"


# --- streams --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", SHOW_RESULTS)
@pytest.mark.parametrize("stdout", ["closed", "full", "gone"])
def test_standard_output_that_takes_nothing(
    program: ForkedProgram, place: Path, command: str, stdout: str
) -> None:
    ended = program.run(*COMMANDS[command], machine=machine(place, stdout=stdout))
    own_bundles = [line for line in ended.stderr.splitlines() if line.startswith("your own")]
    said = ended.stderr.splitlines()[len(own_bundles) :]
    if stdout == "gone":
        assert (ended.code, said) == (1, []), "as where `head` has read enough"
        return
    if stdout == "closed" and command == "--help":  # Typer prints it, and is content with nowhere
        assert (ended.code, said) == (0, [])
        return
    assert (ended.code, len(said)) == (2, 1), said
    closed = "standard output is closed: there is no place to show anything"
    assert said[0].startswith("dragonnx: ")
    assert (closed if stdout == "closed" else "(No space left on device)") in said[0]


@pytest.mark.parametrize(
    ("command", "stream"),
    [
        ("generate", "closed"), ("generate", "full"), ("generate", "gone"), ("invert", "full"),
        ("drag", "gone"), ("doctor", "closed"), ("models remove", "full"), ("edit", "gone"),
    ],
)  # fmt: skip
def test_where_nobody_hears_standard_error_the_work_is_done(
    program: ForkedProgram, place: Path, command: str, stream: str
) -> None:
    arguments = COMMANDS[command]
    ended = program.run(*arguments, machine=machine(place, stderr=stream))
    assert ended.code == (2 if command in ("models remove", "edit") else 0)
    assert (ended.stdout == "") == (command != "doctor")
    if "-o" in arguments:
        written = (place / arguments[arguments.index("-o") + 1]).read_bytes()
        assert written[:4] in (b"\x89PNG", b"PK\x03\x04"), "nothing else got into it"


@pytest.mark.parametrize("command", ["generate", "info", "edit"])
def test_all_streams_closed(program: ForkedProgram, place: Path, command: str) -> None:
    arranged = machine(place, stdin="closed", stdout="closed", stderr="closed")
    ended = program.run(*COMMANDS[command], machine=arranged)
    assert ended.code == (0 if command == "generate" else 2)
    if command == "generate":
        assert (place / "out.png").read_bytes().startswith(b"\x89PNG"), "and no other line in it"


# --- homes, folders, disks ------------------------------------------------------------------------


def closed(folder: Path) -> Path:
    """A folder that takes no new files."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o555)
    return folder


HOMES = {
    "none": {"HOME": None},
    "relative": {"HOME": "somewhere"},
    "missing": {"HOME": "/proc/nobody"},
    "a file": {"HOME": "/dev/null"},
    "too long": {"HOME": f"/tmp/{LONG}"},
    "not writable": {"HOME": "SHUT"},
    "no temporary files": {"TMPDIR": "/nonexistent", "TEMP": "/nonexistent", "TMP": "/nonexistent"},
}


@pytest.mark.parametrize("command", ["generate", "models", "models add", "edit"])
@pytest.mark.parametrize("home", HOMES)
def test_homes(program: ForkedProgram, place: Path, command: str, home: str) -> None:
    if command == "models add":
        if home in ("none", "relative"):
            pytest.skip("that goes to the home folder that the system knows")
        shutil.copytree(find_bundle("critters"), place / "bundle")
    shut = closed(place.parent / "shut")
    env = {name: str(shut) if home == "SHUT" else home for name, home in HOMES[home].items()}
    ended = program.run(*COMMANDS[command], machine=machine(place, env=env))
    assert ended.stderr.count("\n") == 1
    assert not (place / "~").exists()
    refused = {"edit"}  # there is no terminal
    if home != "no temporary files":
        refused |= {"models add"}
    if home == "too long":
        refused |= {"models"}
    assert ended.code == (2 if command in refused else 0), ended.stderr


@pytest.mark.parametrize("command", ["generate", "drag", "invert", "models"])
def test_a_folder_that_cannot_be_written(program: ForkedProgram, place: Path, command: str) -> None:
    closed(place)
    ended = program.run(*COMMANDS[command], machine=machine(place))
    place.chmod(0o755)
    assert "Traceback" not in ended.stderr
    if "-o" in COMMANDS[command]:
        assert ended.code == 2
        assert "Permission denied" in ended.stderr


@pytest.mark.parametrize("command", ["generate", "invert", "info", "models add", "models", "edit"])
def test_a_folder_that_is_gone(program: ForkedProgram, place: Path, command: str) -> None:
    gone = place / "gone"
    gone.mkdir()
    ended = program.run(
        *COMMANDS[command], machine=machine(place, folder=str(gone), folder_is_gone=True)
    )
    assert "Traceback" not in ended.stderr
    assert ended.code == (0 if command in SHOW_RESULTS else 2)


@pytest.mark.parametrize(
    ("command", "largest"),
    [("generate", 1000), ("generate", 20_000), ("drag", 1000), ("invert", 1000), ("models add", 20_000)],
)  # fmt: skip
def test_a_disk_that_is_full(
    program: ForkedProgram, place: Path, command: str, largest: int
) -> None:
    """What was there stays; what took long is kept where it can be, or it is said that it cannot."""
    shutil.copytree(find_bundle("critters"), place / "bundle")
    (place / "out.png").write_bytes(b"old")
    (place / "out.npz").write_bytes(b"old")
    ended = program.run(*COMMANDS[command], machine=machine(place, largest_file=largest))
    assert ended.code == 2
    assert "File too large" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert left(place) == {"out.png", "out.npz", "bundle"}
    assert (place / "out.png").read_bytes() == (place / "out.npz").read_bytes() == b"old"
    if command in ("drag", "invert"):
        assert "it could not be kept elsewhere either" in ended.stderr
    home = place.parent / "home"
    left_over = [path for path in home.rglob("*") if path.is_file()] if home.exists() else []
    assert left_over == []


def test_what_took_long_is_kept_where_its_place_takes_it_no_more(
    program: ForkedProgram, place: Path
) -> None:
    arguments = [*COMMANDS["invert"]]
    arguments[arguments.index("out.npz")] = "full.npz"
    ended = program.run(*arguments, "--report", "r.json", machine=machine(place))
    assert ended.code == 2
    assert "full.npz cannot be written (No space left on device); it is kept as " in ended.stderr
    kept = Path(ended.stderr.strip().rpartition("it is kept as ")[2])
    assert kept.parent == place.parent / "home" / ".local" / "state" / "dragonnx" / "kept"
    with np.load(kept) as archive:
        assert archive["w_plus"].ndim == 3
    assert left(place) == {"r.json"}, "the others are written"

"""The command line on machines where something is wrong: many runs of it, each a fork of one process.

The modules are loaded once, so that a run costs a tenth of a second. What a process starts with (its
descriptors, folder, environment, limits) is arranged in each fork before the program begins.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib import import_module
from pathlib import Path

HANGS = 120.0
"""Seconds after which a run is taken to hang."""
CHANGES = frozenset(
    f"os.{name}"
    for name in (
        "rename",
        "remove",
        "mkdir",
        "rmdir",
        "chmod",
        "chown",
        "link",
        "symlink",
        "truncate",
    )
) | {"fcntl.flock"}
"""Python's audit events of what changes files and folders; a lock is one, as others see it."""
_CAPABILITY_VERSION = 0x20080522
_ROOT_READS_AND_WRITES = (1, 2)
"""Linux's CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH."""


@dataclass(frozen=True)
class Machine:
    """How a run starts.

    Attributes:
        stdin, stdout, stderr: "file", "closed", "full", or "gone": a pipe that nobody reads.
        env: More of the environment; None takes a name away.
        folder: Where it starts.
        folder_is_gone: Whether that folder is removed then.
        largest_file: Bytes that a file may have; None for no limit.
        dies_after: Seconds after which it is killed; None for never.
        dies_at_change: Before which of its changes to the disk it is killed; 0 for none.
    """

    stdin: str = "file"
    stdout: str = "file"
    stderr: str = "file"
    env: dict[str, str | None] = field(default_factory=dict)
    folder: str = "."
    folder_is_gone: bool = False
    largest_file: int | None = None
    dies_after: float | None = None
    dies_at_change: int = 0


@dataclass(frozen=True)
class Ended:
    """How it ended.

    Attributes:
        code: Its exit code; that of a signal negative.
        seconds: It took.
        changes: To the disk, where it was not killed.
    """

    code: int
    stdout: str
    stderr: str
    seconds: float
    changes: int


class ForkedProgram:
    """A process that has everything loaded, and forks for each run.

    Args:
        folder: Of its own, for what runs print.
    """

    def __init__(self, folder: Path) -> None:
        self._out, self._err = folder / "stdout", folder / "stderr"
        for path in (self._out, self._err):
            path.touch()
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(
        self,
        *arguments: str | Path,
        machine: Machine = Machine(),
        editing: int | None = None,
    ) -> Ended:
        """Run the program, or an editor without a screen that edits with this seed."""
        wish = {
            "arguments": [os.fsencode(each).decode("latin-1") for each in map(str, arguments)],
            "machine": asdict(machine), "out": str(self._out), "err": str(self._err),
            "editing": editing,
        }  # fmt: skip
        for path in (self._out, self._err):
            path.write_bytes(b"")
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        # The fork ends itself earlier; only who forks may hang.
        assert select.select([self._process.stdout], [], [], 2 * HANGS)[0], f"no answer to {wish}"
        ended = json.loads(self._process.stdout.readline())
        out, err = (path.read_text("utf-8", "replace") for path in (self._out, self._err))
        return Ended(ended["code"], out, err, ended["seconds"], ended["changes"])

    def close(self) -> None:
        self._process.communicate(timeout=HANGS)


@contextlib.contextmanager
def forked_program(folder: Path) -> Iterator[ForkedProgram]:
    program = ForkedProgram(folder)
    try:
        yield program
    finally:
        program.close()


def serve() -> None:
    """Fork for each line that is read."""
    load()
    gc.freeze()
    for line in sys.stdin:
        wish = json.loads(line)
        counted, count = os.pipe()
        began = time.monotonic()
        child = os.fork()
        if not child:
            os.close(counted)
            signal.alarm(int(HANGS))
            begin(wish, count)
            return
        os.close(count)
        if (dies := wish["machine"]["dies_after"]) is not None:
            # The pipe ends where the run does.
            select.select([counted], [], [], dies)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        seconds = time.monotonic() - began
        changes = int(os.read(counted, 100) or 0)
        os.close(counted)
        code = os.waitstatus_to_exitcode(status)
        print(json.dumps({"code": code, "seconds": seconds, "changes": changes}), flush=True)  # noqa: T201


def load() -> None:
    """Import what most runs need: else each does so for itself, which takes longer than all else."""
    # Not onnxruntime: a fork of a process that has it never ends.
    for module in (
        "PIL.PngImagePlugin", "numpy.random", "rich.progress", "dragonnx.cli.delivery",
        "dragonnx.document.outputs", "dragonnx.document.run", "dragonnx.inversion.session",
        "dragonnx.media", "dragonnx.model.library",
    ):  # fmt: skip
        import_module(module)

    import typer.main

    from dragonnx.cli.program import app

    typer.main.get_command(app)


def begin(wish: dict, count: int) -> None:
    """Arrange the machine, in the fork, and run the program.

    Args:
        wish: What to run, and where.
        count: A pipe for how many changes it made to the disk.
    """
    machine = Machine(**wish["machine"])
    for name, value in machine.env.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    os.chdir(machine.folder)
    if machine.folder_is_gone:
        Path(machine.folder).rmdir()
    forget_being_root()
    kinds = {0: machine.stdin, 1: machine.stdout, 2: machine.stderr}
    for number, place in enumerate((os.devnull, wish["out"], wish["err"])):
        redirect(number, kinds[number], place)
    # As the interpreter makes them where it starts.
    sys.stdin, sys.stdout, sys.stderr = (
        None
        if kinds[number] == "closed"
        else open(number, mode, encoding="utf-8", errors=errors, closefd=False)  # noqa: SIM115
        for number, mode, errors in (
            (0, "r", "strict"),
            (1, "w", "strict"),
            (2, "w", "backslashreplace"),
        )
    )
    if machine.largest_file is not None:
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (machine.largest_file, machine.largest_file))
    sys.argv = ["dragonnx", *(os.fsdecode(each.encode("latin-1")) for each in wish["arguments"])]

    if wish["editing"] is None:
        from dragonnx.cli import main
    else:
        from support.editing import edit

        main = partial(edit, wish["editing"])
    made = watch_changes(machine.dies_at_change)
    try:
        main()
    except SystemExit as end:
        os.write(count, str(len(made)).encode())
        # Taking the interpreter down takes longer than most runs; only what is printed needs it.
        if "file" == machine.stdout == machine.stderr:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(end.code)
        raise


def redirect(number: int, kind: str, place: str) -> None:
    """Have one of the standard streams be what the machine has there."""
    if kind == "closed":
        os.close(number)
        return
    if kind == "gone":
        read, handle = os.pipe()
        os.close(read)
    else:
        handle = os.open("/dev/full" if kind == "full" else place, os.O_RDWR | os.O_TRUNC)
    os.dup2(handle, number)
    os.close(handle)


def watch_changes(last: int) -> list[str]:
    """The changes to the disk from now on, as they come; before the last the process is killed."""
    made: list[str] = []

    def note(event: str, arguments: tuple) -> None:
        if event == "open":
            flags = arguments[2]
            if not isinstance(flags, int) or not flags & (os.O_WRONLY | os.O_RDWR):
                return
        elif event not in CHANGES:
            return
        made.append(event)
        if len(made) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(note)
    return made


def forget_being_root() -> None:
    """Have root refused as anybody else is, in this process."""
    libc = ctypes.CDLL(None)
    if os.geteuid() != 0 or not hasattr(libc, "capset"):
        return
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, twice 32 of each
    libc.capget(header, sets)
    for number in (0, 1):
        sets[number] &= ~sum(1 << each for each in _ROOT_READS_AND_WRITES)
    libc.capset(header, sets)


if __name__ == "__main__":
    serve()

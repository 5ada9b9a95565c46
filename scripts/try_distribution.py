"""Installs a wheel or an sdist as a stranger does, and drags: `try_distribution.py FILE ...`.

Lists what is in each file, refuses what is too large or holds what it must not (with `--look` no more),
installs them into a new environment of the Python that runs this, wheels without a compiler on the
PATH, and runs a drag.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import zipfile
from pathlib import Path

LARGEST = {".whl": 12e6, ".gz": 20e6}
"""Bytes of a file; a wheel holds the bundled model."""

POINT = "113,151:153,151"


def main() -> None:
    arguments = sys.argv[1:]
    only_look = arguments[:1] == ["--look"]
    files = [Path(each).resolve() for each in arguments[only_look:]]
    if not files:
        sys.exit("usage: try_distribution.py [--look] FILE ...: those that are installed together")
    for file in files:
        look_through(file)
    if not only_look:
        with tempfile.TemporaryDirectory() as folder:
            install(files, Path(folder))


def look_through(file: Path) -> None:
    """Print what is in it, and refuse what must not be."""
    contents = listing(file)
    print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB, {len(contents)} files")
    for name, size in sorted(contents.items()):
        print(f"{size:>10} {name}")
    if file.stat().st_size > LARGEST[file.suffix]:
        sys.exit(f"{file.name} is larger than {LARGEST[file.suffix] / 1e6:.0f} MB")
    if file.suffix != ".whl":
        return
    package = file.name.partition("-")[0]
    strange = [name for name in contents if not name.startswith((f"{package}/", f"{package}-"))]
    strange += [name for name in contents if name.endswith((".pyc", ".orig", ".tmp", "~"))]
    if strange:
        sys.exit(f"{file.name} holds what does not belong there: {', '.join(strange)}")
    if not any(name.endswith("LICENSE") for name in contents):
        sys.exit(f"{file.name} holds no licence")
    cores = [name for name in contents if name.startswith(f"{package}/_core.")]
    if package == "dragonnx" and len([name for name in cores if not name.endswith(".pyi")]) != 1:
        sys.exit(f"{file.name} must hold one compiled core, and holds {cores}")


def listing(file: Path) -> dict[str, int]:
    """The size of each file in it."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            return {each.filename: each.file_size for each in wheel.infolist()}
    with tarfile.open(file) as sdist:
        return {each.name: each.size for each in sdist if each.isfile()}


def install(files: list[Path], folder: Path) -> None:
    """Into a new environment, from which a drag is run."""
    venv.create(folder / "env", with_pip=True)
    programs = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
    # A wheel needs no compiler: where none is found, that is proved.
    surroundings = {k: v for k, v in os.environ.items() if k not in {"PYTHONPATH", "PYTHONHOME"}}
    if all(file.suffix == ".whl" for file in files):
        surroundings["PATH"] = str(programs)

    def run(program: str, *arguments: str) -> str:
        begun = time.perf_counter()
        done = subprocess.run(
            [programs / program, *arguments], cwd=folder, env=surroundings, check=False,
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        said = f"{' '.join([program, *arguments])}: {time.perf_counter() - begun:.1f} s"
        print(said, done.stdout, sep="\n", end="", flush=True)
        if done.returncode:
            sys.exit(f"{said}, and failed with {done.returncode}")
        return done.stdout

    print(f"Python {sys.version}")
    run(
        "python",
        "-m",
        "pip",
        "install",
        "--quiet",
        *(f"{file}[cpu]" if file.name.startswith("dragonnx-") else str(file) for file in files),
    )
    run("python", "-m", "pip", "check")
    run("python", "-m", "pip", "list")
    run("dragonnx", "--help")
    run("dragonnx", "doctor")
    run(
        "dragonnx",
        "drag",
        "--seed",
        "40",
        "--point",
        POINT,
        "--max-steps",
        "20",
        "-o",
        "dragged.png",
    )
    if any(file.name.startswith("dragonnx_export-") for file in files):
        run("dragonnx-export", "--help")
    if not (folder / "dragged.png").stat().st_size:
        sys.exit("the drag left no picture")


if __name__ == "__main__":
    main()

"""Autosaved documents: found when their editor is gone, and never mixed up."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.bundled import NOSE, NOSE_TARGET

from dragonnx.document import Document, Recovery, open_document, save_document
from dragonnx.errors import InputError
from dragonnx.locks import lock

DOCUMENT = Document().with_point(NOSE).with_point(NOSE_TARGET)


def left_behind(folder: Path, code: str) -> None:
    """Run code in a process that is killed; its file is `mine`."""
    start = (
        "import os; from pathlib import Path; from dragonnx.document import *; "
        "from dragonnx.files import atomic_path; mine = Recovery(Path()); "
        f"document = Document().with_point({NOSE}).with_point({NOSE_TARGET}); "
    )
    killed = subprocess.run(
        [sys.executable, "-c", f"{start}{code}; os.kill(os.getpid(), 9)"],
        cwd=folder, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert killed.returncode != 0
    assert killed.stderr == ""


def test_only_what_dead_editors_left_is_found(tmp_path: Path) -> None:
    left_behind(tmp_path, "mine.save(document, Path('cat.dragonnx'))")
    other = Recovery(tmp_path)
    other.save(DOCUMENT)
    mine = Recovery(tmp_path)
    mine.save(Document())
    (lost,) = mine.lost()
    assert lost.saved_as == tmp_path / "cat.dragonnx"
    assert mine.recover(lost).pairs == DOCUMENT.pairs
    mine.discard(lost)
    assert mine.lost() == []
    mine.clear()
    other.clear()
    assert list(tmp_path.iterdir()) == []


def test_editors_of_one_process_number_keep_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a container every editor is process 1."""
    monkeypatch.setattr("os.getpid", lambda: 1)
    editors = [Recovery(tmp_path) for _ in range(3)]
    for k, editor in enumerate(editors):
        editor.save(DOCUMENT if k else Document())
    assert len(list(tmp_path.glob("*.dragonnx"))) == 3
    assert Recovery(tmp_path).lost() == [], "all of them run"
    for editor in editors:
        editor.clear()


def test_the_newest_is_offered_first_and_all_are(tmp_path: Path) -> None:
    for name in ("a", "b"):
        left_behind(tmp_path, f"mine.save(document, Path('{name}.dragonnx'))")
    lost = Recovery(tmp_path).lost()
    newest = max((work.path for work in lost), key=lambda path: path.stat().st_mtime_ns)
    assert {work.saved_as.stem for work in lost} == {"a", "b"}
    assert lost[0].path == newest


def test_files_of_0_1_0_are_offered(tmp_path: Path) -> None:
    """They are named by the number of the process, and the note beside them is locked."""
    for number in (7, 4242):
        save_document(DOCUMENT, tmp_path / f"{number}.dragonnx")
        note = json.dumps({"saved_as": str(tmp_path / "cat.dragonnx")})
        (tmp_path / f"{number}.json").write_text(note, "utf-8")
    runs = os.open(tmp_path / "7.json", os.O_RDWR)
    assert lock(runs)
    recovery = Recovery(tmp_path)
    (lost,) = recovery.lost()
    assert (lost.path.name, lost.saved_as) == ("4242.dragonnx", tmp_path / "cat.dragonnx")
    assert recovery.recover(lost).pairs == DOCUMENT.pairs
    recovery.discard(lost)
    os.close(runs)
    assert {path.name for path in tmp_path.iterdir()} == {"7.dragonnx", "7.json"}


@pytest.mark.parametrize(
    "note",
    [b"", b"[", b"[" * 100_000, b"3", b'{"saved_as": 3}', b'{"saved_as": "a\\u0000"}', b"\xff"],
)
def test_lost_work_counts_whatever_its_note_holds(tmp_path: Path, note: bytes) -> None:
    save_document(DOCUMENT, tmp_path / "7.dragonnx")
    (tmp_path / "7.json").write_bytes(note)
    recovery = Recovery(tmp_path)
    (lost,) = recovery.lost()
    assert lost.saved_as is None
    assert recovery.recover(lost).pairs == DOCUMENT.pairs
    recovery.clear()


def test_what_was_half_written_is_no_work_and_goes_with_it(tmp_path: Path) -> None:
    left_behind(
        tmp_path,
        "mine.save(document); (path,) = Path().glob('[!.]*.dragonnx'); "
        "half = atomic_path(path); half.__enter__().write_bytes(b'PK'); "
        "Path(f'.{path.stem}-0a1b.dragonnx').touch()",  # as 0.1.0 called it
    )
    recovery = Recovery(tmp_path)
    assert len(list(tmp_path.glob(".*.dragonnx"))) == 2
    (lost,) = recovery.lost()
    assert recovery.recover(lost).pairs == DOCUMENT.pairs
    recovery.discard(lost)
    assert list(tmp_path.iterdir()) == []


def test_the_note_follows_the_name(tmp_path: Path) -> None:
    left_behind(
        tmp_path,
        "mine.save(document, Path('a-long-name-indeed.dragonnx')); "
        "mine.save(document, Path('b.dragonnx'))",
    )
    (lost,) = Recovery(tmp_path).lost()
    assert lost.saved_as == tmp_path / "b.dragonnx"


@pytest.mark.parametrize("note", [None, "", "{", '{"saved_as": 3}', "[]"])
def test_a_note_that_says_nothing_loses_no_work(tmp_path: Path, note: str | None) -> None:
    save_document(DOCUMENT, tmp_path / "1.dragonnx")
    if note is not None:
        (tmp_path / "1.json").write_text(note, "utf-8")
    (lost,) = Recovery(tmp_path).lost()
    assert lost.saved_as is None
    assert open_document(lost.path).pairs == DOCUMENT.pairs


def test_a_disk_that_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    recovery = Recovery(tmp_path / "file" / "autosave")
    with pytest.raises(InputError, match="autosave"):
        recovery.save(Document())
    assert recovery.lost() == []
    recovery.clear()


def test_lost_work_is_offered_to_one_editor(tmp_path: Path) -> None:
    left_behind(tmp_path, "mine.save(document)")
    one, other = Recovery(tmp_path), Recovery(tmp_path)
    (lost,) = one.lost()
    assert other.lost() == []
    assert one.lost() == [lost], "it stays this one's"
    one.release(lost)
    assert other.lost() == [lost]
    other.clear()
    assert one.lost() == [lost], "an end leaves it to others"
    one.discard(lost)
    assert list(tmp_path.iterdir()) == []


def test_who_was_offered_lost_work_and_is_killed_leaves_it(tmp_path: Path) -> None:
    left_behind(tmp_path, "mine.save(document)")
    left_behind(tmp_path, "(work,) = mine.lost(); mine.recover(work); mine.save(document)")
    assert len(Recovery(tmp_path).lost()) == 2, "its own copy too"


def test_editors_that_start_at_once_get_different_lost_work(tmp_path: Path) -> None:
    for name in "abcd":
        left_behind(tmp_path, f"mine.save(document, Path('{name}.dragonnx'))")
    claim = (
        "import sys; from pathlib import Path; from dragonnx.document import Recovery; "
        "mine = Recovery(Path()); print('ready', flush=True); sys.stdin.readline(); "
        "print(*(work.saved_as.stem for work in mine.lost()), flush=True); sys.stdin.readline()"
    )
    editors = [
        subprocess.Popen(
            [sys.executable, "-c", claim],
            cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        for _ in range(3)
    ]  # fmt: skip
    for editor in editors:
        assert editor.stdout.readline() == "ready\n"
    for editor in editors:
        editor.stdin.write("\n")
        editor.stdin.flush()
    offered = [editor.stdout.readline().split() for editor in editors]
    for editor in editors:
        editor.communicate("\n")
    assert sorted(name for names in offered for name in names) == list("abcd")


def test_a_note_without_a_document_goes_unless_its_editor_lives(tmp_path: Path) -> None:
    left_behind(tmp_path, "mine.save(document); next(Path().glob('[!.]*.dragonnx')).unlink()")
    living = Recovery(tmp_path)
    living.save(DOCUMENT)
    for path in tmp_path.glob("*.dragonnx"):
        path.unlink()
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert Recovery(tmp_path).lost() == []
    assert len(list(tmp_path.glob("*.json"))) == 1
    assert not living.is_there()
    living.save(DOCUMENT)
    assert living.is_there()
    assert Recovery(tmp_path).lost() == []
    living.clear()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_cleared_while_the_editor_runs_is_no_loss(tmp_path: Path) -> None:
    folder = tmp_path / "autosave"
    editor = Recovery(folder)
    editor.save(DOCUMENT)
    shutil.rmtree(folder)
    assert not editor.is_there()
    editor.save(DOCUMENT)
    assert editor.is_there()
    assert Recovery(folder).lost() == [], "it is locked again"
    editor.clear()


def test_without_locks_nothing_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the living's work is offered too, and whoever finds its copy gone writes it again."""
    monkeypatch.setattr("dragonnx.document.recovery.lock", lambda _handle: True)
    monkeypatch.setattr("dragonnx.locks.lock", lambda _handle: True)
    living = Recovery(tmp_path)
    living.save(DOCUMENT)
    other = Recovery(tmp_path)
    (offered,) = other.lost()
    assert other.recover(offered).pairs == DOCUMENT.pairs
    other.discard(offered)
    assert not living.is_there()
    living.save(DOCUMENT)
    assert len(Recovery(tmp_path).lost()) == 1


def test_without_a_home_folder_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DRAGONNX_STATE", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setattr("platformdirs.user_state_path", lambda _name: Path("~/.local/state"))
    recovery = Recovery()
    with pytest.raises(InputError, match=r"no home folder .*: set HOME to it, or DRAGONNX_STATE"):
        recovery.save(DOCUMENT)
    assert recovery.lost() == []
    assert not recovery.is_there()
    recovery.clear()

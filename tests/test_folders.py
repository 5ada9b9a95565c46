"""Folders replaced whole, whenever the process that does it is killed."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from dragonnx import folders
from dragonnx.folders import atomic_folder, remove_folder, restore_folders
from dragonnx.locks import lock


def contents(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8") for path in folder.iterdir()}


@pytest.fixture(params=["swapped", "in turn"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways in which a folder takes another one's place."""
    if request.param == "in turn":
        monkeypatch.setattr(folders, "_swapped", lambda _one, _other: False)
    return str(request.param)


def test_a_folder_takes_its_place_whole(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "f"
    for text in ("first", "second"):
        with atomic_folder(folder) as new:
            (new / text).write_text(text, "utf-8")
        assert contents(folder) == {text: text}
        assert list(tmp_path.iterdir()) == [folder]
    (tmp_path / "plain").mkdir()
    assert folder.stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_a_replaced_folder_keeps_its_rights(tmp_path: Path, way: str) -> None:
    folder = tmp_path / "f"
    folder.mkdir(0o700)
    with atomic_folder(folder) as new:
        (new / "a").touch()
    assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0


def test_a_name_as_long_as_a_file_system_takes(tmp_path: Path, way: str) -> None:
    for _ in range(2):
        with atomic_folder(tmp_path / ("y" * 250)) as folder:
            (folder / "a").touch()
    assert len(list(tmp_path.iterdir())) == 1


def test_a_link_is_replaced_and_what_it_points_to_is_not(tmp_path: Path, way: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a").write_text("kept", "utf-8")
    folder = tmp_path / "f"
    try:
        folder.symlink_to(tmp_path / "elsewhere")
    except OSError as error:
        pytest.skip(f"links cannot be made here: {error}")
    with atomic_folder(folder) as new:
        (new / "b").write_text("new", "utf-8")
    assert not folder.is_symlink()
    assert contents(folder) == {"b": "new"}
    assert contents(tmp_path / "elsewhere") == {"a": "kept"}


def test_a_folder_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "_swapped", lambda _one, _other: False)
    folder = tmp_path / "f"
    folder.mkdir()
    (folder / "a").write_text("old", "utf-8")
    with pytest.raises(RuntimeError), atomic_folder(folder):
        raise RuntimeError
    replace, moved = Path.replace, []

    def fail_second(source: Path, target: Path) -> Path:
        moved.append(target)
        if len(moved) == 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", fail_second)
    with pytest.raises(OSError, match="No space"), atomic_folder(folder):
        pass
    assert contents(folder) == {"a": "old"}
    assert list(tmp_path.iterdir()) == [folder]


KILLED_EVERYWHERE = """
import os, signal, sys
from pathlib import Path
from dragonnx import folders

root, action = Path(sys.argv[1]), sys.argv[2]
if sys.argv[3] == "in turn":
    folders._swapped = lambda one, other: False
folder, seen = root / "f", set()


def state():
    return folder.exists() and tuple(sorted(path.name for path in folder.iterdir()))


def work(name):
    if action == "remove":
        folders.remove_folder(folder)
        return
    with folders.atomic_folder(folder) as new:
        for part in ("1", "2"):
            (new / f"{name}-{part}").write_text("x")


def killed_at(count):
    left = count

    def hook(event, _arguments):
        nonlocal left
        if event.startswith(("os.", "open", "shutil.", "pathlib.", "tempfile.", "ctypes.", "fcntl.")):
            left -= 1
            if left < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


for count in range(1000):
    folders.restore_folders(root)
    if not folder.exists():
        folder.mkdir()
        for part in ("1", "2"):
            (folder / f"0-{part}").touch()
    before = state()
    child = os.fork()
    if not child:
        killed_at(count)
        work(count + 1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if action == "replace" and sys.argv[3] == "swapped":
        assert state(), (count, "nothing has the name")
    folders.restore_folders(root)
    after = state()
    whole = {before, False if action == "remove" else (f"{count + 1}-1", f"{count + 1}-2")}
    assert after in whole, (count, before, after)
    seen.add(after == before)
    left = [path.name for path in root.iterdir() if path != folder]
    assert left == [], (count, left)
    if status == 0:
        print(count, sorted(seen), len(left))
        break
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills itself in a copy of its process")
@pytest.mark.parametrize("action", ["replace", "remove"])
def test_killed_at_any_moment_the_old_or_the_new_one_is_there(
    tmp_path: Path, action: str, way: str
) -> None:
    """At every single call of the system that it makes, one after the other."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED_EVERYWHERE, tmp_path, action, way],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("[False, True] 0\n"), "killed before and after the change"


def test_what_a_living_process_makes_stays(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / "f") as new:
        (new / "a").write_text("mine", "utf-8")
        with atomic_folder(tmp_path / "g"):
            pass
        restore_folders(tmp_path)
        assert contents(new) == {"a": "mine"}
    assert contents(tmp_path / "f") == {"a": "mine"}


def left_over(parent: Path) -> Path:
    """What a killed process leaves that had moved a folder `f` aside."""
    left = parent / ".dragonnx-folder-0123456789abcdef"
    (left / "old" / "f").mkdir(parents=True)
    (left / "old" / "f" / "a").write_text("old", "utf-8")
    (left / "new").mkdir()
    left.with_suffix(".claim").touch()
    return left


def test_what_was_moved_aside_comes_back_only_where_nothing_has_its_name(tmp_path: Path) -> None:
    left_over(tmp_path)
    restore_folders(tmp_path)
    assert contents(tmp_path / "f") == {"a": "old"}
    (tmp_path / "f" / "a").write_text("newer", "utf-8")
    left_over(tmp_path)
    restore_folders(tmp_path)
    assert contents(tmp_path / "f") == {"a": "newer"}
    assert list(tmp_path.iterdir()) == [tmp_path / "f"]


def test_without_locks_nobody_is_taken_for_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = left_over(tmp_path)
    monkeypatch.setattr(folders, "lock", lambda _handle: True)
    restore_folders(tmp_path)
    assert (left / "old" / "f" / "a").exists()


def test_a_claim_without_its_folder_goes_and_one_that_is_held_stays(tmp_path: Path) -> None:
    left = left_over(tmp_path)
    handle = os.open(left.with_suffix(".claim"), os.O_RDWR)
    assert lock(handle)
    (tmp_path / ".dragonnx-folder-fedcba9876543210.claim").touch()
    restore_folders(tmp_path)
    assert (left / "new").exists()
    assert {path.name for path in tmp_path.iterdir()} == {left.name, f"{left.name}.claim"}
    os.close(handle)
    restore_folders(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["f"]


def test_what_cannot_be_removed_yet_is_removed_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(folders.shutil, "rmtree", lambda *_arguments, **_settings: None)
        remove_folder(tmp_path / "f")
    assert not (tmp_path / "f").exists()
    assert list(tmp_path.iterdir()) != []
    restore_folders(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_links_in_what_is_left_lead_nowhere(tmp_path: Path) -> None:
    """A folder that a stranger packed may look like one of ours."""
    home = tmp_path / "home"
    (home / "f").mkdir(parents=True)
    (home / "f" / "a").write_text("mine", "utf-8")
    place = tmp_path / "place"
    place.mkdir()
    left = left_over(place)
    (left / "old" / "f" / "a").unlink()
    (left / "old" / "f").rmdir()
    (left / "old").rmdir()
    try:
        (left / "old").symlink_to(home)
    except OSError as error:
        pytest.skip(f"links cannot be made here: {error}")
    (place / ".dragonnx-folder-1").symlink_to(home)
    (place / ".dragonnx-folder-1.claim").touch()
    restore_folders(place)
    assert contents(home / "f") == {"a": "mine"}


def test_other_hidden_folders_are_none_of_ours(tmp_path: Path) -> None:
    (tmp_path / ".git-backup").mkdir()
    (tmp_path / ".git-backup" / "x").touch()
    with atomic_folder(tmp_path / "f"):
        pass
    assert (tmp_path / ".git-backup" / "x").exists()


def test_a_folder_is_removed_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").mkdir()
    (tmp_path / "f" / "a").touch()
    with monkeypatch.context() as patch:
        patch.setattr(folders, "move", lambda *_: (_ for _ in ()).throw(PermissionError()))
        with pytest.raises(PermissionError):
            remove_folder(tmp_path / "f")
    assert (tmp_path / "f" / "a").exists()
    remove_folder(tmp_path / "f")
    assert list(tmp_path.iterdir()) == []


def test_locks_tell_the_living_here(tmp_path: Path) -> None:
    """Else the tests above show nothing."""
    path = tmp_path / "x"
    path.touch()
    handles = [os.open(path, os.O_RDWR) for _ in range(2)]
    if not (lock(handles[0]) and not lock(handles[1])):
        pytest.skip("this file system has no locks")
    for handle in handles:
        os.close(handle)

"""Models by name: finding them, adding one to the user's own, removing it."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.altered_bundles import edit_graph
from support.program import dragonnx

from dragonnx import Generator
from dragonnx.errors import BundleError, InputError
from dragonnx.model.bundle import Bundle
from dragonnx.model.library import (
    add_bundle,
    find_bundle,
    is_path,
    known_bundles,
    known_models,
    model_name,
    remove_bundle,
    user_models_folder,
)
from dragonnx.runtime import Graph


@pytest.fixture(autouse=True)
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of models, not there yet."""
    folder = tmp_path / "cache" / "models"
    monkeypatch.setenv("DRAGONNX_MODELS", str(folder))
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of another name than the bundled model's, with a file that is none of its own."""
    folder = Path(shutil.copytree(find_bundle("critters"), tmp_path / "exported"))
    facts = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps({**facts, "name": "beasts"}))
    (folder / "notes.txt").write_text("mine")
    return folder


def models(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return dragonnx("models", *arguments)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(BundleError, match=r"no model 'lions': known are critters;"):
        find_bundle("lions")


def test_a_folder_that_is_not_there() -> None:
    with pytest.raises(BundleError, match="there is no bundle folder"):
        find_bundle("./nowhere")


def test_a_file_or_an_address_in_a_folders_place_is_told_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "network.pkl"
    checkpoint.write_bytes(b"")
    with pytest.raises(BundleError, match="it is a file: of a checkpoint `dragonnx-export FILE"):
        find_bundle(checkpoint)
    monkeypatch.chdir(tmp_path)
    for asked in (find_bundle, lambda name: add_bundle(Path(name))):
        with pytest.raises(BundleError, match=r"network.pkl.*; it is a file: of a checkpoint"):
            asked("network.pkl")
    with pytest.raises(BundleError, match="it is an address: download the bundle"):
        find_bundle("https://example.org/bundle")


@pytest.mark.parametrize(
    "name", ["x" * 300, "./" + "x" * 300, "a\0b", "./a\0b", "", "~nobody-of-this-name/m"]
)
def test_a_name_that_nothing_can_have(name: str) -> None:
    with pytest.raises(BundleError, match=r"there is no (model|bundle folder)") as refused:
        find_bundle(name)
    assert "\n" not in str(refused.value)
    with contextlib.suppress(BundleError):
        model_name(name)


def test_the_bundled_models_name_always_means_the_bundled_model(
    bundle: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = find_bundle("critters")
    monkeypatch.chdir(tmp_path)
    for place in (own / "critters", tmp_path / "critters"):
        shutil.copytree(bundle, place)
    assert find_bundle("critters") == shipped
    assert model_name("critters") == "critters"
    assert [folder.name for folder in known_bundles()] == ["critters"]
    with pytest.raises(InputError, match="belongs to dragonnx itself"):
        remove_bundle("critters")
    # A folder is meant by its path.
    assert find_bundle("./critters").resolve() == tmp_path / "critters"
    assert find_bundle(str(own / "critters")) == own / "critters"
    assert model_name("./critters") == str((tmp_path / "critters").resolve())


def test_a_word_is_a_known_name_before_it_is_a_folder_here(
    bundle: Path, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert find_bundle("exported") == Path("exported")
    assert model_name("exported") == str(bundle.resolve())
    add_bundle(bundle, "exported")
    assert find_bundle("exported") == own / "exported"
    assert model_name("exported") == "exported"
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match=r"no model 'empty' \(the folder here is \./empty\)"):
        find_bundle("empty")


def test_a_folder_that_was_moved_aside_is_found_again(bundle: Path, own: Path) -> None:
    """A killed run leaves it so on systems that cannot swap two folders."""
    for place, model in ((own, "beasts"), (bundle.parent, str(bundle.parent / "beasts"))):
        left = place / ".dragonnx-folder-0123456789abcdef"
        (left / "old").mkdir(parents=True)
        shutil.copytree(bundle, left / "old" / "beasts")
        left.with_suffix(".claim").touch()
        assert find_bundle(model) == place / "beasts"
        assert not left.exists()


def test_without_a_folder_of_ones_own_there_are_the_bundled_ones(own: Path) -> None:
    assert user_models_folder() == own
    assert [folder.name for folder in known_bundles()] == ["critters"]


def test_an_added_bundle_is_found_by_name_and_is_whole(bundle: Path, own: Path) -> None:
    assert add_bundle(bundle) == own / "beasts" == find_bundle("beasts")
    assert [folder.name for folder in known_bundles()] == ["critters", "beasts"]
    shutil.rmtree(bundle)
    generator = Generator.open("beasts", device="cpu")
    expected = Generator.open("critters", device="cpu")
    w_plus = generator.w_plus(1)
    np.testing.assert_array_equal(generator.image(w_plus), expected.image(w_plus))
    assert [path.name for path in own.iterdir()] == ["beasts"], "nothing else is left behind"
    assert not (own / "beasts" / "notes.txt").exists()


def test_a_name_of_ones_choice_is_the_bundles_name_then(bundle: Path) -> None:
    """Else a recipe would name the model as nobody can open it."""
    add_bundle(bundle, "my-beasts.2")
    assert Bundle.open(find_bundle("my-beasts.2")).manifest.name == "my-beasts.2"


def test_a_taken_name_is_replaced_only_when_told_to(bundle: Path, own: Path) -> None:
    add_bundle(bundle)
    kept = {path.name: path.stat().st_mtime_ns for path in (own / "beasts").iterdir()}
    with pytest.raises(InputError, match=r"a model beasts already, in .*--overwrite"):
        add_bundle(bundle)
    assert {path.name: path.stat().st_mtime_ns for path in (own / "beasts").iterdir()} == kept
    (own / "beasts" / "weights.bin").unlink()
    add_bundle(bundle, overwrite=True)
    Bundle.open(own / "beasts")
    with pytest.raises(InputError, match="is the model beasts already"):
        add_bundle(own / "beasts", overwrite=True)
    assert [path.name for path in own.iterdir()] == ["beasts"]


def test_a_folder_that_is_no_bundle_is_never_replaced(bundle: Path, own: Path) -> None:
    (own / "beasts").mkdir(parents=True)
    (own / "beasts" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match="is no bundle: move it away"):
        add_bundle(bundle, overwrite=True)
    assert (own / "beasts" / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    "name",
    [
        "", "..", ".hidden", "a/b", "a\\b", "two words", "-o", "x" * 65,
        "aux", "CON", "nul.txt", "com1", "Lpt9.v2", "ends-in.",
    ],
)  # fmt: skip
def test_a_name_that_is_no_folders_name(bundle: Path, own: Path, name: str) -> None:
    with pytest.raises(InputError, match="cannot be called"):
        add_bundle(bundle, name)
    assert not own.exists()


def test_the_bundled_models_name_is_its_own(bundle: Path) -> None:
    with pytest.raises(InputError, match="ships with dragonnx: choose another --name"):
        add_bundle(bundle, "critters")
    with pytest.raises(InputError, match="ships with dragonnx"):
        add_bundle(bundle, "Critters")


def test_a_damaged_bundle_is_not_added(bundle: Path, own: Path) -> None:
    content = bytearray((bundle / "weights.bin").read_bytes())
    content[0] ^= 1
    (bundle / "weights.bin").write_bytes(content)
    with pytest.raises(BundleError, match=r"^weights\.bin of the bundle .* was altered"):
        add_bundle(bundle)
    assert not own.exists()


def test_what_opens_not_afterwards_is_not_added(
    bundle: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit_graph(bundle, "image.onnx", lambda model: setattr(model.graph.output[0], "name", "evil"))
    with pytest.raises(BundleError, match="no node gives its output 'evil'"):
        add_bundle(bundle)
    assert not own.exists()


def test_what_onnx_runtime_cannot_load_is_not_added(
    bundle: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever else it finds to refuse; graphs are loaded before the copy has its name."""
    load, loaded = Graph.__init__, []

    def failing(self: Graph, path: Path, *arguments: object) -> None:
        loaded.append(path.name)
        if len(loaded) == 13:
            path = path.with_name("nowhere.onnx")
        load(self, path, *arguments)

    monkeypatch.setattr(Graph, "__init__", failing)
    with pytest.raises(BundleError, match="ONNX Runtime cannot load"):
        add_bundle(bundle)
    assert len(set(loaded)) == 13
    assert list(own.iterdir()) == []


def test_a_file_that_changes_while_it_is_copied_is_not_added(
    bundle: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other(source: Path, target: Path) -> None:
        target.write_bytes(bytes(source.stat().st_size))

    monkeypatch.setattr(shutil, "copyfile", other)
    with pytest.raises(BundleError, match="was altered"):
        add_bundle(bundle)
    assert list(own.iterdir()) == []


def test_what_is_being_copied_has_no_name(bundle: Path, own: Path) -> None:
    shutil.copytree(bundle, own / ".beasts-x1" / "new")
    shutil.copytree(bundle, own / ".beasts")
    assert [folder.name for folder in known_bundles()] == ["critters"]


def test_removing(bundle: Path, own: Path) -> None:
    add_bundle(bundle)
    assert remove_bundle("beasts") == own / "beasts"
    assert list(own.iterdir()) == []
    with pytest.raises(InputError, match="no model 'beasts' of your own: you have none"):
        remove_bundle("beasts")
    with pytest.raises(InputError, match="belongs to dragonnx itself"):
        remove_bundle("critters")
    with pytest.raises(InputError, match="no model"):
        remove_bundle("../exported")


def test_a_linked_bundle_is_removed_as_a_link(bundle: Path, own: Path) -> None:
    own.mkdir(parents=True)
    try:
        (own / "linked").symlink_to(bundle)
    except OSError as error:
        pytest.skip(f"links cannot be made here: {error}")
    remove_bundle("linked")
    assert (bundle / "manifest.json").is_file()
    assert list(own.iterdir()) == []


def test_a_bundle_that_cannot_be_used_says_why_in_the_list(own: Path) -> None:
    (own / "broken").mkdir(parents=True)
    (own / "broken" / "manifest.json").write_text("{")
    assert any(line.startswith("broken: unusable. ") for line in known_models())


def test_a_folder_of_models_that_cannot_be_read(
    bundle: Path, own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_bundle(bundle)
    listed = Path.iterdir

    def refused(folder: Path) -> Iterator[Path]:
        if folder == own:
            raise PermissionError(13, "Permission denied")
        return listed(folder)

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(BundleError, match=r"models cannot be read \(Permission denied\)"):
        find_bundle("beasts")
    assert find_bundle("critters").name == "critters"


def test_the_commands(bundle: Path, own: Path, tmp_path: Path) -> None:
    added = models("add", bundle, "--name", "zoo")
    assert (added.returncode, added.stdout) == (0, "")
    assert "dragonnx generate --model zoo -o out.png" in added.stderr
    for listing in (models(), models("list")):
        assert listing.returncode == 0
        assert [line.split(":")[0] for line in listing.stdout.splitlines()] == ["critters", "zoo"]
    (tmp_path / "file").write_text("x")
    for arguments, message in (
        (("add", bundle, "--name", "zoo"), "a model zoo already"),
        (("add", tmp_path / "nowhere"), "is no model bundle"),
        (("add", tmp_path / "file"), "is no model bundle"),
        (("add", tmp_path), "is no model bundle"),
        (("remove", "lions"), "no model 'lions' of your own: you have zoo"),
        (("add",), "Missing argument"),
    ):
        refused = models(*arguments)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
        assert message in refused.stderr
    assert models("add", bundle, "--name", "zoo", "--overwrite").returncode == 0
    assert models("remove", "zoo").returncode == 0
    assert list(own.iterdir()) == []


def test_a_place_that_cannot_be_written(bundle: Path, own: Path) -> None:
    own.parent.mkdir(parents=True)
    own.write_text("a file where the folder should be")
    with pytest.raises(InputError, match="cannot be added to"):
        add_bundle(bundle)
    assert [folder.name for folder in known_bundles()] == ["critters"]


@pytest.fixture
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Where the user's models are, and where 0.1.0 put them, as the system would say."""
    monkeypatch.delenv("DRAGONNX_MODELS")
    monkeypatch.setattr("platformdirs.user_data_path", lambda name: tmp_path / "data" / name)
    monkeypatch.setattr("platformdirs.user_cache_path", lambda name: tmp_path / "cache" / name)
    return tmp_path / "data/dragonnx/models", tmp_path / "cache/dragonnx/models"


def test_models_are_data_and_those_in_the_cache_are_still_found(
    bundle: Path, places: tuple[Path, Path]
) -> None:
    data, cache = places
    shutil.copytree(bundle, cache / "old")
    assert add_bundle(bundle) == data / "beasts" == find_bundle("beasts")
    assert find_bundle("old") == cache / "old"
    assert [folder.name for folder in known_bundles()] == ["critters", "beasts", "old"]
    shutil.copytree(bundle, cache / "beasts")
    assert find_bundle("beasts") == data / "beasts", "the user's folder comes first"
    assert [folder.name for folder in known_bundles()] == ["critters", "beasts", "old"]
    remove_bundle("old")
    remove_bundle("beasts")
    assert [folder.name for folder in known_bundles()] == ["critters"]
    assert list(cache.iterdir()) == []


def test_a_model_in_the_cache_is_replaced_in_the_data_folder(
    bundle: Path, places: tuple[Path, Path]
) -> None:
    data, cache = places
    shutil.copytree(bundle, cache / "beasts")
    with pytest.raises(InputError, match=r"a model beasts already, in .*cache.*--overwrite"):
        add_bundle(bundle)
    with pytest.raises(InputError, match="is the model beasts already"):
        add_bundle(cache / "beasts", overwrite=True)
    assert add_bundle(bundle, overwrite=True) == data / "beasts"
    assert list(cache.iterdir()) == []


def test_a_model_in_use_is_left_whole(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows moves no folder with a file that is open."""

    def in_use(_source: Path, _target: Path) -> None:
        raise PermissionError(13, "The file is in use")

    added = add_bundle(bundle)
    before = {path.name: path.read_bytes() for path in added.iterdir()}
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", in_use)
        patch.setattr("dragonnx.folders._swapped", lambda _one, _other: False)
        with pytest.raises(InputError, match=r"cannot be removed \(The file is in use\)"):
            remove_bundle("beasts")
        with pytest.raises(InputError, match=r"cannot be added .*\(The file is in use\)"):
            add_bundle(bundle, overwrite=True)
    assert {path.name: path.read_bytes() for path in added.iterdir()} == before
    assert [path.name for path in added.parent.iterdir()] == ["beasts"]


@given(
    st.lists(st.text("ab.", min_size=1, max_size=3), min_size=2, max_size=4),
    st.lists(st.sampled_from("/\\"), min_size=3, max_size=3),
    st.sampled_from(["", "C:", "C:\\", "\\\\server\\share\\", "/"]),
)
def test_what_windows_parts_is_a_path_there(
    parts: list[str], separators: list[str], root: str
) -> None:
    text = root + parts[0] + "".join(s + p for s, p in zip(separators, parts[1:], strict=False))
    assert is_path(text, PureWindowsPath)
    assert is_path(text.replace("\\", "/"), PurePosixPath)


@given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True))
def test_a_models_name_is_no_path_anywhere(name: str) -> None:
    assert not is_path(name, PureWindowsPath)
    assert not is_path(name, PurePosixPath)


def test_a_model_is_named_so_that_every_folder_finds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert model_name("critters") == "critters"
    assert model_name("no such model") == "no such model"
    folder = str(tmp_path.resolve() / "mine")
    assert model_name("./mine") == model_name(Path("mine")) == model_name(folder) == folder

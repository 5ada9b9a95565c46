"""The bundles that have a name: those inside the package, and the user's own."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterator
from pathlib import Path, PurePath

from dragonnx.errors import BundleError, InputError
from dragonnx.folders import atomic_folder, remove_folder, restore_folders
from dragonnx.model.bundle import PACKAGE_MODELS, Bundle, read_manifest
from dragonnx.model.facts import MANIFEST_NAME
from dragonnx.model.manifest import Manifest
from dragonnx.paths import address_in, is_portable_name, portable_name, typed_path, user_folder


def open_bundle(model: str | Path) -> Bundle:
    """Find a bundle by its name or by its path and verify all of it.

    Raises:
        BundleError: There is no such bundle, or a file is missing, altered, or outside.
    """
    return Bundle.open(find_bundle(model))


def find_bundle(model: str | Path) -> Path:
    """The folder of a bundle, by its name or by its path.

    A text that is no path is a name: first of all that of a bundle inside the package, then of one of
    the user's own. Where there is none it may be a bundle's folder in the working folder.

    Raises:
        BundleError: There is no such bundle.
    """
    text = str(model)
    folder = _folder_of(model)
    if folder is None:
        names = ", ".join(sorted({known.name for known in known_bundles()}))
        if instead := _instead(Path(text)):
            raise BundleError(f"there is no model {text!r}{instead}")
        here = f" (the folder here is ./{text})" if _is_folder(Path(text)) else ""
        raise BundleError(
            f"there is no model {text!r}{here}: known are {names}; a bundle elsewhere is named by its "
            f"folder's path or added with `dragonnx models add`, and new ones are made by "
            f"dragonnx-export"
        )
    if not _is_folder(folder):
        with contextlib.suppress(OSError, ValueError):  # a name that no folder can have
            restore_folders(folder.parent)
    if not _is_folder(folder):
        raise BundleError(
            f"there is no bundle folder {address_in(folder) or folder}{_instead(folder)}"
        )
    return folder


def _instead(path: Path) -> str:
    """What a path is that is no folder, and what to do."""
    if address_in(path):
        return "; it is an address: download the bundle and give its folder"
    with contextlib.suppress(OSError, ValueError):  # a name that nothing can have
        if path.is_file():
            return (
                "; it is a file: of a checkpoint `dragonnx-export FILE -o FOLDER` makes a bundle, "
                "and of a file in a bundle give the folder"
            )
    return ""


def model_name(model: str | Path) -> str:
    """How to name a model so that it is found from every folder: by its name, or its folder's path.

    Whether there is one is another question.
    """
    text = str(model)
    is_word = not (isinstance(model, Path) or is_path(text))
    if is_word and (_known(text) or not _is_bundle(Path(text))):
        return text
    with contextlib.suppress(OSError, ValueError, RuntimeError):  # a path that nothing can have
        return str(typed_path(text).resolve())
    return text


def is_path(text: str, system: type[PurePath] = PurePath) -> bool:
    """Whether a model is named by a path; the system says which characters part one."""
    return text.startswith((".", "~")) or system(text).name != text


def _folder_of(model: str | Path) -> Path | None:
    """The folder of a model, which may not be there where it is named by its path."""
    text = str(model)
    if isinstance(model, Path) or is_path(text):
        return typed_path(text)
    return _known(text) or (Path(text) if _is_bundle(Path(text)) else None)


def _known(name: str) -> Path | None:
    """The folder of a bundle that has this name."""
    return next((folder for folder in known_bundles() if folder.name == name), None)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a name that no folder can have
        return False


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have, or a folder that is not for us to look into
        return False


def _is_bundle(folder: Path) -> bool:
    """Whether there is a manifest in a folder that is named by a word."""
    return folder != Path() and _is_file(folder / MANIFEST_NAME)


def known_bundles() -> Iterator[Path]:
    """The folders of the bundles that have a name: those in the package, then the user's."""
    yield from _bundles_in(PACKAGE_MODELS)
    yield from _own_bundles().values()


def user_models_folder() -> Path:
    """Where a user's own bundles are kept; DRAGONNX_MODELS names another place.

    Raises:
        InputError: There is no home folder.
    """
    return user_folder("data", "DRAGONNX_MODELS", "models")


def add_bundle(folder: Path, name: str | None = None, *, overwrite: bool = False) -> Path:
    """Copy a bundle to the user's own, where its name finds it; all of it or nothing.

    Args:
        folder: The bundle; every file is verified first, and only files of the bundle are copied.
        name: What to call it; None is the name that it has.
        overwrite: Whether an own bundle of that name may be replaced.

    Returns:
        The folder of the copy.

    Raises:
        BundleError: The folder is no bundle, or damaged, or ONNX Runtime cannot load a graph of it.
        DeviceError: ONNX Runtime is not installed.
        InputError: The name cannot be used or is taken, or the copy cannot be written.
    """
    if not _is_folder(folder):
        why = _instead(folder) or ": there is no such folder"
        raise BundleError(f"{address_in(folder) or folder} is no model bundle{why}")
    bundle = Bundle.open(folder)
    name = bundle.manifest.name if name is None else name
    target = user_models_folder() / _checked_name(name)
    taken = _own_bundles().get(name)
    if taken is not None and taken.resolve() == folder.resolve():
        raise InputError(f"{folder} is the model {name} already")
    if target.exists() and not (target / MANIFEST_NAME).is_file():
        raise InputError(f"{target} is no bundle: move it away, or choose another --name")
    if (taken is not None or target.exists()) and not overwrite:
        raise InputError(
            f"there is a model {name} already, in {taken or target}: choose another --name, or "
            "pass --overwrite to replace it"
        )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(target) as copy:
            for file in bundle.manifest.files:
                shutil.copyfile(bundle.path(file), copy / file)
            manifest = dataclasses.replace(bundle.manifest, name=name)
            (copy / MANIFEST_NAME).write_text(manifest.to_json(), "utf-8", newline="\n")
            _check_loads(Bundle.open(copy))
        if taken is not None and taken.parent != target.parent:
            remove_folder(taken)
    except OSError as error:
        reason = error.strerror or error
        raise InputError(
            f"the model {name} cannot be added to {target.parent} ({reason})"
        ) from error
    return target


def _check_loads(bundle: Bundle) -> None:
    """Load every graph once, as whoever opens the bundle does.

    Raises:
        BundleError: One cannot be loaded.
        DeviceError: ONNX Runtime is not installed.
    """
    from dragonnx.runtime import HOST, Graph  # not for a list of models

    for record in bundle.manifest.runnable:
        Graph(bundle.path(record.file), HOST, 1).close()


def remove_bundle(name: str) -> Path:
    """Delete one of the user's own bundles.

    Returns:
        The folder that is gone.

    Raises:
        InputError: There is no own bundle of that name, or it cannot be deleted.
    """
    own = _own_bundles()
    if name not in own:
        if _ships(name):
            raise InputError(f"the model {name} belongs to dragonnx itself and cannot be removed")
        raise InputError(
            f"there is no model {name!r} of your own: you have {', '.join(own) or 'none'}"
        )
    try:
        # In both places it would only change places.
        for root in _own_folders():
            if (root / name / MANIFEST_NAME).is_file():
                remove_folder(root / name)
    except OSError as error:
        raise InputError(f"{own[name]} cannot be removed ({error.strerror or error})") from error
    return own[name]


def known_manifests() -> Iterator[tuple[Path, Manifest | BundleError]]:
    """The folder of each bundle with a name, and its manifest, or why it cannot be used."""
    for folder in known_bundles():
        try:
            yield folder, read_manifest(folder)
        except BundleError as error:
            yield folder, error


def known_models() -> Iterator[str]:
    """One line for each model with a name; one that cannot be used says why."""
    for folder, found in known_manifests():
        if isinstance(found, BundleError):
            yield f"{folder.name}: unusable. {found}"
        else:
            yield f"{folder.name}: {found.image_size[1]} x {found.image_size[0]} px, {folder}"


def _bundles_in(root: Path) -> Iterator[Path]:
    """The bundle folders in a folder, by name; what is only being copied there is hidden.

    Raises:
        BundleError: The folder is there and cannot be read.
    """
    try:
        folders = sorted(root.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise BundleError(f"{root} cannot be read ({error.strerror or error})") from error
    for folder in folders:
        if not folder.name.startswith(".") and _is_file(folder / MANIFEST_NAME):
            yield folder


def _own_folders() -> list[Path]:
    """Where a user's bundles are looked for: their folder, then where 0.1.0 kept them."""
    try:
        folders = [user_models_folder()]
    except InputError:  # without a home folder there is no place that anything was kept in
        return []
    if not os.environ.get("DRAGONNX_MODELS"):
        import platformdirs

        folders.append(platformdirs.user_cache_path("dragonnx") / "models")
    return folders


def _own_bundles() -> dict[str, Path]:
    """The user's bundles by name; of two with one name that in the user's folder."""
    found: dict[str, Path] = {}
    for root in _own_folders():
        restore_folders(root)
        for folder in _bundles_in(root):
            found.setdefault(folder.name, folder)
    # What ships with dragonnx has its name alone, whoever put a folder of that name there.
    return {name: folder for name, folder in found.items() if not _ships(name)}


def _checked_name(name: str) -> str:
    """The name, where every system takes it for a folder and it is free.

    Raises:
        InputError: It cannot be used.
    """
    if not is_portable_name(name):
        fitting = portable_name(name)
        example = f", such as {fitting}" if fitting else ""
        raise InputError(
            f"a model cannot be called {name!r}: give it a --name of letters, digits and -_. alone{example}, "
            "that every system takes for a folder (not aux, con, com1 ... or a dot last)"
        )
    if _ships(name):
        raise InputError(
            f"the name {name} is that of the model that ships with dragonnx: choose another --name"
        )
    return name


def _ships(name: str) -> bool:
    """Whether a bundle inside the package has this name.

    Systems that make no difference between capitals and small letters would find either.
    """
    return name.lower() in {folder.name.lower() for folder in _bundles_in(PACKAGE_MODELS)}

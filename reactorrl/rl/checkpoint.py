"""Checkpoints: a tree of arrays and plain values in one file that NumPy can open.

The file is an uncompressed zip archive, like `numpy.savez`'s: one `.npy` member for each array,
named by its path in the tree, then `tree.json` with all the rest and `header.json` with what wrote
it. Loading runs nothing from the file: arrays are read without pickle, and their sizes are checked
against the file's before memory is taken for them.
"""

from __future__ import annotations

import json
import os
import platform
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from reactorrl import __version__
from reactorrl.errors import ReactorError

Tree: TypeAlias = Any
"""Nested dicts, lists and tuples of arrays, numbers, texts, bools and None."""

FORMAT = "reactorrl checkpoint"
VERSION = 1

_ARRAY = "__array__"  # {"__array__": "name of the member"} stands for an array in tree.json
_KINDS = "biufcSU"  # of dtypes: everything that is no object and has no fields
_LIBRARIES = ("numpy", "gymnasium", "torch", "ale-py", "pettingzoo")
_SUFFIX = ".npy"


class CheckpointError(ReactorError):
    """A checkpoint cannot be read, or belongs to another program; the text names the file."""


def save(path: str | os.PathLike[str], tree: Tree, header: Mapping[str, Any]) -> None:
    """Write a checkpoint; a file that was there is replaced at once or stays as it was.

    Arrays are written one after the other, without a second copy of any in memory.

    Args:
        path: The file; its folder exists.
        tree: What to save. Tuples come back as lists, NumPy's scalars as Python's, keys as texts.
        header: What JSON can say about it; `format`, `version` and `libraries` are added.

    Raises:
        TypeError: The tree holds something else, or an array of objects.
        OSError: The file cannot be written.
    """
    path = Path(path)
    libraries = {"reactorrl": __version__, "python": platform.python_version()}
    libraries |= {name: version for name in _LIBRARIES if (version := _version(name))}
    full_header = {"format": FORMAT, "version": VERSION, "libraries": libraries, **header}
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    texts = {"tree.json": _plain(tree, "", arrays), "header.json": full_header}
    encoded = {name: json.dumps(content) for name, content in texts.items()}

    temporary = path.with_name(f".{path.name}.part")
    try:
        with open(temporary, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, array in arrays.items():
                    with archive.open(name + _SUFFIX, "w", force_zip64=True) as member:
                        np.lib.format.write_array(member, array, allow_pickle=False)
                for name, text in encoded.items():
                    archive.writestr(name, text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(path.parent)


def load(path: str | os.PathLike[str]) -> tuple[Tree, dict[str, Any]]:
    """Read a checkpoint.

    Returns:
        The tree, with arrays of its own, and the header.

    Raises:
        CheckpointError: There is no such file, or it is damaged, or none of ours.
    """
    try:
        with open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            _check_sizes(archive, os.fstat(file.fileno()).st_size)
            header = json.loads(archive.read("header.json"))
            _check_format(header)
            return _filled(json.loads(archive.read("tree.json")), archive), header
    except _ForeignError as error:
        raise CheckpointError(f"{path}: {error}") from None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (
        # What zipfile, json and NumPy raise at damaged bytes, wherever these are.
        *(zipfile.BadZipFile, EOFError, KeyError, ValueError, TypeError, NotImplementedError),
        *(RecursionError, RuntimeError, MemoryError),
    ) as error:
        raise CheckpointError(
            f"{path}: damaged, or no checkpoint of reactorrl: {type(error).__name__}: {error}"
        ) from error


def differences(saved: Mapping[str, Any], asked: Mapping[str, Any]) -> list[str]:
    """Say in which options two programs differ, one text each: `gamma: 0.9 saved, 0.99 now`."""
    theirs, ours = (_plain(dict(each), "", {}) for each in (saved, asked))
    return [
        f"{name}: {theirs.get(name, 'nothing')} saved, {ours.get(name, 'nothing')} now"
        for name in sorted({*theirs, *ours})
        if theirs.get(name) != ours.get(name)
    ]


class _ForeignError(Exception):
    pass


def _plain(value: Tree, path: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """Return what JSON can say, with a name for each array, which goes into `arrays`."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value.item() if isinstance(value, np.generic) else value
    if isinstance(value, np.generic) and value.dtype.kind in "biuf":
        return value.item()
    if isinstance(value, np.ndarray) and value.dtype.kind in _KINDS:
        name = path or "array"
        while name in arrays:
            name += "_"
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, Mapping) and _ARRAY not in value:
        return {
            str(key): _plain(each, f"{path}/{key}".lstrip("/"), arrays)
            for key, each in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [_plain(each, f"{path}/{i}".lstrip("/"), arrays) for i, each in enumerate(value)]
    what = f"dtype {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
    raise TypeError(f"{path or 'the tree'} cannot be saved in a checkpoint: {what}")


def _filled(value: Any, archive: zipfile.ZipFile) -> Tree:
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            return _read_array(archive, value[_ARRAY])
        return {key: _filled(each, archive) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, archive) for each in value]
    return value


def _read_array(archive: zipfile.ZipFile, name: str) -> np.ndarray[Any, Any]:
    info = archive.getinfo(name + _SUFFIX)
    with archive.open(info) as member:
        version = np.lib.format.read_magic(member)
        if version != (1, 0):
            raise _ForeignError(f"array {name} is in version {version} of NumPy's format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        if dtype.kind not in _KINDS:
            raise _ForeignError(f"array {name} has dtype {dtype}, which could run code; not loaded")
        n_bytes = dtype.itemsize
        for size in shape:
            n_bytes *= size
        if n_bytes != info.file_size - member.tell():
            raise _ForeignError(
                f"array {name} of {n_bytes} bytes by its header has"
                f" {info.file_size - member.tell()} in the file"
            )
        member.seek(0)
        return np.lib.format.read_array(member, allow_pickle=False)


def _check_sizes(archive: zipfile.ZipFile, file_size: int) -> None:
    """Members are stored as they are, so together they cannot be larger than the file."""
    members = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in members):
        raise _ForeignError("its members are compressed: no checkpoint of reactorrl")
    if sum(info.file_size for info in members) > file_size:
        raise _ForeignError("its members are larger than the file: damaged")


def _check_format(header: Any) -> None:
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise _ForeignError("no checkpoint of reactorrl")
    if header.get("version") != VERSION:
        raise _ForeignError(
            f"in version {header.get('version')} of the format; this reactorrl"
            f" ({__version__}) reads version {VERSION}"
        )


def _sync_folder(folder: Path) -> None:
    """Make the new name outlive a power cut, where folders can be synchronised."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None

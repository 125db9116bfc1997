"""Folders of results are made, or refused before anything is computed; damaged arrays are never taken for others."""

from __future__ import annotations

import io
import random
import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from emfem.errors import ParameterError
from emfem.files import Arrays, save_arrays, writable
from tests.fuzz.damaged_files import damaged

import numpy as np
import pytest
from mpi4py import MPI


def test_the_folder_is_made_and_the_file_is_not(tmp_path: Path):
    path = writable(tmp_path / "a" / "b" / "c.csv", ".csv")
    assert path == tmp_path / "a" / "b" / "c.csv"
    assert path.parent.is_dir()
    assert not path.exists()


def test_a_string_becomes_a_path(tmp_path: Path):
    assert writable(str(tmp_path / "c.csv")) == tmp_path / "c.csv"


def test_a_file_that_is_there_stays(tmp_path: Path):
    path = tmp_path / "c.csv"
    path.write_text("old", encoding="utf-8")
    writable(path)
    assert path.read_text(encoding="utf-8") == "old"


def test_another_ending_lists_those_allowed(tmp_path: Path):
    with pytest.raises(ParameterError, match=r"\.txt', must end in \.npz or \.bp$"):
        writable(tmp_path / "c.txt", ".npz", ".bp")


def test_a_folder_below_a_file_is_refused(unwritable_dir: Path):
    message = f"path = {str(unwritable_dir / 'c.csv')!r}, must be a file that can be written: "
    with pytest.raises(ParameterError, match=re.escape(message)):
        writable(unwritable_dir / "c.csv")


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path):
    (tmp_path / "c.csv").mkdir()
    with pytest.raises(ParameterError, match="must be a file that can be written: it is a folder"):
        writable(tmp_path / "c.csv")


def test_an_adios_folder_may_be_written_again(tmp_path: Path):
    (tmp_path / "c.bp").mkdir()
    assert writable(tmp_path / "c.bp", ".bp") == tmp_path / "c.bp"


# ---- arrays -----------------------------------------------------------------------------------------------------

ARRAYS: dict[str, np.ndarray] = {
    "t": np.array(1.5),
    "film/c": np.linspace(0.0, 1.0, 40),
    "film/c/x": np.arange(80.0).reshape(40, 2),
    "about": np.frombuffer(b'{"format": 1}', np.uint8),
    "empty": np.zeros((0, 3)),
}


def by_emfem(path: Path) -> None:
    rows = {name: ARRAYS[name] for name in ("film/c", "film/c/x")}
    save_arrays(path, rows, {name: ARRAYS[name] for name in ARRAYS.keys() - rows}, comm=MPI.COMM_WORLD)


WRITERS: dict[str, Callable[[Path], Any]] = {"emfem": by_emfem, "numpy": lambda path: np.savez(path, **ARRAYS)}  # type: ignore[arg-type]


def read(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file."""
    arrays = Arrays(path)
    return {name: np.array(arrays[name]) for name in arrays}


def same(arrays: dict[str, np.ndarray]) -> bool:
    return arrays.keys() == ARRAYS.keys() and all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)


@pytest.mark.parametrize("writer", WRITERS)
def test_damaged_arrays_are_refused_with_one_kind_of_error(writer: str, tmp_path: Path):
    """Damage may lie between the arrays, where nothing is; else it must be seen."""
    WRITERS[writer](tmp_path / "a.npz")
    intact, chance, refused = (tmp_path / "a.npz").read_bytes(), random.Random(5), 0
    assert same(read(tmp_path / "a.npz"))
    for _ in range(400):
        (tmp_path / "b.npz").write_bytes(damaged(intact, chance))
        try:
            assert same(read(tmp_path / "b.npz"))
        except zipfile.BadZipFile as error:
            refused += bool(str(error))
    assert refused > 300


@pytest.mark.parametrize("writer", WRITERS)
def test_arrays_that_end_too_early_are_refused(writer: str, tmp_path: Path):
    WRITERS[writer](tmp_path / "a.npz")
    intact = (tmp_path / "a.npz").read_bytes()
    for length in range(0, len(intact), 7):
        (tmp_path / "b.npz").write_bytes(intact[:length])
        with pytest.raises(zipfile.BadZipFile):
            Arrays(tmp_path / "b.npz")


def archive(path: Path, *entries: tuple[str, bytes], **options: Any) -> None:
    """Write a zip file."""
    with zipfile.ZipFile(path, "w", **options) as file:
        for name, content in entries:
            file.writestr(name, content)


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array)
    return buffer.getvalue()


ONE = npy(np.ones(3))
HEADER = ONE[: -3 * 8]


@pytest.mark.parametrize(
    ("entries", "options", "message"),
    [
        ((("a.npy", ONE),), {"compression": zipfile.ZIP_DEFLATED}, "its a is compressed or encrypted"),
        ((("a.npy", npy(np.array([{}]))),), {}, "its a holds Python objects"),
        ((("a.npy", ONE[:-8]),), {}, "its a is no array: cannot reshape"),
        ((("a.npy", ONE + bytes(8)),), {}, "its a is no array: cannot reshape"),
        ((("a.npy", b""),), {}, "its a is no array"),
        ((("a.npy", b"hello"),), {}, "its a is no array"),
        ((("a.npy", HEADER.replace(b"(3,)", b"3**9")),), {}, "its a is no array"),
        ((("a.npy", HEADER.replace(b"'<f8'", b"'|O8'") + bytes(24)),), {}, "its a"),
    ],
)
def test_arrays_of_a_right_checksum_are_checked_too(entries: Any, options: Any, message: str, tmp_path: Path):
    archive(tmp_path / "a.npz", *entries, **options)
    with pytest.raises(zipfile.BadZipFile, match=message):
        read(tmp_path / "a.npz")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_arrays_of_one_name_are_refused(tmp_path: Path):
    archive(tmp_path / "a.npz", ("a.npy", ONE), ("a.npy", npy(np.zeros(3))))
    with pytest.raises(zipfile.BadZipFile, match="it has 1 arrays, must have 2"):
        Arrays(tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("at", "form", "value", "message"),
    [
        (8, "<H", 1, "its a is compressed or encrypted"),  # the flag of an encrypted entry
        (10, "<H", 8, "its a is compressed or encrypted"),  # a method of compression
        (16, "<I", 1, "its a is damaged"),  # the checksum
        (20, "<I", 2**31, "its a is compressed or encrypted"),  # sizes that differ
        (42, "<I", 7, "its a has another header"),  # the offset
        (46, "<c", b"b", "its b has another header"),  # the name
    ],
)
def test_a_wrong_field_of_the_list_of_contents_is_refused(at: int, form: str, value: Any, message: str, tmp_path: Path):
    archive(tmp_path / "a.npz", ("a.npy", ONE))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    struct.pack_into(form, content, content.index(b"PK\x01\x02") + at, value)
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(zipfile.BadZipFile, match=message):
        read(tmp_path / "a.npz")


def test_arrays_that_end_behind_the_file_are_refused(tmp_path: Path):
    archive(tmp_path / "a.npz", ("a.npy", ONE))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    for size in (20, 24):
        struct.pack_into("<I", content, content.index(b"PK\x01\x02") + size, 2**31)
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(zipfile.BadZipFile, match="its a ends behind the file"):
        Arrays(tmp_path / "a.npz")


def test_a_missing_file_of_arrays_is_an_error_of_the_system(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        Arrays(tmp_path / "a.npz")

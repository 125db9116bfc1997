"""Folders of results: they are made, and a place that cannot be written is refused before anything is computed."""

from __future__ import annotations

import re
from pathlib import Path

from emfem.errors import ParameterError
from emfem.files import writable

import pytest


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

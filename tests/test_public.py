"""`dir()` and completion: public names, without what a module imports."""

from typing import Any

import emfem as em

import pytest

MODULES = [em, *(value for name in em.__all__ if type(value := getattr(em, name)) is type(em))]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_dir_shows_public_names_and_hides_imports(module: Any):
    names = set(dir(module))
    assert names
    assert all(hasattr(module, name) for name in names)
    assert not {"np", "math", "fem", "annotations", "dir_of", "Any", "importlib"} & names
    assert not [name for name in names if name.startswith("_")]
    if hasattr(module, "__all__"):  # em.units has none: its names are its variables
        assert dir(module) == sorted(module.__all__)

"""Versions of the libraries, and what works without them: none of it loads DOLFINx, and its absence is one sentence."""

import subprocess
import sys
from collections.abc import Callable

import emfem as em
from emfem.versions import solvers, versions

import dolfinx
import pytest
from petsc4py import PETSc

LIGHT = """
import contextlib, io, sys
from emfem.cli import app
for words in (["--version"], ["-h"], ["run", "-h"], ["info", "--json"]):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        app(words, standalone_mode=False)
    assert text.getvalue().strip(), words
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"dolfinx", "ufl", "pandas", "pint"}))
"""

WITHOUT = """
import sys
for name in ("dolfinx", "dolfinx_solver", "mpi4py", "petsc4py", "ufl", "basix", "ffcx"):
    sys.modules[name] = None


import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name.startswith("dolfinx") else find(name, *more)
sys.argv[0] = "emfem"
from emfem.cli import main
main()
"""


def execute(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=False)


def test_versions_are_those_of_the_libraries():
    found = versions()
    assert em.studies.versions is versions
    assert found["emfem"] == em.__version__
    assert found["DOLFINx"] == dolfinx.__version__
    assert found["PETSc"] == ".".join(map(str, PETSc.Sys.getVersion()))
    assert found["MPI"].startswith(("MPICH", "Open MPI", "Intel"))
    assert "mumps" in solvers()


def test_help_version_and_info_load_no_dolfinx():
    done = execute(LIGHT)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_without_dolfinx_the_command_says_what_to_install():
    done = execute(WITHOUT, "info")
    assert "DOLFINx  not installed" in done.stdout, done.stderr
    done = execute(WITHOUT, "check", "case.toml")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert 'pip install "emfem[fenicsx]"' in done.stderr


@pytest.mark.parallel
def test_on_several_ranks_petsc_starts_on_all_of_them_together(mpiexec: Callable[..., tuple[int, str, str]]):
    """Or a name of emfem that rank 0 alone is the first to use waits for the other ranks for ever."""
    code = "import emfem, sys; sys.exit('petsc4py.PETSc' not in sys.modules)"
    status, _, err = mpiexec(2, sys.executable, "-c", code)
    assert status == 0, err

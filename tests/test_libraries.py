"""NumPy beside UFL: the result is right, or it is refused at once. Without emfem's preparation these never end.

And FFCx: one search of the installed packages for all forms, and processes that wait for each other's compilations.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import gc
import importlib.metadata
import math
import operator
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import emfem as em
from emfem import libraries, mesh

import dolfinx.jit
import dolfinx.mesh
import ffcx.codegeneration.jit
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

DOMAIN = mesh.rectangle((1.0, 1.0), cells=(2, 2))
SCALAR = fem.Function(fem.functionspace(DOMAIN.mesh, ("Lagrange", 1)), name="c")
VECTOR = fem.Function(fem.functionspace(DOMAIN.mesh, ("Lagrange", 1, (2,))), name="u")
SCALAR.interpolate(lambda x: 1.0 + x[0])
VECTOR.interpolate(lambda x: np.stack([1.0 + x[0], 2.0 - x[1]]))
FIELDS = {
    "function": SCALAR,
    "vector function": VECTOR,
    "gradient": ufl.grad(SCALAR),
    "minus gradient": -ufl.grad(SCALAR),
    "constant": fem.Constant(DOMAIN.mesh, 3.0),
    "vector constant": fem.Constant(DOMAIN.mesh, np.array([1.0, 2.0])),
    "components": ufl.as_vector([VECTOR[0], SCALAR]),
}

pytestmark = pytest.mark.timeout(60)  # what hangs is a failure, soon


def norm(field: Any) -> float:
    return fem.assemble_scalar(fem.form(ufl.inner(field, field) * ufl.dx(DOMAIN.mesh)))


@pytest.mark.parametrize(
    "number",
    [np.float64(3.0), *(pytest.param(each(3), marks=pytest.mark.soak) for each in (np.float32, np.int64))],
    ids=lambda n: type(n).__name__,
)
@pytest.mark.parametrize("name", FIELDS)
def test_a_numpy_scalar_is_a_number_to_every_field(name: str, number: Any):
    """To a few roundings: 9 and 1/9 multiply the same integrand, in another order."""
    field = FIELDS[name]
    plain = norm(field)
    assert norm(number * field) == pytest.approx(9.0 * plain, rel=1e-14)
    assert norm(field * number) == pytest.approx(9.0 * plain, rel=1e-14)
    assert norm(field / number) == pytest.approx(plain / 9.0, rel=1e-14)


@pytest.mark.parametrize("act", [operator.add, operator.sub, operator.truediv, operator.pow, operator.lt, operator.ge])
def test_other_operators_are_those_of_a_number(act: Callable[[Any, Any], Any]):
    """Exact: UFL makes the same expression of both."""
    for number in (np.float64(2.0), np.int64(2)):
        assert act(number, SCALAR) == act(number.item(), SCALAR)
        assert act(SCALAR, number) == act(SCALAR, number.item())


def test_in_place_a_numpy_scalar_becomes_the_expression():
    scaled: Any = np.float64(2.0)
    scaled *= SCALAR
    assert scaled == 2.0 * SCALAR


def test_the_field_of_a_current_times_a_numpy_scalar_drives_a_film():
    current = em.conduction.model(DOMAIN, conductivity=1.0, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})
    em.solve_steady(current)
    assert norm(np.float64(8.0) * current["E"]) == pytest.approx(64.0, rel=1e-9)  # E = (1, 0) on a unit square


@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("act", [operator.mul, operator.add, operator.sub, operator.truediv, operator.matmul])
def test_an_array_is_refused_at_once_on_either_side(name: str, act: Callable[[Any, Any], Any]):
    array, field = np.array([1.0, 2.0]), FIELDS[name]
    with pytest.raises(TypeError):
        act(array, field)
    with pytest.raises(TypeError):
        act(field, array)
    with pytest.raises((TypeError, ValueError)):
        operator.lt(field, array)


@pytest.mark.parametrize("ufunc", [np.sin, np.sqrt, np.exp, np.abs, np.isfinite])
def test_functions_of_numpy_refuse_fields(ufunc: np.ufunc):
    with pytest.raises(TypeError, match="does not support ufuncs"):
        ufunc(SCALAR)


@pytest.mark.parametrize("number", [float, complex, math.sin, math.log])
@pytest.mark.parametrize("field", [SCALAR, 2.0 * SCALAR / 3.0, VECTOR[0], ufl.grad(SCALAR)[0]], ids=str)
def test_a_field_is_no_number(number: Callable[[Any], Any], field: Any):
    with pytest.raises(TypeError):
        number(field)


def test_a_constant_is_a_number_and_given_values_are_taken():
    assert float(2.0 * fem.Constant(DOMAIN.mesh, 3.0)) == 6.0  # exact in binary
    assert SCALAR((), {SCALAR: 2.5}) == 2.5


def test_forms_are_compiled_with_one_search_for_entry_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    searches, search = [], importlib.metadata.distributions

    def counted(**context: Any) -> Iterable[importlib.metadata.Distribution]:
        searches.append(context)
        return search(**context)

    monkeypatch.setattr(importlib.metadata, "distributions", counted)
    for power in (1, 2):
        compiled = len(list(tmp_path.glob("*.c")))
        fem.form(SCALAR**power * ufl.dx, jit_options={"cache_dir": tmp_path})
        assert len(list(tmp_path.glob("*.c"))) == compiled + 1
    assert len(searches) <= 1  # none, if a form was compiled before
    importlib.metadata.entry_points(group="console_scripts")
    assert len(searches) > 0  # elsewhere nothing is cached


def test_the_signature_of_an_expression_does_not_count_the_variables_made_before():
    """By it FFCx looks for a compiled expression; the numbers of the variables still tell one from the other."""

    def signature(first: int, second: int) -> str:
        variables = [ufl.variable(SCALAR), ufl.variable(SCALAR)]
        energy = variables[0] ** 3 * variables[1] ** 2
        derivative = ufl.diff(ufl.diff(energy, variables[first]), variables[second])
        return ffcx.naming.compute_signature([(derivative, np.zeros((1, 2)))], "")

    assert signature(0, 0) == signature(0, 0)
    assert len({signature(first, second) for first in (0, 1) for second in (0, 1)}) == 4


def compiled(folder: Path, timeout: int = 20) -> float:
    """Compile a form into a folder of its own, or load it from there; return its value."""
    return fem.assemble_scalar(fem.form(SCALAR * ufl.dx, jit_options={"cache_dir": folder, "timeout": timeout}))


@pytest.fixture
def slow_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A compiler that waits until the file returned exists; each of its calls is a line in `calls` beside it."""
    waiting, compiler = tmp_path / "go", tmp_path / "cc"
    compiler.write_text(
        f'#!/bin/sh\necho call >> {tmp_path}/calls\nwhile [ ! -e {waiting} ]; do sleep 0.02; done\nexec gcc "$@"\n',
        encoding="utf-8",
    )
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    return waiting


@pytest.fixture
def other(tmp_path: Path, slow_compiler: Path) -> Iterator[int]:
    """Another process that compiles the form in `cache`, as long as the slow compiler waits."""
    process = os.fork()
    if not process:
        os.setpgid(0, 0)
        try:
            compiled(tmp_path / "cache")
        finally:
            os._exit(0)
    while not (tmp_path / "calls").exists():
        time.sleep(0.01)
    yield process
    with contextlib.suppress(ProcessLookupError, ChildProcessError):
        os.killpg(process, signal.SIGKILL)
        os.waitpid(process, 0)


FORKS = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")


def left(folder: Path) -> list[str]:
    """Kinds of the files in a cache with one form."""
    return sorted(file.name.partition(".")[2] for file in folder.iterdir() if file.suffix != ".so")


@FORKS
def test_a_form_that_another_process_compiles_is_waited_for_and_compiled_once(
    tmp_path: Path, slow_compiler: Path, other: int
):
    with pytest.raises(TimeoutError, match=r"\.c is still being compiled by another process"):
        compiled(tmp_path / "cache", timeout=0)
    threading.Timer(0.3, slow_compiler.touch).start()
    assert compiled(tmp_path / "cache") == pytest.approx(1.5, rel=1e-14)  # the mean of 1 + x on a unit square
    assert os.waitpid(other, 0)[1] == 0
    assert (tmp_path / "calls").read_text(encoding="utf-8").count("call") == 2  # the compiler and the linker
    assert left(tmp_path / "cache") == ["c", "c.cached", "o"]


@FORKS
def test_a_form_whose_process_was_killed_is_compiled_anew(tmp_path: Path, slow_compiler: Path, other: int):
    os.killpg(other, signal.SIGKILL)
    os.waitpid(other, 0)
    assert left(tmp_path / "cache") == ["c", "c.lock"]
    slow_compiler.touch()
    assert compiled(tmp_path / "cache", timeout=0) == pytest.approx(1.5, rel=1e-14)
    assert left(tmp_path / "cache") == ["c", "c.cached", "o"]


def test_a_compiled_form_is_loaded_without_a_look_at_the_rest_of_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    compiled(tmp_path)
    monkeypatch.setattr("importlib.machinery.FileFinder.find_spec", lambda *_: pytest.fail("listed the cache"))
    assert compiled(tmp_path) == pytest.approx(1.5, rel=1e-14)
    monkeypatch.undo()
    for library in tmp_path.glob("*.so"):
        library.unlink()
    with pytest.raises(ModuleNotFoundError, match="JIT module"):
        compiled(tmp_path)


def test_what_ffcx_left_long_ago_without_a_lock_is_compiled_anew(tmp_path: Path):
    compiled(tmp_path)
    (ready,) = tmp_path.glob("*.c.cached")
    ready.unlink()
    with pytest.raises(TimeoutError, match="still being compiled"):
        compiled(tmp_path, timeout=0)
    an_hour_ago = time.time() - 3600
    for file in tmp_path.iterdir():
        os.utime(file, (an_hour_ago, an_hour_ago))
    assert compiled(tmp_path, timeout=0) == pytest.approx(1.5, rel=1e-14)
    assert left(tmp_path) == ["c", "c.cached", "o"]


@pytest.mark.parametrize(("error", "remains"), [(KeyboardInterrupt, []), (RuntimeError, ["c.failed"])])
def test_an_interrupted_compilation_leaves_no_source_and_no_lock(
    error: type[BaseException], remains: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def stop(*_: Any, **__: Any) -> None:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(ffcx.codegeneration.jit, "_compile_objects", stop)
        with pytest.raises(error):
            compiled(tmp_path)
    assert left(tmp_path) == remains
    assert compiled(tmp_path, timeout=0) == pytest.approx(1.5, rel=1e-14)


def test_where_the_system_has_no_locks_forms_are_compiled_as_by_ffcx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def unsupported(*_: Any) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    assert compiled(tmp_path) == pytest.approx(1.5, rel=1e-14)
    assert left(tmp_path) == ["c", "c.cached", "o"]


def test_processes_wait_for_minutes_by_default():
    assert dolfinx.jit.DOLFINX_DEFAULT_JIT_OPTIONS["timeout"][0] >= 300


@pytest.mark.timeout(120)  # another process
def test_importing_emfem_loads_no_library_for_pictures_tables_or_statistics():
    """Every rank, every worker and every demo pays for what a run loads; drawing and the like follow on first use."""
    slow = {"imageio_ffmpeg", "matplotlib", "pandas", "pint", "pydantic", "pyvista", "vtkmodules", "xarray"}
    code = "import sys, emfem; emfem.evolve; top = {name.partition('.')[0] for name in sys.modules}"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(*top, 'scipy.stats' in sys.modules); emfem.plot.field"],
        check=True,
        capture_output=True,
        text=True,
    )
    *loaded, statistics = done.stdout.split()
    assert "dolfinx" in loaded
    assert not slow & set(loaded)
    assert statistics == "False"


def test_a_name_that_emfem_does_not_have_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'emfem' has no attribute 'plots'"):
        em.plots  # type: ignore[attr-defined]  # noqa: B018


def lose_a_mesh() -> None:
    for line in (mesh.interval(1.0, cells=2),):
        line.mesh.comm.allgather(None)  # mpi4py makes a lock for it
        del line
        raise ZeroDivisionError


@pytest.mark.parametrize("time", ["first", "second"])
def test_an_exception_that_frees_a_mesh_goes_on(time: str):
    """Without `keep_meshes` the first is lost, and the second hangs."""
    with pytest.raises(ZeroDivisionError):
        lose_a_mesh()


LOST = """
import importlib.util, os
if importlib.util.find_spec("dolfinx_solver"):
    import dolfinx_solver
from dolfinx import mesh
from mpi4py import MPI

def lose_a_mesh():
    for line in (mesh.create_unit_interval(MPI.COMM_WORLD, 2),):
        line.comm.allgather(None)
        del line
        raise ZeroDivisionError

try:
    lose_a_mesh()
except BaseException as error:
    print(type(error).__name__, flush=True)
os._exit(0)
"""


@pytest.mark.soak
@pytest.mark.timeout(120)  # another process
def test_without_emfem_the_exception_is_still_lost():
    """A failure here means that mpi4py or DOLFINx is mended: `keep_meshes` can go."""
    done = subprocess.run([sys.executable, "-c", LOST], check=True, capture_output=True, text=True)
    assert done.stdout == "SystemError\n"


def test_a_finaliser_of_dolfinx_s_own_is_left_alone(monkeypatch: pytest.MonkeyPatch):
    class Mesh:
        def __init__(self) -> None: ...

        def __del__(self) -> None: ...

    before = dict(vars(Mesh))
    monkeypatch.setattr(dolfinx.mesh, "Mesh", Mesh)
    libraries.keep_meshes()
    assert dict(vars(Mesh)) == before


def test_a_mesh_may_be_made_by_keywords():
    line = mesh.interval(1.0, cells=2).mesh
    made = dolfinx.mesh.Mesh(msh=line._cpp_object, domain=None)
    assert made.topology.index_map(1).size_global == 2


def test_a_mesh_is_kept_no_longer_than_until_the_next():
    freed: list[str] = []
    key = MPI.Comm.Create_keyval(delete_fn=lambda _, __, name: freed.append(name))
    for name in ("first", "second"):
        line = mesh.interval(1.0, cells=2)
        line.mesh.comm.Set_attr(key, name)
        space = fem.functionspace(line.mesh, ("Lagrange", 1))
    del line, space
    gc.collect()
    mesh.interval(1.0, cells=2)
    assert freed == ["first", "second"]

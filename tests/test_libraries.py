"""NumPy beside UFL: the result is right, or it is refused at once. Without emfem's preparation these never end.

And FFCx beside setuptools: one search of the installed packages for all forms.
"""

from __future__ import annotations

import importlib.metadata
import math
import operator
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import emfem as em
from emfem import mesh

import numpy as np
import pytest
import ufl
from dolfinx import fem

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

pytestmark = pytest.mark.timeout(20)  # what hangs is a failure, soon


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

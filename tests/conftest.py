"""What several test files share: a tiny film, an equation of known solution, and a path that nobody can write."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em

import pytest
from dolfinx import fem


@pytest.fixture(scope="session")
def torus() -> em.mesh.Domain:
    """A periodic square of 6 x 6 quadrilaterals, two pattern wavelengths wide."""
    return em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6))


@pytest.fixture(scope="session")
def plate() -> em.mesh.Domain:
    """A rectangle of 4 x 3 quadrilaterals with four edges."""
    return em.mesh.rectangle((4.0, 3.0), cells=(4, 3))


@pytest.fixture
def film(torus: em.mesh.Domain) -> Callable[..., em.Model]:
    """Makes the CuPd film on the torus from a random start; keywords replace or add arguments."""

    def make(**arguments: Any) -> em.Model:
        given: dict[str, Any] = {"mean": 0.3, "initial": em.film.noise(0.08, seed=1)} | arguments
        return em.film.model(given.pop("domain", torus), given.pop("alloy", em.film.cupd()), **given)

    return make


@pytest.fixture
def decay() -> Callable[..., em.Model]:
    """Makes du/dt = source(u) on a line of two cells, from u = start; the source is -u unless told otherwise."""
    line = em.mesh.interval(2.0, cells=2)

    def make(
        source: Callable[[Any], Any] = lambda u: -u,
        *,
        start: float = 1.0,
        name: str = "decay",
        bounds: tuple[float, float] = (-float("inf"), float("inf")),
        drivers: tuple[em.model.Driver, ...] = (),
    ) -> em.Model:
        unknown = em.model.evolving("u", fem.functionspace(line.mesh, ("Lagrange", 1)), bounds)
        unknown.function.x.array[:] = start
        (v,) = em.model.tests([unknown])
        residual = (unknown.rate - source(unknown.function)) * v * line.dx()
        quantities = {
            "amount": em.model.Quantity(unknown.function * line.dx(), "mol"),
            "level": em.model.Quantity(lambda: em.fields.extremes(unknown.function)[1], "mol/m"),
        }
        return em.Model(name, line, [unknown], residual, quantities=quantities, drivers=drivers)

    return make


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A folder that cannot be made, not even by root: it would lie in a file."""
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    return tmp_path / "file" / "folder"


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder of its own: a failed run leaves its state where it was started."""
    monkeypatch.chdir(tmp_path)

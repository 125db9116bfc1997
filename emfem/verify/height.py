"""Height and composition of alloy films: facets under a field, drift of a pattern, and both together."""

from __future__ import annotations

import math
from typing import Any

from emfem import height, mesh
from emfem.verify.registry import check
from emfem.verify.waves import growth_rate

import numpy as np

FACETED: dict[str, Any] = {"strength": 1.0, "misorientation": -math.pi / 8}
CELLS = 12


def _alloy(solvent: dict[str, Any], solute: dict[str, Any]) -> height.Alloy:
    """Return an alloy without units, of D = gamma = kT = Omega = 1 and a layer of 0.8 unless it is said otherwise."""
    one, two = (height.Species(**{"diffusivity": 1.0, "surface_energy": 1.0} | each) for each in (solvent, solute))
    return height.Alloy(one, two, temperature=1.0, atomic_volume=1.0, layer=0.8, scaled=True)


def _rate(alloy: height.Alloy, k: float, mean: float, field: float, until: float, start: Any, name: str) -> complex:
    """Return omega of a wave in a run, from the start of both fields (h, c) on."""
    line = mesh.periodic_interval(2 * math.pi / k, cells=CELLS).scaled()
    h, c = start
    film = height.model(
        line,
        alloy,
        thickness=20.0,
        field=field,
        height=lambda x: (h * np.exp(1j * k * x[0])).real,
        composition=lambda x: mean + (c * np.exp(1j * k * x[0])).real,
    )
    return growth_rate(film, name, until)


@check(
    "height",
    source="J. Krug, H. T. Dobbs, PRL 73, 1947 (1994), by hand: delta D/kT [M'(0)/M F k^2 - Omega gamma k^4],"
    " M'(0)/M = sin(45 deg)/(1 + cos^2(22.5 deg)), at k = 0.6, F = 1.5",
    target=(0.0611224, 0.0),
    atol=2e-5,
    unit="1/t0",
)
def facets_of_a_surface_of_equal_atoms(full: bool) -> tuple[float, float]:
    """Surface of two species alike, whose mobility depends on its inclination, becomes rough as that of one metal."""
    alike = {"effective_charge": 1.0, **FACETED}
    omega = _rate(_alloy(alike, alike), 0.6, 0.3, 1.5, 6.0, (1e-4, 0.0), "h")
    return omega.real, omega.imag


@check(
    "height",
    source="by hand: tracers drift with D F/kT and spread with D, exp(-D k^2 t) cos k (x - D F t/kT); k = 0.6, F = 1.5",
    target=(-0.36, -0.9),
    rtol=1e-3,
    unit="1/t0",
)
def pattern_of_equal_atoms_drifts(full: bool) -> tuple[float, float]:
    """Composition of two species alike moves with the atoms."""
    alike = {"effective_charge": 1.0}
    omega = _rate(_alloy(alike, alike), 0.6, 0.3, 1.5, 1.0, (0.0, 1e-4), "c")
    return omega.real, omega.imag


@check(
    "height",
    source="em.analytic.height_composition_rates, itself checked by the closed forms above",
    target=(1.0, 0.0),
    atol=5e-3,
)
def height_and_composition_grow_together(full: bool) -> tuple[float, float]:
    """Wave of height and composition of two unlike species in a run, over that of linear theory."""
    k, mean, field = 0.5, 0.4, 3.0
    alloy = _alloy({"effective_charge": 2.0, **FACETED}, {"effective_charge": 0.5, "diffusivity": 0.3})
    values, modes = np.linalg.eig(height.growth_matrix([k], alloy, mean=mean, field=[field]))
    fastest = int(np.argmax(values.real))
    omega = _rate(alloy, k, mean, field, 0.7, 1e-4 * modes[:, fastest], "h")
    ratio = omega / complex(values[fastest])
    return ratio.real, ratio.imag

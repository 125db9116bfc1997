"""The modulus of a line from its cross-section."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.mechanics import Elastic, roller

import dolfinx
import numpy as np
import pytest

SOLID = Elastic(10.0, 0.3)


def square(**regions: Callable[[Any], Any]) -> em.mesh.Domain:
    """Square of 4 x 4 triangles; regions by functions of the middle of a cell, the first that is true."""
    domain = em.mesh.rectangle((2.0, 1.0), cells=(4, 4), cell="triangle")
    mesh = domain.mesh
    cells = np.arange(mesh.topology.index_map(2).size_local, dtype=np.int32)
    x = dolfinx.mesh.compute_midpoints(mesh, 2, cells).T
    values = np.zeros(len(cells), dtype=np.int32)
    for i, inside in enumerate(regions.values()):
        values[inside(x) & (values == 0)] = i + 1
    if not regions:
        return domain
    return dataclasses.replace(domain, regions=tuple(regions), cells=dolfinx.mesh.meshtags(mesh, 2, cells, values))


def test_effective_modulus_refuses_a_section_without_the_metal():
    domain = square(metal=lambda x: x[1] < 0.5, oxide=lambda x: x[1] > 0)
    with pytest.raises(em.ParameterError, match="must have one for the metal"):
        em.stress.effective_modulus(domain, {"oxide": SOLID})
    with pytest.raises(em.UnknownName):
        em.stress.effective_modulus(domain, {"metal": SOLID, "oxide": SOLID}, metal="copper")


def test_layers_between_rigid_walls_have_the_modulus_of_springs_in_series():
    domain = square(metal=lambda x: x[1] < 0.5, oxide=lambda x: x[1] > 0)
    metal, oxide = Elastic(10.0, 0.3), Elastic(4.0, 0.2)
    on = dict.fromkeys(("left", "right", "bottom", "top"), roller())
    solids = {"metal": metal, "oxide": oxide}
    computed = [
        em.stress.effective_modulus(domain, solids, on=on, distribution=each) for each in ("uniform", "equilibrated")
    ]
    m, o = (each.bulk_modulus + 4 / 3 * each.shear_modulus for each in (metal, oxide))
    strain = metal.bulk_modulus / (m + o)  # along y, of the metal, as much as the oxide gives way
    assert computed == pytest.approx([metal.bulk_modulus * (1 - strain)] * 2, rel=1e-7)

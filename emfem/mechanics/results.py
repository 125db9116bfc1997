"""Derived fields and numbers of a mechanical model: stress by components, energy, extremes, forces on boundaries."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.dimensions import Meaning, integral
from emfem.mechanics.boundaries import AXES
from emfem.mechanics.elasticity import energy_density, is_axisymmetric, von_mises
from emfem.mechanics.reactions import Reactions
from emfem.mechanics.solids import Solids
from emfem.mesh import Domain
from emfem.model import Model, Quantity

import numpy as np
import ufl
from dolfinx import fem
from ufl.algorithms.apply_algebra_lowering import apply_algebra_lowering


def _components(domain: Domain) -> Sequence[tuple[int, int]]:
    """Return the components of the stress that a domain of its dimension has."""
    normal = [(0, 0), (1, 1), (2, 2)]
    shear = {1: [], 2: [(0, 1)], 3: [(0, 1), (0, 2), (1, 2)]}[domain.dim]
    return normal + shear


def component_meanings(domain: Domain) -> dict[str, Meaning]:
    """Return the meaning of each component of the stress."""
    words = {"x": "axial", "y": "radial", "z": "hoop"} if is_axisymmetric(domain) else {}
    return {
        f"s_{AXES[i]}{AXES[j]}": Meaning(
            f"{words[AXES[i]]} stress" if i == j and words else f"stress {AXES[i]}{AXES[j]}", "Pa", signed=True
        )
        for i, j in _components(domain)
    }


def expressions(domain: Domain, s: Any, e: Any, sigma: Any, elastic: Solids) -> dict[str, Any]:
    """Return the derived fields."""
    derived = {
        "sigma": sigma,
        "von_mises": von_mises(s),
        **{f"s_{AXES[i]}{AXES[j]}": s[i, j] for i, j in _components(domain)},
        "energy_density": energy_density(e, elastic.lame, elastic.shear),
    }
    return {name: apply_algebra_lowering(ufl.as_ufl(value)) for name, value in derived.items()}  # UFL estimates degrees


def quantities(
    domain: Domain, elastic: Solids, sigma: Any, e: Any, degree: int, reactions: Reactions
) -> dict[str, Quantity]:
    """Return the numbers of the state of stress."""
    dx, sampled = domain.dx(2 * degree), Sampled(degree)
    return {
        "energy": Quantity(energy_density(e, elastic.lame, elastic.shear) * dx, integral("J")),
        "sigma_max": Quantity(partial(sampled.extreme, "sigma", 1), "Pa", of_model=True),
        "sigma_min": Quantity(partial(sampled.extreme, "sigma", 0), "Pa", of_model=True),
        "von_mises_max": Quantity(partial(sampled.extreme, "von_mises", 1), "Pa", of_model=True),
        "u_max": Quantity(lambda model: _longest(model["u"]), "m", of_model=True),
        **_means(domain, elastic, sigma, dx),
        **_forces(domain, reactions),
    }


def _means(domain: Domain, elastic: Solids, sigma: Any, dx: Any) -> dict[str, Quantity]:
    """Return `int sigma dx / int dx` over each region."""
    one, means = fem.Constant(domain.mesh, 1.0), {}
    for region in elastic.by_region:
        within = elastic.indicator("in", {region})
        size = models.measure_size(domain, domain.dx(2, region or None))
        mean = fem.Constant(domain.mesh, 1 / size) * within * sigma * one * dx
        means[f"sigma {region}" if region else "mean"] = Quantity(mean, "Pa")
    return means


def _forces(domain: Domain, reactions: Reactions) -> dict[str, Quantity]:
    """Return the force on the body at each named boundary, along each axis that has one."""
    names = AXES[: 1 if is_axisymmetric(domain) else domain.dim]
    return {
        f"force_{axis} {name}": Quantity(partial(reactions.force, name, i), integral("N"), of_model=True)
        for name in domain.names
        for i, axis in enumerate(names)
    }


class Sampled:
    """Extremes of derived fields at nodes in each cell, of one degree less than the displacement."""

    def __init__(self, degree: int) -> None:
        """Take the degree of the displacement."""
        self.degree = degree - 1
        self._known: dict[str, tuple[Model, fields.Interpolation]] = {}

    def extreme(self, name: str, which: int, model: Model) -> float:
        """Return the lowest (0) or highest (1) value of a field of a model. Collective."""
        known = self._known.get(name)
        if known is not None and known[0] is model:
            known[1].refresh()
        else:  # substitution of a placeholder makes another model
            known = self._known[name] = model, fields.Interpolation(model[name], model.mesh, self.degree)
        return fields.extremes(known[1].function)[which]


def _longest(u: fem.Function) -> float:
    """Return the largest length of a vector at its nodes. Collective."""
    width, owned = u.function_space.dofmap.index_map_bs, u.function_space.dofmap.index_map.size_local
    lengths = np.linalg.norm(u.x.array[: owned * width].reshape(owned, width), axis=1)
    return float(max(u.function_space.mesh.comm.allgather(lengths.max(initial=0.0))))

"""Elasticity of a surface model: the stress of a metal with a moving surface, and its energy in the chemical potential.

    div(h(c) s) = 0,   s = lambda tr(e) I + 2 G e,   e = sym grad u - e*,   g mu = ... + (l / gamma) h'(c) w

w = (lambda / 2) tr(e)^2 + G e : e is the energy of the metal. u is the displacement of a uniform mean strain plus one
that is periodic, or without normal component on rollers, so no load does work and the free energy falls.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emfem import model as models
from emfem.dimensions import integral
from emfem.errors import ParameterError, floats, number
from emfem.mechanics.elasticity import (
    Elastic,
    energy_density,
    hydrostatic,
    is_axisymmetric,
    strain,
    stress,
    von_mises,
)
from emfem.mesh import AXES, Domain, bounds
from emfem.model import DirichletCondition, Driver, Multigrid, Quantity, Unknown
from emfem.model.materials import plain_number
from emfem.spaces import nodes_on
from emfem.surface.circuit import pinned

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray
from ufl.algorithms.apply_algebra_lowering import apply_algebra_lowering

FLAT = 1e-9  # of the domain: nodes so near a plane lie in it
LARGEST = 0.2  # strain up to which elasticity is taken for linear; a megapascal typed for a strain is beyond it


@dataclass(frozen=True, eq=False)
class SurfaceElasticity:
    """Unknowns, terms and quantities that elasticity adds to a surface model.

    Attributes:
        unknowns: u_x, u_y and, in space, u_z: the displacement less that of the mean strain [m].
        conditions: Dirichlet values of them.
        displacement: u, of dim components [m].
        solidity: h, the stiffness over that of the metal [-].
        stress: s of the metal, 3 x 3 [Pa].
        energy: w, energy density of the metal [J/m3].
        factor: of the equations of u.
    """

    unknowns: tuple[Unknown, ...]
    conditions: tuple[DirichletCondition, ...]
    displacement: Any
    solidity: Any
    stress: Any
    energy: Any
    factor: fem.Constant
    drivers: tuple[Driver, ...] = ()

    @property
    def multigrid(self) -> Multigrid:
        """Preconditioner of u."""
        return Multigrid(unknowns=self.unknowns)

    def residual(self, domain: Domain, tests: Sequence[Any], dx: Any) -> ufl.Form:
        """`int -h s : grad v dx`: forces balance, a surface has no traction."""
        virtual = strain(ufl.as_vector(list(tests)), domain)
        return -self.factor * self.solidity * ufl.inner(self.stress, virtual) * dx

    def expressions(self, domain: Domain) -> dict[str, Any]:
        """Return displacement, hydrostatic and von Mises stress, and the components of the stress in the domain."""
        s = self.solidity * self.stress
        axes = AXES[: domain.dim]
        parts = {f"stress_{a}{b}": s[i, j] for i, a in enumerate(axes) for j, b in enumerate(axes) if i <= j}
        fields = {"u": self.displacement, "sigma": hydrostatic(s), "von_mises": von_mises(s), **parts}
        return {name: apply_algebra_lowering(field) for name, field in fields.items()}  # a trace has no degree

    @property
    def stored(self) -> Any:
        """`h w`: the elastic energy of a volume of the domain [J/m3]."""
        return self.solidity * self.energy

    def quantities(self, _: Domain, dx: Any) -> dict[str, Quantity]:
        """Return the elastic energy."""
        return {"elastic_energy": Quantity(self.stored * dx, integral("J"))}


def elasticity(
    domain: Domain,
    space: fem.FunctionSpace,
    metal: Elastic,
    load: tuple[Any, Any],
    rollers: Sequence[str] | None,
    solidity: Any,
    clamped: Sequence[str] = (),
) -> SurfaceElasticity:
    """Return the elasticity of a metal under a mean strain and an eigenstrain. Collective.

    Args:
        domain: with the metal.
        space: of each component of the displacement.
        metal: its moduli.
        load: mean strain, dim numbers or None, and eigenstrain, a number or UFL.
        rollers: boundaries whose normal displacement is that of the mean strain; all when left out.
        solidity: h, stiffness of a place over that of the metal.
        clamped: boundaries that nothing moves at, in any direction.

    Raises:
        ParameterError: for a strain that is none, too large or not finite, boundaries that leave the body loose or lie
            in no plane across an axis.
        UnknownName: for a boundary that does not exist.
    """
    mean, own, largest = _load(domain, *load)
    supported = _supported(domain, domain.names if rollers is None else rollers, clamped)
    parts = tuple(models.algebraic(f"u_{axis}", space) for axis in AXES[: domain.dim])
    conditions = [
        condition for i, part in enumerate(parts) for condition in _conditions(domain, part, i, supported.get(i, ()))
    ]
    across = fem.Constant(domain.mesh, mean)
    u = ufl.as_vector([part.function for part in parts])
    moved = u + ufl.elem_mult(across, ufl.SpatialCoordinate(domain.mesh))
    # the mean strain goes in as itself: x is not periodic
    last = [] if domain.dim == 3 else [across[1] if is_axisymmetric(domain) else 0.0]
    uniform = ufl.diag(ufl.as_vector([*(across[i] for i in range(domain.dim)), *last]))
    e = strain(u, domain) + uniform - own * ufl.Identity(3)
    lame, shear = (fem.Constant(domain.mesh, float(x)) for x in (metal.lame_modulus, metal.shear_modulus))
    length, volume = float(max(domain.extent()[0], 0.0)), float(np.prod(domain.extent()))
    factor = length / (metal.young_modulus * largest * volume)
    return SurfaceElasticity(
        parts,
        tuple(conditions),
        moved,
        solidity,
        stress(e, lame, shear),
        energy_density(e, lame, shear),
        fem.Constant(domain.mesh, factor),
    )


def elastic_metal(material: Any) -> Elastic:
    """Return the moduli of a material at its temperature.

    Raises:
        ParameterError: if it lacks them, or one of them is a control.
    """
    return Elastic(plain_number(material, "youngs_modulus"), plain_number(material, "poisson_ratio"))


def _load(domain: Domain, mean: Any, own: Any) -> tuple[NDArray[np.float64], Any, float]:
    """Return the mean strain along the axes, the eigenstrain, and the largest of both.

    Raises:
        ParameterError: for one that is no strain, or none at all.
    """
    words = f"{domain.dim} finite numbers, along {' and '.join(AXES[: domain.dim])}"
    values = floats("strain", np.zeros(domain.dim) if mean is None else mean, (domain.dim,), words, finite=True)
    eigen = own if models.is_ufl(own) else fem.Constant(domain.mesh, number("eigenstrain", own))
    size = abs(float(eigen)) if isinstance(eigen, fem.Constant) else models.mean_value(domain, ufl.sqrt(eigen**2))
    largest = max(float(np.abs(values).max()), size)
    if not 0 < largest <= LARGEST:
        msg = f"strain and eigenstrain of up to {largest:g}, must be above 0 and at most {LARGEST:g}: megapascals?"
        raise ParameterError(msg)
    return values, eigen, largest


def _supported(domain: Domain, rollers: Sequence[str], clamped: Sequence[str]) -> dict[int, list[str]]:
    """Return by axis the boundaries that nothing moves along it at: those on rollers across it, and the clamped ones.

    Collective.

    Raises:
        ParameterError: for a boundary that lies in no such plane, or if the body could turn.
        UnknownName: for a boundary that does not exist.
    """
    if isinstance(rollers, str):
        msg = f"rollers = {rollers!r}, must be a list of boundaries"
        raise ParameterError(msg)
    space = fem.functionspace(domain.mesh, ("Lagrange", 1))
    x = space.tabulate_dof_coordinates()[:, : domain.dim]
    lower, upper = bounds(domain.mesh)
    supported: dict[int, list[str]] = {}
    for name in rollers:
        there = x[nodes_on(space, domain.facets.find(domain.tag(name)))]
        everywhere = np.concatenate(domain.mesh.comm.allgather(there))
        low, high = everywhere.min(axis=0), everywhere.max(axis=0)
        axis = int(np.argmin((high - low) / (upper - lower)[: domain.dim]))
        if high[axis] - low[axis] > FLAT * (upper - lower)[axis]:
            msg = f"boundary {name!r} on rollers, must lie in a plane across an axis"
            raise ParameterError(msg)
        supported.setdefault(axis, []).append(name)
    if clamped:
        supported = {axis: [*supported.get(axis, ()), *clamped] for axis in range(domain.dim)}
    steady = set(supported) | {i for i in range(domain.dim) if domain.period[i]}
    if len(steady) < domain.dim - 1 and not is_axisymmetric(domain):
        msg = f"rollers = {list(rollers)}, must leave no way to turn: boundaries across {domain.dim - 1} axes at least"
        raise ParameterError(msg)
    return supported


def _conditions(domain: Domain, part: Unknown, axis: int, names: Sequence[str]) -> list[DirichletCondition]:
    """Return the conditions of one component: 0 on rollers, on an axis of revolution, or at one node. Collective."""
    conditions = [models.dirichlet_condition(domain, part, name, 0.0)[0] for name in names]
    if axis == 1 and is_axisymmetric(domain):
        space = part.function.function_space
        owned = space.dofmap.index_map.size_local
        radius = space.tabulate_dof_coordinates()[:owned, 1]
        at_axis = np.flatnonzero(radius < FLAT * float(bounds(domain.mesh)[1][1])).astype(np.int32)
        conditions.append(DirichletCondition("the axis", part, at_axis, fem.Constant(domain.mesh, 0.0)))
    elif not names:
        conditions.append(pinned(domain, part))
    return conditions

"""Displacement of a body: its supports, the rigid motions that they leave free, and the strain that makes stress."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emfem import model as models
from emfem.errors import require
from emfem.mechanics.boundaries import AXES, Support, Tractions, displacement_conditions, on_axis, work_of
from emfem.mechanics.elasticity import is_axisymmetric, out_of_plane, strain
from emfem.mechanics.rigid import RigidMotions
from emfem.mechanics.solids import Solids
from emfem.mesh import Domain
from emfem.model import DirichletCondition, Driver, Unknown

import numpy as np
import ufl
from dolfinx import fem

KINEMATICS = ("plane strain", "plane stress", "generalised plane strain", "rigid")
PLAIN_STRAIN = 1e-3  # strain that residuals are scaled by where nothing else gives one


@dataclass(frozen=True, eq=False)
class Body:
    """Displacement of a body, and the strain across a plane if that is one number.

    Attributes:
        domain: where.
        displacement: u.
        across: one strain across the plane, or None.
        kinematics: of a plane.
        conditions: fixed components, and pins.
        drivers: of moving supports.
        motions: rigid motions, and those that supports leave free.
    """

    domain: Domain
    displacement: Unknown
    across: Unknown | None
    kinematics: str
    conditions: list[DirichletCondition]
    drivers: list[Driver]
    motions: RigidMotions

    @property
    def unknowns_across(self) -> list[Unknown]:
        """The strain across, if it is an unknown."""
        return [self.across] if self.across else []

    def elastic_strain(self, elastic: Solids, eigen: Any) -> Any:
        """`e(u) - eigenstrain`, 3 x 3; across a plate with free faces that without stress there."""
        across = 0.0 if self.across is None else self.across.function
        e = strain(self.displacement.function, self.domain, across) - eigen
        if self.kinematics != "plane stress":
            return e
        closed = out_of_plane(e, elastic.lame, elastic.shear)
        return ufl.as_tensor([[e[0, 0], e[0, 1], 0], [e[1, 0], e[1, 1], 0], [0, 0, closed]])

    def check_pins(self, supports: Mapping[str, Support], tractions: Tractions, scales: Scales) -> None:
        """Refuse tractions that pins would have to carry: those that follow time, and those with a resultant.

        Raises:
            ParameterError: naming the boundary, or the resultant.
        """
        for name, condition in supports.items():
            law = callable(condition.traction) and not models.is_ufl(condition.traction)
            moves = callable(condition.pressure) or law
            require(not moves, f"traction on {name!r} that follows time with floating = True, must be a number")
        load = work_of(tractions, ufl.TestFunction(self.displacement.function.function_space))
        if load:
            self.motions.check_balance(fem.form(load), scales.stress * scales.face)


def body_of(domain: Domain, supports: Mapping[str, Support], kinematics: str, degree: int, floating: bool) -> Body:
    """Return the displacement of a body with its supports, and pins if it floats. Collective.

    Raises:
        ParameterError: for a rigid motion that nothing prevents.
    """
    displacement = models.algebraic("u", fem.functionspace(domain.mesh, ("Lagrange", degree, (domain.dim,))))
    conditions, drivers = _fixed(domain, displacement, supports, kinematics == "rigid")
    motions = RigidMotions(domain, displacement, conditions)
    if motions.free.shape[1]:
        message = (
            f"nothing prevents that the body {motions.describe()}: fix components on a boundary, em.mechanics.support, "
            "or take the motion out, floating=True"
        )
        require(floating, message)
        conditions += motions.pins()
    across = models.algebraic("axial_strain", models.number_space(domain)) if "generalised" in kinematics else None
    return Body(domain, displacement, across, kinematics, conditions, drivers, motions)


def _fixed(
    domain: Domain, displacement: Unknown, supports: Mapping[str, Support], rigid: bool
) -> tuple[list[DirichletCondition], list[Driver]]:
    """Return the fixed components of the displacement; drivers."""
    if rigid:
        size = displacement.function.function_space.dofmap.index_map.size_local * domain.dim
        everywhere = np.arange(size, dtype=np.int32)
        zero = fem.Constant(domain.mesh, 0.0)
        return [DirichletCondition("rigid body", displacement, everywhere, zero)], []
    conditions, drivers = displacement_conditions(domain, displacement, supports)
    if is_axisymmetric(domain):
        conditions.append(on_axis(domain, displacement))
    return conditions, drivers


@dataclass(frozen=True)
class Scales:
    """Sizes that residuals are divided by.

    Attributes:
        modulus: a typical shear modulus [Pa].
        stress: a typical stress [Pa].
        length: of the domain [m].
        face: area of a section, of the domain's measure.
        driven: something that is known at the start makes this stress.
    """

    modulus: float
    stress: float
    length: float
    face: float
    driven: bool


def scales_of(
    domain: Domain, elastic: Solids, eigen: Any, supports: Mapping[str, Support], tractions: Tractions
) -> Scales:
    """Return the sizes of what loads a body at the start. Collective."""
    modulus = models.mean_value(domain, elastic.shear)
    length, face = domain.extent()
    sizes = [modulus * models.mean_value(domain, ufl.sqrt(ufl.inner(eigen, eigen)), unknown=0.0)]
    for condition in supports.values():
        moved = [abs(float(models.at_start(axis, getattr(condition, axis)) or 0.0)) for axis in AXES]
        sizes.append(modulus * max(moved) / length)
    sizes += [
        models.mean_length(domain, 1.0 * t) if _is_field(t) else 0.0 for part in tractions.values() for t, _ in part
    ]
    for name, condition in supports.items():
        if condition.pressure is not None:
            sizes.append(abs(float(models.at_start(f"pressure on {name!r}", condition.pressure))))
    largest = max(sizes)
    return Scales(modulus, largest or PLAIN_STRAIN * modulus, length, face, largest > 0)


def _is_field(expression: Any) -> bool:
    """Return True for UFL that can be integrated over the volume: it has no normal of a boundary."""
    return not any(
        isinstance(part, ufl.geometry.FacetNormal)
        for part in ufl.corealg.traversal.traverse_unique_terminals(expression)
    )

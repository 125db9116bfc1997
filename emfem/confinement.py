"""Confinement of a line: the modulus by which atoms in it make stress, from its cross-section."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emfem import fields, mechanics
from emfem.errors import ParameterError, choice, require
from emfem.gate import checked
from emfem.mechanics import Elastic, Support
from emfem.mesh import Domain
from emfem.public import dir_of
from emfem.solve import solve_steady

import ufl
from dolfinx import fem

__all__ = ["effective_modulus"]
__dir__ = dir_of(__all__)

DISTRIBUTIONS = ("equilibrated", "uniform")
STRAIN = 1e-3  # of the atoms that are added; the answer does not depend on it
SOFT = 1e-8  # bulk modulus of a metal whose atoms give way, by its shear modulus


@checked(collective=True)
def effective_modulus(
    cross_section: Domain,
    solids: Mapping[str, Any],
    *,
    metal: str = "metal",
    distribution: str = "equilibrated",
    on: Mapping[str, Support] | None = None,
    kinematics: str = "plane strain",
    degree: int = 2,
) -> float:
    """Return `B = -d sigma/d theta` of a line with this cross-section: the bulk modulus of its Korhonen equation [Pa].

    theta is the mean relative volume of the atoms that came to a place of the line, sigma the hydrostatic stress that
    they make in the metal. It ends at K of the metal in rigid surroundings. `copper.having(bulk_modulus=B)` hands it to
    lines and networks, `em.materials.copper().in_line(...).having(bulk_modulus=B)` with the paths of atoms.

    Args:
        cross_section: a plane domain with the metal and all that confines it, such as `em.mechanics.line_section(...)`.
        solids: `em.mechanics.Elastic(...)` or a metal of `em.materials`, for each region by name.
        metal: the region whose atoms move.
        distribution: of the atoms over the metal: "equilibrated", so that the stress is the same all over the section,
            as it is in a line far longer than wide; or "uniform", with the mean of the stress. In an ellipse both are
            one.
        on: supports of named boundaries; every boundary is clamped when left out.
        kinematics: "plane strain": the line does not stretch; "generalised plane strain": no force acts along it.
        degree: polynomial degree of the displacement [-].

    Raises:
        ParameterError: for a domain that is not plane, a rigid motion that nothing prevents, or constants out of
            bounds.
        UnknownName: for a region or boundary that does not exist.
    """
    require(cross_section.dim == 2, f"cross_section = {cross_section.shape}, must be a plane domain")
    choice("distribution", distribution, DISTRIBUTIONS)
    choice("kinematics", kinematics, ("plane strain", "generalised plane strain"))
    cross_section.region(metal)
    if metal not in solids:
        msg = f"solids of {', '.join(solids)}, must have one for the metal, {metal!r}"
        raise ParameterError(msg)
    supports = {name: mechanics.clamped(cross_section) for name in cross_section.names} if on is None else on
    own = mechanics.elastic(solids[metal])
    even = distribution == "equilibrated"
    soft = _soft(own) if even else own
    model = mechanics.model(
        cross_section,
        {**solids, metal: soft},
        on=supports,
        kinematics=kinematics,
        eigenstrain={metal: STRAIN / SOFT if even else STRAIN},
        degree=degree,
    )
    solve_steady(model, method="newton")
    sigma = model.quantity(f"sigma {metal}")
    if not even:
        return -sigma / STRAIN
    return -sigma / (_mean_volume_change(model, metal) - sigma / own.bulk_modulus)


def _soft(metal: Elastic) -> Elastic:
    """Return the metal with its shear modulus and nearly no bulk modulus: its stress is then what is put on it."""
    shear, bulk = metal.shear_modulus, SOFT * metal.shear_modulus
    return Elastic(9 * bulk * shear / (3 * bulk + shear), (3 * bulk - 2 * shear) / (2 * (3 * bulk + shear)))


def _mean_volume_change(model: Any, region: str) -> float:
    """Return the mean of tr(e) in a region. Collective."""
    domain = model.domain
    across = model["axial_strain"] if "axial_strain" in model.names else 0.0
    inside = domain.piecewise("inside", {name: float(name == region) for name in domain.regions})
    dx = domain.dx(4)
    change, size = (
        fields.integral(fem.form(inside * value * dx), domain.mesh.comm)
        for value in (ufl.div(model["u"]) + across, fem.Constant(domain.mesh, 1.0))
    )
    return change / size

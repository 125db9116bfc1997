"""Failure: when voids open, and what they do to a resistance."""

from __future__ import annotations

from emfem import failure, mesh, stress
from emfem.units import MPa, nm, um
from emfem.verify.materials import REFERENCE
from emfem.verify.registry import check
from emfem.verify.stress import star

CRITICAL = 41 * MPa


@check(
    "failure",
    source="the series of the blocked line at 41 MPa, by a script of its own",
    target=7.929436e7,
    rtol=3e-5,
    unit="s",
)
def first_void_of_a_line(full: bool) -> float:
    """A void opens at the end of the reference line."""
    domain = mesh.interval(50 * um, cells=40, names=("left", "right"))
    model = stress.model(domain, REFERENCE, current_density=1e10, voids=True)
    life = failure.run(model, critical_stress=CRITICAL, until=1e9)
    return life.nucleation["right"]


@check(
    "failure",
    source="the steady stress of its nodes, by hand: node 2 ends at 515.5309 MPa, above 515 and below 516",
    target=(2.0, 0.0),
    atol=0.0,
    unit=("node", "voids"),
)
def which_node_of_a_star_opens(full: bool) -> tuple[float, float]:
    """The node that opens below its steady stress, and that none does above it."""
    metal = REFERENCE.having(effective_charge=-5.0)
    found = []
    for critical in (515 * MPa, 516 * MPa):
        model = stress.model(star(), metal, current_density=[1.0e10, 1.2e10, 0.8e10], degree=1, voids=True)
        life = failure.run(model, critical_stress=critical, until=1e12)
        found.append(life.nucleation)
    (node,) = found[0]
    return float(node), float(len(found[1]))


@check(
    "failure",
    source="V. Sukharev, X. Huang, S. X.-D. Tan, J. Appl. Phys. 118, 034504 (2015), eqs. 11-14: 7.8818 % of 1.25 Ohm",
    target=4.33735e-2,
    rtol=2e-3,
    unit="nm",
)
def void_that_raises_a_resistance(full: bool) -> float:
    """The void of a published line, 10 nm of liner of 1e-5 Ohm m, that raises its resistance by 7.8818 %."""
    metal = REFERENCE.having(bulk_modulus=1e11, atomic_volume=1.66e-29, resistivity=3e-8, effective_charge=-10.0)
    liner = failure.Liner(1e-5, 10 * nm)
    return liner.void_length(metal, rise=0.078818, length=um, width=0.2 * um, thickness=0.12 * um) / nm

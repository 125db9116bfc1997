"""Failure: the time at which voids open, and the resistance that they cause."""

from __future__ import annotations

from emfem import failure
from emfem.units import MPa, nm, um
from emfem.verify import reference
from emfem.verify.registry import check


@check(
    "failure",
    source="the series of the blocked line at 41 MPa, by a script of its own",
    target=reference.NUCLEATION,
    rtol=3e-5,
    unit="s",
)
def first_void_of_a_line(full: bool) -> float:
    """Void opens at the end of the reference line."""
    life = failure.run(reference.line(40, voids=True), critical_stress=reference.CRITICAL, until=1e9)
    return life.nucleation["right"]


@check(
    "failure",
    source=f"the steady stress of its nodes, by hand: node 2 ends at {reference.STAR_STRESS[2]} MPa",
    target=(2.0, 0.0),
    atol=0.0,
    unit=("node", "voids"),
)
def which_node_of_a_star_opens(full: bool) -> tuple[float, float]:
    """Node that opens below its steady stress, and that none does above it."""
    below, above = (
        failure.run(reference.stressed_star(voids=True), critical_stress=critical, until=1e12).nucleation
        for critical in (515 * MPa, 516 * MPa)
    )
    (node,) = below
    return float(node), float(len(above))


@check(
    "failure",
    source="V. Sukharev, X. Huang, S. X.-D. Tan, J. Appl. Phys. 118, 034504 (2015), eqs. 11-14: 7.8818 % of 1.25 Ohm",
    target=4.33735e-2,
    rtol=2e-3,
    unit="nm",
)
def void_that_raises_a_resistance(full: bool) -> float:
    """Void of a published line, 10 nm of liner of 1e-5 Ohm m, that raises its resistance by 7.8818 %."""
    metal = reference.METAL.having(bulk_modulus=1e11, atomic_volume=1.66e-29, resistivity=3e-8, effective_charge=-10.0)
    liner = failure.Liner(1e-5, 10 * nm)
    return liner.void_length(metal, rise=0.078818, length=um, width=0.2 * um, thickness=0.12 * um) / nm

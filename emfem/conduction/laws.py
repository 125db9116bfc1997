"""Laws of conduction: Ohm's law, conservation of charge, contacts, resistivity of an alloy."""

from __future__ import annotations

from typing import Any

from emfem.errors import number
from emfem.gate import checked
from emfem.model.terms import of_terms

import ufl


@checked
@of_terms
def ohmic_flux(conductivity: Any, field: Any) -> Any:
    """`j = sigma E`, Ohm's law."""
    return ufl.dot(conductivity, field) if ufl.as_ufl(conductivity).ufl_shape else conductivity * field


@checked
@of_terms
def continuity(flux: Any, v: Any, dx: ufl.Measure) -> ufl.Form:
    """`int -j . grad v dx`: no current is lost, insulated edges natural."""
    return -ufl.inner(flux, ufl.grad(v)) * dx


@checked
@of_terms
def contact(phi: Any, voltage: Any, resistivity: Any, v: Any, ds: ufl.Measure) -> ufl.Form:
    """`int (phi - V)/r v ds`: the current into a contact of specific resistance r with metal at the voltage V."""
    return (phi - voltage) / resistivity * v * ds


@checked
@of_terms
def nordheim(c: Any, *, solvent: float, solute: float, disorder: float) -> Any:
    """Return the resistivity of a random binary alloy, `rho_A (1 - c) + rho_B c + A c (1 - c)`, Nordheim's rule.

    Args:
        c: solute fraction, a number, an array or UFL [-].
        solvent: rho_A, of the pure solvent [Ohm m].
        solute: rho_B, of the pure solute [Ohm m].
        disorder: A, of the disorder of the alloy [Ohm m].

    Raises:
        ParameterError: for a resistivity or c that is no number, or one that is not finite.

    References:
        L. Nordheim, Zur Elektronentheorie der Metalle II, Ann. Phys. 401, 641 (1931).
    """
    for name, value in (("solvent", solvent), ("solute", solute), ("disorder", disorder)):
        number(name, value, unit="Ohm m")
    return solvent * (1 - c) + solute * c + disorder * c * (1 - c)

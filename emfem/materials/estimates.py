"""Estimates to make before a run: the numbers that follow from a material, a length and a current."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from emfem import units
from emfem.arrays import finite
from emfem.materials.table import aligned, as_html
from emfem.materials.validity import LINE, STRESS, current

UNITS = ("V/m", "N", "m/s", "-", "s", "m2/s", "s", "Pa/m", "Pa", "A/m", "A/m")
VERDICTS = {None: [], True: ["immortal: j L is below its critical value"], False: ["mortal: a void will open"]}


@dataclass(frozen=True)
class Derived:
    """Numbers of a line under a current; signs are those of the field and the atoms along it.

    Attributes:
        field: E = rho j [V/m].
        force: Z* e rho j on an atom [N].
        drift_velocity: D Z* e rho j / (k T) of the atoms [m/s].
        peclet: Z* e rho j L / (k T), drift over diffusion along the line [-].
        diffusion_time: L^2 / D [s].
        stress_diffusivity: kappa = D B Omega / (k T) [m2/s].
        time_scale: L^2 / kappa, in which stress builds up [s].
        stress_gradient: Z* e rho j / Omega [Pa/m].
        greatest_stress: |G| L / 2, the steady tension at the end that atoms leave, blocked ends [Pa].
        product: |j| L [A/m].
        critical_product: (j L)_c = 2 Omega sigma_c / (e |Z*| rho): below it no void opens [A/m]; None without a
            critical stress, or without a charge.
    """

    field: float
    force: float
    drift_velocity: float
    peclet: float
    diffusion_time: float
    stress_diffusivity: float
    time_scale: float
    stress_gradient: float
    greatest_stress: float
    product: float
    critical_product: float | None

    @property
    def immortal(self) -> bool | None:
        """True if j L stays below its critical value; None if there is none."""
        return None if self.critical_product is None else self.product < self.critical_product

    def _rows(self) -> list[tuple[str, str, str]]:
        """Return name, value and unit of each number."""
        values = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        return [
            (name, "not given" if value is None else f"{value:.6g}", unit)
            for (name, value), unit in zip(values.items(), UNITS, strict=True)
        ]

    def __str__(self) -> str:
        """Return one line for each number, with its unit."""
        return "\n".join([*aligned(self._rows()), *VERDICTS[self.immortal]])

    def _repr_html_(self) -> str:
        """Table for notebooks."""
        return as_html(self._rows(), "".join(VERDICTS[self.immortal]))


@finite
def derived(material: Any, *, length: float, current_density: float, critical_stress: float | None = None) -> Derived:
    """Return the numbers of a line of this metal under a current; see `Material.derived`."""
    size = LINE.check("length", length)
    j = current("current_density", current_density)
    critical = None if critical_stress is None else STRESS.check("critical_stress", critical_stress)
    thermal = units.boltzmann * material.temperature
    field = material.resistivity * j
    force = material.effective_charge * units.elementary_charge * field
    kappa = material.diffusivity * material.bulk_modulus * material.atomic_volume / thermal
    per_current = abs(material.effective_charge) * units.elementary_charge * material.resistivity
    return Derived(
        field=field,
        force=force,
        drift_velocity=material.diffusivity * force / thermal,
        peclet=force * size / thermal,
        diffusion_time=size**2 / material.diffusivity,
        stress_diffusivity=kappa,
        time_scale=size**2 / kappa,
        stress_gradient=force / material.atomic_volume,
        greatest_stress=abs(force) * size / (2 * material.atomic_volume),
        product=abs(j) * size,
        critical_product=2 * material.atomic_volume * critical / per_current if critical and per_current else None,
    )

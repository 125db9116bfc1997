"""Materials: constants of metals, and the numbers derived from them."""

from __future__ import annotations

from emfem import materials
from emfem.film import Scales
from emfem.materials import DirectAndWind, WiedemannFranz
from emfem.verify import reference
from emfem.verify.registry import check


@check(
    "materials",
    source="Arrhenius' law by hand, from the prefactors and energies in the table of copper, which names their sources",
    target=(4.600e-24, 7.3505e-24, 2.513774e-25),
    rtol=2e-4,
    unit=("m2/s", "m3/s", "m3/s"),
)
def diffusivities_of_copper(full: bool) -> tuple[float, ...]:
    """Lattice, grain boundary (times width) and surface (times thickness) diffusivity of copper at 300 C."""
    copper = materials.copper(573.15)
    return (
        copper.lattice_diffusivity,
        copper.grain_boundary_diffusivity_thickness,
        copper.surface_diffusivity_thickness,
    )


@check(
    "materials",
    source="Z_d + Z_w rho(T0)/rho(T) = 0 at T0 + (-Z_w/Z_d - 1)/a, by hand",
    target=404.261,
    rtol=2e-6,
    unit="K",
)
def cancellation_of_the_forces(full: bool) -> float:
    """Direct and wind force cancel at 404 K for Z_d = 2, Z_w = -3 and a = 4.5e-3/K."""
    metal = materials.copper(temperature_coefficient=4.5e-3, effective_charge=DirectAndWind(2.0, -3.0))
    return metal.cancellation_temperature()


@check(
    "materials",
    source="Sommerfeld: L = (pi^2/3)(k/e)^2 = 2.44e-8 W Ohm/K2",
    target=2.443e-8,
    rtol=3e-3,
    unit="W Ohm/K2",
)
def lorenz_number(full: bool) -> float:
    """Thermal conductivity by the Wiedemann-Franz law, times resistivity, over temperature."""
    metal = materials.copper(400.0, thermal_conductivity=WiedemannFranz())
    return metal.thermal_conductivity * metal.resistivity / 400.0


@check(
    "materials",
    source="worked by hand: kappa = D B Omega/(k T), v = D Z* e rho j/(k T), e rho j Z* L/(2 Omega)",
    target=(reference.KAPPA, reference.DRIFT, reference.HIGHEST),
    rtol=1e-6,
    unit=("m2/s", "m/s", "Pa"),
)
def numbers_of_the_reference_line(full: bool) -> tuple[float, ...]:
    """Stress diffusivity, drift velocity and greatest stress of a copper line of 50 um at 1e10 A/m2."""
    numbers = reference.METAL.derived(length=reference.LENGTH, current_density=reference.DENSITY)
    return numbers.stress_diffusivity, numbers.drift_velocity, numbers.greatest_stress


@check("materials", source="S = nu k T/gamma by hand", target=0.098026079, rtol=1e-6)
def entropy_of_a_cupd_film(full: bool) -> float:
    """Dimensionless entropy of a film of 1.5e19 sites/m2 and 1.95 J/m2 at 923 K."""
    return Scales(temperature=923.0, length=1e-9, site_density=1.5e19, surface_energy=1.95, diffusivity=1e-9).entropy

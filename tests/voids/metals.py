"""Metal of the tests of voids: near copper at 300 degC, with round numbers."""

import emfem as em

METAL = em.materials.Material(
    "metal",
    temperature=573.15,
    diffusivity=1e-17,
    bulk_modulus=28e9,
    atomic_volume=1.18e-29,
    effective_charge=-5.0,
    resistivity=3.5e-8,
    surface_energy=1.7,
    surface_diffusivity_thickness=3e-23,
)

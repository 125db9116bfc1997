"""A migration whose numbers test_migration compares between numbers of ranks; and bad input on all ranks."""

from __future__ import annotations

import json

import emfem as em
from emfem.errors import ParameterError

from mpi4py import MPI


def main() -> None:
    """Print the quantities of a drift in a computed field, in time and at rest, as JSON."""
    values: dict[str, float] = {}
    domain = em.mesh.rectangle((2.0, 1.0), cells=(12, 8), cell="triangle")
    current = em.conduction.model(domain, on={"left": em.fixed(4.0), "bottom": em.fixed(0.0)}, degree=1)
    em.solve_steady(current)
    for stabilisation in (None, "fitted"):
        species = em.migration.model(
            domain,
            diffusivity=0.5,
            drift=current["E"],
            initial=lambda x: 1 + x[0],
            on={"right": em.fixed(0.4), "top": em.flux(0.3)},
            source=em.migration.sinks(equilibrium=1.0, lifetime=2.0),
            stabilisation=stabilisation,
        )
        em.evolve(species, 0.1, progress=False)
        values |= {f"{stabilisation} {name}": species.quantity(name) for name in species.quantities}
        values[f"{stabilisation} place"] = float(em.migration.peclet(species).place[0])
        em.solve_steady(species)
        values |= {f"{stabilisation} {name} at rest": species.quantity(name) for name in species.quantities}
    crystal = em.mesh.grains(domain, count=5, seed=1)
    fast = em.migration.fast_path(width=0.01, diffusivity=300.0, drift=(50.0, 20.0))
    on: dict[str, em.model.Fixed | em.model.Flux] = {"left": em.fixed(1.0), "right": em.flux(0.2)}
    grains = em.migration.model(crystal, diffusivity=1.0, initial=0.0, on=on, grain_boundaries=fast)
    em.solve_steady(grains)
    values |= {f"grains {name}": grains.quantity(name) for name in grains.quantities}
    apart = em.migration.fast_path(width=0.01, diffusivity=300.0, drift=(50.0, 20.0), exchange=3.0, segregation=2.0)
    enriched = em.migration.model(crystal, diffusivity=1.0, initial=0.5, on=on, grain_boundaries=apart)
    em.evolve(enriched, 0.05, progress=False)
    values |= {f"apart {name}": enriched.quantity(name) for name in enriched.quantities}
    line = em.mesh.interval(1.0, cells=40)
    couple = em.migration.alloy(line, diffusivities=(2.0, 1.0), initial=lambda x: 1.0 - x[0], markers=True)
    em.evolve(couple, 0.05, progress=False)
    for i, x in enumerate(em.migration.positions(couple, [[0.3], [0.6]])):
        values[f"marker {i}"] = float(x[0])
    sinks = em.migration.vacancies(equilibrium=1e-3, lifetime=1e-4, surfaces=["left"])
    slow = em.migration.alloy(line, diffusivities=(2.0, 1.0), initial=lambda x: 1.0 - x[0], vacancies=sinks)
    em.evolve(slow, 0.05, progress=False)
    values |= {f"slow {name}": slow.quantity(name) for name in slow.quantities}
    try:
        em.migration.model(domain, diffusivity=1.0, initial=lambda x: x[0] - 1.0)
    except ParameterError:
        values["refused"] = 1.0
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(values))


if __name__ == "__main__":
    main()

"""Small runs of the other models and couplings, which `make soak` adds to those of `resume_case.py`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import emfem as em
from emfem.units import MPa, eV, nm, um

import numpy as np

COPPER = em.materials.copper(temperature=573.0)
GOLD = em.materials.gold(temperature=900.0)
Observers = list[em.observe.Observer]


def space(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """An alloy film in space, of linear elements, whose boundaries let atoms in."""
    domain = em.mesh.box((6.0, 6.0, 6.0), cells=(3, 3, 3))
    model = em.film.model(
        domain, em.film.cupd(), mean=0.3, field=lambda t: (0.1 + 0.02 * np.sin(t), 0.0, 0.05), degree=1,
        initial=em.film.noise(0.08, seed=1), anisotropy=np.diag([1.0, 2.0, 0.5]), mobility=em.film.degenerate_mobility,
        on={"left": em.flux(0.001)},
    )  # fmt: skip
    em.evolve(model, 6.0, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


def coherent(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """A film that pulls at its substrate, whose gradient energy is anisotropic and whose crystal warms up."""
    crystal = em.film.Activated(em.film.Anisotropy("110", 1.0), 0.5 * eV, 900.0, lambda t: 900.0 + t)
    model = em.film.model(
        em.mesh.rectangle((6.0, 5.0), cells=(6, 5)), replace(em.film.cupd(), coherency=0.03), mean=0.3,
        anisotropy=crystal, gradient_anisotropy=np.diag([1.0, 2.0]), initial=em.film.noise(0.08, seed=1),
        on={"left": em.flux(0.001)},
    )  # fmt: skip
    em.evolve(model, 6.0, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


def vacancies(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """An alloy whose lattice moves, with markers and sinks of vacancies of finite strength."""
    sinks = em.migration.vacancies(equilibrium=1e-3, lifetime=1e-4, surfaces=["left"])
    model = em.migration.alloy(
        em.mesh.rectangle((1.0, 0.5), cells=(10, 4)), diffusivities=(2.0, 0.5), forces=((3.0, 1.0), (-1.0, 0.0)),
        initial=lambda x: 0.8 - 0.6 * x[0], markers=True, vacancies=sinks,
    )  # fmt: skip
    em.evolve(model, 0.05, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


def confined(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """An alloy whose lattice is held."""
    model = em.migration.alloy(
        em.mesh.rectangle((1.0, 1.0), cells=(6, 6)), diffusivities=(lambda n: 1 + n**2, 0.3), lattice="held",
        forces=((4.0, 2.0), (-1.0, 3.0)), initial=lambda x: 0.2 + 0.5 * x[0] * x[1],
    )  # fmt: skip
    em.evolve(model, 0.1, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


def boundaries(watch: Observers, checkpoint: Any, **path: float) -> list[em.Model]:
    """Solute in grains and along their boundaries, in the field of a current that is fed in."""
    domain = em.mesh.grains(em.mesh.rectangle((2.0, 1.0), cells=(12, 8), cell="triangle"), count=5, seed=1)
    feed = em.conduction.electrode(current=lambda t: 1.0 + 0.5 * np.sin(60 * t))
    current = em.conduction.model(domain, conductivity=1.0, on={"left": feed, "right": em.fixed(0.0)}, degree=1)
    fast = em.migration.fast_path(width=0.01, diffusivity=300.0, drift=(50.0, 20.0), **path)
    model = em.migration.model(
        domain, diffusivity=1.0, drift=current["E"], initial=0.5, grain_boundaries=fast,
        on={"left": em.fixed(1.0), "right": em.flux(0.2)},
    )  # fmt: skip
    em.evolve([current, model], 0.1, watch=watch, checkpoint=checkpoint, progress=False)
    return [current, model]


def exchange(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """The same with a concentration of their own in the boundaries."""
    return boundaries(watch, checkpoint, exchange=3.0, segregation=2.0)


def fitted(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """Solute in a strong drift, with fitted fluxes and sinks, on triangles."""
    model = em.migration.model(
        em.mesh.rectangle((2.0, 1.0), cells=(12, 6), cell="triangle"), diffusivity=0.05,
        drift=lambda t: (1.0 + np.sin(t), 0.5), initial=lambda x: 1 + x[0], stabilisation="fitted",
        source=em.migration.sinks(equilibrium=1.0, lifetime=2.0), on={"left": em.fixed(1.0)},
    )  # fmt: skip
    em.evolve(model, 2.0, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


def thermal(watch: Observers, checkpoint: Any, coupling: str = "staggered", stress: bool = False) -> list[em.Model]:
    """A strip that a current fed in heats, cooled by air and by what it lies on; atoms or stress follow both."""
    domain = em.mesh.rectangle((20 * um, 4 * um), cells=(12, 4)).in_metres()
    temperature = em.placeholder("T", domain)
    feed = em.conduction.electrode(current=1e5 if stress else lambda t: 1e5 * (1 + 0.3 * np.sin(4e5 * t)))
    current = em.conduction.model(
        domain, conductivity=4e7 * (1 - 1e-3 * (temperature - 300.0)), on={"left": feed, "right": em.fixed(0.0)}
    )
    warm = em.heat.model(
        domain, source=em.heat.joule(current), conductivity=400.0, heat_capacity=3.4e6, initial=300.0,
        on={"left": em.fixed(300.0), "top": em.heat.convection(1e5, 300.0)}, loss=(1e11, 300.0),
    )  # fmt: skip
    current = current.substitute(T=warm["T"])
    if stress:
        metal = COPPER.having(heat_of_transport=0.1 * eV)
        last = em.stress.model(domain, metal, current=current, temperature=warm["T"])
    else:
        last = em.migration.model(domain, diffusivity=1e-6 * warm["T"] / 300, drift=1e-2 * current["E"], initial=1.0)
    models = [current, warm, last]
    em.evolve(
        models,
        1e4 if stress else 5e-6,
        rtol=1e-3,
        watch=watch,
        checkpoint=checkpoint,
        progress=False,
        coupling=coupling,
    )
    return models


def plane_stress(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """Stress in the same strip, all in one system."""
    return thermal(watch, checkpoint, "monolithic", stress=True)


def line(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """A line to the length of a void that is failure."""
    domain = em.mesh.interval(50 * um, cells=16)
    model = em.stress.model(domain, COPPER, current_density=1e10, voids=True)
    em.failure.run(
        model, critical_stress=20 * MPa, until=1e9, fails=em.failure.VoidLength(0.02 * um), watch=watch,
        checkpoint=checkpoint,
    )  # fmt: skip
    return [model]


def rod(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """A wire under a current that necks, as a body of revolution."""
    radius = 10 * nm
    domain = em.mesh.axisymmetric(em.mesh.rectangle((40 * nm, 16 * nm), cells=(16, 10)))
    shape = em.surface.wire(radius, amplitude=1 * nm, wavelength=80 * nm)
    model = em.surface.model(domain, GOLD, shape=shape, interface_width=3 * nm, on=("left", "right"), current=1e-4)
    time = radius**4 / em.analytic.mullins_coefficient(GOLD)
    em.evolve(model, 0.02 * time, rtol=1e-3, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


def anisotropic(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """A void between electrodes at a voltage, whose surface diffuses by its direction."""
    radius = 8 * nm
    domain = em.mesh.rectangle((40 * nm, 30 * nm), cells=(20, 14))
    model = em.surface.model(
        domain, GOLD, shape=em.surface.void((16 * nm, 15 * nm), radius), interface_width=2.5 * nm,
        on=("left", "right"), voltage=lambda t: 1e-3, anisotropy=em.surface.MobilityAnisotropy(0.5, 4, 0.2),
    )  # fmt: skip
    time = radius**4 / em.analytic.mullins_coefficient(GOLD)
    em.evolve(model, 0.02 * time, rtol=1e-3, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


def moving_current(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """A void on meshes that follow it, under a current that is fed in."""
    width, radius = 1.5 * nm, 6 * nm
    time = radius**4 / em.analytic.mullins_coefficient(GOLD)

    def make(domain: em.mesh.Domain, shape: Any) -> em.Model:
        return em.surface.model(domain, GOLD, shape=shape, interface_width=width, current=4e5, on=("left", "right"))

    run = em.moving.evolve(
        make, em.mesh.rectangle((48 * nm, 24 * nm), cells=(8, 4), cell="triangle"), 0.06 * time,
        shape=em.surface.void((18 * nm, 12 * nm), radius), interface_width=width, size=width, slack=width, rtol=1e-3,
        watch=watch, checkpoint=checkpoint, progress=False,
    )  # fmt: skip
    return [run.model]


def void_life(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """A void that opens, drifts to the end of a line and cuts it."""
    domain, density = em.mesh.rectangle((300 * nm, 32 * nm), cells=(38, 4)), 2e12
    metal = COPPER.having(
        bulk_modulus=28e9, diffusivity=1e-17, surface_energy=1.7, surface_diffusivity_thickness=3e-23
    )  # fmt: skip

    def make(shape: Any, sigma: Any) -> em.Model:
        return em.voids.model(
            domain, metal, shape=shape, interface_width=8 * nm, residual_stress=sigma, current_density=density,
            on=("left", "right"), liner=True, conductivity_ratio=0.02,
        )  # fmt: skip

    stress = em.stress.model(domain, metal, current_density=(density, 0.0), residual_stress=100e6)
    life = em.voids.run(
        stress, make, critical_stress=lambda x: np.where(abs(x[0] - 225 * nm) < 20 * nm, 120e6, 400e6),
        seed_radius=20 * nm, until=400.0, rise=1.0, watch=watch, checkpoint=checkpoint,
    )  # fmt: skip
    assert life.why in ("cut", "interrupted"), life
    return [] if life.model is None else [life.model]


def height(watch: Observers, checkpoint: Any) -> list[em.Model]:
    """A surface whose height and composition evolve, under a field that changes."""
    line = em.mesh.periodic_interval(6.0, cells=12).scaled()
    one = em.height.Species(1.0, 1.0, 1.0, strength=1.0, misorientation=-0.4)
    alloy = em.height.Alloy(one, em.height.Species(0.5, 0.8, -0.5), 1.0, 1.0, 0.8, scaled=True)
    model = em.height.model(
        line, alloy, thickness=5.0, mean=0.3, field=lambda t: (1 + 0.2 * np.sin(t),),
        height=em.film.noise(0.1, seed=1).on(line),
    )  # fmt: skip
    em.evolve(model, 1.0, watch=watch, checkpoint=checkpoint, progress=False)
    return [model]


MORE = (
    *(space, coherent, vacancies, confined, boundaries, exchange, fitted, thermal, plane_stress, line, rod),
    *(anisotropic, moving_current, void_life, height),
)

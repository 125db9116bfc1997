"""Waves on surfaces: flat, around a wire and around a circle, at rest and under a current, against linear theory.

The amplitude is that of int c cos(k x) dx, which is smooth in time where the place of a contour is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import emfem as em
from emfem.units import nm

import numpy as np
import pytest
import ufl
from dolfinx import fem
from numpy.typing import NDArray

GOLD = em.materials.gold(temperature=900.0)
B = em.analytic.mullins_coefficient(GOLD)


class Wave(em.observe.Observer):
    """The complex amplitude of the first wave of c in time: |a| e^{i k x0} with the crest at x0."""

    def __init__(self, weigh: Callable[[Any], tuple[Any, Any]], every: float) -> None:
        super().__init__(every)
        self.weigh, self.t, self.a = weigh, [], []  # type: ignore[var-annotated]

    def begin(self) -> None:
        model = self.models[0]
        waves = self.weigh(ufl.SpatialCoordinate(model.mesh))
        self.forms = [fem.form(model["c"] * wave * model.domain.dx(4)) for wave in waves]

    def record(self, t: float) -> None:
        real, imaginary = (em.fields.integral(form, self.models[0].mesh.comm) for form in self.forms)
        self.t.append(t)
        self.a.append(real + 1j * imaginary)

    def rate(self, after: float = 0.4) -> complex:
        """d ln a / dt over the run but for its beginning."""
        t, a = np.array(self.t), np.array(self.a)
        late = t > after * t[-1]
        growth = np.polyfit(t[late], np.log(np.abs(a[late])), 1)[0]
        turning = np.polyfit(t[late], np.unwrap(np.angle(a[late])), 1)[0]
        return complex(growth, -turning)  # exp(i k x + omega t) has its crest at -Im(omega) t / k


def along(length: float) -> Callable[[Any], tuple[Any, Any]]:
    """Weights of a wave along x with a wavelength of `length`."""

    def weigh(x: Any) -> tuple[Any, Any]:
        k = fem.Constant(x.ufl_domain(), 2 * np.pi / length)
        return ufl.cos(k * x[0]), ufl.sin(k * x[0])

    return weigh


def grown(model: em.Model, weigh: Callable[[Any], tuple[Any, Any]], until: float) -> complex:
    """The growth rate of a wave; metal, and without a current the energy, are looked at on the way.

    A step's error is 1e-4, of which the energy sees a hundredth.
    """
    wave, seen = Wave(weigh, every=until / 20), em.watch.series(["free_energy"])
    em.evolve(model, until=until, watch=[wave, seen, em.watch.conserved("metal", rtol=1e-8)], progress=False)
    if "voltage" not in model.quantities:
        assert (np.diff(seen["free_energy"]) <= 2e-6 * seen["free_energy"][0]).all()
        assert seen["free_energy"][-1] < seen["free_energy"][0]
    return wave.rate()


# Flat surfaces

LONG = 100 * nm
K = 2 * np.pi / LONG


def flat(part: float, *, fine: float = 0.6, height: float = 0.3, **options: Any) -> em.Model:
    """A wave of length 100 nm on metal of some height under as much vacuum; l is a part of the wavelength."""
    width = part * LONG
    cells = (int(np.ceil(LONG / (fine * width))), int(np.ceil(2 * height * LONG / (fine * width))))
    domain = em.mesh.periodic_rectangle((LONG, 2 * height * LONG), cells=cells, axes="x")
    shape = em.surface.flat(height * LONG, amplitude=0.01 * LONG, wavelength=LONG)
    return em.surface.model(domain, GOLD, shape=shape, interface_width=width, **options)


def flat_decay(part: float, **options: Any) -> float:
    """Decay rate over B k^4."""
    return -grown(flat(part, **options), along(LONG), 0.4 / (B * K**4)).real / (B * K**4)


# Wires

RADIUS = 5 * nm


def wire(kr: float, part: float = 0.06, **options: Any) -> em.Model:
    """A wire with a wave of kR; cells are finer across the surface than along it."""
    length, width = 2 * np.pi * RADIUS / kr, part * RADIUS
    cells = (int(np.ceil(length / (1.2 * width))), int(np.ceil(1.4 * RADIUS / (0.45 * width))))
    domain = em.mesh.axisymmetric(em.mesh.periodic_rectangle((length, 1.4 * RADIUS), cells=cells, axes="x"))
    shape = em.surface.wire(RADIUS, amplitude=0.02 * RADIUS, wavelength=length)
    return em.surface.model(domain, GOLD, shape=shape, interface_width=width, **options)


def wire_growth(kr: float, **options: Any) -> complex:
    """Growth rate over B / R^4."""
    model = wire(kr, **options)
    return grown(model, along(2 * np.pi * RADIUS / kr), 0.6 * RADIUS**4 / B) * RADIUS**4 / B


# Circles


def oval_decay(part: float, fine: float = 0.6, sign: float = 1.0) -> float:
    """Decay of a circle's n = 2 wave over B / R^4, in a quarter; metal with sign 1, a void with -1."""
    width, size = part * RADIUS, 1.7 * RADIUS
    n = int(np.ceil(size / (fine * width)))

    def shape(x: NDArray[np.float64]) -> NDArray[np.float64]:
        angle = np.arctan2(x[1], x[0])
        return sign * (RADIUS * (1 + 0.03 * np.cos(2 * angle)) - np.hypot(x[0], x[1]))

    domain = em.mesh.rectangle((size, size), cells=(n, n))
    model = em.surface.model(domain, GOLD, shape=shape, interface_width=width)
    rate = grown(model, lambda x: ((x[0] ** 2 - x[1] ** 2), 0 * x[0]), 0.06 * RADIUS**4 / B)
    return -rate.real * RADIUS**4 / B

"""Tensors of a film: laws with a method `tensor()`, temperature, time, regions; anisotropic gradient energy."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import emfem as em
from emfem.errors import ParameterError
from emfem.film.tensors import tensor_of
from emfem.units import eV

import numpy as np
import pytest
import ufl
from dolfinx import fem

CUPD = em.film.cupd()
CRYSTAL = em.film.Anisotropy("110", strength=1.0)  # D = diag(2, 1)
ENERGIES = (0.5 * eV, 0.8 * eV)
Films = Callable[..., em.Model]
COARSE = pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")


def activated(temperature: Any, **other: Any) -> em.film.Activated:
    """The crystal at a temperature, its constants those of 900 K."""
    return em.film.Activated(CRYSTAL, ENERGIES, 900.0, temperature, **other)


def mean_tensor(domain: em.mesh.Domain, given: Any) -> Any:
    """Mean of a tensor over a domain."""
    tensor = tensor_of(domain, "anisotropy", given).value
    one = ufl.as_vector((1.0, 0.0)), ufl.as_vector((0.0, 1.0))
    forms = [[fem.form(ufl.inner(a, ufl.dot(tensor, b)) * domain.dx(2)) for b in one] for a in one]
    parts = [[em.fields.integral(form, domain.mesh.comm) for form in row] for row in forms]
    return np.array(parts) / 12.0  # the area of the plate


# ---- temperature


def test_activated_diffusion_is_that_of_arrhenius_along_each_axis():
    """exp(E/k (1/900 - 1/800)) by hand: E/k = 5802.26 K and 9283.61 K."""
    assert activated(900.0).tensor() == pytest.approx(CRYSTAL.tensor(), rel=1e-14)
    cold = activated(800.0).tensor()
    assert np.diag(cold) == pytest.approx([2 * math.exp(-5802.259 / 7200), math.exp(-9283.614 / 7200)], rel=1e-6)
    turned = activated(800.0, turn=0.3).tensor()
    along = np.array([math.cos(0.3), math.sin(0.3)])
    assert turned @ along == pytest.approx(cold[0, 0] * along, rel=1e-14)
    one = em.film.Activated(CRYSTAL, ENERGIES[0], 900.0, 800.0).tensor()
    assert one == pytest.approx(CRYSTAL.tensor() * cold[0, 0] / 2, rel=1e-14)


def test_temperature_is_a_number_a_function_of_time_or_a_field(plate: em.mesh.Domain):
    exact = activated(800.0).tensor()
    place = ufl.SpatialCoordinate(plate.mesh)
    assert mean_tensor(plate, activated(800.0)) == pytest.approx(exact, rel=1e-12)
    assert mean_tensor(plate, activated(lambda t: 800.0 + t)) == pytest.approx(exact, rel=1e-12)
    assert mean_tensor(plate, activated(800.0 + 1e-12 * place[0])) == pytest.approx(exact, rel=1e-12)  # 0 * x is 0
    field = fem.Function(fem.functionspace(plate.mesh, ("Lagrange", 1)))
    field.x.array[:] = 800.0
    turned = mean_tensor(plate, activated(field, turn=0.3))
    assert turned == pytest.approx(activated(800.0, turn=0.3).tensor(), rel=1e-12)
    of_time = tensor_of(plate, "anisotropy", activated(lambda t: 800.0 + t))
    (driver,) = of_time.drivers
    assert driver.value(100.0) == pytest.approx(CRYSTAL.tensor(), rel=1e-14)


@pytest.mark.soak
@COARSE
def test_a_film_that_cools_slows_down(film: Films):
    """With one energy, half the diffusion for twice the time is the same film."""
    start: dict[str, Any] = {"initial": lambda x: 0.3 + 0.05 * np.cos(2 * np.pi * x[0] / 10), "degree": 1}
    half = 900.0 / (1 + math.log(2) * 900.0 * em.units.boltzmann / ENERGIES[0])
    laws = (em.film.Activated(CRYSTAL, ENERGIES[0], 900.0, lambda t, T=T: T) for T in (900.0, half))
    hot, cold = (film(anisotropy=law, **start) for law in laws)
    em.evolve(hot, 1.0, fixed_step=0.25, progress=False)
    em.evolve(cold, 2.0, fixed_step=0.5, progress=False)
    assert cold["c"].x.array == pytest.approx(hot["c"].x.array, abs=1e-9)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"temperature": 0.0}, "temperature = 0 K, must be greater than 0"),
        ({"temperature": lambda t: -1.0}, "temperature at t = 0 = -1 K, must be greater than 0"),
        ({"reference_temperature": -5.0}, "reference_temperature = -5 K, must be greater than 0"),
        ({"activation_energy": -1e-19}, "activation_energy = -1e-19 J, must be at least 0"),
        ({"activation_energy": 0.5}, "activation_energy = 0.5 J, must be at most 1e-17"),
        ({"activation_energy": (1e-19, 1e-19, 1e-19)}, "activation_energy = (1e-19, 1e-19, 1e-19), must be"),
        ({"turn": 45.0}, "turn = 45 rad, "),
    ],
)
def test_bad_laws_are_refused(arguments: dict[str, Any], message: str):
    right: dict[str, Any] = {
        "crystal": CRYSTAL,
        "activation_energy": 1e-19,
        "reference_temperature": 900.0,
        "temperature": 900.0,
    }
    with pytest.raises(ParameterError) as caught:
        em.film.Activated(**(right | arguments))
    assert str(caught.value).startswith(message)


# ---- laws of one's own, functions of time, regions


@dataclass(frozen=True)
class Fast:
    """A law of one's own."""

    along: float

    def tensor(self) -> Any:
        """Return it."""
        return [[self.along, 0.5], [0.5, 1.0]]


def halves() -> em.mesh.Domain:
    """A plate of two grains of 4 x 3, three quarters of it west."""
    plate = em.mesh.rectangle((4.0, 3.0), cells=(4, 3))
    return plate.with_regions({"west": lambda x: x[0] < 3.0, "east": lambda x: x[0] > 3.0})


def test_a_law_of_one_s_own_is_a_tensor(plate: em.mesh.Domain):
    assert mean_tensor(plate, Fast(3.0)) == pytest.approx(np.array([[3.0, 0.5], [0.5, 1.0]]), rel=1e-12)
    assert em.film.growth_rate((1.0, 0.0), CUPD, mean=0.3, anisotropy=Fast(3.0)) == pytest.approx(
        3 * em.film.growth_rate((1.0, 0.0), CUPD, mean=0.3), rel=1e-14
    )
    with pytest.raises(ParameterError, match=r"^anisotropy = \[\[0.1, 0.5\], \[0.5, 1.0\]\], must be positive def"):
        tensor_of(plate, "anisotropy", Fast(0.1))


@pytest.mark.soak
def test_grains_may_have_laws_of_all_kinds():
    """Numbers in one, a function of time in the other, and both of numbers: the same mean."""
    domain = halves()
    exact = 0.75 * np.array(Fast(3.0).tensor()) + 0.25 * activated(800.0).tensor()
    for cold in (activated(800.0), activated(lambda t: 800.0 - t)):
        grains = {"west": Fast(3.0), "east": cold}
        assert mean_tensor(domain, grains) == pytest.approx(exact, rel=1e-12)
    assert len(tensor_of(domain, "anisotropy", grains).drivers) == 1


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (lambda t: [[1.0, 0.0], [0.0, -1.0]], "anisotropy at t = 0 = [[1.0, 0.0], [0.0, -1.0]], must be positive def"),
        (lambda t: 2.0, "anisotropy at t = 0 = 2.0, must be a finite tensor of shape (2, 2)"),
        (Fast, "anisotropy"),
    ],
)
def test_bad_tensors_are_refused(plate: em.mesh.Domain, given: Any, message: str):
    with pytest.raises(ParameterError) as caught:
        em.film.model(plate, CUPD, mean=0.3, anisotropy=given)
    assert str(caught.value).startswith(message)


def test_a_tensor_of_time_stays_positive_definite(plate: em.mesh.Domain):
    (driver,) = tensor_of(plate, "anisotropy", lambda t: np.diag([1.0, 1.0 - t])).drivers
    assert driver.value(0.5) == pytest.approx(np.diag([1.0, 0.5]))
    with pytest.raises(ParameterError, match=r"^anisotropy = \[\[1.0, 0.0\], \[0.0, -1.0\]\], must be positive def"):
        driver.value(2.0)


def test_growth_rate_takes_tensors_as_the_model_does():
    """A tensor that is not symmetric drives by k . D F; one that is not positive definite is refused."""
    tensor = np.array([[1.0, 0.8], [-0.3, 1.5]])
    k, force = np.array([1.0, 2.0]), (0.6, -0.2)
    found = em.film.growth_rate([k, -k], CUPD, mean=0.3, anisotropy=tensor, field=force)
    assert found.imag == pytest.approx(np.array([-1.0, 1.0]) * (1 - 2 * 0.3) * (k @ tensor @ force), rel=1e-12)
    for name in ("anisotropy", "gradient_anisotropy"):
        bad: dict[str, Any] = {name: np.diag([1.0, -1.0])}
        with pytest.raises(ParameterError, match=f"^{name} = .*, must be positive definite"):
            em.film.growth_rate(k, CUPD, mean=0.3, **bad)


def test_mobilities_are_scalars(plate: em.mesh.Domain):
    for name in ("mobility", "drift_mobility"):
        with pytest.raises(ParameterError, match=rf"^{name}\(c\) of shape \(2,\), must be a scalar"):
            em.film.model(plate, CUPD, mean=0.3, **{name: ufl.grad})


# ---- anisotropic gradient energy


@COARSE
def test_waves_grow_as_the_gradient_energy_has_it(film: Films):
    """The energy of a wave along y is that of eps G_yy, along x that of eps G_xx; and its growth by linear theory."""
    tensor = np.array([[2.0, 0.3], [0.3, 0.5]])
    k = 2 * np.pi / 10 * np.array([1.0, 1.0])
    start: dict[str, Any] = {"mean": None, "initial": lambda x: 0.3 + 1e-3 * np.cos(k[0] * x[0] + k[1] * x[1])}
    plain, steep = film(**start), film(gradient_anisotropy=tensor, **start)
    extra = steep.quantity("free_energy") - plain.quantity("free_energy")
    # 1 % of interpolation on 6 x 6 quadratic cells
    assert extra == pytest.approx(100 * 0.015 / 4 * 1e-6 * (k @ tensor @ k - k @ k), rel=0.01)
    amplitudes = [steep.quantity("amplitude")]
    em.evolve(steep, 4.0, fixed_step=0.5, progress=False)
    amplitudes.append(steep.quantity("amplitude"))
    rate = complex(em.film.growth_rate(k, CUPD, mean=0.3, gradient_anisotropy=tensor)).real
    unlike = complex(em.film.growth_rate(k, CUPD, mean=0.3)).real
    assert abs(unlike - rate) > 0.1 * abs(rate)
    assert math.log(amplitudes[1] / amplitudes[0]) / 4.0 == pytest.approx(rate, rel=0.01)


def test_the_gradient_energy_by_region_is_that_of_each():
    domain = halves()
    options: dict[str, Any] = {"mean": None, "initial": lambda x: 0.3 + 0.01 * x[0], "degree": 1}
    grains = {"west": np.diag([3.0, 1.0]), "east": np.diag([5.0, 1.0])}
    steep = em.film.model(domain, CUPD, gradient_anisotropy=grains, **options).quantity("free_energy")
    plain = em.film.model(domain, CUPD, **options).quantity("free_energy")
    assert steep - plain == pytest.approx(0.015 / 2 * 1e-4 * (9 * 2.0 + 3 * 4.0), rel=1e-6)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (np.diag([1.0, 0.0]), "gradient_anisotropy = [[1.0, 0.0], [0.0, 0.0]], must be positive definite"),
        (activated(lambda t: 900.0), "gradient_anisotropy = Activated("),
    ],
)
def test_bad_gradient_energies_are_refused(plate: em.mesh.Domain, given: Any, message: str):
    with pytest.raises(ParameterError) as caught:
        em.film.model(plate, CUPD, mean=0.3, gradient_anisotropy=given)
    assert str(caught.value).startswith(message)

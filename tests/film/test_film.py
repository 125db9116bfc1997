"""The film: constants and their SI values, crystals, fields, starts, conditions; and every bad input is refused."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from functools import partial
from typing import Any

import emfem as em
from emfem.errors import ParameterError, UnknownName
from emfem.film import terms
from emfem.film.equations import UNDERSHOOT
from emfem.model import mixing
from emfem.units import deg

import dolfinx
import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI
from numpy.typing import NDArray

Array = NDArray[np.float64]
Films = Callable[..., em.Model]

CUPD = em.film.cupd()
# A CuPd surface layer at 923 K, 0.676 nm thick (twice the Pd diameter); gamma of Cu as Vitos et al. 1998 have it.
PHYSICAL: dict[str, float] = {
    "temperature": 923.0,
    "film_thickness": 0.676e-9,
    "site_density": 5e19,
    "surface_energy": 1.95,
    "interaction_energy": 1.9e-20,
    "stress_coefficient": 4.327e7,
    "gradient_coefficient": 6.16e-11,
    "diffusivity": 1e-14,
    "energy_ratio": 1.1,
}
WIDTH = 500e-9


def physical(**other: float) -> em.film.Alloy:
    return em.film.Alloy.from_physical(**(PHYSICAL | other))


def scales(**other: float) -> em.film.Scales:
    found = physical(**other).scales
    assert found is not None
    return found


def mean_of(model: em.Model) -> float:
    area = fem.form(fem.Constant(model.mesh, 1.0) * model.domain.dx())
    return model.quantity("solute") / em.fields.integral(area, MPI.COMM_WORLD)


# ---- constants and their SI values


@pytest.mark.parametrize(("site_density", "entropy"), [(5e19, 0.32675), (1.5e19, 0.09803)])
def test_entropy_is_that_of_the_site_density(site_density: float, entropy: float):
    # the reference values have five digits
    assert physical(site_density=site_density).entropy == pytest.approx(entropy, abs=6e-6)
    there = physical(site_density=site_density).entropy
    assert scales(site_density=site_density).entropy == pytest.approx(there, rel=1e-14)


def test_stress_gradient_and_energy_ratio_scale_with_the_thickness():
    alloy = physical()
    assert alloy.solute_expansion == pytest.approx(0.015, rel=2e-4)
    assert alloy.gradient_energy == pytest.approx(0.04676, rel=1e-3)  # 6.16e-11 J/m has three digits
    assert alloy.enthalpy == pytest.approx(5e19 * 1.9e-20 / 1.95, rel=1e-14)
    assert alloy.energy_ratio == pytest.approx(1.1, rel=1e-14)


@pytest.mark.parametrize(("voltage", "drive"), [(1e-3, 5.55e-5), (1e-2, 5.55e-4), (0.1, 5.55e-3), (1.0, 5.55e-2)])
def test_drive_is_that_of_the_voltage(voltage: float, drive: float):
    assert scales().drive(voltage, WIDTH, effective_charge=10) == pytest.approx(drive, rel=2e-3)  # three digits
    assert scales().drive(voltage, WIDTH, effective_charge=-10) == -scales().drive(voltage, WIDTH, effective_charge=10)


def test_the_film_is_740_thicknesses_wide():
    assert WIDTH / scales().length == pytest.approx(739.645, abs=1e-3)


def test_time_is_that_of_the_dilute_limit():
    assert scales().time == pytest.approx(4.57e-5 * 0.32675, rel=1e-3)


@pytest.mark.parametrize("charge", [10.0, -3.5])
def test_voltage_is_the_inverse_of_drive(charge: float):
    drive = scales().drive(0.1, WIDTH, charge)
    assert scales().voltage(drive, WIDTH, charge) == pytest.approx(0.1, rel=1e-14)


def test_physical_values_come_back():
    assert physical().to_physical() == pytest.approx(PHYSICAL, rel=1e-14)
    again = em.film.Alloy.from_physical(**physical().to_physical())
    assert again.entropy == pytest.approx(physical().entropy, rel=1e-14)


def test_a_dimensionless_alloy_has_no_physical_values():
    with pytest.raises(ParameterError, match=r"no scales: make it with Alloy.from_physical\(...\)"):
        CUPD.to_physical()


def test_cupd_is_unstable_by_stress_alone():
    assert CUPD.enthalpy < 2 * CUPD.entropy
    assert CUPD.solute_expansion < 0
    assert (CUPD.energy_ratio, CUPD.scales) == (1.0, None)


@pytest.mark.parametrize("value", [CUPD, em.film.Anisotropy(), scales()], ids=["Alloy", "Anisotropy", "Scales"])
def test_values_do_not_change(value: Any):
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(value, dataclasses.fields(value)[0].name, 1.0)


# ---- the crystal


@pytest.mark.parametrize(
    ("surface", "angle", "f_x", "f_y"),
    [
        # f = 1 + 2 cos^2(N phi): N = 1 with phi_y = 90 - 30 = 60, and so on
        ("110", 30.0, 2.5, 1.5),
        ("110", 0.0, 3.0, 1.0),
        ("100", 30.0, 1.5, 1.5),
        ("100", 45.0, 1.0, 1.0),
        ("100", 0.0, 3.0, 3.0),
        ("111", 30.0, 1.0, 3.0),
        ("111", 20.0, 1.5, 2.5),
        ("111", 0.0, 3.0, 1.0),
    ],
)
def test_rates_follow_the_symmetry_of_the_surface(surface: str, angle: float, f_x: float, f_y: float):
    crystal = em.film.Anisotropy(surface=surface, strength=2.0, misorientation=angle * deg, ratio=0.1)
    assert crystal.rates == pytest.approx((f_x, 0.1 * f_y), rel=1e-14)
    assert crystal.tensor() == pytest.approx(np.diag([f_x, 0.1 * f_y]), rel=1e-14)


def test_a_turned_crystal_has_its_axes_turned():
    crystal = em.film.Anisotropy("110", strength=0.5, ratio=0.2)
    fast, slow = crystal.rates
    along, across = np.array([math.cos(0.3), math.sin(0.3)]), np.array([-math.sin(0.3), math.cos(0.3)])
    turned = crystal.turned(0.3)
    assert turned @ along == pytest.approx(fast * along, rel=1e-14)
    assert turned @ across == pytest.approx(slow * across, rel=1e-14)
    assert crystal.turned(math.pi) == pytest.approx(crystal.tensor(), abs=1e-15)
    with pytest.raises(ParameterError, match=r"angle = 45 rad, .* write 45 \* deg"):
        crystal.turned(45.0)


def test_the_second_angle_is_90_degrees_minus_the_first_unless_given():
    default = em.film.Anisotropy("110", 1.0, 20 * deg)
    given = em.film.Anisotropy("110", 1.0, 20 * deg, misorientation_y=70 * deg).rates
    assert default.rates == pytest.approx(given, rel=1e-14)  # 90 less 20 degrees is 70 but for a rounding
    assert em.film.Anisotropy("110", 1.0, 20 * deg, misorientation_y=0.0).rates[1] == pytest.approx(2.0)


@pytest.mark.parametrize("surface", ["110", "100", "111"])
def test_without_strength_the_crystal_is_isotropic(surface: str):
    assert em.film.Anisotropy(surface, 0.0, 33 * deg).rates == (1.0, 1.0)


def test_uniform_field_has_strength_and_direction():
    assert em.film.uniform_field(2.0) == (2.0, 0.0)
    assert em.film.uniform_field(2.0, 150 * deg) == pytest.approx((-math.sqrt(3), 1.0), rel=1e-14)


# ---- terms


def value(expression: Any, at: float) -> float:
    return float(expression((), {SYMBOL: at}))


SYMBOL = ufl.Constant(em.mesh.interval(1.0, cells=1).mesh)


def test_x_ln_x_is_finite_below_zero_and_exact_above_the_floor():
    function = mixing.x_ln_x(SYMBOL)
    assert value(function, 0.3) == pytest.approx(0.3 * math.log(0.3), rel=1e-15)
    below = [value(function, at) for at in (-1.0, -0.1, -1e-6, 0.0)]
    assert np.isfinite(below).all()
    assert np.all(np.diff(below) < 0)  # convex, and it falls towards 0: a state outside is driven back


@pytest.mark.parametrize("order", [0, 1, 2])
def test_x_ln_x_is_twice_continuously_differentiable_at_its_floor(order: int):
    function: Callable[[Any], Any] = mixing.x_ln_x
    for _ in range(order):
        function = partial(terms.derivative, function)
    floor = mixing.FLOOR
    exact = (floor * math.log(floor), math.log(floor) + 1, 1 / floor)[order]
    for side in (-1, 1):
        # 1e-9 of the floor away, the third derivative 1/c^2 moves the value by 1e-9 at most
        assert value(function(SYMBOL), floor * (1 + side * 1e-9)) == pytest.approx(exact, rel=2e-9)


def test_the_mixing_energy_is_the_sum_of_its_parts():
    parts = {"entropy": 0.2, "enthalpy": 0.5, "solute_expansion": -0.7, "energy_ratio": 1.4}
    c = 0.3
    exact = 0.4 * c + 0.2 * (c * math.log(c) + (1 - c) * math.log(1 - c)) + 0.5 * c * (1 - c)
    exact += -0.7 * (c**2 / 2 - c**3 / 3)
    assert value(terms.mixing_energy(SYMBOL, **parts), c) == pytest.approx(exact, rel=1e-14)


def test_the_mobility_falls_to_the_floor_at_both_ends_and_stays_positive_beyond():
    assert value(terms.degenerate_mobility(SYMBOL), 0.25) == 0.1875
    beyond = [value(terms.degenerate_mobility(SYMBOL), c) for c in (-0.01, 0.0, 1.0, 1.01)]
    assert beyond == pytest.approx([1.01 * mixing.FLOOR, mixing.FLOOR, mixing.FLOOR, 1.01 * mixing.FLOOR], rel=1e-12)


# ---- starts


def test_noise_has_the_mean_to_machine_precision_and_stays_in_its_band(film: Films):
    model = film(initial=em.film.noise(0.08, seed=4))
    assert mean_of(model) == pytest.approx(0.3, abs=1e-13)
    low, high = model.quantity("c_min"), model.quantity("c_max")
    # the shift to the mean moves the band by the mean of some 1000 values, 0.08/sqrt(3*1000) = 0.0015
    assert 0.215 < low < 0.25
    assert 0.35 < high < 0.385


def test_noise_is_the_same_function_on_every_mesh_and_degree():
    noise = em.film.noise(0.08, seed=2, grain=2.5)
    shared = np.array([[2.5 * i, 2.5 * j] for i in range(4) for j in range(4)])
    values = []
    for n, cell, degree in ((8, "quadrilateral", 1), (8, "quadrilateral", 2), (16, "triangle", 1), (4, "triangle", 2)):
        domain = em.mesh.periodic_rectangle((10.0, 10.0), cells=(n, n), cell=cell)
        model = em.film.model(domain, CUPD, mean=0.3, initial=noise, degree=degree)
        values.append(em.fields.evaluate(model["c"], shared))
    for other in values[1:]:
        # every mesh resolves a lattice of 2.5, so only the shift to the exact mean differs: interpolants have means
        # that differ by a few per cent of the amplitude, the same everywhere
        assert np.ptp(other - values[0]) < 1e-12
        assert abs(other - values[0]).max() < 0.1 * 0.08


def test_noise_is_periodic_and_not_constant():
    value = em.film.noise(0.1, seed=5).on(em.mesh.periodic_rectangle((4.0, 3.0), cells=(4, 3)))
    y = np.linspace(0.0, 3.0, 9)
    left, right = (value(np.array([np.full(9, x), y, 0 * y])) for x in (0.0, 4.0))
    assert left == pytest.approx(right, abs=1e-14)  # roundings of waves of 0.1, which differ from lane to lane
    assert left[0] == pytest.approx(left[-1], abs=1e-14)
    assert np.ptp(left) > 0.01
    assert abs(left).max() <= 0.1


def test_noise_on_an_open_axis_is_not_forced_to_be_periodic():
    value = em.film.noise(0.1, seed=5).on(em.mesh.periodic_rectangle((4.0, 3.0), cells=(4, 3), axes="x"))
    bottom, top = value(np.array([[1.0, 1.0], [0.0, 3.0], [0.0, 0.0]]))
    assert bottom != top


@pytest.mark.parametrize("dim", [1, 3])
def test_noise_works_in_every_dimension(dim: int):
    domain = em.mesh.interval(4.0, cells=4) if dim == 1 else em.mesh.box((4.0, 3.0, 2.0), cells=(2, 2, 2))
    value = em.film.noise(0.1, seed=5).on(domain)
    values = value(np.random.default_rng(0).uniform(0.0, 2.0, (3, 50)))
    assert 0.01 < np.ptp(values) <= 0.2


def test_seeds_differ_and_the_same_seed_repeats(film: Films):
    first, again, other = (film(initial=em.film.noise(0.08, seed=s))["c"].x.array for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert abs(first - other).max() > 0.05


def test_without_a_start_the_film_is_uniform(film: Films):
    assert film(initial=None)["c"].x.array == pytest.approx(0.3, abs=1e-15)


def test_a_function_of_place_is_a_start(film: Films):
    model = film(mean=None, initial=lambda x: 0.4 + 0.1 * np.cos(2 * np.pi * x[0] / 10))
    assert model["c"].x.array.max() == pytest.approx(0.5, abs=1e-12)
    assert mean_of(model) == pytest.approx(0.4, abs=1e-3)  # the interpolant's


def test_a_field_at_hand_is_a_start_and_stays_as_it_is(film: Films):
    given = film(degree=1, initial=em.film.noise(0.05))["c"]
    before = given.x.array.copy()
    model = film(mean=None, initial=given)
    point = np.array([[1.1, 2.7], [9.9, 0.1]])
    assert em.fields.evaluate(model["c"], point) == pytest.approx(em.fields.evaluate(given, point), rel=1e-12)
    model["c"].x.array[:] = 0.5
    assert np.array_equal(given.x.array, before)


# ---- crystals, fields and conditions as the model takes them


@pytest.mark.parametrize(
    "given",
    [
        em.film.Anisotropy("110", 1.0),
        np.diag([2.0, 1.0]),
        [[2.0, 0.0], [0.0, 1.0]],
        ufl.as_matrix([[2.0, 0.0], [0.0, 1.0]]),
    ],
    ids=["Anisotropy", "array", "list", "UFL"],
)
def test_every_kind_of_diffusion_tensor_is_the_same_tensor(film: Films, given: Any):
    start = {"initial": lambda x: 0.3 + 0.05 * np.cos(2 * np.pi * x[0] / 10), "field": (0.1, 0.0), "degree": 1}
    isotropic, crystal = film(**start), film(anisotropy=given, **start)
    for model in (isotropic, crystal):
        model["mu"].x.array[:] = model["c"].x.array
    assert crystal.quantity("dissipation") == pytest.approx(2 * isotropic.quantity("dissipation"), rel=1e-12)


@pytest.mark.parametrize(
    "field",
    [(0.1, 0.0), [0.1, 0.0], np.array([0.1, 0.0]), em.film.uniform_field(0.1), lambda t: (0.1 + t, 0.0)],
    ids=["tuple", "list", "array", "uniform_field", "function of t"],
)
def test_every_kind_of_field_is_the_same_field(film: Films, field: Any):
    model = film(field=field, initial=None, degree=1)
    # uniform film, mu = 0: the field's power is M F^2 times the area
    assert model.quantity("dissipation") == pytest.approx(0.21 * 0.01 * 100.0, rel=1e-12)


def test_a_ufl_field_may_depend_on_place(torus: em.mesh.Domain, film: Films):
    x = ufl.SpatialCoordinate(torus.mesh)
    model = film(field=ufl.as_vector([0.0 * x[0], 0.1 + 0.0 * x[0]]), initial=None, degree=1)
    assert model.quantity("dissipation") == pytest.approx(0.21 * 0.01 * 100.0, rel=1e-12)


def test_without_a_field_a_uniform_film_is_at_rest(film: Films):
    assert film(initial=None).quantity("dissipation") == pytest.approx(0.0, abs=1e-15)


def test_the_quantities_are_those_of_a_single_wave(film: Films):
    model = film(initial=lambda x: 0.3 + 0.05 * np.cos(2 * np.pi * x[0] / 10))
    # amplitude from the interpolant of a cosine on 6 quadratic cells
    assert model.quantity("amplitude") == pytest.approx(0.05, rel=2e-3)
    assert (model.quantity("c_min"), model.quantity("c_max")) == pytest.approx((0.25, 0.35), abs=1e-12)
    assert model.quantity("solute") == pytest.approx(30.0, rel=1e-12)


def test_the_free_energy_of_a_uniform_film_is_that_of_its_composition(film: Films):
    model = film(initial=None)
    exact = 0.1 * (0.3 * math.log(0.3) + 0.7 * math.log(0.7)) + 0.15 * 0.21 - 0.55 * (0.045 - 0.009)
    assert model.quantity("free_energy") == pytest.approx(100 * exact, rel=1e-12)


def test_a_film_of_another_energy_and_mobility_may_leave_the_unit_interval(film: Films):
    model = film(
        mean=None,
        initial=lambda x: 0.9 * np.cos(2 * np.pi * x[0] / 10),
        free_energy=lambda c: (c**2 - 1) ** 2 / 4,
        mobility=lambda c: 1.0 + 0 * c,
        degree=1,
    )
    assert model.unknowns[0].bounds == (-math.inf, math.inf)
    before = model.quantity("free_energy")
    with pytest.warns(em.ResolutionWarning, match="nodes in an interface"):
        em.evolve(model, 0.1, progress=False)
    assert model.quantity("free_energy") < before
    assert model.quantity("c_min") < -0.5


def test_a_composition_may_not_go_where_a_mobility_of_ones_own_is_negative(plate: em.mesh.Domain):
    """M = 1 - c^2 is negative from 1 on; what is less than a tenth of it below 0 is an undershoot."""
    own: dict[str, Any] = {"free_energy": lambda c: c**2 / 2, "mobility": lambda c: 1 - c**2}
    model = em.film.model(plate, CUPD, mean=0.5, **own)
    low, high = model.unknowns[0].bounds
    assert -1.25 < low < -1.0 < 1.0 < high < 1.25
    model["c"].x.array[:] = 1.02
    assert model.bounds_violation() is None
    model["c"].x.array[:] = 1.3
    assert str(model.bounds_violation()).endswith("c = 1.3: there the mobility is negative")


@pytest.mark.parametrize("own", [{"free_energy": lambda c: c**2}, {"mobility": lambda c: 1 + c}])
def test_with_only_one_of_them_the_composition_stays_a_fraction(film: Films, own: dict[str, Any]):
    assert film(**own).unknowns[0].bounds == (-UNDERSHOOT, 1.0 + UNDERSHOOT)
    with pytest.raises(ParameterError, match=r"^mean = -0\.5, must be greater than 0$"):
        film(mean=-0.5, **own)


def test_a_fixed_composition_is_held(plate: em.mesh.Domain):
    model = em.film.model(plate, CUPD, mean=0.3, on={"left": em.fixed(0.2), "right": em.fixed(0.4)})
    em.evolve(model, 5.0, progress=False)
    x = model["c"].function_space.tabulate_dof_coordinates()[:, 0]
    assert model["c"].x.array[np.isclose(x, 0.0)] == pytest.approx(0.2, abs=1e-13)
    assert model["c"].x.array[np.isclose(x, 4.0)] == pytest.approx(0.4, abs=1e-13)
    assert 0.2 < em.fields.evaluate(model["c"], np.array([[2.0, 1.5]]))[0] < 0.4


def test_solute_grows_by_what_is_let_in(plate: em.mesh.Domain):
    on = {"left": em.flux(2e-3), "top": em.flux(-1e-3)}
    model = em.film.model(plate, CUPD, mean=0.3, on=on)
    em.evolve(model, 3.0, progress=False)
    # edges of length 3 and 4; the sum of the discrete equations is the balance, so only rounding is left
    assert model.quantity("solute") - 3.6 == pytest.approx((2e-3 * 3 - 1e-3 * 4) * 3.0, abs=1e-12)


# ---- bad input: constants


NUMBERS = [(math.nan, "must be finite"), (math.inf, "must be finite"), ("1", "must be a number")]


@pytest.mark.parametrize(
    ("name", "bad", "words"),
    [
        ("entropy", -0.1, "entropy = -0.1, must be at least 0"),
        ("gradient_energy", 0.0, "gradient_energy = 0, must be greater than 0"),
        ("gradient_energy", -1.0, "gradient_energy = -1, must be greater than 0"),
        ("energy_ratio", 0.0, "energy_ratio = 0, must be greater than 0"),
        *[
            (name, bad, f"{name} = {bad!r}, {words}")
            for name in ("entropy", "enthalpy", "solute_expansion", "gradient_energy", "energy_ratio")
            for bad, words in NUMBERS
        ],
    ],
)
def test_an_alloy_of_bad_constants_is_refused(name: str, bad: Any, words: str):
    good = {"entropy": 0.1, "enthalpy": 0.15, "solute_expansion": -0.55, "gradient_energy": 0.015}
    with pytest.raises(ParameterError) as caught:
        em.film.Alloy(**(good | {name: bad}))
    assert str(caught.value) == words


def test_an_alloy_without_entropy_is_allowed():
    assert em.film.Alloy(0.0, 0.0, 0.0, 1.0).entropy == 0.0


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("temperature", "K"),
        ("film_thickness", "m"),
        ("site_density", "1/m2"),
        ("surface_energy", "J/m2"),
        ("gradient_coefficient", "J/m"),
        ("diffusivity", "m2/s"),
    ],
)
@pytest.mark.parametrize("bad", [0.0, -1.0, math.nan])
def test_physical_constants_that_are_not_positive_are_refused(name: str, unit: str, bad: float):
    with pytest.raises(ParameterError) as caught:
        physical(**{name: bad})
    bound = "must be finite" if math.isnan(bad) else f"must be greater than 0 {unit}"
    assert str(caught.value) == f"{name} = {bad:g} {unit}, {bound}"


@pytest.mark.parametrize("name", ["interaction_energy", "stress_coefficient", "energy_ratio"])
def test_other_physical_constants_must_be_finite(name: str):
    with pytest.raises(ParameterError, match=f"^{name} = nan.*, must be finite$"):
        physical(**{name: math.nan})


def test_electronvolts_are_not_taken_for_joule():
    with pytest.raises(ParameterError, match=r"interaction_energy = 0\.08 J, must be an energy per site in joule"):
        physical(interaction_energy=0.08)


@pytest.mark.parametrize("name", ["temperature", "length", "site_density", "surface_energy", "diffusivity"])
@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf])
def test_scales_that_are_not_positive_are_refused(name: str, bad: float):
    good = {field.name: 1.0 for field in dataclasses.fields(em.film.Scales)}
    with pytest.raises(ParameterError, match=rf"^{name} = {bad:g} .*, must be (greater than 0|finite)"):
        em.film.Scales(**(good | {name: bad}))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: scales().drive(math.nan, WIDTH, 1), "voltage = nan V, must be finite"),
        (lambda: scales().drive(1.0, 0.0, 1), "width = 0 m, must be greater than 0 m"),
        (lambda: scales().drive(1.0, WIDTH, math.inf), "effective_charge = inf, must be finite"),
        (lambda: scales().voltage(math.nan, WIDTH, 1), "drive = nan, must be finite"),
        (lambda: scales().voltage(1.0, -1.0, 1), "width = -1 m, must be greater than 0 m"),
        (lambda: scales().voltage(1.0, WIDTH, 0), "effective_charge = 0, must not be zero"),
        (lambda: em.film.uniform_field(math.nan), "field strength = nan, must be finite"),
        (lambda: em.film.uniform_field(1.0, math.inf), "field angle = inf rad, must be finite"),
        (lambda: em.film.Anisotropy("112"), "'112'; surface has 110, 100, 111"),
        (lambda: em.film.Anisotropy(110), "surface = 110, must be a text"),  # type: ignore[arg-type]
        (lambda: em.film.Anisotropy("110", -1.0), "strength = -1, must be greater than -1"),
        (lambda: em.film.Anisotropy("110", math.nan), "strength = nan, must be finite"),
        (lambda: em.film.Anisotropy(misorientation=math.inf), "misorientation = inf rad, must be finite"),
        (lambda: em.film.Anisotropy(misorientation_y=math.nan), "misorientation_y = nan rad, must be finite"),
        (lambda: em.film.Anisotropy(ratio=0.0), "ratio = 0, must be at least 0.001"),
        (lambda: em.film.Anisotropy(ratio=-1.0), "ratio = -1, must be at least 0.001"),
        (lambda: em.film.Anisotropy(ratio=2000.0), "ratio = 2000, must be at most 1000"),
        (lambda: em.film.Anisotropy(ratio=math.nan), "ratio = nan, must be finite"),
        (lambda: em.film.noise(0.0), "amplitude = 0, must be greater than 0"),
        (lambda: em.film.noise(-0.1), "amplitude = -0.1, must be greater than 0"),
        (lambda: em.film.noise(math.nan), "amplitude = nan, must be finite"),
        (lambda: em.film.noise(0.1, seed=-1), "seed = -1, must be at least 0"),
        (lambda: em.film.noise(0.1, seed=0.5), "seed = 0.5, must be a whole number"),  # type: ignore[arg-type]
        (lambda: em.film.noise(0.1, grain=0.0), "grain = 0, must be greater than 0"),
    ],
)
def test_other_bad_values_are_refused(call: Callable[[], Any], message: str):
    with pytest.raises(ParameterError) as caught:
        call()
    assert str(caught.value).startswith(message)


# ---- bad input: the model


def wrong_start(x: Array) -> Array:
    return np.full(x.shape[1], np.nan)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mean": 0.0}, "mean = 0, must be greater than 0"),
        ({"mean": 1.0}, "mean = 1, must be less than 1"),
        ({"mean": -0.3}, "mean = -0.3, must be greater than 0"),
        ({"mean": 1.3}, "mean = 1.3, must be less than 1"),
        ({"mean": math.nan}, "mean = nan, must be finite"),
        ({"mean": "0.3"}, "mean = '0.3', must be a number"),
        ({"mean": None}, "mean = None, must be given unless `initial` gives the composition itself"),
        ({"mean": None, "initial": None}, "mean = None, must be given unless `initial`"),
        ({"mean": 0.05}, "initial composition from -0.0"),
        ({"mean": 0.95}, "initial composition from 0.8"),
        ({"mean": 0.4, "initial": lambda x: 0.3 + 0 * x[0]}, "mean = 0.4, but the initial composition has mean 0.3"),
        ({"mean": None, "initial": lambda x: 1.5 + 0 * x[0]}, "initial composition from 1.5 to 1.5, must stay inside "),
        ({"mean": None, "initial": lambda x: 0 * x[0]}, "initial composition from 0 to 0, must stay inside (0, 1)"),
        ({"mean": None, "initial": wrong_start}, "initial composition from nan to nan, must stay inside (0, 1)"),
        ({"initial": wrong_start}, "mean = 0.3, but the initial composition has mean nan"),
        ({"initial": 0.3}, "initial = 0.3, must be a Noise, a function or a Function"),
        ({"field": (math.nan, 0.0)}, "field = [nan, 0.0], must be a vector of 2 components, finite"),
        ({"field": (0.1, math.inf)}, "field = [0.1, inf], must be a vector of 2 components, finite"),
        ({"field": (0.1, 0.0, 0.0)}, "field = [0.1, 0.0, 0.0], must be a vector of 2 components, finite"),
        ({"field": 0.1}, "field = 0.1, must be a vector of 2 components, finite"),
        ({"field": "x"}, "field = 'x', must be numbers"),
        ({"field": lambda t: (math.nan, t)}, "field = [nan, 0.0], must be a vector of 2 components, finite"),
        ({"field": lambda t: 0.1}, "field = 0.1, must be a vector of 2 components, finite"),
        ({"field": ufl.as_vector([0.1, 0.0, 0.0])}, "field of shape (3,), must be a vector of 2 components"),
        ({"field": ufl.as_ufl(0.1)}, "field of shape (), must be a vector of 2 components"),
        ({"anisotropy": np.eye(3)}, "must be a finite tensor of shape (2, 2)"),
        ({"anisotropy": 2.0}, "anisotropy = 2.0, must be a finite tensor of shape (2, 2)"),
        ({"anisotropy": [[1.0, 0.0], [0.0, math.nan]]}, "[0.0, nan]], must be a finite tensor of shape (2, 2)"),
        ({"anisotropy": np.diag([1.0, 0.0])}, "anisotropy = [[1.0, 0.0], [0.0, 0.0]], must be positive definite"),
        ({"anisotropy": np.diag([1.0, -1.0])}, "anisotropy = [[1.0, 0.0], [0.0, -1.0]], must be positive definite"),
        ({"anisotropy": "crystal"}, "anisotropy = 'crystal', must be numbers"),
        ({"anisotropy": ufl.as_vector([1.0, 1.0])}, "anisotropy of shape (2,), must be (2, 2)"),
        ({"free_energy": lambda c: ufl.as_ufl(3.0)}, "free_energy(c) = 3.0, must be a scalar that depends on c"),
        ({"free_energy": lambda c: 3.0}, "free_energy(c) = 3.0, must be a scalar that depends on c"),
        ({"free_energy": ufl.grad}, "must be a scalar that depends on c"),
        ({"free_energy": 3.0}, "free_energy = 3.0, must be a function"),
        ({"mobility": 1.0}, "mobility = 1.0, must be a function"),
        ({"degree": 0}, "degree = 0, must be at least 1"),
        ({"degree": 1.5}, "degree = 1.5, must be a whole number"),
        ({"alloy": None}, "alloy = None, must be an Alloy"),
        ({"domain": "torus"}, "domain = 'torus', must be one of em.mesh"),
        ({"on": {"left": em.fixed(0.2)}}, "'left'; this mesh, periodic in x and y, has no names"),
    ],
)
def test_a_film_of_bad_input_is_refused(film: Films, arguments: dict[str, Any], message: str):
    with pytest.raises(ParameterError) as caught:
        film(**arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("bad", [0.0, 1.0, 1.5, -0.2])
def test_a_fixed_composition_is_a_fraction(plate: em.mesh.Domain, bad: float):
    with pytest.raises(ParameterError, match=rf"^composition fixed on 'left' = {bad:g}, must be (gr|l)e.* than [01]$"):
        em.film.model(plate, CUPD, mean=0.3, on={"left": em.fixed(bad)})


def test_a_crystal_lies_in_a_plane():
    with pytest.raises(ParameterError, match=r"must be a finite tensor of shape \(1, 1\)$"):
        em.film.model(em.mesh.interval(1.0, cells=4), CUPD, mean=0.3, anisotropy=em.film.Anisotropy())


def test_a_start_of_another_mesh_is_refused(film: Films, plate: em.mesh.Domain):
    other = em.film.model(plate, CUPD, mean=0.3)["c"]
    with pytest.raises(ParameterError, match=r"^initial = c, must be a scalar Function on the mesh of this domain$"):
        film(initial=other)


def test_an_exception_of_the_user_s_start_is_the_user_s(film: Films):
    def start(_: Array) -> Array:
        msg = "mine"
        raise KeyError(msg)

    with pytest.raises(KeyError, match="mine"):
        film(mean=None, initial=start)


def test_an_unknown_surface_is_an_unknown_name():
    with pytest.raises(UnknownName) as caught:
        em.film.Anisotropy("112")
    assert caught.value.known == ("110", "100", "111")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mean": 0.0}, "mean = 0, must be greater than 0"),
        ({"mean": math.nan}, "mean = nan, must be finite"),
        ({"wavevector": (math.nan, 0.0)}, "wavevector of shape (2,), must be finite numbers"),
        ({"wavevector": 1.0}, "wavevector of shape (), must be finite numbers of shape (dim,) or (n, dim)"),
        ({"wavevector": "k"}, "wavevector = 'k', must be numbers"),
        ({"field": (0.1,)}, "field of shape (1,), must be finite and fit 2 components of k"),
        ({"field": (math.nan, 0.0)}, "must be finite and fit 2 components of k"),
        ({"anisotropy": np.eye(3)}, "anisotropy of shape (3, 3)"),
        ({"anisotropy": [[math.inf, 0.0], [0.0, 1.0]]}, "must be finite"),
    ],
)
def test_a_growth_rate_of_bad_input_is_refused(arguments: dict[str, Any], message: str):
    given: dict[str, Any] = {"wavevector": (1.0, 0.0), "alloy": CUPD, "mean": 0.3} | arguments
    with pytest.raises(ParameterError) as caught:
        em.film.growth_rate(**given)
    assert message in str(caught.value)


# ---- bad input: functions and angles


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (
            {"free_energy": lambda c: math.log(c)},
            r"free_energy\(c\) must be made of UFL functions, such as ufl\.exp\(c\)",
        ),
        ({"free_energy": lambda c: np.log(c)}, r"free_energy\(c\) must be made of UFL functions"),
        ({"free_energy": lambda c: None}, r"free_energy\(c\) must be made of UFL functions"),
        ({"mobility": lambda c: c - 0.5}, r"mobility\(0.005\) = -0.495, must be at least 0"),
        (
            {"mobility": lambda c: c - 0.5, "free_energy": lambda c: c**2},
            r"mobility\(0.2\d*\) = -0.2\d*, must be at least 0",
        ),
        ({"mobility": lambda c: np.exp(c)}, r"mobility\(c\) must be made of UFL functions"),
        ({"initial": lambda x: np.full(3, 0.3)}, r"initial\(x\) of shape \(3,\) for x of shape \(3, \d+\), must have"),
        ({"initial": lambda x: 0.3}, r"initial\(x\) of shape \(\) for x"),
        ({"initial": lambda x: x[:2]}, r"initial\(x\) of shape \(2, \d+\)"),
    ],
)
def test_a_function_of_the_wrong_kind_is_refused(film: Films, own: dict[str, Any], told: str):
    with pytest.raises(ParameterError, match=told):
        film(**own)


def test_degrees_for_radians_are_refused():
    with pytest.raises(ParameterError, match=r"misorientation = 20 rad, .* for degrees write 20 \* deg"):
        em.film.Anisotropy(misorientation=20)
    with pytest.raises(ParameterError, match=r"misorientation_y = -45 rad, .* write -45 \* deg"):
        em.film.Anisotropy(misorientation_y=-45)
    with pytest.raises(ParameterError, match=r"field angle = 90 rad, .* write 90 \* deg"):
        em.film.uniform_field(0.1, angle=90)
    assert em.film.uniform_field(1.0, angle=360 * deg) == pytest.approx((1.0, 0.0), abs=1e-12)


def test_a_model_where_a_field_is_meant_is_refused(film: Films):
    for ask in (em.patterns.measure, lambda f: em.plot.field(f, "f.png")):
        with pytest.raises(ParameterError, match=r'must be a Function( or a UFL expression)?, such as film\["c"\]'):
            ask(film())


# ---- crystals by region, conditions in time


def bicrystal() -> em.mesh.Domain:
    """A periodic film of two grains, left and right."""
    domain = em.mesh.periodic_rectangle((10.0, 10.0), cells=(6, 6))
    owned = np.arange(domain.mesh.topology.index_map(2).size_local, dtype=np.int32)
    right = dolfinx.mesh.compute_midpoints(domain.mesh, 2, owned)[:, 0] > 5.0
    cells = dolfinx.mesh.meshtags(domain.mesh, 2, owned, np.where(right, 2, 1).astype(np.int32))
    return dataclasses.replace(domain, regions=("west", "east"), cells=cells)


EAST, WEST = em.film.Anisotropy("110", strength=1.0), em.film.Anisotropy("110", strength=1.0, misorientation=1.0)


def after(domain: em.mesh.Domain, anisotropy: Any) -> Any:
    """The composition at t = 5 in a field, from one start."""
    film = em.film.model(
        domain, CUPD, mean=0.3, anisotropy=anisotropy, field=(0.1, 0.1), initial=em.film.noise(0.08, seed=1)
    )
    em.evolve(film, 5.0, fixed_step=0.5, watch=[em.watch.conserved("solute", rtol=1e-10)], progress=False)
    return film["c"].x.array


@pytest.mark.slow
def test_grains_are_crystals_of_their_own():
    """By region it is the tensor that jumps with x; two grains alike are one crystal, and unlike they are not."""
    domain = bicrystal()
    x = ufl.SpatialCoordinate(domain.mesh)[0]
    jump = ufl.conditional(ufl.lt(x, 5.0), ufl.as_matrix(WEST.tensor()), ufl.as_matrix(EAST.tensor()))
    grains = after(domain, {"west": WEST, "east": EAST})
    assert grains == pytest.approx(after(domain, jump), abs=1e-12)
    assert after(domain, {"west": EAST, "east": EAST.tensor()}) == pytest.approx(after(domain, EAST), abs=1e-12)
    assert abs(grains - after(domain, EAST)).max() > 1e-3


@pytest.mark.parametrize(
    ("anisotropy", "message"),
    [
        ({"west": EAST}, r"anisotropy of west, must name every region: 18 cells get none \(east left out\)"),
        ({"west": EAST, "north": EAST}, "'north'; this mesh, among its regions, has west, east"),
        ({"west": EAST, "east": [[1, 2], [2, 1]]}, r"anisotropy\['east'\] = .*, must be positive definite"),
        ({}, r"anisotropy = \{\}, must be values of one shape"),
    ],
)
def test_bad_crystals_by_region_are_refused(anisotropy: Any, message: str):
    with pytest.raises(ParameterError, match=message):
        em.film.model(bicrystal(), em.film.cupd(), mean=0.3, anisotropy=anisotropy)


def test_a_reservoir_and_a_flux_may_follow_time(plate: em.mesh.Domain):
    film = em.film.model(
        plate,
        em.film.cupd(),
        mean=0.3,
        on={"left": em.fixed(lambda t: 0.3 + 0.01 * t), "right": em.flux(lambda t: 0.002 * t)},
    )
    em.evolve(film, 2.0, progress=False)
    assert em.fields.evaluate(film["c"], [[0.0, 1.0]]) == pytest.approx([0.32], abs=1e-12)


def test_a_flux_in_time_brings_its_integral(plate: em.mesh.Domain):
    film = em.film.model(plate, em.film.cupd(), mean=0.3, on={"right": em.flux(lambda t: 0.002 * t)})
    before = film.quantity("solute")
    em.evolve(film, 2.0, progress=False)
    # int 0.002 t dt over 2, along an edge of 3; a linear function of time is integrated exactly
    assert film.quantity("solute") - before == pytest.approx(0.002 * 2.0 * 3.0, rel=1e-8)


def test_a_fixed_composition_outside_its_bounds_is_refused_also_in_time(plate: em.mesh.Domain):
    with pytest.raises(ParameterError, match=r"composition fixed on 'left' at t = 0 = 1\.5, must be less than 1"):
        em.film.model(plate, em.film.cupd(), mean=0.3, on={"left": em.fixed(lambda t: 1.5)})

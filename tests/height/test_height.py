"""Height and composition of an alloy film: linear theory, conservation, energy, and what the model refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import emfem as em
from emfem.solve.problem import Problem
from emfem.units import deg, nm, um

import numpy as np
import pytest
import scipy.integrate
import scipy.linalg
import scipy.sparse
from numpy.typing import NDArray

SPECIES: dict[str, Any] = {"diffusivity": 1.0, "surface_energy": 1.0}
FACETED: dict[str, Any] = {"strength": 1.0, "misorientation": -22.5 * deg}


def species(**other: Any) -> em.height.Species:
    return em.height.Species(**SPECIES | other)


def alloy(solvent: Any = None, solute: Any = None, **other: Any) -> em.height.Alloy:
    """Without units, by default of two species alike without a charge."""
    shared: dict[str, Any] = {"temperature": 1.0, "atomic_volume": 1.0, "layer": 0.8, "scaled": True}
    return em.height.Alloy(solvent or species(), solute or species(), **shared | other)


# Each with a wave number, a mean and a field on a line; the growth rates that they have are tested below
SETS: dict[str, tuple[em.height.Alloy, float, float, float]] = {
    "stable": (alloy(species(surface_energy=1.5), species(diffusivity=3.0)), 0.9, 0.3, 0.0),
    "unstable": (
        alloy(species(effective_charge=2.0, **FACETED), species(effective_charge=0.5, diffusivity=0.3)),
        0.5,
        0.4,
        3.0,
    ),
    "travelling": (
        alloy(
            species(effective_charge=1.0),
            species(effective_charge=-1.5, surface_energy=0.7, diffusivity=0.5),
            interaction_energy=1.7,
        ),
        1.2,
        0.25,
        1.2,
    ),
    "anisotropic": (
        alloy(
            species(effective_charge=1.0, folds=2, strength=3.0, misorientation=0.2, ratio=5.0, axis=0.4),
            species(effective_charge=0.8, folds=3, strength=0.5, misorientation=-0.1, diffusivity=2.0),
        ),
        0.7,
        0.6,
        -0.9,
    ),
    "spinodal": (
        alloy(interaction_energy=3.5, gradient_coefficient=0.6, solute=species(diffusivity=0.2, effective_charge=1.0)),
        0.6,
        0.45,
        0.3,
    ),
}


def wave(name: str, amplitude: complex = 0.0, *, cells: int = 12, degree: int = 2) -> em.Model:
    """One period of a wave in one of the sets; the faster of its two modes with this amplitude, 0 for a flat one."""
    of, k, mean, field = SETS[name]
    line = em.mesh.periodic_interval(2 * np.pi / k, cells=cells).scaled()
    _, modes = np.linalg.eig(em.height.growth_matrix([k], of, mean=mean, field=[field]))
    values = np.linalg.eigvals(em.height.growth_matrix([k], of, mean=mean, field=[field]))
    h, c = amplitude * modes[:, np.argmax(values.real)]
    return em.height.model(
        line,
        of,
        thickness=20.0,
        field=[field],
        height=lambda x: (h * np.exp(1j * k * x[0])).real,
        composition=lambda x: mean + (c * np.exp(1j * k * x[0])).real,
        degree=degree,
    )


def modes_of_the_weak_form(model: em.Model) -> tuple[NDArray[Any], NDArray[Any]]:
    """Eigenvalues of the discrete equations about the present state, and the parts h of the eigenvectors."""
    potentials(model)
    problem = Problem([model])
    problem.store()
    matrices = []
    for shift in (0.0, 1.0):
        problem.jacobian(0.0, problem.x, shift, problem.matrix)
        matrices.append(scipy.sparse.csr_matrix(problem.matrix.getValuesCSR()[::-1]).toarray())
    stiff, mass = matrices[0], matrices[1] - matrices[0]
    parts = [np.arange(problem.size)[problem.part(i)] for i in range(4)]
    states, algebraic = np.concatenate(parts[:2]), np.concatenate(parts[2:])
    follow = -np.linalg.solve(stiff[np.ix_(algebraic, algebraic)], stiff[np.ix_(algebraic, states)])
    force = stiff[np.ix_(states, states)] + stiff[np.ix_(states, algebraic)] @ follow
    values, vectors = scipy.linalg.eig(-force, mass[np.ix_(states, states)])
    return values, vectors[: len(parts[0])]


def potentials(model: em.Model) -> None:
    """Give both chemical potentials the values that they have on a flat surface."""
    algebraic = Problem([model], only_algebraic=True)
    matrix, x, residual = algebraic.matrix, algebraic.x, algebraic.x.duplicate()
    algebraic.store()
    algebraic.residual(0.0, x, None, residual)
    algebraic.jacobian(0.0, x, 0.0, matrix)
    dense = scipy.sparse.csr_matrix(matrix.getValuesCSR()[::-1]).toarray()
    x.array[:] -= np.linalg.solve(dense, residual.array)
    algebraic.load(x)


def rates_by_the_weak_form(name: str, **options: Any) -> NDArray[np.complex128]:
    """Both growth rates of the wave, of the eigenvectors that go as exp(i k x), near those of the closed form."""
    model, (of, k, mean, field) = wave(name, **options), SETS[name]
    values, vectors = modes_of_the_weak_form(model)
    x = model["h"].function_space.tabulate_dof_coordinates()[:, 0]
    overlap = abs(np.exp(-1j * k * x) @ vectors) / np.linalg.norm(vectors, axis=0) / np.sqrt(len(x))
    fits = values[overlap > 0.3]
    expected = em.height.growth_rates([k], of, mean=mean, field=[field])
    return np.array([fits[np.argmin(abs(fits - each))] for each in expected])


CHEAP = ("unstable", "spinodal")


@pytest.mark.parametrize("name", [pytest.param(name, marks=[pytest.mark.soak] * (name not in CHEAP)) for name in SETS])
def test_growth_rates_of_the_weak_form_are_those_of_linear_theory(name: str):
    of, k, mean, field = SETS[name]
    expected = em.height.growth_rates([k], of, mean=mean, field=[field])
    assert rates_by_the_weak_form(name) == pytest.approx(expected, rel=1e-3)


def test_the_sets_are_what_they_are_called():
    rates = {
        name: em.height.growth_rates([k], of, mean=mean, field=[field]) for name, (of, k, mean, field) in SETS.items()
    }
    assert (rates["stable"].real < 0).all()
    assert (rates["stable"].imag == 0).all()
    assert rates["unstable"].real[0] > 0.05
    assert abs(rates["travelling"].imag[0]) > 0.3
    assert rates["spinodal"].real[0] > 0.01
    of, k, mean, _ = SETS["spinodal"]
    assert em.height.growth_rates([k], of, mean=mean)[0].real > 0.01  # without the field too
    calm = replace(of, interaction_energy=0.0)
    assert em.height.growth_rates([k], calm, mean=mean)[0].real < 0


@pytest.mark.soak
@pytest.mark.parametrize("cell", ["quadrilateral", "triangle"])
def test_growth_rates_in_a_plane_with_turned_axes_and_a_field_at_an_angle(cell: str):
    """Both tensors, both inclinations and the field have directions of their own, and that of the wave is another."""
    of = alloy(
        species(effective_charge=1.0, ratio=0.3, axis=0.4, **FACETED),
        species(effective_charge=-0.7, ratio=2.5, axis=-0.9, strength=1.5, folds=2, misorientation=0.2),
        interaction_energy=1.0,
        gradient_coefficient=0.1,
    )
    k, field, mean = np.array([0.6, 0.9]), [1.1, -0.6], 0.35
    expected = em.height.growth_rates(k, of, mean=mean, field=field)
    assert (abs(expected.imag) > 0.05).all()
    plane = em.mesh.periodic_rectangle(tuple(2 * np.pi / k), cells=(12, 12), cell=cell).scaled()
    model = em.height.model(plane, of, thickness=9.0, mean=mean, field=field)
    values, vectors = modes_of_the_weak_form(model)
    x = model["h"].function_space.tabulate_dof_coordinates()[:, :2]
    overlap = abs(np.exp(-1j * x @ k) @ vectors) / np.linalg.norm(vectors, axis=0) / np.sqrt(len(x))
    fits = values[overlap > 0.3]
    assert np.array([fits[np.argmin(abs(fits - each))] for each in expected]) == pytest.approx(expected, rel=2e-3)


@pytest.mark.soak
def test_the_error_falls_with_the_mesh():
    of, k, mean, field = SETS["anisotropic"]
    expected = em.height.growth_rates([k], of, mean=mean, field=[field])
    coarse, fine = (abs(rates_by_the_weak_form("anisotropic", cells=n) - expected).max() for n in (6, 12))
    assert 12 < coarse / fine < 20  # of fourth order


def amplitude(function: Any) -> complex:
    """Of the longest wave of a line."""
    return complex(np.fft.fft(em.fields.sample_grid(function, (32,)).values.ravel())[1])


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.soak) for name in SETS])
def test_small_waves_of_a_run_grow_and_travel_as_linear_theory_says(name: str):
    of, k, mean, field = SETS[name]
    expected = em.height.growth_rates([k], of, mean=mean, field=[field])[0]
    model, until = wave(name, 1e-4), 1 / abs(expected)
    before = amplitude(model["h"]), amplitude(model["c"])
    em.evolve(model, until, fixed_step=until / 16, progress=False)
    after = amplitude(model["h"]), amplitude(model["c"])
    for name, one, two in zip("hc", before, after, strict=True):
        assert np.log(two / one) / until == pytest.approx(expected, rel=2e-3), name


def rough(on: em.mesh.Domain, of: em.height.Alloy, **other: Any) -> em.Model:
    """A steep surface of uneven composition."""
    length = float(on.extent()[0])

    def height(x: NDArray[Any]) -> NDArray[Any]:
        return 0.3 * np.cos(2 * np.pi * x[0] / length) + 0.1 * np.sin(6 * np.pi * x[0] / length)

    def composition(x: NDArray[Any]) -> NDArray[Any]:
        return 0.4 + 0.2 * np.sin(2 * np.pi * x[0] / length + 1)

    return em.height.model(on, of, **{"thickness": 5.0} | other, height=height, composition=composition)


UNEQUAL = alloy(
    species(surface_energy=1.4, effective_charge=1.0, **FACETED),
    species(diffusivity=0.2, surface_energy=0.8, effective_charge=-0.5, strength=0.4, folds=2, misorientation=0.3),
    interaction_energy=1.0,
    gradient_coefficient=0.05,
)
DOMAINS: dict[str, Callable[[], em.mesh.Domain]] = {
    "periodic": lambda: em.mesh.periodic_interval(3.0, cells=12).scaled(),
    "bounded": lambda: em.mesh.interval(3.0, cells=12).scaled(),
}
PLANES: dict[str, Callable[[], em.mesh.Domain]] = {
    "periodic plane": lambda: em.mesh.periodic_rectangle((3.0, 2.0), cells=(6, 4)).scaled(),
    "bounded plane": lambda: em.mesh.rectangle((3.0, 2.0), cells=(6, 4), cell="triangle").scaled(),
}
ALL = ["periodic", *(pytest.param(name, marks=pytest.mark.soak) for name in ("bounded", *PLANES))]


@pytest.mark.parametrize("name", ALL)
def test_without_a_field_energy_falls_by_what_is_dissipated_and_atoms_are_kept(name: str):
    model = rough((DOMAINS | PLANES)[name](), UNEQUAL)
    volume, solute = model.quantity("volume"), model.quantity("solute")
    early = em.watch.series(["free_energy", "dissipation"], times=np.linspace(2e-3, 6e-3, 9))
    em.evolve(model, 6e-3, rtol=1e-5, watch=[early], progress=False)
    energy, lost = (np.array(early[name]) for name in ("free_energy", "dissipation"))
    assert energy[0] - energy[-1] > 0.01
    assert scipy.integrate.simpson(lost, early.t) == pytest.approx(
        energy[0] - energy[-1], rel=0.02
    )  # the column is not as the layer by then
    later = em.watch.series(["free_energy", "dissipation"], times=np.linspace(0.01, 0.1, 10))
    em.evolve(model, 0.1, watch=[later], progress=False)
    assert (np.diff(later["free_energy"]) < 0).all()
    assert (np.array(later["dissipation"]) > 0).all()
    assert model.quantity("volume") == pytest.approx(volume, abs=1e-13)
    assert model.quantity("solute") == pytest.approx(solute, rel=1e-13)


def test_a_surface_that_falls_takes_up_what_lies_below_it():
    """The column of a film of 0.1 gives 0.1 to a layer of 0.6, not 0.6: it cannot run out."""
    line, of = DOMAINS["bounded"](), alloy(species(effective_charge=1.0), species(effective_charge=1.0))
    model = em.height.model(line, of, thickness=5.0, mean=0.1, field=0.5)
    model["c"].x.array[:] = 0.6
    em.evolve(model, 0.2, fixed_step=0.02, progress=False)
    x = model["h"].function_space.tabulate_dof_coordinates()[:, 0]
    left, right = np.argmin(x), np.argmax(x)
    values = {n: model[n].x.array for n in ("h", "c", "buried")}
    column = 5.0 - 0.8 + values["h"]
    assert values["h"][left] < -0.05 < 0.05 < values["h"][right]
    assert values["buried"][left] / column[left] == pytest.approx(0.1, abs=1e-3)
    assert values["buried"][right] / column[right] > 0.1 + 0.4 * values["h"][right] / 5.0
    assert values["c"][left] < 0.57 < 0.59 < values["c"][right]


@pytest.mark.soak
def test_atoms_are_kept_under_a_field_that_piles_them_up():
    model = rough(DOMAINS["bounded"](), UNEQUAL, field=3.0)
    volume, solute, moved = model.quantity("volume"), model.quantity("solute"), model.quantity("roughness")
    em.evolve(model, 0.3, progress=False)
    assert model.quantity("volume") == pytest.approx(volume, abs=1e-13)
    assert model.quantity("solute") == pytest.approx(solute, rel=1e-13)
    assert abs(model.quantity("roughness") - moved) > 0.01
    balance = em.balance(model)
    assert balance.relative < 1e-12


@pytest.mark.soak
def test_jacobian_against_differences_of_the_residual():
    model = rough(DOMAINS["bounded"](), UNEQUAL, field=0.8)
    problem, random = Problem([model]), np.random.default_rng(1)
    problem.store()
    x, rates, direction, spare = (problem.x.duplicate() for _ in range(4))
    problem.x.copy(x)
    x.array[:] += 0.05 * random.standard_normal(problem.size)
    rates.array[:] = random.standard_normal(problem.size)
    direction.array[:] = random.standard_normal(problem.size)
    shift, size = 0.7, 1e-5
    problem.load(x, rates)
    problem.jacobian(0.0, x, shift, problem.matrix)
    problem.matrix.mult(direction, spare)
    sides = []
    for sign in (1.0, -1.0):
        moved, faster, value = x.copy(), rates.copy(), x.duplicate()
        moved.axpy(sign * size, direction)
        faster.axpy(sign * size * shift, direction)
        problem.residual(0.0, moved, faster, value)
        sides.append(value.array.copy())
    assert spare.array == pytest.approx((sides[0] - sides[1]) / (2 * size), rel=1e-6, abs=1e-7)


# ---- limits of the closed form --------------------------------------------------------------------------------------


def test_one_species_alone_is_a_surface_under_mullins_and_a_field():
    """With the solvent fixed in place and hardly any of it, the height follows the surface law of one metal."""
    k, only = 0.7, alloy(species(diffusivity=0.0), species(effective_charge=1.3, **FACETED))
    rates = em.height.growth_rates([k], only, mean=1 - 1e-9, field=[0.9])
    steepening = np.sin(np.pi / 4) / (1 + np.cos(np.pi / 8) ** 2)
    expected = only.layer * (steepening * 1.3 * 0.9 * k**2 - k**4)
    assert min(abs(rates - expected)) < 1e-6


def test_ideal_solute_diffuses_as_fick_says():
    """Equal surface energies, no mixing energy: c of species that move alike diffuses with D, h with Mullins' k^4."""
    rates = em.height.growth_rates([[0.3], [1.1]], alloy(), mean=0.2)
    k = np.array([0.3, 1.1])
    both = np.sort(np.stack([-(k**2), -0.8 * k**4], axis=-1))[:, ::-1]
    assert rates == pytest.approx(both, rel=1e-12)


@pytest.mark.parametrize("field", [0.0, 0.7])
def test_solvent_and_solute_may_change_names(field: float):
    swapped = alloy(UNEQUAL.solute, UNEQUAL.solvent, interaction_energy=1.0, gradient_coefficient=0.05)
    one = em.height.growth_rates([0.8], UNEQUAL, mean=0.35, field=[field])
    two = em.height.growth_rates([0.8], swapped, mean=0.65, field=[field])
    assert one == pytest.approx(two, rel=1e-12)


def test_turned_axes_turn_the_rates():
    """Wave, field and both crystals turned by the same angle."""

    def rates(angle: float) -> NDArray[Any]:
        turned = alloy(
            *(
                replace(one, ratio=4.0, axis=axis + angle)
                for one, axis in zip(UNEQUAL.species, (0.2, -0.5), strict=True)
            )
        )
        k, field = (size * np.array([np.cos(a + angle), np.sin(a + angle)]) for size, a in ((0.8, 0.3), (0.9, 1.0)))
        return em.height.growth_rates(k, turned, mean=0.35, field=field.tolist())

    assert rates(1.1) == pytest.approx(rates(0.0), rel=1e-12)
    assert abs(rates(0.0)[0].imag) > 1e-3


def test_both_rates_are_the_eigenvalues():
    random = np.random.default_rng(2)
    k = random.uniform(-2, 2, (40, 2))
    matrix = em.height.growth_matrix(k, UNEQUAL, mean=0.35, field=[0.4, -0.9])
    expected = np.linalg.eigvals(matrix)
    expected = np.take_along_axis(expected, np.argsort(-expected.real, axis=-1), axis=-1)
    assert em.height.growth_rates(k, UNEQUAL, mean=0.35, field=[0.4, -0.9]) == pytest.approx(expected, rel=1e-10)


def test_units_do_not_matter():
    """The same film in SI and without units."""
    kt, size, long, time = em.units.boltzmann * 700.0, 1.7e-29, 1 * nm, 1e-6
    charge = em.units.elementary_charge
    solvent = em.height.Species(1e-12, 1.5, 10.0, strength=1.0, misorientation=-0.4)
    si = em.height.Alloy(solvent, em.height.Species(3e-12, 1.2, -5.0), 700.0, size, 0.5 * nm, 1e-20, 1e-20)
    scale = {"diffusivity": time / long**2, "surface_energy": long**2 / kt}
    one, two = (replace(each, **{n: getattr(each, n) * by for n, by in scale.items()}) for each in si.species)
    bare = em.height.Alloy(
        one,
        two,
        temperature=1.0,
        atomic_volume=size / long**3,
        layer=0.5,
        interaction_energy=1e-20 / kt,
        gradient_coefficient=1e-20 / kt,
        scaled=True,
    )
    in_si = em.height.growth_rates([0.3 / long], si, mean=0.3, field=[1e6]) * time
    without = em.height.growth_rates([0.3], bare, mean=0.3, field=[1e6 * charge * long / kt])
    assert in_si == pytest.approx(without, rel=1e-12)


# ---- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"diffusivity": -1.0}, "diffusivity = -1 m2/s, must be at least 0 m2/s"),
        ({"surface_energy": 0.0}, "surface_energy = 0 J/m2, must be greater than 0 J/m2"),
        ({"strength": -1.0}, "strength = -1, must be greater than -1"),
        ({"folds": 0}, "folds = 0, must be at least 1"),
        ({"ratio": 0.0}, "ratio = 0, must be at least 0.001"),
        ({"axis": 45.0}, "axis = 45 rad, must be within a full turn"),
        ({"effective_charge": float("nan")}, "effective_charge = nan, must be finite"),
    ],
)
def test_bad_species(change: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        species(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0.0}, "temperature = 0, must be greater than 0"),
        ({"layer": 0.5, "scaled": False, "atomic_volume": 1e-29}, "layer = 0.5 m, must be at most 1e-06 m"),
        ({"scaled": False}, "atomic_volume = 1 m3, must be at most 1e-27 m3"),
        ({"gradient_coefficient": -1.0}, "gradient_coefficient = -1, must be at least 0"),
        ({"interaction_energy": 2.1}, "gradient_coefficient = 0, must be greater than 0: at interaction_energy = 2.1"),
        ({"solvent": species(diffusivity=0.0), "solute": species(diffusivity=0.0)}, "diffusivity = 0 of solvent and"),
    ],
)
def test_bad_alloys(change: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        alloy(**change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mean": None}, "mean = None, must be given"),
        ({"mean": 1.0}, "mean = 1, must be less than 1"),
        ({"field": [1.0, 2.0]}, "field = .*must be a number, finite"),
        ({"composition": lambda x: 1.2 + 0 * x[0], "mean": None}, "composition from 1.2 to 1.2, must stay inside"),
        ({"composition": lambda x: 0.5 + 0 * x[0]}, "mean = 0.3, but `composition` has mean 0.5"),
        ({"height": lambda x: np.nan * x[0]}, "height from nan to nan, must be finite"),
        ({"thickness": 0.5}, "thickness = 0.5, must be greater than 0.8"),
        ({"thickness": 1.0, "height": lambda x: -0.3 + 0 * x[0]}, "height from -0.3, must be greater than -0.2"),
        ({"degree": 0}, "degree = 0, must be at least 1"),
    ],
)
def test_bad_arguments(change: dict[str, Any], message: str):
    arguments: dict[str, Any] = {"thickness": 5.0, "mean": 0.3} | change
    with pytest.raises(em.ParameterError, match=message):
        em.height.model(DOMAINS["periodic"](), alloy(), **arguments)


def test_bad_domains():
    metres = alloy(atomic_volume=1e-29, layer=1 * nm, scaled=False, temperature=500.0)
    with pytest.raises(em.ParameterError, match="must be in metres as the alloy"):
        em.height.model(DOMAINS["periodic"](), metres, thickness=1 * um, mean=0.3)
    with pytest.raises(em.ParameterError, match="must be without units as the alloy"):
        em.height.model(em.mesh.interval(1 * um, cells=2).in_metres(), alloy(), thickness=5.0, mean=0.3)
    with pytest.raises(em.ParameterError, match="must be a line or a plane without a thickness"):
        em.height.model(em.mesh.box((1.0, 1.0, 1.0), cells=(1, 1, 1)), alloy(), thickness=5.0, mean=0.3)
    with pytest.raises(em.ParameterError, match="must be a line or a plane without a thickness"):
        em.height.model(
            em.mesh.rectangle((1.0, 1.0), cells=(1, 1)).with_thickness(0.1), alloy(), thickness=5.0, mean=0.3
        )


@pytest.mark.soak
def test_a_surface_that_comes_to_the_substrate_ends_the_run():
    model = rough(DOMAINS["bounded"](), UNEQUAL, field=8.0, thickness=1.3)
    with pytest.raises(em.ConvergenceError, match="the surface has reached the substrate"):
        em.evolve(model, 2.0, progress=False)


@pytest.mark.soak
def test_a_mesh_too_coarse_for_the_fastest_wave_is_warned_of():
    of = SETS["unstable"][0]
    model = em.height.model(em.mesh.periodic_interval(60.0, cells=6).scaled(), of, thickness=5.0, mean=0.4, field=3.0)
    with pytest.warns(em.ResolutionWarning, match="nodes in the fastest wave"):
        em.evolve(model, 1e-3, fixed_step=1e-3, progress=False)

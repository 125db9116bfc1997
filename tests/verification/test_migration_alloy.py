"""Alloys: Darken's couple and its markers, Kirkendall's velocity, the logistic steady state; what is refused."""

from __future__ import annotations

from typing import Any

import emfem as em
from emfem import migration
from emfem.errors import ConvergenceError, ParameterError, UnknownName
from emfem.units import hour, um

import numpy as np
import pytest
import ufl
from dolfinx import fem
from scipy.special import erfc

D = 1e-14  # [m2/s], as is the difference of the intrinsic diffusivities
HALF = 400 * um
BEGIN = 1 * hour  # a couple that is an hour old has no step for the mesh to smear


def couple(cells: int = 400, **arguments: Any) -> em.Model:
    """A on the left and B on the right, an hour after they were joined, in a line of constant interdiffusion."""
    line = em.mesh.interval(2 * HALF, cells=cells)
    given: dict[str, Any] = {
        "diffusivities": (lambda n: D + n * D, lambda n: D - (1 - n) * D),
        "initial": lambda x: erfc((x[0] - HALF) / 2 / np.sqrt(D * BEGIN)) / 2,
        "markers": True,
    }
    return migration.alloy(line, **(given | arguments))


def test_the_lattice_moves_with_the_difference_of_the_diffusivities():
    """v = (D_A - D_B) dN/dx, all along the couple."""
    alloy = couple(markers=False)
    line = alloy.domain
    gap = alloy["velocity"][0] - D * ufl.grad(alloy["N"])[0]
    size, left = (em.fields.integral(fem.form(v**2 * line.dx(6)), line.mesh.comm) for v in (alloy["velocity"][0], gap))
    assert left < 1e-20 * size
    assert size > 0


def test_without_a_difference_nothing_moves_the_markers():
    alloy = couple(cells=100, diffusivities=(D, D))
    em.evolve(alloy, 10 * hour, progress=False)
    assert migration.positions(alloy, [[HALF]])[0, 0] == pytest.approx(HALF, abs=1e-12 * um)


def test_a_marker_that_has_left_is_nan():
    alloy = couple(cells=50)
    assert np.isnan(migration.positions(alloy, [[-um]])).all()


@pytest.mark.parametrize("lattice", ["moving", "held"])
def test_atoms_of_both_kinds_are_kept(lattice: str):
    square = em.mesh.rectangle((1.0, 1.0), cells=(8, 8))
    alloy = migration.alloy(
        square,
        diffusivities=(lambda n: 1 + n**2, 0.3),
        forces=((4.0, 2.0), (-1.0, 3.0)),
        initial=lambda x: 0.2 + 0.5 * x[0] * x[1],
        lattice=lattice,
        thermodynamic_factor=lambda n: 1 + 0.5 * n * (1 - n),
    )
    em.evolve(alloy, 0.1, watch=[em.watch.conserved("amount", rtol=1e-10)], progress=False)
    assert 0 < alloy.quantity("N_min") < alloy.quantity("N_max") < 1


@pytest.mark.parametrize("diffusivities", [(1.0, 1.0), (lambda n: 0.1 + n, 0.5)])
def test_a_confined_alloy_rests_on_the_logistic_profile(diffusivities: Any):
    """lambda L = 5, mean 0.3, whatever the diffusivities; the stress takes up (e E L/Omega)(sum N Z)."""
    line = em.mesh.interval(1.0, cells=60)
    alloy = migration.alloy(line, diffusivities=diffusivities, forces=(7.0, 2.0), initial=0.3, lattice="held")
    em.solve_steady(alloy)
    found = em.fields.evaluate(alloy["N"], [[0.0], [0.5], [1.0]])
    assert found == pytest.approx([0.02361858, 0.22761637, 0.78213986], abs=1e-6)
    drop = em.fields.integral(fem.form(alloy["stress_force"][0] * line.dx(8)), line.mesh.comm)
    assert drop == pytest.approx(-(0.3 * 7.0 + 0.7 * 2.0), rel=1e-6)


def test_a_free_alloy_rests_on_it_only_where_diffusivities_agree():
    """With D_A = D_B the frames agree; with others the lattice of the free alloy never stops."""
    line = em.mesh.interval(1.0, cells=60)
    ends = []
    for pair in ((1.0, 1.0), (1.0, 0.2)):
        alloy = migration.alloy(line, diffusivities=pair, forces=(5.0, 0.0), initial=0.3)
        em.solve_steady(alloy)
        ends.append(em.fields.evaluate(alloy["N"], [[1.0]])[0])
    assert ends[0] == pytest.approx(0.78213986, abs=1e-6)
    assert ends[1] > 0.9


def test_held_interdiffusion_is_that_of_the_slower_species():
    """Nernst-Planck against Darken: D_A D_B/(N_A D_A + N_B D_B) and N_B D_A + N_A D_B, in a steady channel."""
    line = em.mesh.interval(1.0, cells=40)
    on = {"left": em.fixed(0.2), "right": em.fixed(0.8)}
    through = {}
    for lattice in ("moving", "held"):
        alloy = migration.alloy(line, diffusivities=(1.0, 0.01), initial=0.5, on=on, lattice=lattice)
        em.solve_steady(alloy)
        through[lattice] = alloy.quantity("flux left")
        assert alloy.quantity("flux left") + alloy.quantity("flux right") == pytest.approx(0.0, abs=1e-12)
    n = np.linspace(0.2, 0.8, 10001)
    exact = {"moving": (1 - n) + 0.01 * n, "held": 0.01 / (n + 0.01 * (1 - n))}
    for lattice, spread in exact.items():
        assert through[lattice] == pytest.approx(np.trapezoid(spread, n), rel=1e-6)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"domain": 3}, "domain = 3"),
        ({"diffusivities": 1.0}, "diffusivities = 1.0, must be "),
        ({"diffusivities": (1.0,)}, "must be two: of A and of B"),
        ({"diffusivities": (1.0, -1.0)}, r"diffusivities\[1\] = -1"),
        ({"diffusivities": (1.0, ufl.as_vector((1.0, 1.0)))}, r"diffusivities\[1\] of shape \(2,\)"),
        ({"diffusivities": (lambda n: ufl.grad(n), 1.0)}, r"diffusivities\[0\]\(N\) of shape"),
        ({"forces": (1.0, (0.0, 0.0))}, r"forces\[0\] = 1.0, must be a vector of 2"),
        ({"forces": (None, None, None)}, "forces = .*, must be two"),
        ({"initial": 1.1}, "initial N = 1.1, must be at most 1"),
        ({"initial": -0.1}, "initial N = -0.1"),
        ({"initial": lambda x: 2 * x[0]}, "initial N from .* to 2, must be"),
        ({"on": {"left": em.fixed(1.5)}}, "fraction fixed on 'left' = 1.5"),
        ({"on": {"left": em.flux(1.5)}}, r"must be em.fixed\(...\)"),
        ({"on": {"cathode": em.fixed(0.5)}}, "'cathode'; this mesh has"),
        ({"thermodynamic_factor": 0.0}, "thermodynamic_factor = 0"),
        ({"markers": "yes"}, "markers = 'yes', must be True or False"),
        ({"lattice": "free"}, "'free'; lattice has moving, held"),
        ({"lattice": "held", "markers": True}, "markers = True with lattice = 'held'"),
        ({"degree": 1.5}, "degree = 1.5"),
        (
            {"diffusivities": (lambda n: 1 - 2 * n, 1.0)},
            r"diffusivities\[0\]\(N\) = -0.1 at N = 0.55, must be at least 0",
        ),
        ({"diffusivities": (1.0, lambda n: ufl.ln(n - 0.5))}, r"diffusivities\[1\]\(N\) = .*, must be at least 0"),
        ({"diffusivities": (ufl.as_ufl(-1.0), 1.0)}, r"diffusivities\[0\] = -1 at \(.*\), must be greater than 0"),
        ({"thermodynamic_factor": lambda n: 1 - 6 * n * (1 - n)}, r"thermodynamic_factor\(N\) = .* at N = 0.25"),
        (
            {"diffusivities": (lambda n: 1 + n, lambda n: n), "lattice": "held"},
            r"D_A N \+ D_B \(1 - N\) = 0 at N = 0, must be greater than 0",
        ),
        (
            {"diffusivities": (lambda n: 1 - n, 1.0), "lattice": "held"},
            r"D_A N \+ D_B \(1 - N\) = 0 at N = 1, must be greater than 0",
        ),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bad_input_is_refused(arguments: dict[str, Any], told: str):
    square = em.mesh.rectangle((1.0, 1.0), cells=(2, 2))
    given: dict[str, Any] = {"diffusivities": (1.0, 1.0), "initial": 0.5} | arguments
    with pytest.raises(ParameterError, match=told):
        migration.alloy(given.pop("domain", square), **given)


@pytest.mark.parametrize("arguments", [{"forces": (1.0, 0.0)}, {"on": {"left": em.fixed(0.2), "right": em.fixed(0.8)}}])
def test_markers_in_a_lattice_that_never_rests_are_refused_before_a_steady_solve(arguments: dict[str, Any]):
    line = em.mesh.interval(1.0, cells=10)
    alloy = migration.alloy(line, diffusivities=(2.0, 1.0), initial=0.3, markers=True, **arguments)
    with pytest.raises(ParameterError, match="has no steady state: the lattice goes on moving; leave markers out"):
        em.solve_steady(alloy)


def test_markers_come_to_rest_where_the_alloy_does():
    """All is mixed in the end, and the way of a marker is what both halves lost."""
    line = em.mesh.interval(1.0, cells=20)
    rest, run = (
        migration.alloy(line, diffusivities=(2.0, 1.0), initial=lambda x: x[0], markers=True) for _ in range(2)
    )
    em.solve_steady(rest)
    em.evolve(run, 3.0, rtol=1e-6, progress=False)
    ends = [migration.positions(alloy, [[0.5]])[0, 0] for alloy in (rest, run)]
    assert ends[0] > 0.55
    assert ends[0] == pytest.approx(ends[1], rel=5e-3)  # pseudo-time steps are loose, and markers keep their errors


def test_bad_markers_are_refused():
    with pytest.raises(ParameterError, match="planted of shape"):
        migration.positions(couple(cells=10), [1.0])
    with pytest.raises(UnknownName, match="displacement"):
        migration.positions(couple(cells=10, markers=False), [[HALF]])


def test_a_torn_lattice_is_no_place_for_a_marker():
    alloy = couple()
    alloy["displacement"].interpolate(lambda x: -20 * um * np.sign(x[:1] - HALF))
    with pytest.raises(ConvergenceError, match="markers not found"):
        migration.positions(alloy, [[HALF + um / 2]])

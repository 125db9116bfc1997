"""In - out - change closes to rounding: every model that conserves something, held and open edges, 1-D to 3-D.

At a moment the terms of `em.balance` each have their own path (integrals, residuals of held nodes, the functional's
derivative along the discrete rates), and over a run those of `em.accumulate` are stepped beside the model. Both are
exact statements about the discrete equations, so meshes are coarse and steps are few: 1e-10 is asked for, and the sums
of some hundred terms in double precision leave 1e-16 to 1e-12.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import emfem as em
from emfem.errors import ParameterError
from emfem.solve.system import derivative
from emfem.units import MPa, nm, um

import numpy as np
import pytest
import ufl
from dolfinx import fem
from mpi4py import MPI

CLOSED = 1e-10
# a balance is exact on any mesh, so these resolve nothing
pytestmark = pytest.mark.filterwarnings("ignore::emfem.ResolutionWarning")
COPPER = em.materials.copper(temperature=500.0)
On = Mapping[str, Any]


def grains(unit: float) -> em.mesh.Domain:
    return em.mesh.grains(em.mesh.rectangle((4.0 * unit, 3.0 * unit), cells=(8, 6), cell="triangle"), count=4, seed=1)


# 4 units long, with the boundaries left and right
SHAPES: dict[str, Callable[[float], em.mesh.Domain]] = {
    "line": lambda u: em.mesh.interval(4.0 * u, cells=7),
    "quadrilaterals": lambda u: em.mesh.rectangle((4.0 * u, 3.0 * u), cells=(4, 3)),
    "triangles": lambda u: em.mesh.rectangle((4.0 * u, 3.0 * u), cells=(4, 3), cell="triangle"),
    "hexahedra": lambda u: em.mesh.box((4.0 * u, 2.0 * u, 2.0 * u), cells=(3, 2, 2)),
    "tetrahedra": lambda u: em.mesh.box((4.0 * u, 2.0 * u, 2.0 * u), cells=(2, 2, 2), cell="tetrahedron"),
    "revolved": lambda u: em.mesh.axisymmetric(em.mesh.rectangle((4.0 * u, 3.0 * u), cells=(4, 3), cell="triangle")),
    "network": lambda u: em.mesh.network(
        np.array([(0.0, 0.0), (2.0, 0.0), (4.0, 0.5), (2.0, 3.0)]) * u,
        [(0, 1), (1, 2), (1, 3)],
        width=np.array([0.2, 0.1, 0.1]) * u,
        thickness=0.1 * u,
        cells=3,
        names={0: "left", 2: "right", 3: "top"},
    ),
}
# values are parts of a typical one; the first holds both ends, one of them moving, the second lets something in
EDGES: dict[str, Callable[[float, float], On]] = {
    "held": lambda value, _: {"left": em.fixed(0.25 * value), "right": em.fixed(lambda t: (0.3 + 0.01 * t) * value)},
    "open": lambda value, flow: {"left": em.fixed(0.25 * value), "right": em.flux(lambda t: 0.02 * (1 + t) * flow)},
}


def assembled(form: ufl.Form) -> np.ndarray:
    """A vector, or the entries of a matrix."""
    matrix = len(form.arguments()) == 2
    return fem.assemble_matrix(fem.form(form)).to_dense() if matrix else fem.assemble_vector(fem.form(form)).array


def wave(x: np.ndarray) -> np.ndarray:
    return 0.3 + 0.05 * np.cos(1.3 * x[0] + x[1])


def vector(domain: em.mesh.Domain, *components: float) -> list[float]:
    return list(components[: domain.dim])


def film(shape: str, edges: str) -> em.Model:
    domain = SHAPES[shape](1.0).scaled("h")
    drift = vector(domain, 0.1, 0.05, 0.02)
    return em.film.model(domain, em.film.cupd(), field=drift, initial=wave, on=EDGES[edges](1.0, 1.0))


def species(shape: str, edges: str, **more: Any) -> em.Model:
    domain = SHAPES[shape](1.0)
    drift = vector(domain, 1.5, 0.4, 0.2)
    on = EDGES[edges](1.0, 1.0)
    return em.migration.model(domain, diffusivity=0.5, drift=drift, initial=wave, on=on, **more)


def fitted(shape: str, edges: str) -> em.Model:
    return species(shape, edges, stabilisation="fitted", source=em.migration.sinks(equilibrium=0.4, lifetime=2.0))


def alloy(shape: str, edges: str) -> em.Model:
    del edges  # an alloy takes held fractions only
    domain = SHAPES[shape](1.0)
    pushes = vector(domain, 0.4, 0.1, 0.0), vector(domain, -0.2, 0.1, 0.0)
    sinks = em.migration.vacancies(equilibrium=1e-3, lifetime=1e-3, surfaces=["right"])
    given: dict[str, Any] = {"initial": wave, "on": {"left": em.fixed(0.2)}, "vacancies": sinks}
    return em.migration.alloy(domain, diffusivities=(1.0, 0.3), forces=pushes, **given)


def heat(shape: str, edges: str) -> em.Model:
    domain = SHAPES[shape](1.0)
    on = dict(EDGES[edges](100.0, 100.0))
    if "top" in domain.names:
        on["top"] = em.heat.convection(0.3, lambda t: 20.0 + t)
    given: dict[str, Any] = {"heat_capacity": 1.5, "source": 3.0, "loss": (0.2, 25.0)}
    given |= {"initial": lambda x: 100.0 * wave(x), "conductivity": lambda t: 2.0 + 1e-3 * t}
    return em.heat.model(domain, on=on, **given)


def stress(shape: str, edges: str) -> em.Model:
    domain = SHAPES[shape](um)
    line = domain.mesh.topology.dim == 1
    drive: dict[str, Any] = {"field": vector(domain, 40.0, 10.0, 5.0)}
    if domain.network is not None:
        drive = {"current_density": [1e10, 2e10, 0.0]}
    on = EDGES[edges](100 * MPa, 1e16)
    model = em.stress.model(
        domain, COPPER, **drive, on=on, voids=line, residual_stress=lambda x: 50 * MPa * wave(x / um)
    )
    if domain.network is not None:
        em.stress.open_void(model, 1)
    return model


STEPPED: dict[str, tuple[Callable[[str, str], em.Model], float]] = {
    "film": (film, 2.0),
    "species": (species, 0.5),
    "fitted": (fitted, 0.5),
    "alloy": (alloy, 0.2),
    "heat": (heat, 2.0),
    "stress": (stress, 1e4),
}
# Every physics on a line and on one other shape, every shape with some physics, both kinds of edges: each case
# compiles some twenty forms of its own. The others are in `make soak`.
SOLID = {"film": "hexahedra", "heat": "hexahedra", "alloy": "hexahedra"}
CASES = [
    *((physics, "line", "held") for physics in STEPPED),
    *((physics, shape, "open") for physics in STEPPED for shape in ("triangles", "network", "revolved")),
    *((physics, SOLID.get(physics, "tetrahedra"), "open") for physics in STEPPED),
    ("film", "quadrilaterals", "open"),
    ("heat", "triangles", "held"),
]
CASES.remove(("alloy", "revolved", "open"))
OTHER = [("film", "hexahedra"), ("film", "quadrilaterals"), ("species", "tetrahedra"), ("alloy", "triangles")]
OTHER += [("heat", "revolved"), ("stress", "network")]


def others_in_soak(cases: list[tuple[str, str, str]]) -> list[Any]:
    """Mark the cases that only `make soak` has."""
    return [
        case if case[1] == "line" or case[:2] in OTHER else pytest.param(*case, marks=pytest.mark.soak)
        for case in cases
    ]


def closed(model: em.Model, until: float) -> dict[str, float]:
    """The relative imbalances at the end of a run, and over it, of all that a model conserves."""
    books = {name: em.accumulate(model, name) for name, sheet in model.balances.items() if sheet.is_open(model.domain)}
    em.evolve([model, *books.values()], until, rtol=1e-2, progress=False)
    found = {name: em.balance(model, name).relative for name in model.balances}
    for name, book in books.items():
        found[f"{name} over the run"] = abs(book.quantity(f"{name} imbalance")) / book.quantity(f"{name} turnover")
    return found


def numbers(physics: str, shape: str, edges: str) -> dict[str, float]:
    make, until = STEPPED[physics]
    return closed(make(shape, edges), until)


@pytest.mark.parametrize(("physics", "shape", "edges"), others_in_soak(CASES))
def test_inflow_less_outflow_less_change_is_zero(physics: str, shape: str, edges: str):
    assert max(numbers(physics, shape, edges).values()) <= CLOSED


def enriched(edges: str) -> em.Model:
    """Grains that exchange with the boundaries between them."""
    path = em.migration.fast_path(width=0.01, diffusivity=30.0, drift=(5.0, 2.0), exchange=3.0, segregation=2.0)
    on = EDGES[edges](1.0, 1.0)
    return em.migration.model(grains(1.0), diffusivity=0.5, initial=wave, on=on, grain_boundaries=path)


@pytest.mark.parametrize("edges", EDGES)
def test_grains_and_their_boundaries_are_balanced_together(edges: str):
    assert max(closed(enriched(edges), 0.2).values()) <= CLOSED


@pytest.mark.parametrize("name", ["film", "stress"])
def test_blocked_models_are_balanced_too(name: str):
    """Rates at the nodes are not 0, their sum is."""
    model = {
        "film": lambda: em.film.model(SHAPES["triangles"](1.0), em.film.cupd(), initial=wave, field=(0.1, 0.0)),
        "stress": lambda: em.stress.model(SHAPES["line"](um), COPPER, current_density=1e10, voids=True),
    }[name]()
    em.evolve(model, STEPPED[name][1], rtol=1e-2, progress=False)
    flows = em.balance(model)
    assert flows.gross > 0
    assert flows.relative <= CLOSED
    assert all(out == 0.0 for out in flows.out.values())


@pytest.mark.parametrize("revolved", [False, True])
def test_a_surface_keeps_its_metal(revolved: bool):
    size = (120 * nm, 60 * nm)
    plane = em.mesh.rectangle(size, cells=(12, 6))
    domain = em.mesh.axisymmetric(plane) if revolved else plane
    gold = em.materials.gold(temperature=900.0)
    shape = em.surface.wire(30 * nm, amplitude=4 * nm, wavelength=120 * nm)
    model = em.surface.model(domain, gold, shape=shape, interface_width=10 * nm)
    em.evolve(model, 1e-4, rtol=1e-2, progress=False)
    flows = em.balance(model, "metal")
    assert flows.unit == ("m3/s" if revolved else "m2/s")
    assert flows.gross > 0
    assert flows.relative <= CLOSED


CONDUCTORS: dict[str, Callable[[], On]] = {
    "held": lambda: {"left": em.fixed(1.0), "right": em.fixed(0.0)},
    "let in": lambda: {"left": em.fixed(1.0), "right": em.flux(0.3)},
    "driven": lambda: {"left": em.conduction.electrode(current=0.4), "right": em.fixed(0.0)},
    "contacts": lambda: {
        "left": em.conduction.electrode(current=0.4, contact_resistivity=0.2),
        "right": em.conduction.electrode(voltage=0.1, contact_resistivity=0.3),
    },
}


@pytest.mark.parametrize(
    ("electrodes", "shape"),
    [
        (electrodes, shape)
        if shape == "triangles" or electrodes == "driven"
        else pytest.param(electrodes, shape, marks=pytest.mark.soak)
        for electrodes in CONDUCTORS
        for shape in SHAPES
    ],
)
def test_current_in_is_current_out(shape: str, electrodes: str):
    """The remainder is that of the solver: a residual of 1e-12 of a typical current."""
    domain = SHAPES[shape](1.0)
    kappa = ufl.as_matrix([[2.0, 0.3], [0.3, 1.0]]) if shape in ("quadrilaterals", "triangles") else 1.7
    model = em.conduction.model(domain, conductivity=kappa, on=CONDUCTORS[electrodes]())
    em.solve_steady(model)
    assert em.balance(model).relative <= CLOSED


RANKED = [
    ("film", "quadrilaterals", "held"),
    ("species", "tetrahedra", "open"),
    ("fitted", "revolved", "open"),
    ("stress", "network", "open"),
    ("heat", "line", "held"),
]


def on_ranks() -> dict[str, float]:
    """Imbalances of one case of each physics, and their flows."""
    found: dict[str, float] = {}
    for physics, shape, edges in RANKED:
        make, until = STEPPED[physics]
        model = make(shape, edges)
        found |= {f"{physics}: {name}": value for name, value in closed(model, until).items()}
        flows = em.balance(model)
        found |= {f"{physics}, out of {name}": value / flows.gross for name, value in flows.out.items()}
    return found | {f"enriched: {name}": value for name, value in closed(enriched("open"), 0.2).items()}


@pytest.mark.soak
@pytest.mark.parallel
def test_it_closes_on_two_ranks_with_the_same_flows(run_json_on_ranks: Callable[..., Any]):
    alone, both = on_ranks(), run_json_on_ranks(2, __file__)
    assert max(value for name, value in both.items() if ", out of " not in name) <= CLOSED
    for name, value in alone.items():
        if ", out of " in name:
            assert both[name] == pytest.approx(value, rel=1e-6, abs=1e-9), name


@pytest.mark.parametrize("term", ["out", "made", "reactions"])
def test_a_term_that_is_left_out_or_wrong_is_seen(term: str):
    """The balance can fail: without its inflow, its source, or with a flow through a held end that is 1 % off."""
    model = fitted("triangles", "open")
    em.evolve(model, 0.5, rtol=1e-2, progress=False)
    sheet = model.balances["amount"]
    (reaction,) = sheet.reactions
    wrong = em.model.ConsistentFlux(reaction.unknown, reaction.conditions, 1.01 * reaction.scale)
    changed: dict[str, Any] = {"out": {}, "made": {}, "reactions": (wrong,)}
    model.balances["amount"] = replace(sheet, **{term: changed[term]})
    assert em.balance(model).relative > 1e-4


def test_what_a_run_lets_in_is_that_of_the_series():
    """A slab of length 1 and D = 1 fills to 1 - 8/pi^2 sum exp(-(2n+1)^2 pi^2 t/4)/(2n+1)^2, at the steps' 1e-6."""
    line = em.mesh.interval(1.0, cells=40)
    model = em.migration.model(line, diffusivity=1.0, initial=0.0, on={"left": em.fixed(1.0)})
    book, before = em.accumulate(model), model.quantity("amount")  # of the node that is held from the start
    em.evolve([model, book], 0.3, rtol=1e-6, atol=1e-8, progress=False)
    odd = np.arange(1, 99, 2)
    exact = 1 - 8 / np.pi**2 * np.sum(np.exp(-(odd**2) * np.pi**2 * 0.3 / 4) / odd**2)
    assert before - book.quantity("amount out left") == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize("degree", [1, 2])
def test_a_steady_film_between_fixed_edges_has_the_flux_of_its_profile(degree: int):
    """With f = c^2/2 and M = 1 a film is a diffusion: at rest c is linear, and c0 - c1 over the length passes it."""
    strip = em.mesh.rectangle((4.0, 3.0), cells=(4, 3))
    alloy = em.film.Alloy(entropy=0.1, enthalpy=0.15, solute_expansion=0.0, gradient_energy=1e-12)
    laws: dict[str, Any] = {"free_energy": lambda c: c**2 / 2, "mobility": lambda c: 1.0 + 0 * c}
    on = {"left": em.fixed(0.7), "right": em.fixed(0.3)}
    model = em.film.model(strip, alloy, mean=0.5, initial=lambda x: 0.5 + 0 * x[0], on=on, degree=degree, **laws)
    em.evolve(model, 200.0, rtol=1e-6, progress=False)
    assert model.quantity("flux right") == pytest.approx(0.1 * 3.0, rel=1e-6)
    assert model.quantity("flux left") == pytest.approx(-0.1 * 3.0, rel=1e-6)
    assert model.quantity("flux top") == 0.0


def test_the_flux_let_into_a_stressed_metal_follows_time():
    model = em.stress.model(SHAPES["line"](um), COPPER, on={"left": em.flux(lambda t: 1e10 * (1 + t))})
    em.evolve(model, 2.0, progress=False)
    assert model.quantity("flux left") == pytest.approx(-3e10, rel=1e-12)


def test_a_heat_capacity_that_follows_the_temperature_closes_at_a_moment():
    """int c(T) dT is no linear sum of unknowns: over a run it closes to the error of the steps."""
    line = em.mesh.interval(4.0, cells=7)
    off = []
    for rtol in (1e-2, 1e-5):
        given: dict[str, Any] = {"conductivity": 2.0, "heat_capacity": lambda t: 1.5 + 0.01 * t, "initial": 300.0}
        model = em.heat.model(line, on={"left": em.fixed(100.0)}, **given)
        book = em.accumulate(model)
        em.evolve([model, book], 2.0, rtol=rtol, atol=1e-8, progress=False)
        assert em.balance(model).relative <= CLOSED
        off.append(abs(book.quantity("heat imbalance")) / book.quantity("heat turnover"))
    assert 1e-9 < off[1] < 0.1 * off[0]


def test_the_lumped_amount_of_a_body_of_revolution_is_the_amount():
    """The integral of c r over the nodes' parts is that over the cells: the fitted amount is kept to rounding."""
    domain = SHAPES["revolved"](1.0)
    given: dict[str, Any] = {"diffusivity": 0.5, "drift": (1.5, 0.4), "initial": wave}
    model = em.migration.model(domain, stabilisation="fitted", **given)
    em.evolve(model, 0.5, rtol=1e-2, progress=False, watch=[em.watch.conserved("amount", rtol=1e-12)])


@pytest.mark.parametrize(
    ("physics", "shape", "edges"), others_in_soak([case for case in CASES if case[1] in ("line", "revolved")])
)
def test_residual_and_jacobian_are_the_sums_of_their_integrals(physics: str, shape: str, edges: str):
    """FFCx 0.11 takes what it has at the one point of a rule for the points of rules that follow it in a form."""
    model = STEPPED[physics][0](shape, edges)
    blocks = [model.residual] if len(model.unknowns) == 1 else ufl.extract_blocks(model.residual)
    for unknown, block in zip(model.unknowns, blocks, strict=True):
        if unknown.rate is not None:
            unknown.rate.x.array[:] = np.cos(np.arange(len(unknown.rate.x.array)))
        slope = derivative(block, unknown, fem.Constant(model.mesh, 2.0))
        assert slope is not None
        for form in (block, slope):
            whole, parts = assembled(form), [assembled(ufl.Form([each])) for each in form.integrals()]
            assert float(np.abs(whole - np.sum(parts, axis=0)).max()) <= 1e-12 * float(np.abs(whole).max())


def test_a_balance_prints_its_terms():
    model = fitted("line", "open")
    told = str(em.balance(model)).splitlines()
    assert told[0].startswith("balance of amount, relative imbalance")
    assert [line.split("  ")[0] for line in told[1:]] == [
        "rate of change",
        "made: source",
        "out: left",
        "out: right",
        "in - out - change",
    ]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: em.balance(species("line", "held"), "solute"),
            "'solute'; the migration model, among its balances, has amount",
        ),
        (lambda: em.balance(alloy("line", "held")), "must be one of amount, vacancies"),
        (lambda: em.balance(film("line", "held")), "the film model is not solved yet"),
        (lambda: em.balance(3), "model = 3, must be a model"),  # type: ignore[arg-type]
        (
            lambda: em.accumulate(em.film.model(SHAPES["line"](1.0), em.film.cupd(), initial=wave)),
            "solute of the film model passes no boundary",
        ),
        (
            lambda: em.accumulate(em.conduction.model(SHAPES["line"](1.0), on={"left": em.fixed(0.0)})),
            "the conduction model stores no current",
        ),
    ],
)
def test_bad_input(call: Callable[[], Any], words: str):
    with pytest.raises(ParameterError, match=words):
        call()


if __name__ == "__main__":
    found = on_ranks()
    if MPI.COMM_WORLD.rank == 0:
        print(json.dumps(found))

"""Property: whatever is put into a public function, a case or a file, the answer is a result or an error of emfem.

Calls are those of `tests.fuzz.api`, `.cases` and `.files`, a few hundred, always the same; EMFEM_SOAK=20 makes
twenty times as many. Places in known.txt are errors that are known; nothing is to be added to it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tests.fuzz import api, cases, damage, files, fixtures, pool, soak
from tests.fuzz.pool import Call, Worker

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

MORE = int(os.environ.get("EMFEM_SOAK", "1"))
KNOWN = frozenset(Path(__file__).with_name("known.txt").read_text(encoding="utf-8").split("\n"))
OPTIONS: dict[str, Any] = {
    "deadline": None,
    "derandomize": True,
    "database": None,
    "suppress_health_check": list(HealthCheck),
    "phases": (Phase.generate, Phase.shrink),
}
pytestmark = pytest.mark.timeout(600 * MORE)


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    with Worker() as made:
        yield made


def check(worker: Worker, call: Call) -> None:
    """The outcome of a call is fine, or known."""
    outcome = worker.execute(call)
    assert outcome["kind"] in pool.FINE or pool.key(outcome) in KNOWN, f"{outcome}: {call.text}"


COMMON = [target for target in api.targets() if api.period(target) <= 2]


@settings(max_examples=200 * MORE, **OPTIONS)
@given(rng=st.randoms(use_true_random=False))
def test_public_functions_take_or_refuse_hostile_arguments(worker: Worker, rng: random.Random):
    check(worker, rng.choice(COMMON).mutated(rng))


@settings(max_examples=80 * MORE, **OPTIONS)
@given(rng=st.randoms(use_true_random=False))
def test_hostile_cases_are_taken_or_refused(worker: Worker, rng: random.Random):
    check(worker, cases.one(rng))


@settings(max_examples=60 * MORE, **OPTIONS)
@given(kind=st.sampled_from(files.KINDS), seed=st.integers(0, 10**6))
def test_damaged_files_are_taken_or_refused(worker: Worker, kind: str, seed: int):
    check(worker, Call(f"open_damaged({kind!r}, {seed})", kind, nan_allowed=True))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("em.film.noise(0.1)", "ok"),
        ("em.film.noise(-1.0)", "refused"),
        ("em.film.noise()", "call"),
        ("float('nan')", "nan"),
        ("[np.ones(3), {'x': np.array([1.0, nan])}]", "nan"),
        ("int('x')", "raw"),
        ("em.film.degenerate_mobility(c=0.5) and 0 / 0", "raw"),
        ("__import__('os').abort()", "crash"),
        ("bytearray(10**12)", "raw"),
    ],
)
def test_outcomes_are_told_apart(worker: Worker, text: str, kind: str):
    assert worker.execute(Call(text, "harness"))["kind"] == kind


REFUSED = (
    "em.Terminated(signal='a')",
    "em.errors.kind('name', 1, expected='word', words='words')",
    "em.errors.floats('name', [1.0], shape=1e308)",
    "em.errors.floats('name', [1.0], finite=np.array([True, False]))",
    "em.errors.positive_tensor('name', [[1.0]], dim=pd.Series([1.0, 2.0]))",
    "em.errors.choice('name', 'a', known=np.full((2, 2), nan))",
    "em.errors.require_all([False], message={})",
    "em.studies.CaseError(sentences=1)",
    "em.studies.Physics(name='mine', model=em.heat.model, couplings=np)",
    "em.studies.Study(case(), ({'film.mean': 0.4},)).of(case=3, grid={'film.mean': [0.3]})",
    "em.studies.Study(case(), ({'film.mean': 0.4},)).of(case=case(), grid=em.waveforms.constant(1.0))",
    "case().from_dict(tables={}, folder=1)",
    "case().measures(models=-1)",
    "case().build(finer=3)",
    "case().run(folder=fem.Constant(plate().mesh, 1.0))",
    "results().run(name=np)",
    "results().run(name='x' * 1000)",
    "em.results.open('x' * 1000)",
    "em.resume('x' * 1000, film_model())",
    "em.dimensions.parsed('x' * 1000)",
    "em.dimensions.parsed('\\ud800')",
    "em.fields.sample_grid(periodic_function(), shape=[-1.0, 2.0])",
    "em.fields.sample_grid(periodic_function(), shape=[10**5, 10**5])",
    "em.fields.line_cut(function(), (0.5, 0.5), (1.5, 1.5), n=1e10)",
    "em.fields.sample_grid(periodic_function(), shape=range(10**9))",
    "em.errors.number('c', 0.0, at_least=-10**400, below=-10**400)",
    "em.errors.number('c', 1.0, above=__import__('decimal').Decimal('NaN'))",
    "em.fields.components(shape=())",
    "em.fields.positive('c', ufl.SpatialCoordinate(plate().mesh), plate().mesh)",
    "em.errors.require_all(range(10**9), message=str)",
    "em.fields.set_initial(function(), initial=dict)",
    "em.check_resolution(lambda: None, until=0.01)",
    "em.materials.Linear(2e-8, temperature_coefficient=4e-3).evaluate(ufl.SpatialCoordinate(plate().mesh), law=int)",
    "em.mesh.box(size=(1.0, 1.0, 1.0), cells=range(10**9))",
    "em.lifetime.accelerated_tests(copper(), dict, conditions=[(1e10, 500.0)], samples=10, seed=1, "
    "critical_stress=5e7, until=1e12)",
    "em.heat.runaway(resistivity=dict, conductivity=400.0, temperature=300.0)",
    "em.model.algebraic('\\ud800', space())",
    "em.placeholder('p', plate(), shape=[-1.0, 2.0])",
    "em.fields.Pixels(torus().mesh, (4, 4)).sample(function=function())",
    "em.film.growth_rate((0.5, 0.0), em.film.cupd(), mean=0.3, mobility=dict)",
    "em.mesh.refined(triangles(), lambda x: x[0], within=0.5, size=fem.Constant(plate().mesh, 1e-30))",
    "em.storage.StateWriter('out', np.zeros((0, 2)))",
    "em.waveforms.pulses(period=1.0, duty=0.5, level=1.0).slope(__import__('decimal').Decimal('NaN'))",
    "em.fields.discontinuous(function(), plate().mesh, degree=1e10)",
    "em.surface.model(cells(), gold(), shape=void(), interface_width=2.5e-9, anisotropy=lambda n: range(3), degree=1)",
    "em.waveforms.pulses(period=1.0, duty=0.5, level=1.0).count_breakpoints(0.0, stop=nan, limit=10)",
    "em.waveforms.pulses(period=1.0, duty=0.5, level=1.0).count_breakpoints(nan, stop=1.0, limit=10)",
    "em.stress.set_opened(object(), node=0, open=True)",
    "em.model.warn_unresolved('words', comm=MPI.COMM_NULL)",
    "em.mesh.network([(0, 0), (2e-5, 0)], [(0, 1)], width=1e-7, thickness=1e-7, comm=object())",
    "em.mesh.from_image(picture(), pixel=1.0, size=3.0, electrodes=[[]])",
    "em.mesh.read_netlist(MESHES / 'grid.sp', resistivity=1, thickness=1, unit=1, coordinates=test_function())",
    "em.verify.listing(chosen=(i for i in range(3)))",
    "em.write.vtx('out.bp', names=pd.Series(dtype=object))",
    "em.signoff.DropLimit(grid(), technology(), limit=0.1).drops(trees=[0.5])",
    "em.signoff.DropLimit(grid(), technology(), limit=0.1).walk(trees=2**63)",
    "em.signoff.run(grid(), technology(), until=1e9, checkpoint={'read': 1})",
    "em.signoff.map_temperature(int, grid())",
    "em.signoff.Variation(grain_spread=fem.Constant(plate().mesh, 1.0))",
    "em.signoff.Sensitivity(grid(), technology()).tension_at(tree=0, node=0, time=5e-324)",
    "em.signoff.Sensitivity(grid(), technology()).tension_at(tree=9, node=0, time=1.0)",
    "em.signoff.Sensitivity(grid(), technology()).drop_slopes(nodes=[(0, 0), (1, 0)])",
    "em.signoff.Sensitivity(grid(), technology()).tension_slopes(nodes=[99])",
    "em.signoff.Sensitivity(grid(), technology()).through_circuit(slopes=np.ones(3))",
    "em.signoff.Sensitivity(grid(), technology()).steady_at(potential=0.5)",
    "technology().resistivities(network=wires())",
    "em.mesh.reported_currents(wires().network, em.mesh.read_report(report_file()).astype(str))",
    "em.signoff.Sensitivity(grid(), technology()).nucleation(tree=0, until=5e-324)",
    "em.mechanics.strain(u=function(), domain=plate(), across=np.zeros((2, 2, 2)))",
    "em.fit.fit(model=straight, curves=[curve()], unknowns=unknowns(), starts=1e300)",
)
TAKEN = (
    "em.errors.real(type('X', (), {})())",
    "em.dimensions.product('m', metres=fem.Constant(plate().mesh, 1.0))",
    "sample(spread=1e-21).fit(until=np.array(1e9, dtype=object))",
    "results().to_xarray(name='c', shape=pd.Series([2.0, 3.0]))",
    "em.migration.alloy(line(), diffusivities=np.ones(2), forces=np.ones(2), initial=0.4, degree=1)",
    "em.heat.runaway(lambda T: 2e-8 * (1 + 4e-3 * (T - 300)), conductivity=400.0, temperature=1e300)",
    "em.conduction.nordheim(c=0.3, solvent=1.0, solute=3.0, disorder=np.array([2**63], dtype=object))",
    "em.steps.train(steps=4, width=1e-7, noise=-0.0)",
    "em.waveforms.pulses(period=1.0, duty=0.5, level=1.0).count_breakpoints(0.0, stop=np.int8(9), limit=9)",
    "em.lifetime.fit_lognormal(lifetimes=[1.0, 2.0, 3.0, 4.0], confidence=5e-324)",
    "em.waveforms.pulses(period=1.0, duty=0.5, level=1.0).next_breakpoint(__import__('decimal').Decimal('0.1'))",
    "em.vtk.write_vtu('out.vtu', em.vtk.CellFields([film_model()]), t=np.array(1.0, dtype=object))",
    "em.signoff.repair(grid(), technology(), margin=0.1, largest_drop=fem.Constant(plate().mesh, 1.0))",
)


@pytest.mark.parametrize(
    ("text", "kind"), [*((text, "refused") for text in REFUSED), *((text, "ok") for text in TAKEN)]
)
def test_findings_of_long_runs_stay_mended(worker: Worker, text: str, kind: str):
    assert worker.execute(Call(text, "mended"))["kind"] == kind


@pytest.mark.soak
def test_a_call_that_never_ends_is_stopped_and_its_place_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(pool, "LIMIT", 1.0)
    with Worker() as impatient:
        outcome = impatient.execute(Call("em.film.model(torus(), em.film.cupd(), mean=0.3, mobility=forever)", "x"))
        assert outcome["kind"] == "hang"
        assert outcome["place"].startswith(("film/", "model/"))  # where emfem calls it
        assert impatient.execute(Call("1 + 1", "x"))["kind"] == "ok"


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
def test_memory_is_flat_over_many_steps():
    few = soak.soak(early=100, late=300)
    assert few.growth == pytest.approx(0.0, abs=0.05)


def test_calls_are_the_same_for_the_same_seed():
    def first(calls: Callable[[int], Iterator[Call]], seed: int) -> list[str]:
        return [call.text for call, _ in zip(calls(seed), range(50), strict=False)]

    for calls in (cases.calls, files.calls, lambda seed: api.calls((), seed)):
        assert first(calls, 1) == first(calls, 1) != first(calls, 2)


def test_every_public_module_has_callables_under_test():
    tested = {target.owner.split(".")[1] for target in api.targets()}
    modules = {name.split(".")[1] for name in api.modules() if "." in name}
    assert modules - tested <= {"units"}


def test_damage_changes_files():
    content = (fixtures.MESHES / "plate.msh").read_bytes()
    changed = sum(damage.damaged(content, random.Random(seed)) != content for seed in range(50))
    assert changed > 45

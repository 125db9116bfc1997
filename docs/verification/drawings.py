"""Pictures of the verification book: closed forms as lines, results as dots, errors against cell sizes.

They come from runs of their own, which take 30 s of a processor together.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import emfem as em
from emfem import verify
from emfem.plot import style
from emfem.units import MPa, eV, hour, nm, um, year
from emfem.verify.materials import REFERENCE

import matplotlib as mpl
import numpy as np
from dolfinx import fem
from IPython.display import Image
from matplotlib.ticker import NullLocator
from scipy.special import erfc
from scipy.stats import norm

LENGTH, DENSITY = 50 * um, 1e10  # of the reference line [m, A/m2]
HIGHEST = 76.37495 * MPa  # its stress in the end
CRITICAL = 41 * MPa


def picture(draw: Callable[[], Any], alt: str) -> Image:
    """Show the figure that `draw` returns as a picture in the page."""
    with mpl.rc_context(style.LOOK):
        figure = draw()
        buffer = io.BytesIO()
        figure.savefig(buffer, dpi=style.DPI, format="png")
    return Image(buffer.getvalue(), alt=alt, format="png")


def two() -> tuple[Any, Any, Any]:
    """A figure and its two axes."""
    figure = style.blank(9.0, 3.8)
    return figure, *figure.subplots(1, 2)


def against(axes: Any, i: int, label: str, line: Any, dots: Any) -> None:
    """A closed form as a line, a result as dots."""
    axes.plot(*line, color=style.named_colour(i))
    axes.plot(*dots, "o", color=style.named_colour(i), markersize=3.5, label=label)


def slope(axes: Any, h: Sequence[float], errors: Sequence[float], expected: float, i: int, label: str) -> None:
    """Errors against cell sizes with their fitted order, and a line of the order expected through the last one."""
    x, y = np.array(h), np.array(errors)
    computed = np.polyfit(np.log(x), np.log(y), 1)[0]
    axes.loglog(x, y[-1] * (x / x[-1]) ** expected, color=style.named_colour(i), linewidth=0.9)
    axes.loglog(x, y, "o", color=style.named_colour(i), label=f"{label}: order {computed:.2f} ({expected:.3g})")
    ticks(axes, x)


def ticks(axes: Any, values: Any) -> None:
    """Ticks of a logarithmic x axis at these values, and no others."""
    axes.set_xticks(values, [f"{value:.3g}" for value in values])
    axes.xaxis.set_minor_locator(NullLocator())


def materials() -> Image:
    """Forces that cancel, and the diffusivities of copper."""
    metal = em.materials.copper(temperature_coefficient=4.5e-3, effective_charge=em.materials.DirectAndWind(2.0, -3.0))
    k = 8.617333262e-5  # eV/K
    paths = {
        "lattice [m²/s]": ("lattice_diffusivity", 7.8e-5, 210e3 / 96485.33212),
        "boundary × width [m³/s]": ("grain_boundary_diffusivity_thickness", 3.89e-16, 84.75e3 / 96485.33212),
    }

    def draw() -> Any:
        figure, charge, rates = two()
        fine, dots = np.linspace(293.15, 800.0, 200), np.linspace(293.15, 800.0, 9)
        rho = 1 + 4.5e-3 * (fine - 293.15)
        against(charge, 0, "Z*", (fine, 2 - 3 / rho), (dots, [metal.at(t).effective_charge for t in dots]))
        charge.plot(404.261, 0.0, "D", color=style.WARNING, label="they cancel, 404.261 K")
        charge.axhline(0.0, color=style.GREY, linewidth=0.7)
        charge.set(xlabel="T [K]", ylabel="effective charge Z* [-]", title="direct +2, wind −3 at 293.15 K")
        charge.legend(loc="lower right")
        fine, dots = np.linspace(400.0, 1300.0, 200), np.linspace(400.0, 1300.0, 10)
        for i, (label, (name, prefactor, energy)) in enumerate(paths.items()):
            values = [getattr(em.materials.copper(t), name) for t in dots]
            against(rates, i, label, (1e3 / fine, prefactor * np.exp(-energy / (k * fine))), (1e3 / dots, values))
        rates.set(yscale="log", xlabel="1000 K / T", title="copper: lines are Arrhenius' law by hand")
        rates.legend()
        return figure

    return picture(draw, "Effective charge against temperature; diffusivities of copper against inverse temperature")


def film() -> Image:
    """Growth and drift of small waves on the [110] film."""
    import dispersion  # the demo

    crystal, field = em.film.Anisotropy("110", strength=1.0), em.film.uniform_field(0.1, np.pi / 6)
    angles, waves = (0.0, np.pi / 2), (0.5, 0.9, 1.2084, 1.6)

    def draw() -> Any:
        figure, growth, frequency = two()
        fine = np.linspace(0.0, 1.75, 200)
        for i, angle in enumerate(angles):
            n = np.array([np.cos(angle), np.sin(angle)])
            exact = em.film.growth_rate(np.outer(fine, n), em.film.cupd(), mean=0.3, anisotropy=crystal, field=field)
            computed = [dispersion.measure(k, angle, crystal, field, 8) for k in waves]
            label = f"waves along {'xy'[i]}"
            against(growth, i, label, (fine, np.real(exact)), (waves, np.real(computed)))
            against(frequency, i, label, (fine, np.imag(exact)), (waves, np.imag(computed)))
        growth.set(xlabel="wave number k [1/h]", ylabel="growth rate Re ω [1/t₀]", title="lines: linear theory")
        frequency.set(xlabel="wave number k [1/h]", ylabel="frequency Im ω [1/t₀]", title="dots: runs of the film")
        growth.axhline(0.0, color=style.GREY, linewidth=0.7)
        growth.legend()
        return figure

    return picture(draw, "Growth rate and frequency of small waves against the wave number, theory and runs")


def benchmark() -> Image:
    """PFHub's benchmark 1c against the published curve, and the order of the kink."""
    film = verify.pfhub._film(em.mesh.polygon(verify.pfhub.TEE, electrodes={}, size=3.0))
    seen = em.watch.series(["free_energy"])
    em.evolve(film, 80.0, rtol=1e-4, watch=[seen], progress=False)
    published = verify.pfhub.pfhub_spinodal_decomposition_in_a_tee.target
    cells = (40, 60, 80)
    rest = partial(em.evolve, until=1000.0, progress=False)
    errors = [verify.film.kink_error(n, rest) for n in cells]

    def draw() -> Any:
        figure, energy, order = two()
        energy.plot(seen.t, seen["free_energy"], color=style.named_colour(0), label="emfem, every step")
        energy.plot(
            (0, 30, 40, 50, 60, 80), published, "o", color=style.INK, markersize=4.5, label="published (FEniCS)"
        )
        energy.set(xlabel="t [-]", ylabel="free energy [-]", xlim=(-2, 82), title="PFHub benchmark 1c, the T")
        energy.legend()
        slope(order, [20 / n for n in cells], errors, 3.0, 0, "kink, degree 2")
        order.set(xlabel="cell size", ylabel="root mean square distance to tanh")
        order.legend()
        return figure

    return picture(draw, "Free energy of the T of PFHub benchmark 1c against time; error of a kink against cell size")


def conduction() -> Image:
    """The squares of a bend, and the potential of a ring."""
    sizes, finer = (0.4, 0.2, 0.1), (0.1, 0.05, 0.025)
    bend = []
    for size in sizes:
        domain = em.mesh.bend(width=1.0, arms=(2.5, 2.5), size=size, refine=size / 20)
        bend.append(abs(em.conduction.resistance(_volt(domain, "start", "end")) - 5.0 - 0.558729))
    rings = {degree: [_ring_error(size, degree) for size in finer] for degree in (1, 2)}

    def draw() -> Any:
        figure, corner, ring = two()
        slope(corner, sizes, bend, 4 / 3, 0, "degree 2")
        corner.set(xlabel="cell size over the width", ylabel="error of the squares", title="corner of a bend: 0.558729")
        corner.legend()
        for i, (degree, errors) in enumerate(rings.items()):
            slope(ring, finer, errors, degree + 1.0, i, f"degree {degree}")
        ring.set(xlabel="cell size", ylabel="L2 error of the potential [V]", title="ring of radii 0.5 and 1.5")
        ring.legend()
        return figure

    return picture(draw, "Convergence of the squares of a bend, and of the potential of a ring")


def _volt(domain: em.mesh.Domain, first: str, last: str, degree: int = 2) -> em.Model:
    """A volt between two boundaries."""
    model = em.conduction.model(domain, on={first: em.fixed(1.0), last: em.fixed(0.0)}, degree=degree)
    em.solve_steady(model)
    return model


def _ring_error(size: float, degree: int) -> float:
    """The L2 error of the potential in a ring, on curved cells of degree 2."""
    model = _volt(em.mesh.annulus(0.5, 1.5, size=size, refine=size, order=2), "inner", "outer", degree)
    exact = lambda x: 1 - np.log(np.hypot(x[0], x[1]) / 0.5) / np.log(3.0)  # noqa: E731
    return _l2(model["phi"], exact, model.domain)


def _l2(function: Any, exact: Callable[[Any], Any], domain: em.mesh.Domain, degree: int = 6) -> float:
    """The L2 distance of a field from a function of place."""
    other = fem.Function(fem.functionspace(domain.mesh, ("DG", degree)))
    other.interpolate(exact)
    return float(
        np.sqrt(em.fields.integral(fem.form((function - other) ** 2 * domain.dx(2 * degree)), domain.mesh.comm))
    )


def heat() -> Image:
    """A driven line: profiles, and the rise up to runaway."""
    import joule_line as demo

    limit = em.analytic.runaway_current_density(**demo.LAW)
    points, currents = np.linspace(0.0, demo.LENGTH, 15), (1e11, 3e11, 5e11, 7e11, 7.65e11)
    solved = {}
    for j in currents:
        model = demo.wire(60, j)
        em.solve_steady(model)
        solved[j] = em.fields.evaluate(model["T"], points[:, None]) - demo.ENDS

    def draw() -> Any:
        figure, along, top = two()
        fine = np.linspace(0.0, demo.LENGTH, 200)
        for i, j in enumerate(currents[:3]):
            against(along, i, f"{j:.0e} A/m²", (fine / um, demo.rise(fine, j)), (points / um, solved[j]))
        along.set(xlabel="x [µm]", ylabel="T − 300 K [K]", title="lines: closed form, dots: computed")
        along.legend(loc="upper right")
        near = limit * np.concatenate([np.linspace(0.05, 0.9, 60), 1 - np.geomspace(0.1, 2e-3, 60)])
        rises = [demo.rise(demo.LENGTH / 2, j) for j in near]
        computed = [solved[j].max() for j in currents]
        against(top, 0, "", (near / 1e11, rises), (np.array(currents) / 1e11, computed))
        top.axvline(limit / 1e11, color=style.WARNING, linestyle="dashed")
        top.set(
            xlabel="current density [10¹¹ A/m²]", ylabel="highest T − 300 K [K]", yscale="log", title="runaway at 7.733"
        )
        return figure

    return picture(draw, "Temperature along a driven line; its highest rise against the current density up to runaway")


def migration() -> Image:
    """A blocked line under drift, and the order of elements."""
    times, points = (0.01, 0.05, 0.2, 2.0), np.linspace(0.0, 1.0, 21)
    species = em.migration.model(em.mesh.interval(1.0, cells=60), diffusivity=1.0, drift=5.0, initial=1.0)
    seen = em.watch.probe("c", at=points[:, None], times=times)
    em.evolve(species, 2.0, rtol=1e-6, atol=1e-8, watch=[seen], progress=False)
    cells = (6, 12, 24)
    errors = {degree: [_drift_error(n, degree) for n in cells] for degree in (1, 2)}

    def draw() -> Any:
        figure, along, order = two()
        fine = np.linspace(0.0, 1.0, 200)
        for i, t in enumerate(times):
            exact = em.analytic.blocked_drift(fine, length=1.0, peclet=5.0, time=t)
            against(along, i, f"D t/L² = {t:g}", (fine, exact), (points, seen.values[i]))
        along.set(xlabel="x/L", ylabel="c over its start", title="Pe = 5; lines: closed form, dots: computed")
        along.legend()
        for i, (degree, computed) in enumerate(errors.items()):
            slope(order, [1 / n for n in cells], computed, degree + 1.0, i, f"degree {degree}")
        order.set(xlabel="cell size over L", ylabel="L2 error of c", title="at D t/L² = 0.05")
        order.legend()
        return figure

    return picture(draw, "Concentration in a blocked line under drift; L2 errors against cell size")


def _drift_error(cells: int, degree: int) -> float:
    line = em.mesh.interval(1.0, cells=cells)
    species = em.migration.model(line, diffusivity=1.0, drift=5.0, initial=1.0, degree=degree)
    em.evolve(species, 0.05, rtol=1e-7, atol=1e-9, progress=False)
    exact = lambda x: em.analytic.blocked_drift(np.clip(x[0], 0, 1), length=1.0, peclet=5.0, time=0.05)  # noqa: E731
    return _l2(species["c"], exact, line)


def couple() -> Image:
    """A diffusion couple whose lattice moves."""
    d, half, begin = 1e-14, 400 * um, 1 * hour
    start = lambda x: erfc((x[0] - half) / 2 / np.sqrt(d * begin)) / 2  # noqa: E731
    alloy = em.migration.alloy(
        em.mesh.interval(2 * half, cells=200),
        diffusivities=(lambda n: d + n * d, lambda n: d - (1 - n) * d),
        initial=start,
        markers=True,
    )
    hours = np.array([4.0, 16.0, 36.0, 64.0, 100.0])
    planted = half + em.analytic.kirkendall_marker(1.0) * 2 * np.sqrt(d * begin)
    places = []
    for h in hours:
        em.evolve(alloy, h * hour - begin, rtol=1e-6, atol=1e-8, progress=False)
        places.append(em.migration.positions(alloy, [[planted]])[0, 0])
    points = np.linspace(half - 250 * um, half + 250 * um, 26)
    profile = em.fields.evaluate(alloy["N"], points[:, None])

    def draw() -> Any:
        figure, along, marker = two()
        fine = np.linspace(points[0], points[-1], 200)
        exact = erfc((fine - half) / 2 / np.sqrt(d * 100 * hour)) / 2
        against(along, 0, "computed", ((fine - half) / um, exact), ((points - half) / um, profile))
        along.set(xlabel="x [µm]", ylabel="fraction of the faster species", title="after 100 hours; line: erfc")
        smooth = np.linspace(1.0, 10.5, 50)
        law = 2 * em.analytic.kirkendall_marker(1.0) * np.sqrt(d * hour) * smooth
        against(marker, 1, "computed", (smooth, law / um), (np.sqrt(hours), (np.array(places) - half) / um))
        marker.set(xlabel="√t [√hour]", ylabel="place of the marker [µm]", title="line: Darken's theory")
        return figure

    return picture(draw, "Composition of a diffusion couple, and the place of its marker against the root of time")


def _line(cells: int, degree: int = 2, **options: Any) -> em.Model:
    """The reference line."""
    domain = em.mesh.interval(LENGTH, cells=cells, names=("anode", "cathode"))
    return em.stress.model(domain, REFERENCE, current_density=DENSITY, degree=degree, **options)


def korhonen() -> Image:
    """The blocked line: profiles and orders."""
    times, points = np.array([0.1, 0.5, 2.0, 5.0, 10.0, 100.0]) * year, np.linspace(0.0, LENGTH, 26)
    model = _line(40)
    seen = em.watch.probe("sigma", at=points[:, None], times=times)
    em.evolve(model, times[-1], rtol=1e-5, atol=1e-7, watch=[seen], progress=False)
    case: dict[str, Any] = {"length": LENGTH, "current_density": DENSITY, "material": REFERENCE}
    cells, at = (6, 12, 24), 0.05 * LENGTH**2 / 1.791718e-18
    errors: dict[int, list[float]] = {1: [], 2: []}
    for degree, computed in errors.items():
        for n in cells:
            line = _line(n, degree)
            em.evolve(line, at, rtol=1e-7, atol=1e-9, progress=False)
            exact = lambda x: em.analytic.korhonen_line(np.clip(x[0], 0, LENGTH), at, **case)  # noqa: E731
            computed.append(_l2(line["sigma"], exact, line.domain) / np.sqrt(LENGTH) / (2 * HIGHEST))

    def draw() -> Any:
        figure, along, order = two()
        fine = np.linspace(0.0, LENGTH, 200)
        for i, t in enumerate(times):
            exact = em.analytic.korhonen_line(fine, t, **case) / MPa
            against(along, i, f"{t / year:g}", (fine / um, exact), (points / um, seen.values[i] / MPa))
        along.set(xlabel="x [µm]", ylabel="stress, tension positive [MPa]", title="lines: closed form, dots: computed")
        along.legend(title="years", ncols=2)
        for i, (degree, computed) in enumerate(errors.items()):
            slope(order, [1 / n for n in cells], computed, degree + 1.0, i, f"degree {degree}")
        order.set(xlabel="cell size over L", ylabel="L2 error over G L", title="at κt/L² = 0.05")
        order.legend()
        return figure

    return picture(draw, "Stress along a blocked line at six times; L2 errors against cell size")


def affine() -> Image:
    """The steady stress of a bend against its potential, and that of a star along its wires."""
    domain = em.mesh.bend(width=2 * um, arms=(10 * um, 8 * um), size=0.5 * um)
    current = em.conduction.model(domain, conductivity=1 / 2.25e-8, on={"start": em.fixed(0.01), "end": em.fixed(0.0)})
    em.solve_steady(current)
    model = em.stress.model(domain, REFERENCE, current=current)
    em.solve_steady(model)
    potential, stress = current["phi"].x.array, model["sigma"].x.array / MPa
    star = em.stress.model(
        verify.stress.star(),
        REFERENCE.having(effective_charge=-5.0),
        current_density=[1.0e10, 1.2e10, 0.8e10],
        degree=1,
    )
    em.solve_steady(star)
    computed = em.stress.at_nodes(star) / MPa

    def draw() -> Any:
        figure, law, nodes = two()
        fine = np.array([0.0, 0.01])
        middle = stress.mean() + 135.77768 * (potential.mean() - fine) / 0.01
        law.plot(1e3 * potential, stress, ".", color=style.GREY, markersize=6.0, label=f"{len(stress)} nodes of a bend")
        law.plot(1e3 * fine, middle, color=style.named_colour(0), label="slope Z* e/Ω")
        law.set(xlabel="potential [mV]", ylabel="steady stress [MPa]", title="affine in the potential")
        law.legend()
        exact = (-339.8685, -34.3687, 515.5309, 87.8312)
        nodes.bar(range(4), exact, color=style.PALE, edgecolor=style.INK, label="by hand")
        nodes.plot(range(4), computed, "o", color=style.named_colour(0), label="computed")
        nodes.axhline(0.0, color=style.GREY, linewidth=0.7)
        nodes.set(
            xticks=range(4), xticklabels=["A", "J", "B", "C"], ylabel="steady stress [MPa]", title="nodes of a star"
        )
        nodes.legend(loc="upper left")
        return figure

    return picture(draw, "Steady stress of a bend against its potential; steady stress of the nodes of a star")


def networks() -> Image:
    """A ladder of resistors towards the golden ratio, and the currents of a star."""
    star = verify.networks.currents_of_a_star
    currents = star().values
    golden, rungs = (1 + np.sqrt(5)) / 2, np.arange(1, 13)
    numbers = [1, 1]
    while len(numbers) < 2 * len(rungs) + 2:
        numbers.append(numbers[-1] + numbers[-2])
    exact = np.array([numbers[2 * n] / numbers[2 * n - 1] for n in rungs])  # Fibonacci's
    computed = np.array([_ladder(int(n)) for n in rungs])

    def draw() -> Any:
        figure, ladder, bars = two()
        far = exact - golden > 1e-9
        lines, dots = (np.abs(values - golden)[far] for values in (exact, computed))
        against(ladder, 0, "Kirchhoff's laws", (rungs[far], lines), (rungs[far], dots))
        ladder.set(yscale="log", xlabel="rungs", ylabel="resistance over a wire's − golden ratio")
        ladder.set_title(f"line: Fibonacci's numbers; worst error {np.abs(computed - exact).max():.0e}")
        bars.bar(range(3), 1e3 * np.array(star.target), color=style.PALE, edgecolor=style.INK, label="by hand")
        bars.plot(range(3), 1e3 * np.array(currents), "o", color=style.named_colour(0), label="elements")
        bars.axhline(0.0, color=style.GREY, linewidth=0.7)
        bars.set(xticks=range(3), xticklabels=["A", "B", "C"], ylabel="current out of the star [mA]")
        bars.legend(loc="lower right")
        return figure

    return picture(draw, "Resistance of a ladder less the golden ratio against its rungs; currents of a star")


def _ladder(rungs: int) -> float:
    """The resistance of a ladder from its end, over that of a wire."""
    wire, long = 0.1 * um, 10 * um
    nodes = [(i * long, 0.0) for i in range(rungs + 1)] + [(i * long, long) for i in range(1, rungs + 1)]
    segments = [(i, i + 1) for i in range(rungs)] + [(i, rungs + i) for i in range(1, rungs + 1)]
    pads = dict.fromkeys(range(rungs + 1, 2 * rungs + 1), 0.0)
    net = em.mesh.network(nodes, segments, width=wire, thickness=wire, loads={0: -1e-3}, pads=pads)
    computed = em.conduction.kirchhoff(net, 2.25e-8)
    return float(computed.potential[0]) / (1e-3 * 2.25e-8 * long / wire**2)


def failure() -> Image:
    """A void that opens and grows, and when it opens against the current."""
    life = _life(DENSITY, 30 * nm)
    lengths = np.linspace(0.0, 29.0, 60) * nm
    whole: dict[str, Any] = {"length": LENGTH, "critical_stress": CRITICAL}
    exact = em.lifetime.line_lifetime(REFERENCE, current_density=DENSITY, void_length=lengths, **whole)
    currents = np.array([0.7e10, 1e10, 4e10])
    opened = [_life(j, 0.0).voids[0].nucleated for j in currents]

    def draw() -> Any:
        figure, growth, first = two()
        after = life.t > 0
        against(
            growth,
            0,
            "em.failure.run, every step",
            (exact.time_to_failure / year, lengths / nm),
            (life.t[after] / year, life.volume[after] / nm),
        )
        growth.plot(exact.nucleation[0] / year, 0.0, "D", color=style.WARNING, label="the void opens")
        growth.set(xlabel="t [years]", ylabel="void, volume over cross-section [nm]", title="line: closed form")
        growth.legend(loc="upper left")
        fine = np.geomspace(0.545e10, 6e10, 200)
        theory = em.lifetime.line_lifetime(REFERENCE, current_density=fine, **whole).nucleation
        against(first, 0, "em.failure.run", (fine / 1e10, theory / year), (currents / 1e10, np.array(opened) / year))
        limit = em.analytic.blech_product(REFERENCE, critical_stress=CRITICAL) / LENGTH
        first.axvline(limit / 1e10, color=style.WARNING, linestyle="dashed", label="Blech's limit")
        first.set(xscale="log", yscale="log", xlabel="j [10¹⁰ A/m²]", ylabel="time to the first void [years]")
        first.set_title("50 µm, 41 MPa")
        ticks(first, (0.7, 1, 4))
        first.legend()
        return figure

    return picture(draw, "Volume of a void against time; time to the first void against the current density")


def _life(current_density: float, void: float) -> Any:
    """The reference line with voids, to failure."""
    domain = em.mesh.interval(LENGTH, cells=40, names=("left", "right"))
    model = em.stress.model(domain, REFERENCE, current_density=current_density, voids=True)
    fails = em.failure.VoidLength(void) if void else None
    return em.failure.run(model, critical_stress=CRITICAL, until=1e10, fails=fails)


def lifetime() -> Image:
    """Black's exponent from 2 to 1, and a lognormal sample."""
    j = np.geomspace(1e9, 1e12, 121)
    lives = {
        void: em.lifetime.line_lifetime(
            REFERENCE, length=0.1, current_density=j, critical_stress=CRITICAL, void_length=void * nm
        ).time_to_failure
        for void in (0.0, 10.0, 1500.0)
    }
    sample = em.lifetime.monte_carlo(
        REFERENCE,
        em.lifetime.Line(200 * um, 1e10, void_length=50 * nm),
        samples=400,
        seed=1,
        critical_stress=CRITICAL,
        spread=em.lifetime.Spread(activation_energy=0.02 * eV),
    )
    sigma = float(np.std(sample.energy_shift)) / (1.380649e-23 * 378.15)

    def draw() -> Any:
        figure, exponent, paper = two()
        middle = np.sqrt(j[1:] * j[:-1])
        for i, (void, t) in enumerate(lives.items()):
            label = f"void of {void:g} nm" if void else "first void"
            exponent.semilogx(
                middle, -np.diff(np.log(t)) / np.diff(np.log(j)), color=style.named_colour(i), label=label
            )
        for n in (1, 2):
            exponent.axhline(n, color=style.GREY, linestyle="dotted")
        exponent.set(
            xlabel="j [A/m²]", ylabel="−d ln t / d ln j", ylim=(0.9, 2.1), title="a long line: Black's exponent"
        )
        exponent.legend(loc="lower left", bbox_to_anchor=(0.0, 0.12))
        times = np.sort(sample.lifetimes)
        normal = norm.ppf((np.arange(400) + 0.5) / 400)
        paper.semilogx(times / year, normal, ".", color=style.INK, markersize=3.0, label="400 lines")
        ends = np.array([-3.0, 3.0])
        paper.plot(
            np.median(times) * np.exp(sigma * ends) / year, ends, color=style.named_colour(0), label="σ = s(Ea)/kT"
        )
        paper.set(xlabel="t [years]", ylabel="standard deviations", title=f"lognormal paper, σ = {sigma:.4f}")
        ticks(paper, (1, 2, 5, 10, 20, 50))
        paper.legend()
        return figure

    return picture(draw, "Black's exponent against the current density; lifetimes on lognormal paper")


def surface() -> Image:
    """A wave that levels, and its rate against the width of the interface."""
    gold = em.materials.gold(temperature=900.0)
    b, long = em.analytic.mullins_coefficient(gold), 100 * nm
    k = 2 * np.pi / long
    parts = (0.08, 0.056, 0.04)
    seen = [_levelled(gold, part, long, 0.4 / (b * k**4)) for part in parts]
    rates = []
    for t, a in seen:
        late = t > 0.4 * t[-1]
        rates.append(-np.polyfit(t[late], np.log(a[late]), 1)[0] / (b * k**4))

    def draw() -> Any:
        figure, decay, width = two()
        t, a = seen[-1]
        scaled = b * k**4 * t
        against(decay, 0, "l/λ = 0.04", (scaled, np.exp(-scaled)), (scaled, a / a[0]))
        decay.set(xlabel="B k⁴ t", ylabel="amplitude over that at the start", title="line: exp(−B k⁴ t)")
        decay.legend()
        squares = np.array(parts) ** 2
        width.plot(squares, rates, "o", color=style.named_colour(0), label="computed")
        fit = np.polyfit(squares[1:], rates[1:], 1)
        fine = np.array([0.0, squares[0]])
        width.plot(
            fine, np.polyval(fit, fine), color=style.named_colour(0), linewidth=0.9, label="through the finest two"
        )
        width.plot(0.0, 1.0, "D", color=style.WARNING, label="sharp surface")
        width.set(xlabel="(l/λ)²", ylabel="rate over B k⁴", title=f"extrapolated {fit[1]:.4f}")
        width.legend()
        return figure

    return picture(draw, "A wave on a surface of gold levels; its rate against the width of the interface")


def _levelled(metal: Any, part: float, long: float, until: float) -> tuple[Any, Any]:
    """Times, and the amplitude of a wave of 1 % of its length, as the Fourier coefficient of c."""
    width, height = part * long, max(0.35, 9 * part) * long
    cells = (int(np.ceil(long / (0.6 * width))), int(np.ceil(2 * height / (0.6 * width))))
    domain = em.mesh.periodic_rectangle((long, 2 * height), cells=cells, axes="x")
    shape = em.surface.flat(height, amplitude=0.01 * long, wavelength=long)
    model = em.surface.model(domain, metal, shape=shape, interface_width=width, degree=2)
    wave = verify.surface._Wave(long, every=until / 20)
    em.evolve(model, until, watch=[wave], progress=False)
    return np.array(wave.t), np.abs(wave.a)


def steps() -> Image:
    """Waves of steps that grow, and bunches at rest."""
    d, width = 1e-10, 5 * nm
    kt = 1.380649e-23 * 900.0
    on = em.steps.Surface(
        temperature=900.0,
        diffusivity=d,
        adatom_density=2e16,
        atom_area=6.6e-20,
        force=kt * 1e6,
        attachment_lower=d / (3 * nm),
        attachment_upper=d / (8 * nm),
        repulsion=2e-31,
    )
    many = 16
    phases = 2 * np.pi * np.arange(1, 9) / many
    computed = [_grown(on, phase, many, width) for phase in phases]
    bunches = (4, 8, 16)
    narrow, theory = zip(*(verify.steps._narrowest(n, 10 * nm) for n in bunches), strict=True)

    def draw() -> Any:
        figure, growth, bunch = two()
        fine = np.linspace(0.01, np.pi, 200)
        exact = np.asarray(em.steps.growth_rate(fine, on, width=width))
        against(growth, 0, "growth", (fine / np.pi, exact.real), (phases / np.pi, np.real(computed)))
        growth.set(xlabel="phase from step to step [π]", ylabel="growth rate [1/s]")
        growth.set_title("line: linear theory, dots: runs")
        bunch.loglog(bunches, np.array(theory) / nm, color=style.named_colour(0), label="continuum, N^(−2/3)")
        bunch.loglog(bunches, np.array(narrow) / nm, "o", color=style.named_colour(0), label="runs at rest")
        bunch.set(xlabel="steps in the bunch", ylabel="narrowest terrace [nm]")
        bunch.set_yticks([1, 2, 3], ["1", "2", "3"])
        bunch.yaxis.set_minor_locator(NullLocator())
        ticks(bunch, bunches)
        bunch.legend()
        return figure

    return picture(draw, "Growth rate of waves of steps; the narrowest terrace of bunches")


def _grown(on: Any, phase: float, many: int, width: float) -> complex:
    """The complex rate of a small wave of steps in a run."""
    until = 0.2 / abs(complex(em.steps.growth_rate(phase, on, width=width)))
    start = em.steps.train(many, width) + 1e-4 * width * np.cos(phase * np.arange(many))
    row = em.steps.model(on, start, length=many * width)
    wave = row.run(until, times=[0.0, until], rtol=1e-11).wave(phase)
    return complex(np.log(wave[1] / wave[0]) / until)

"""Lifetimes of lines: lognormal paper, and Black's exponent on its way from 2 to 1.

Lines differ in activation energy and in the stress that opens a void, so some live twice as long as others; their lives
lie on a straight line of lognormal paper, and the fit tells the median, the spread, and how sure both are. Accelerated
tests at several currents and temperatures give Black's law, t50 = A j^-n exp(Ea/kT). Where a line fails when its void
opens, n is 2: the tension grows as j sqrt(t). Where the void must grow long, n is 1: it grows as the atoms drift. In
between n is neither, and hangs on what counts as failure. Lines that do not differ have an n between the two, drawn as
a curve; a fit of 30 lines a test that differ scatters about it, and an n below 1 is such scatter. Tests at one current
tell nothing about n, and the fit says so. Short lines have an end that is felt, and near Blech's limit n has no upper
bound.
"""

import argparse
from functools import partial
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import MPa, eV, hour, nm, um

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import norm

COPPER = em.materials.copper(temperature=573.0)
CRITICAL = 500 * MPa
SPREAD = em.lifetime.Spread(activation_energy=0.02 * eV, critical_stress=0.15)
LENGTH, CURRENT = 500 * um, 2e10  # m, A/m2
PAPER = {"a void opens": 0.0, "a void of 200 nm": 200 * nm}
VOIDS = np.array([0.0, 5, 10, 20, 50, 100, 200, 500, 1000, 2000]) * nm  # lengths that count as failure
CONDITIONS = [(j, kelvin) for j in (1e10, 2e10, 3e10) for kelvin in (523.0, 573.0, 623.0)]
UNTIL = 1e9  # s; every line fails in its test
PARTS = norm.cdf(np.linspace(-2.7, 2.7, 25))
TICKS = np.array([0.5, 2, 10, 30, 50, 70, 90, 98, 99.5])


def line(current_density: float, void: float) -> em.lifetime.Line:
    """A long line that fails with a void of this length."""
    return em.lifetime.Line(length=LENGTH, current_density=current_density, void_length=void)


def trials(
    void: float,
    samples: int,
    conditions: list[tuple[float, float]] = CONDITIONS,
    spread: em.lifetime.Spread | None = SPREAD,
) -> em.lifetime.Tests:
    """Accelerated tests of such lines; they are the same lines for every void."""
    return em.lifetime.accelerated_tests(
        COPPER,
        partial(line, void=void),
        conditions=conditions,
        samples=samples,
        seed=10,
        critical_stress=CRITICAL,
        until=UNTIL,
        spread=spread,
    )


def exponent(void: float) -> float:
    """Black's exponent of lines that do not differ: least squares of ln t in ln j and 1/T over the same tests."""
    tests = trials(void, 1, spread=None)
    j, kelvin = np.array(CONDITIONS).T
    terms = np.stack([np.ones_like(j), -np.log(j), 1 / kelvin], axis=1)
    return float(np.linalg.lstsq(terms, np.log(tests.lifetimes))[0][1])


def draw_paper(axis: Any, samples: dict[str, em.lifetime.Sample]) -> None:
    """Lives on lognormal paper, with the fit and its band."""
    style = em.plot.style
    for i, (name, sample) in enumerate(samples.items()):
        fit, colour = sample.fit(), style.named_colour(i)
        times, parts = em.lifetime.plotting_positions(sample.lifetimes)
        text = f"{name}: t50 = {fit.t50.value / hour:.3g} h, σ = {fit.sigma.value:.2f}"
        axis.semilogx(times / hour, norm.ppf(parts), "o", color=colour, markersize=2.5, label=text)
        quantiles = [fit.quantile(float(part)) for part in PARTS]
        low, value, high = (np.array([getattr(q, end) for q in quantiles]) / hour for end in ("low", "value", "high"))
        axis.plot(value, norm.ppf(PARTS), color=colour)
        axis.fill_betweenx(norm.ppf(PARTS), low, high, color=colour, alpha=0.2, linewidth=0)
    axis.set(xlabel="time to failure [hours]", ylabel="failed [%]", ylim=norm.ppf(PARTS[[0, -1]]))
    axis.set_yticks(norm.ppf(TICKS / 100), [f"{tick:g}" for tick in TICKS])
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), handletextpad=0.1)
    axis.set_title("lines: lognormal, bands: 95 %")


def draw_exponents(axis: Any, fits: dict[float, em.lifetime.BlackFit], alike: dict[float, float]) -> None:
    """Black's exponent against the void that counts as failure: of lines that differ, and of lines that do not."""
    style = em.plot.style
    lengths = np.array(list(fits)) / nm
    shown = np.where(lengths > 0, lengths, 2.0)
    for n, text in ((2, "void opens: tension grows as j √t"), (1, "void grows as atoms drift, j t")):
        axis.axhline(n, color=style.GREY, linestyle="dashed")
        axis.text(
            2000 if n == 2 else 2, n + 0.03, text, color=style.GREY, ha="right" if n == 2 else "left", fontsize="small"
        )
    values = np.array([[f.exponent.value, f.exponent.low, f.exponent.high] for f in fits.values()]).T
    bars = [values[0] - values[1], values[2] - values[0]]
    axis.plot(shown, list(alike.values()), color=style.named_colour(1), label="lines that do not differ")
    text = "fits of lines that differ, one seed"
    axis.errorbar(shown, values[0], bars, fmt="o", color=style.named_colour(0), markersize=4, capsize=2, label=text)
    axis.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), handletextpad=0.3)
    axis.set_xscale("log")
    ticks = [2, 5, 20, 100, 500, 2000]
    axis.set_xticks(ticks, ["opens", *map(str, ticks[1:])])
    axis.minorticks_off()
    axis.set(xlabel="void that counts as failure [nm]", ylabel="Black's exponent n, 95 %", ylim=(0.7, 2.5))
    axis.set_title("n of simulated accelerated tests")


def draw(
    figure: Figure,
    samples: dict[str, em.lifetime.Sample],
    fits: dict[float, em.lifetime.BlackFit],
    alike: dict[float, float],
) -> None:
    """Both."""
    paper, exponents = figure.subplots(1, 2)
    draw_paper(paper, samples)
    draw_exponents(exponents, fits, alike)


def main(samples: int = 300, each: int = 30, out: str = "results/lifetime") -> dict[str, Any]:
    """Fits of the lives on paper, Black's law for each void that counts as failure, what one current cannot tell."""
    drawn = {
        name: em.lifetime.monte_carlo(
            COPPER, line(CURRENT, void), samples=samples, seed=1, critical_stress=CRITICAL, spread=SPREAD
        )
        for name, void in PAPER.items()
    }
    fits = {float(void): trials(float(void), each).fit() for void in VOIDS}
    alike = {float(void): exponent(float(void)) for void in VOIDS}
    blind = trials(0.0, each, [(CURRENT, kelvin) for kelvin in (523.0, 573.0, 623.0)]).fit()
    em.plot.figure(lambda figure: draw(figure, drawn, fits, alike), Path(out) / "lifetimes.png", height=3.0)
    em.write.print_root(
        *(f"{name}: {sample.fit()}" for name, sample in drawn.items()),
        *(
            f"void of {void / nm:6g} nm: n = {fit.exponent}, {alike[void]:.4f} of lines that do not differ, "
            f"Ea = {fit.activation_energy.through(lambda x: x / eV)} eV"
            for void, fit in fits.items()
        ),
        "tests at one current:",
        blind,
    )
    return {
        "paper": {name: sample.fit() for name, sample in drawn.items()},
        "black": fits,
        "alike": alike,
        "blind": blind,
    }


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--samples", type=int, default=300, help="lines on the paper")
    options.add_argument("--each", type=int, default=30, help="lines in each accelerated test")
    options.add_argument("--out", default="results/lifetime", help="folder for the results")
    main(**vars(options.parse_args()))

"""Figure 2 and the statements of linear theory: no film has to be run for them."""

from __future__ import annotations

from dataclasses import replace

import emfem as em
from emfem.plot import style
from emfem.units import deg

import numpy as np
from book import Book, Finding, verdict
from matplotlib.axes import Axes
from pictures import Draw, page

K = np.linspace(1e-3, 2.0, 1000)
CRYSTALS = {
    "isotropic": em.film.Anisotropy(),
    "Λ = 0.1": em.film.Anisotropy(ratio=0.1),
    "Λ = 10": em.film.Anisotropy(ratio=10.0),
    "[110] β = 10, φx = 30°": em.film.Anisotropy("110", 10.0, 30 * deg),
    "[100] β = 10, φx = 30°": em.film.Anisotropy("100", 10.0, 30 * deg),
    "[111] β = 10, φx = 30°": em.film.Anisotropy("111", 10.0, 30 * deg),
}


def omega(
    crystal: em.film.Anisotropy,
    direction: float,
    *,
    field: tuple[float, float] | None = None,
    alloy: em.film.Alloy | None = None,
    mean: float = 0.3,
) -> np.ndarray:
    """Growth rate and frequency of waves with wavenumbers K along a direction [degrees]."""
    waves = np.outer(K, (np.cos(direction * deg), np.sin(direction * deg)))
    alloy = alloy or em.film.cupd()
    return np.asarray(em.film.growth_rate(waves, alloy, mean=mean, anisotropy=crystal, field=field))


def curves(direction: float) -> Draw:
    """Growth rates along a direction [degrees], over that of the fastest wave without anisotropy."""

    def draw(axes: Axes) -> None:
        unit = omega(CRYSTALS["isotropic"], 0.0).real.max()
        for index, (name, crystal) in enumerate(CRYSTALS.items()):
            line = omega(crystal, direction).real / unit
            # the later the thinner, so that curves that coincide are all seen
            width = 4.0 - 0.55 * index
            axes.plot(K[line > 0], line[line > 0], color=style.named_colour(index), linewidth=width, label=name)
        axes.axvline(fastest(CRYSTALS["isotropic"], 0.0), color=style.GREY, linewidth=0.8, linestyle=":")
        axes.set(xlim=(0, 1.75), ylim=(0.01, 50), yscale="log", xlabel="wavenumber k")
        axes.set(ylabel="growth rate / fastest at Λ = 1, β = 0", title=f"waves along {'x' if direction == 0 else 'y'}")
        if direction == 0:
            axes.legend(loc="upper center", ncols=2)

    return draw


def fastest(crystal: em.film.Anisotropy, direction: float) -> float:
    """The wavenumber that grows fastest along a direction."""
    return float(K[omega(crystal, direction).real.argmax()])


def fig2(book: Book) -> list[Finding]:
    """Growth-rate curves."""
    page(book.out / "fig2.png", [], [curves(0.0), curves(90.0)])
    directions = (0.0, 30.0, 45.0, 90.0)
    rates = [omega(crystal, way).real for crystal in CRYSTALS.values() for way in directions]
    peaks = [float(K[rate.argmax()]) for rate in rates]
    along = [omega(crystal, 0.0).real.max() for crystal in CRYSTALS.values()]
    weak = [omega(replace(crystal, strength=crystal.strength / 10), 0.0).real.max() for crystal in CRYSTALS.values()]
    every = [rate.max() for rate in rates]
    long_wave = all(rate[0] > 0 and rate[-1] < 0 and np.diff(np.sign(rate)).any() for rate in rates)
    spread = max(peaks) - min(peaks)
    height = max(every) / min(every)
    return [
        Finding(
            "2", "growth-rate curves are of long-wave type", "all grow from k = 0 to one cutoff", verdict(long_wave)
        ),
        Finding(
            "2",
            "the fastest wave number changes insignificantly",
            f"k = {np.mean(peaks):.3f}, the same to {spread:.3f}: D only scales the curve",
            verdict(spread < 0.05 * max(peaks)),
        ),
        Finding(
            "2",
            "the curves change little with angle and anisotropy",
            f"peaks differ by a factor {max(along) / min(along):.2f} along x ({max(weak) / min(weak):.2f} if"
            f" β = 1), by {height:.0f} over all directions",
            verdict(height < 2, partly=max(along) / min(along) <= 2),
        ),
    ]


def theory(book: Book) -> list[Finding]:
    """Growth of small waves at 50/50, and the causes of their drift."""
    field, crystal = em.film.uniform_field(0.3, angle=30 * deg), em.film.Anisotropy("110", 1.0, 30 * deg, ratio=1.4)
    alloy = em.film.cupd()
    plain = replace(alloy, solute_expansion=0.0)
    other = replace(alloy, entropy=0.3, enthalpy=0.1, solute_expansion=0.2)
    half = omega(crystal, 20.0, field=field, mean=0.5)
    stress = float(np.abs(half.real - omega(crystal, 20.0, alloy=plain, mean=0.5).real).max())
    drift = float(np.abs(half.imag).max())
    off = float(np.abs(omega(crystal, 20.0).imag).max())
    changed = np.abs(omega(crystal, 20.0, field=field).imag - omega(crystal, 20.0, field=field, alloy=other).imag).max()
    turned = omega(CRYSTALS["isotropic"], 20.0, field=field)
    both = omega(crystal, 20.0, field=field)
    scale = float(np.abs(both.imag).max())
    felt = min(float(np.abs(both.real - turned.real).max()), float(np.abs(both.imag - turned.imag).max()))
    return [
        Finding(
            "theory",
            "at 50/50 stress does not change growth, and nothing drifts",
            f"change of growth {stress:.0e}, drift {drift:.0e} at C0 = 1/2",
            verdict(stress < 1e-12 and drift < 1e-12),
        ),
        Finding(
            "theory",
            "drift needs a field, and depends on neither stress nor thermodynamics",
            f"drift without a field {off:.0e}; changed by {changed / scale:.0e} when all constants are",
            verdict(off == 0.0 and changed < 1e-12 * scale),
        ),
        Finding("theory", "anisotropy enters growth and drift both", "both change with it", verdict(felt > 0)),
    ]

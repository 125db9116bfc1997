"""Small waves: growth rate and drift of single waves, measured in the film model and from linear theory.

A wave c = 0.3 + a cos(k.r) of small amplitude a grows as exp(Re omega t) and moves as exp(i Im omega t); both are read
off its Fourier coefficient at two times.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import deg

import numpy as np


def measure(k: float, direction: float, crystal: em.film.Anisotropy, field: tuple[float, float], cells: int) -> complex:
    """omega of the wave with wavenumber k at an angle `direction` [rad], from a run on one wavelength."""
    n = (np.cos(direction), np.sin(direction))
    # one wavelength along each axis the wave varies on
    size = [2 * np.pi / (k * abs(part)) if abs(part) > 1e-9 else 2 * np.pi / k for part in n]
    domain = em.mesh.periodic_rectangle(size, cells=[cells if abs(part) > 1e-9 else 3 for part in n])
    film = em.film.model(
        domain,
        em.film.cupd(),
        anisotropy=crystal,
        field=field,
        initial=lambda x: 0.3 + 1e-4 * np.cos(k * (n[0] * x[0] + n[1] * x[1])),
    )
    until = 5.0
    before = coefficient(film, k, n)
    em.evolve(film, until, rtol=1e-7, atol=1e-9, progress=False)
    return complex(np.log(coefficient(film, k, n) / before) / until)


def coefficient(film: em.Model, k: float, n: tuple[float, float]) -> complex:
    """Fourier coefficient of c at the wavevector k n."""
    grid = em.fields.sample_grid(film["c"], (32, 32))
    x, y = (low + (np.arange(32) + 0.5) / 32 * length for low, length in zip(grid.lower, grid.lengths, strict=True))
    return complex(np.mean(grid.values * np.exp(-1j * k * (n[0] * x[:, None] + n[1] * y[None, :]))))


def main(cells: int = 12, out: str = "results/dispersion") -> float:
    """Largest error of the measured omega, relative to the fastest growth and the fastest drift."""
    alloy = em.film.cupd()
    crystal = em.film.Anisotropy(surface="110", strength=1.0, misorientation=0.0)
    field = em.film.uniform_field(0.1, angle=30 * deg)
    directions = (0.0, 45 * deg, 90 * deg)
    measured = [(k, d, measure(k, d, crystal, field, cells)) for d in directions for k in (0.5, 0.9, 1.2084, 1.6)]
    exact = np.array(
        [
            em.film.growth_rate((k * np.cos(d), k * np.sin(d)), alloy, mean=0.3, anisotropy=crystal, field=field)
            for k, d, _ in measured
        ]
    )
    computed = np.array([omega for *_, omega in measured])
    em.plot.dispersion(
        alloy,
        Path(out) / "dispersion.png",
        mean=0.3,
        anisotropy=crystal,
        field=field,
        directions=directions,
        measured=measured,
    )
    growth = np.abs(computed.real - exact.real).max() / np.abs(exact.real).max()
    drift = np.abs(computed.imag - exact.imag).max() / np.abs(exact.imag).max()
    em.write.print_root(f"{len(measured)} waves: growth within {growth:.2%} of the fastest, drift within {drift:.2%}")
    return float(max(growth, drift))


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=12, help="cells a wavelength")
    options.add_argument("--out", default="results/dispersion", help="folder for the results")
    main(**vars(options.parse_args()))

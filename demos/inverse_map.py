"""Map of a film's conductivity from pictures of its potential: the places that conduct worse.

A film of 4 by 2 um has two places that conduct worse, a porous one and a grain with many defects. A microscope maps the
potential on the whole of it (Kelvin probe force microscopy), once with a current along the film, once across it; each
picture has noise. Asked for is the conductivity at every node, some hundred to ten thousand numbers.

They are those for which the model's potentials come nearest to the pictures, and whose logarithm is smooth enough: a
minimum, found by L-BFGS. It needs the derivatives of the misfit by all numbers at once; with `em.adjoint` they cost as
much as one more solve, however many there are.
"""

import argparse
from pathlib import Path

import emfem as em
from emfem.units import um

import numpy as np
import ufl
from dolfinx import fem
from scipy.optimize import minimize

SIDES = (4 * um, 2 * um)
BULK, THICKNESS, CURRENT = 4e7, 50e-9, 2e-3  # S/m, m, A
SPOTS = (((1.2 * um, 1.3 * um), 0.35 * um, 0.45), ((2.9 * um, 0.7 * um), 0.5 * um, 0.65))  # centre, radius, part left
WAYS = (("left", "right"), ("bottom", "top"))
SMOOTH = 0.1  # um2, of the penalty on |grad ln sigma|^2, beside squares of deviations over the noise


def true_conductivity(x: np.ndarray) -> np.ndarray:
    """Return ln of the true conductivity over that of the bulk at points, shape (3, n)."""
    total = np.zeros(x.shape[1])
    for (cx, cy), radius, part in SPOTS:
        away = np.hypot(x[0] - cx, x[1] - cy)
        total += np.log(part) / (1 + np.exp((away - radius) / (0.06 * um)))
    return total


def film(cells: int) -> em.mesh.Domain:
    """Return the film, with twice as many cells along it."""
    return em.mesh.rectangle(SIDES, cells=(2 * cells, cells)).with_thickness(THICKNESS)


def currents(domain: em.mesh.Domain, log_sigma: fem.Function) -> list[em.Model]:
    """Return the models of a current along and across a film with the conductivity BULK exp(log_sigma)."""
    sigma = fem.Constant(domain.mesh, BULK) * ufl.exp(log_sigma)
    made = []
    for source, drain in WAYS:
        on = {source: em.conduction.electrode(current=CURRENT), drain: em.fixed(0.0)}
        made.append(em.conduction.model(domain, conductivity=sigma, on=on))
        em.solve_steady(made[-1])
    return made


def pictures(cells: int, noise: float, seed: int) -> list[fem.Function]:
    """Return the maps of the potential [V]: of a film with finer cells, with noise of a part of their range."""
    fine = film(int(1.5 * cells))
    true = fem.Function(fem.functionspace(fine.mesh, ("Lagrange", 1)))
    true.interpolate(true_conductivity)
    space = fem.functionspace(film(cells).mesh, ("Lagrange", 1))
    random, made = np.random.default_rng(seed), []
    for model in currents(fine, true):
        values = em.fields.evaluate(model["phi"], space.tabulate_dof_coordinates()[:, :2])
        made.append(fem.Function(space))
        made[-1].x.array[:] = values + noise * np.ptp(values) * random.standard_normal(len(values))
    return made


def main(
    cells: int = 24, noise: float = 1e-3, iterations: int = 80, seed: int = 1, out: str = "results/inverse_map"
) -> dict[str, float]:
    """Return rms errors of ln(sigma), of the map and of a uniform one; the misfit; the order of Taylor's remainder."""
    measured = pictures(cells, noise, seed)
    domain = film(cells)
    space = fem.functionspace(domain.mesh, ("Lagrange", 1))
    log_sigma, true = fem.Function(space, name="ln sigma"), fem.Function(space)
    true.interpolate(true_conductivity)
    area = SIDES[0] * SIDES[1] * THICKNESS
    objectives = []
    for model, values in zip(currents(domain, log_sigma), measured, strict=True):
        seen = fem.Function(space)
        seen.x.array[:] = values.x.array
        spread = noise * np.ptp(seen.x.array)
        misfit = ((model["phi"] - seen) / spread) ** 2
        rough = SMOOTH * um**2 * ufl.inner(ufl.grad(log_sigma), ufl.grad(log_sigma)) / len(WAYS)
        of = fem.Constant(domain.mesh, 1 / area) * (misfit + rough) * domain.dx()
        objectives.append(em.adjoint.Objective(model, of, {"ln sigma": log_sigma}))
    order = float(objectives[0].taylor_orders(step=0.05, seed=seed)[-1])
    functions = [objective.as_function()[0] for objective in objectives]

    def total(vector: np.ndarray) -> tuple[float, np.ndarray]:
        parts = [function(vector) for function in functions]
        return sum(value for value, _ in parts), np.sum([gradient for _, gradient in parts], axis=0)

    misfit_of_truth = total(true.x.array)[0]
    found = minimize(
        total, np.zeros(len(log_sigma.x.array)), jac=True, method="L-BFGS-B", options={"maxiter": iterations}
    )
    log_sigma.x.array[:] = found.x
    error, guess = (float(np.sqrt(np.mean((x - true.x.array) ** 2))) for x in (found.x, 0.0))
    panels = [("true", true), ("from two pictures of the potential", log_sigma)]
    em.plot.film_strip(
        [function for _, function in panels],
        Path(out) / "map.png",
        titles=[name for name, _ in panels],
        label="ln(σ/σ of the bulk)",
        length=um,
        unit="µm",
    )
    em.write.print_root(
        f"{len(found.x)} numbers, {found.nit} iterations, {found.nfev} gradients\n"
        f"misfit {found.fun:.3g}, of the true map {misfit_of_truth:.3g}\n"
        f"rms error of ln(sigma) {error:.3f}, of a uniform guess {guess:.3f}; order of Taylor's remainder {order:.3f}"
    )
    return {"error": error, "guess": guess, "misfit": float(found.fun), "order": order}


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cells", type=int, default=24, help="cells across the film; twice as many along it")
    options.add_argument("--noise", type=float, default=1e-3, help="of the pictures, as a part of their range")
    options.add_argument("--iterations", type=int, default=80, help="of L-BFGS at most")
    options.add_argument("--seed", type=int, default=1, help="of the noise")
    options.add_argument("--out", default="results/inverse_map", help="folder for the results")
    main(**vars(options.parse_args()))

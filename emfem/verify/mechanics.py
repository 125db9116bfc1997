"""Mechanics: atoms in confined lines, inclusions, holes, tubes."""

from __future__ import annotations

import math
from typing import Any

from emfem import analytic, confinement, fields, mechanics, mesh
from emfem.evolution import evolve
from emfem.mechanics import Elastic
from emfem.solve import solve_steady
from emfem.verify.convergence import order
from emfem.verify.reference import DENSITY, KAPPA, LENGTH, METAL
from emfem.verify.registry import Measured, check

import numpy as np
import ufl
from dolfinx import fem

BULK, POISSON = METAL.bulk_modulus, 0.35
SOLID = Elastic(3 * BULK * (1 - 2 * POISSON), POISSON)
TIME = 0.05 * LENGTH**2 / KAPPA


def error_of_line(modulus: float, cells: int, **arguments: Any) -> float:
    """Return the largest error of the stress of a line of atoms, over the largest stress of Korhonen's line."""
    line = mesh.interval(LENGTH, cells=cells)
    model = mechanics.model(line, SOLID, atoms=METAL, current_density=DENSITY, degree=3, **arguments)
    evolve(model, TIME, rtol=1e-8, atol=1e-10, progress=False)
    x = np.linspace(0.0, LENGTH, 25)
    metal = METAL.having(bulk_modulus=modulus)
    exact = analytic.korhonen_line(x, TIME, length=LENGTH, current_density=DENSITY, material=metal)
    return float(np.abs(fields.evaluate(model["p"], x[:, None]) - exact).max() / np.abs(exact).max())


@check("mechanics", source="em.analytic.korhonen_line with B = K", target=0.0, atol=1e-6)
def rigid_confinement(full: bool) -> float:
    """Atoms in a metal that nothing lets move make the stress of Korhonen's equation with its bulk modulus."""
    return error_of_line(BULK, 24, kinematics="rigid")


@check(
    "mechanics",
    source="em.analytic.korhonen_line with B = 4 mu K/(3 K + 4 mu) = 0.307692 K, by hand: s_xx is one number, its "
    "strain 0 in the mean",
    target=0.0,
    atol=5e-6,
    only_full=True,
)
def line_between_clamped_ends(full: bool) -> float:
    """Atoms make less stress in a line whose metal may shift along it."""
    ends = dict.fromkeys(("left", "right"), mechanics.support(0.0))
    return error_of_line(4 / 13 * BULK, 24, on=ends)


@check(
    "mechanics",
    source="J. D. Eshelby, Proc. R. Soc. A 241, 376 (1957), by em.analytic.embedded_line_modulus",
    target=0.0,
    atol=5e-3,
)
def line_in_a_dielectric(full: bool) -> float:
    """Elliptic line in soft and in stiff surroundings: the worst relative error of its effective modulus."""
    copper, around = Elastic(110e9, 0.34), {"soft": Elastic(10e9, 0.2), "stiff": Elastic(400e9, 0.25)}
    errors = []
    for aspect in (1.0, 2.0, 0.25) if full else (2.0,):
        section = mechanics.line_section(1.0, aspect, shape="ellipse", size=min(1.0, aspect) / 6)
        for dielectric in around.values():
            computed = confinement.effective_modulus(section, {"metal": copper, "dielectric": dielectric})
            exact = analytic.embedded_line_modulus(copper, dielectric, aspect=aspect)
            errors.append(abs(computed / exact - 1))
    return max(errors)


@check(
    "mechanics",
    source="E. G. Kirsch, Z. Ver. Dtsch. Ing. 42, 797 (1898); on the rim 3",
    target=0.0,
    atol=2.5e-3,
    order=(1.7, 2.3),
)
def hole_in_a_plate(full: bool) -> Measured:
    """Quadratic elements leave an error of second order in the stress around a hole, in L2."""
    sizes, errors = (0.2, 0.1, 0.05) if full else (0.2, 0.1), []
    for size in sizes:
        sector = mesh.annulus(1.0, 3.0, angle=math.pi / 2, size=size, refine=size, order=2)
        exact = _stress(sector, lambda x, y: analytic.kirsch(x, y, tension=1.0, radius=1.0))
        n = ufl.FacetNormal(sector.mesh)
        pull = mechanics.traction(ufl.as_vector([exact[0] * n[0] + exact[2] * n[1], exact[2] * n[0] + exact[1] * n[1]]))
        on = {"start": mechanics.roller(), "end": mechanics.roller(), "outer": pull}
        model = mechanics.model(sector, Elastic(100.0, 0.3), kinematics="plane stress", on=on)
        solve_steady(model)
        wrong = sum((model[name] - exact[i]) ** 2 for i, name in enumerate(("s_xx", "s_yy", "s_xy")))
        squares = (fem.form(each * sector.dx(8)) for each in (wrong, ufl.inner(exact, exact)))
        error, whole = (fields.integral(each, sector.mesh.comm) for each in squares)
        errors.append(math.sqrt(error / whole))
    return Measured(errors[-1], order=order(sizes, errors))


def _stress(domain: mesh.Domain, exact: Any) -> fem.Function:
    """Return three components of a stress outside of the unit circle, as polynomials in each cell."""
    function = fem.Function(fem.functionspace(domain.mesh, ("DG", 4, (3,))))

    def outside(x: np.ndarray) -> np.ndarray:  # nodes of curved cells lie inside of the circle by rounding
        out = 1 / np.minimum(np.hypot(x[0], x[1]), 1.0)
        return exact(out * x[0], out * x[1])

    function.interpolate(outside)
    return function


@check(
    "mechanics",
    source="chosen displacement u, eigenstrain (grad u + grad u^T)/2: no stress",
    target=0.0,
    atol=1.5e-3,
    order=(2.8, 3.3),
)
def eigenstrain_without_stress(full: bool) -> Measured:
    """Quadratic elements leave an error of third order in the displacement that an eigenstrain asks for, in L2."""
    cells, errors = (4, 8, 16) if full else (4, 8), []
    for n in cells:
        square = mesh.rectangle((1.0, 1.0), cells=(n, n), cell="triangle")
        x = ufl.SpatialCoordinate(square.mesh)
        wave = ufl.sin(math.pi * x[0]) * ufl.sin(math.pi * x[1])
        exact = ufl.as_vector([wave, 2 * wave])
        on = dict.fromkeys(square.names, mechanics.clamped(square))
        model = mechanics.model(square, Elastic(1.0, 0.3), on=on, eigenstrain=mechanics.strain(exact, square))
        solve_steady(model)
        wrong = model["u"] - exact
        errors.append(math.sqrt(fields.integral(fem.form(ufl.inner(wrong, wrong) * square.dx(8)), square.mesh.comm)))
    return Measured(errors[-1], order=-order(cells, errors))


@check(
    "mechanics",
    source="A. L. Florence and J. N. Goodier, J. Appl. Mech. 26, 293 (1959): -E alpha a grad T at the hot side",
    target=-1.0,
    rtol=2e-3,
    only_full=True,
)
def insulated_hole_in_a_flow_of_heat(full: bool) -> float:
    """Heat that flows around a hole in a thin plate presses on its hot side."""
    sector = mesh.annulus(1.0, 3.0, angle=math.pi / 2, size=0.15, refine=0.05, order=2)
    exact = _stress(
        sector,
        lambda x, y: analytic.heated_hole(x, y, gradient=10.0, radius=1.0, young_modulus=100.0, expansion=1e-3),
    )
    x, n = ufl.SpatialCoordinate(sector.mesh), ufl.FacetNormal(sector.mesh)
    pull = mechanics.traction(ufl.as_vector([exact[0] * n[0] + exact[2] * n[1], exact[2] * n[0] + exact[1] * n[1]]))
    model = mechanics.model(
        sector,
        Elastic(100.0, 0.3, 1e-3),
        kinematics="plane stress",
        on={"start": mechanics.support(0.0), "end": mechanics.support(0.0), "outer": pull},
        temperature=400.0 + 10.0 * x[1] * (1 + 1 / ufl.inner(x, x)),
        stress_free_temperature=400.0,
        floating=True,
    )
    solve_steady(model)
    return float(fields.evaluate(fields.sampled(model["s_xx"]), [[0.0, 1.0]])[0])


@check(
    "mechanics",
    source="G. Lame (1852): s_rr = p (1 - 4/r^2)/3, s_hoop = p (1 + 4/r^2)/3",
    target=(0.0, 0.0),
    atol=2e-3,
)
def tube_under_pressure(full: bool) -> tuple[float, float]:
    """Tube twice as wide outside as inside, as a body of revolution: errors of radial and hoop stress."""
    plane = mesh.rectangle((0.3, 1.0), cells=(1, 48 if full else 24))
    plane.mesh.geometry.x[:, 1] += 1.0
    on = {"left": mechanics.roller(), "right": mechanics.roller(), "bottom": mechanics.pressure(1.0)}
    model = mechanics.model(mesh.axisymmetric(plane), Elastic(100.0, 0.3), on=on)
    solve_steady(model)
    r = np.linspace(1.0, 2.0, 9)
    places = np.column_stack([np.full(9, 0.15), r])
    exact = analytic.thick_cylinder(r, inner=1.0, outer=2.0, pressure=1.0)
    computed = (fields.evaluate(fields.sampled(model[name]), places) for name in ("s_yy", "s_zz"))
    radial, hoop = (float(np.abs(c - e).max()) for c, e in zip(computed, exact, strict=True))
    return radial, hoop


@check(
    "mechanics",
    source="R. Hill, The Mathematical Theory of Plasticity (1950): 1.15 = 2 ln c + 1 - c^2/4, by a script of its own",
    target=1.3567605,
    rtol=1e-2,
    only_full=True,
)
def tube_that_yields(full: bool) -> float:
    """Tube twice as wide outside as inside, of perfect plasticity, yields up to a radius under pressure."""
    plane = mesh.rectangle((0.1, 1.0), cells=(1, 24))
    plane.mesh.geometry.x[:, 1] += 1.0
    on = {
        "left": mechanics.roller(),
        "right": mechanics.roller(),
        "bottom": mechanics.pressure(lambda t: 1.15 * min(t, 1.0)),
    }
    solid = Elastic(1000.0, 0.3, yield_stress=math.sqrt(3.0))
    model = mechanics.model(mesh.axisymmetric(plane), solid, viscosity=1.0, on=on)
    evolve(model, 1.5, progress=False)
    r = np.linspace(1.0, 2.0, 201)
    plastic = fields.evaluate(model["plastic"], np.column_stack([np.full(201, 0.05), r]))
    near = (plastic > 2e-5) & (plastic < 3e-4)  # falls to 0 along a line
    slope, level = np.polyfit(r[near], plastic[near], 1)
    return float(-level / slope)

"""Measures of a surface model: amount of metal, its place, its drift, its thickness."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from emfem import fields
from emfem.dimensions import integral
from emfem.errors import ParameterError, UnknownName, count, number, require
from emfem.gate import checked
from emfem.mesh import AXES, Domain, bounds
from emfem.model import Model, Quantity, highest, lowest
from emfem.surface.inputs import SurfaceMetal
from emfem.surface.sampling import pixels
from emfem.surface.terms import surface_energy

import numpy as np
import ufl
from dolfinx import fem
from numpy.typing import NDArray

Values = NDArray[np.float64]

MOST = 100_000  # places along a profile


def quantities(
    domain: Domain,
    c: fem.Function,
    flux: Any,
    metal: SurfaceMetal,
    width: float,
    of_void: bool,
    dx: Any,
    stored: Any = 0,
    at_walls: ufl.Form | None = None,
) -> dict[str, Quantity]:
    """Return the quantities of a surface model, of the void if the shape is one, else of the metal. Collective.

    Args:
        domain: of the model.
        c: fraction of metal.
        flux: J of metal, UFL [m/s].
        metal: its constants.
        width: l [m].
        of_void: quantities such as the drift are those of the void.
        dx: measure.
        stored: further energy of a volume, UFL [J/m3].
        at_walls: energy of the metal at boundaries, if there is one [J].
    """
    comm = domain.mesh.comm
    followed = 1 - c if of_void else c
    middle = sum(float(corner[0]) for corner in bounds(domain.mesh)) / 2
    side = ufl.sign(ufl.SpatialCoordinate(domain.mesh)[0] - fem.Constant(domain.mesh, middle))
    uneven = fem.form(side * c * dx)
    at_start = fields.integral(uneven, comm)
    tension, half = (fem.Constant(domain.mesh, value) for value in (metal.surface_energy, width))
    free_energy = tension * surface_energy(c, half) + stored
    numbers = {
        "metal": Quantity(c * dx, integral("m3")),
        "void": Quantity((1 - c) * dx, integral("m3")),
        "free_energy": Quantity(free_energy * dx if at_walls is None else free_energy * dx + at_walls, integral("J")),
        "moved": Quantity(
            lambda: (fields.integral(uneven, comm) - at_start) / (2 * metal.atomic_volume), integral("-")
        ),
        "neck": Quantity(_Neck(c, domain, width), "m"),
        "interface_width": Quantity(lambda: width, "m"),
        "c_min": lowest(c),
        "c_max": highest(c),
    }
    amount, sign = ("void", -1.0) if of_void else ("metal", 1.0)

    def drift(axis: str) -> Callable[[Model], float]:
        return lambda model: sign * model.quantity(f"{axis}_flux") / model.quantity(amount)

    for i, axis in enumerate(_axes(domain)):
        numbers[f"{axis}_centre"] = Quantity(_centre(domain, followed, i, dx), "m")
        numbers[f"{axis}_flux"] = Quantity(flux[i] * dx, integral("m4/s"))
        numbers[f"{axis}_drift"] = Quantity(drift(axis), "m/s", of_model=True)
    return numbers


@checked(collective=True)
def drift_velocity(model: Model) -> Values:
    """Return the present drift velocity of the void, or of the centre of the metal, shape (dim,) [m/s].

    For a void -int J dx / int (1 - c) dx, J the flux of metal: the rate at which its first moment changes, over its
    size. It is that of the present state, not a difference of two. About an axis only x counts. Collective.

    Raises:
        ParameterError: if it is no surface model, or its potentials are not known yet: evolve it first.
    """
    _check(model)
    model.check_solved()
    velocity = np.zeros(model.domain.dim)
    for i, axis in enumerate(_axes(model.domain)):
        velocity[i] = model.quantity(f"{axis}_drift")
    return velocity


@checked(collective=True)
def profile(model: Model, n: int | None = None) -> tuple[Values, Values]:
    """Return the thickness of the metal along x. Collective.

    In a plane and about an axis it is the length of metal along y: the width of a strip, the radius of a wire whose
    axis is at y = 0. In space it is the radius of a disk as large as the metal's section. The surface is where c = 1/2.

    Args:
        model: of a surface, or one of a folder, `em.results.open(folder).models(t)[0]`.
        n: number of places; one for each l / 2 when left out.

    Returns:
        x and thickness, both of shape (n,) [m].

    Raises:
        ParameterError: if it is no surface model, or n is no whole number from 1 to 100 000.
    """
    thinnest = _check(model)
    places = None if n is None else count("n", n, at_least=1, at_most=MOST)
    return thinnest.profile(places)


@checked(collective=True)
def neck(model: Model) -> float:
    """Return the least thickness of the metal along x, see `profile`; 0 where it is broken [m]. Collective."""
    return _check(model)()


@checked
def neck_below(width: float) -> Callable[[Sequence[Model], float], bool]:
    """Return a function that is true where the neck is as thin as `width`, for `em.watch.stop_when`; 0 m if broken.

    Its name is the reason for which the run ends: "broken", or "neck below" the width.

    Raises:
        ParameterError: for a negative width.
    """
    limit = number("width", width, at_least=0.0, unit="m")

    def reached(models: Sequence[Model], _: float) -> bool:
        for model in models:
            if "neck" in model.quantities:
                now = model.quantity("neck")
                require(
                    not np.isnan(now),
                    "the neck is looked for along x, but the current flows otherwise: turn the domain",
                )
                return now <= limit
        missing = "neck"
        raise UnknownName(missing, "this run", [n for model in models for n in model.quantities])

    reached.__name__ = f"neck below {limit:g} m" if limit else "broken"
    return reached


def _check(model: Model) -> _Neck:
    """Return the neck of a model, of one read from a folder too; refuse anything but a surface model."""
    thinnest = model.quantities["neck"].value if "neck" in model.quantities else None
    if isinstance(thinnest, _Neck):
        return thinnest
    if thinnest is None or "c" not in model.names or "interface_width" not in model.quantities:
        msg = f"model = the {model.name} model, must be one of em.surface.model"
        raise ParameterError(msg)
    return _Neck(model["c"], model.domain, model.quantity("interface_width"))


def is_round(domain: Domain) -> bool:
    """Return True where the thickness of metal is the radius of a disk: in space, and about an axis."""
    return domain.dim > 2 or domain.turned


def section(domain: Domain, thick: float) -> float:
    """Return the metal's section where it is so thick [m2], in a plane without a thickness its width [m]."""
    return float(np.pi * thick**2) if is_round(domain) else thick * (domain.thickness or 1.0)


def section_of_box(domain: Domain) -> float:
    """Return the section of the box around the domain across x, as `section`."""
    lower, upper = bounds(domain.mesh)
    across = (upper - lower)[1:].tolist()
    return float(np.prod(across)) if domain.dim > 2 else section(domain, across[0])


def _axes(domain: Domain) -> str:
    """Return the axes of a drift: about an axis of revolution only x."""
    return "x" if domain.turned else "".join(AXES[: domain.dim])


def _grid(domain: Domain, width: float, places: int | None = None) -> fields.Pixels:
    """Return the grid of a profile. Collective."""
    counts = pixels(domain, width / 2)
    return fields.Pixels(domain.mesh, counts if places is None else [places, *counts[1:]])


def thickness(c: fem.Function, grid: fields.Pixels, width: float) -> Values:
    """Return the thickness of the metal at each x of a grid. Collective.

    Between nodes the distance to the surface is close to linear, which c is not: it is the one that is sampled.
    """
    distance = fem.Function(c.function_space)
    inside = np.clip(c.x.array, 1e-12, 1 - 1e-12)
    distance.x.array[:] = width * np.log(inside / (1 - inside))
    across = grid.spacing[1:]
    depth = (
        np.nan_to_num(grid.sample(distance).values, nan=-np.inf) / across.mean()
    )  # the surface cuts a pixel at +-1/2
    area = np.clip(depth + 0.5, 0.0, 1.0).reshape(len(depth), -1).sum(axis=1) * across.prod()
    return area if len(across) == 1 else np.sqrt(area / np.pi)


class _Neck:
    """The least thickness of the metal along x; a grid of places is made when it is first asked for."""

    def __init__(self, c: fem.Function, domain: Domain, width: float) -> None:
        """Take them."""
        self.c, self.domain, self.width = c, domain, width
        self.grids: dict[int | None, fields.Pixels] = {}

    def __call__(self) -> float:
        """Return it [m]. Collective."""
        return float(self.profile()[1].min())

    def profile(self, places: int | None = None) -> tuple[Values, Values]:
        """Return x and thickness at so many places; one for each l / 2 when left out. Collective."""
        if places not in self.grids:
            self.grids[places] = _grid(self.domain, self.width, places)
        grid = self.grids[places]
        return grid.axes[0].copy(), thickness(self.c, grid, self.width)


def _centre(domain: Domain, amount: Any, i: int, dx: Any) -> Callable[[], float]:
    """Return the function of the centre of an amount along an axis; in a period that of its first wave."""
    x, length, comm = ufl.SpatialCoordinate(domain.mesh)[i], float(domain.period[i]), domain.mesh.comm
    if not length:
        moment, whole = fem.form(x * amount * dx), fem.form(amount * dx)
        return lambda: fields.integral(moment, comm) / fields.integral(whole, comm)
    lowest = float(bounds(domain.mesh)[0][i])
    turn = 2 * np.pi / length
    angle = fem.Constant(domain.mesh, turn) * (x - fem.Constant(domain.mesh, lowest))
    waves = [fem.form(wave(angle) * amount * dx) for wave in (ufl.sin, ufl.cos)]

    def centre() -> float:
        sine, cosine = (fields.integral(wave, comm) for wave in waves)
        return lowest + float(np.arctan2(sine, cosine) / turn) % length

    return centre

"""Opening of a void in a stressed line: its place, its seed, its atoms, and the checks of the model that follows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from emfem import fields
from emfem.errors import ParameterError, kind
from emfem.mesh import Domain
from emfem.model import Model, warn_unresolved
from emfem.observe import Observer
from emfem.surface import Shape
from emfem.surface.inputs import start
from emfem.surface.terms import conducts
from emfem.voids.path import nearest
from emfem.voids.terms import EMPTY

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

SAME = 1e-9  # of the stress: places that differ by less are equal
LARGE = 0.1  # of the critical stress that the atoms of a seed may relieve
DIFFERENT = 0.02  # of the drive, by which that of the void's model may differ
LESS = 0.5  # of the current that a voltage drives, which a seed may take away
WIDE = 6.0  # interface widths in the radius of a seed whose life is known to a few percent
APART = 3.0  # seed radii beyond which tension belongs to another void


def highest(
    sigma: fem.Function, limit: fem.Function, *, inside: Any = slice(None), sign: float = 1.0
) -> tuple[float, NDArray[np.float64], float]:
    """Return the highest stress over its limit, less 1, its place, of equal ones the first, and the stress. Collective.

    Args:
        sigma: the stress [Pa].
        limit: above 0, at the same nodes [Pa].
        inside: nodes of this rank that count: a mask, or all.
        sign: 1 for tension, -1 for compression.
    """
    space, comm = sigma.function_space, sigma.function_space.mesh.comm
    owned, dim = space.dofmap.index_map.size_local, space.mesh.geometry.dim
    part = np.full(owned, -np.inf)
    part[inside] = (sign * sigma.x.array[:owned] / limit.x.array[:owned])[inside]
    top = max(comm.allgather(float(part.max(initial=-np.inf))))
    near = np.flatnonzero(part >= top - SAME * abs(top))
    places = space.tabulate_dof_coordinates()[near, :dim]
    size = max(comm.allgather(float(np.abs(space.mesh.geometry.x).max(initial=0.0))))
    places[abs(places) < SAME * size] = 0.0  # or rounding decides on the first
    rows = np.column_stack([places, sigma.x.array[near]])
    row = min(np.concatenate(comm.allgather(rows)).tolist())
    return top - 1, np.array(row[:-1]), row[-1]


def check_made(made: Any, domain: Domain, radius: float, least: float, limit: float | None) -> None:
    """Refuse a model of something else, a seed that would close or cuts the line, and a rise without a resistance.

    Raises:
        ParameterError: with the least radius.
    """
    kind("make(shape, sigma)", made, Model, "one of em.voids.model")
    if "excess" not in made.names or made.mesh is not domain.mesh:
        msg = f"make(shape, sigma) = the {made.name} model, must be one of em.voids.model on the domain of the stress"
        raise ParameterError(msg)
    if not made.quantity("path"):
        msg = f"seed_radius = {radius:g} m, must be smaller: the seed cuts the line as it opens"
        raise ParameterError(msg)
    if limit is not None and "resistance" not in made.quantities:
        msg = f"rise = {limit:g} of the resistance, must be None: make(shape, sigma) has no current"
        raise ParameterError(msg)
    area = made.quantity("surface_energy")
    if radius <= area / least:
        msg = (
            f"seed_radius = {radius:g} m, must be greater than {area / least:.4g} m, surface energy over critical "
            "stress: a smaller void closes"
        )
        raise ParameterError(msg)


def warn_of_tail(made: Model, radius: float) -> None:
    """Warn of a seed that is small for its interface, with the part of it that is tail. Collective.

    More metal is missing outside of c = 1/2 than is left inside: int 1 - c is larger than a disk by (pi l / R)^2 / 3 of
    it, than a ball by (pi l / R)^2.
    """
    width = made.quantity("interface_width")
    if radius >= WIDE * width * (1 - 1e-6):
        return
    domain = made.domain
    plane = domain.dim == 2 and (domain.weight is None or domain.thickness is not None)
    tail = (np.pi * width / radius) ** 2 / (3 if plane else 1)
    message = (
        f"seed_radius = {radius:.3g} m is {radius / width:.2g} interface widths, should be at least {WIDE:g}: its "
        f"tail makes it {tail:.0%} larger, and times to failure may be a tenth off: see em.voids.sharp_limit"
    )
    warn_unresolved(message, made.mesh.comm)


def conserve(made: Model, target: float, least: float) -> float:
    """Put the atoms of the seed into the metal, in proportion to c; return the tension that they take out of it [Pa].

    There are then as many atoms as before there was a void.

    Raises:
        ParameterError: if those that are missing are not those of the seed: the metals differ.
    """
    now, metal, empty = (made.quantity(name) for name in ("atoms", "metal", "void"))
    each = (metal + made.quantity("excess")) / now
    missing = (target - now) * each
    if not 0 < missing < 2 * empty:
        size = f"{empty:.4g} {made.quantities['void'].unit}"
        msg = (
            f"make(shape, sigma) has {now:.6g} atoms around a void of {size}, must have those of the stress "
            f"model, {target:.6g}, less the void's: is it of the same material?"
        )
        raise ParameterError(msg)
    made["excess"].x.array[:] += made["c"].x.array * missing / metal
    relief = missing / metal * made.quantity("bulk_modulus")
    if relief > LARGE * least:
        message = (
            f"atoms of the seed take {relief:.3g} Pa out of the metal, should be far below the critical {least:.3g} "
            "Pa: the seed is large for this line, and may shrink at first"
        )
        warn_unresolved(message, made.mesh.comm)
    return float(relief)


class SameDrive(Observer):
    """Observer that compares the drive on the atoms as a void opens with that of the stress that opened it.

    int f_0 . f over int f_0 . f_0 is the current over that before, whatever the void: f is a current without sources,
    and f_0 a gradient.

    Args:
        models: of the stress.
    """

    def __init__(self, models: Sequence[Model]) -> None:
        """Take them."""
        super().__init__()
        self.before = next((model["drive"] for model in models if "drive" in model.expressions), None)

    def record(self, t: float) -> None:
        """Compare once, at the start.

        Raises:
            ParameterError: with the part that the void's drive is of that before.
        """
        before, self.before = self.before, None
        if before is None or self.continued:
            return
        (made,) = self.models
        dx, after, comm = made.domain.dx(4), made["drive"], made.mesh.comm
        whole, common, own = (
            fields.integral(fem.form(sum(a[i] * b[i] for i in range(made.domain.dim)) * dx), comm)
            for a, b in ((before, before), (before, after), (after, after))
        )
        fixed_voltage = "voltage" in made.quantities and all(unknown.name != "voltage" for unknown in made.unknowns)
        less = LESS if fixed_voltage else DIFFERENT
        if -less * whole <= common - whole <= DIFFERENT * whole and (whole or not own):
            return
        words = f"{common / whole:.4g} times that" if whole else "not 0 as that"
        msg = f"make(shape, sigma) has a drive on atoms of {words} of the stress, must have the same current and metal"
        raise ParameterError(msg)


class Tension(Observer):
    """Observer of the tension of metal far from voids: over the critical one another void opens.

    Where none may it warns, once.

    Args:
        critical: critical stress at the nodes of the void's model [Pa].
        radius: of a seed [m].
        closed: function that is True if no other void may open; always when left out.
    """

    saved = (*Observer.saved, "warned")

    def __init__(self, critical: Any, radius: float, closed: Callable[[], bool] = lambda: True) -> None:
        """Take them."""
        super().__init__()
        self.critical, self.radius, self.closed, self.warned = critical, radius, closed, False

    def begin(self) -> None:
        """Find the critical stress at the nodes."""
        self.limit = fem.Function(self.models[0]["sigma"].function_space, name="critical stress")
        fields.set_initial(self.limit, self.critical, "critical_stress")

    def highest(self) -> tuple[float, NDArray[np.float64], float]:
        """Return the highest tension far from voids over its limit, less 1, its place, and the tension. Collective."""
        made = self.models[0]
        return highest(made["sigma"], self.limit, inside=far(made, APART * self.radius))

    def excess(self) -> float:
        """Return the highest tension over its limit, less 1; below 0 if no other void may open. Collective."""
        return -1.0 if self.closed() else max(self.highest()[0], -1.0)

    def record(self, t: float) -> None:
        """Warn with place, time and stress."""
        if self.warned or not self.closed():
            return
        beyond, place, reached = self.highest()
        if beyond <= 0:
            return
        self.warned = True
        message = (
            f"tension of {reached:.4g} Pa at {_words(place)} at {t:.4g} s, should stay below the critical one: another "
            "void would open there, and this run has no more"
        )
        warn_unresolved(message, self.models[0].mesh.comm)


def open_another(made: Model, seed: Shape, place: NDArray[np.float64], least: float) -> bool:
    """Open another void in a model; return False, with a warning, where the mesh is too coarse for it. Collective.

    Args:
        made: of `em.voids.model`.
        seed: of the void.
        place: where it is [m].
        least: of the critical stress [Pa].
    """
    c, target, comm = made["c"], made.quantity("atoms"), made.mesh.comm
    fresh = fem.Function(c.function_space)
    try:
        start(fresh, made.domain, seed, made.quantity("interface_width"))
    except ParameterError as error:
        warn_unresolved(f"no void opens at {_words(place)} at {made.t:.4g} s, where tension is critical: {error}", comm)
        return False
    before = conducts(c.x.array, EMPTY)
    c.x.array[:] = np.minimum(c.x.array, fresh.x.array)
    made["excess"].x.array[:] *= conducts(c.x.array, EMPTY) / before  # the stress stays as it is
    conserve(made, target, least)
    if not made.quantity("path"):
        warn_unresolved(f"the seed at {_words(place)} cuts the line as it opens at {made.t:.4g} s", comm)
    return True


def _words(place: NDArray[np.float64]) -> str:
    """Return a place in words."""
    return f"({', '.join(f'{x:.4g}' for x in place)}) m"


def far(made: Model, distance: float) -> NDArray[np.bool_]:
    """Return the owned nodes that are farther than that from the void, shape (n,). Collective."""
    space, comm = made["c"].function_space, made.mesh.comm
    owned = space.dofmap.index_map.size_local
    nodes, empty = space.tabulate_dof_coordinates()[:owned], made["c"].x.array[:owned] < 0.5
    hole = np.concatenate(comm.allgather(nodes[empty]))
    if not len(hole):
        return np.ones(owned, dtype=bool)
    return np.asarray(nearest(made.domain, hole, nodes)[0] > distance)

"""Arguments of a surface model, checked: a metal, a temperature, a shape, a current, cells fine enough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from emfem import fields
from emfem import model as models
from emfem.errors import ParameterError, number, require
from emfem.mesh import Domain, bounds
from emfem.mesh.between import measure, surfaces
from emfem.model import MaterialAt, MaterialLaws, OfTime
from emfem.model.materials import plain_number
from emfem.surface.pulses import Pulses
from emfem.surface.sampling import joined
from emfem.surface.shapes import Shape, profile
from emfem.units import boltzmann, elementary_charge, mm, nm, um

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

NEEDED = ("surface_diffusivity_thickness", "surface_energy", "atomic_volume")
DRIVEN = ("effective_charge", "resistivity")
APART = 1e3  # ratio of two lengths of one model from which on one of them lacks its unit
VAST = 0.1  # m; no surface is followed in a domain so long
UNITS = {"nm": nm, "um": um, "mm": mm}
FINEST = 1.0  # widest distance of nodes across a surface, as a part of its half-width l
DRIVES = {"current_density": "A/m2", "voltage": "V", "current": "A"}


@dataclass(frozen=True)
class SurfaceMetal:
    """Constants of surface motion of a metal at its temperature, numbers or UFL.

    Attributes:
        atomic_volume: Omega [m3].
        surface_energy: gamma [J/m2].
        mullins: B = D_s delta_s gamma Omega / (k T), the factor of the curvature [m4/s], UFL.
        typical: B where it is not known yet [m4/s].
        pull: Z* e / (gamma Omega), the drift of a unit field over B [1/(V m)], UFL; None without a current.
        conductivity: 1 / rho of the metal [S/m], UFL; None without a current.
    """

    atomic_volume: float
    surface_energy: float
    mullins: Any
    typical: float
    pull: Any = None
    conductivity: Any = None


def metal(domain: Domain, material: Any, temperature: Any, driven: bool, pulses: Pulses | None = None) -> SurfaceMetal:
    """Return the constants of a material at a temperature: its own, a number, a function of x, or UFL. Collective.

    Raises:
        ParameterError: if it is no material, lacks constants (all are named), its atomic volume or surface energy are
            controls, or the temperature cannot be.
    """
    models.check_material(material)
    missing = [name for name in (*NEEDED, *(DRIVEN if driven else ())) if not _has(material, name)]
    if missing:
        arguments, name = ", ".join(f"{name}=..." for name in missing), getattr(material, "name", "the material")
        msg = f"{name} has no {', '.join(missing)}: a moving surface needs them, as in having({arguments})"
        raise ParameterError(msg)
    require(driven or pulses is None, "pulses without a current, must come with a drive")
    there = MaterialAt(material, models.material_temperature(domain, material, temperature, NEEDED[0]))
    volume, tension = plain_number(material, "atomic_volume"), plain_number(material, "surface_energy")
    present = getattr(material, "material", material)
    own = MaterialAt(present, float(present.temperature))

    def mullins(metal: MaterialAt) -> Any:
        return metal[NEEDED[0]] * (tension * volume / boltzmann) / metal.temperature

    constants = {"mullins": mullins(there)}
    if driven:
        constants["pull"] = there["effective_charge"] * (elementary_charge / (tension * volume))
        constants["conductivity"] = 1 / there["resistivity"]
    if pulses is not None:
        # constants, for a checkpoint of other pulses is refused by them
        colder = mullins(MaterialAt(material, pulses.temperature))
        between = colder if models.is_ufl(colder) else fem.Constant(domain.mesh, float(colder))
        duty = fem.Constant(domain.mesh, float(pulses.duty))
        mean = duty * constants["mullins"] + (1 - duty) * between
        constants["pull"] *= duty * constants["mullins"] / mean
        constants["mullins"] = mean
    # numbers become constants of the forms, into which they would be compiled else
    forms = {k: v if models.is_ufl(v) else fem.Constant(domain.mesh, float(v)) for k, v in constants.items()}
    return SurfaceMetal(volume, tension, typical=float(mullins(own)), **forms)


def series(name: str | None, resistance: float | None) -> float | None:
    """Return the resistance in series with a source of a voltage, None without one.

    Raises:
        ParameterError: for one that is not above 0, or beside another drive than a voltage.
    """
    if resistance is None:
        return None
    require(name == "voltage", f"series_resistance beside {name or 'no drive'}, must come with a voltage")
    return number("series_resistance", resistance, above=0.0)


def walls(
    domain: Domain, energies: Mapping[str, float] | None, of_grains: float | None, tension: float, degree: int
) -> tuple[list[tuple[fem.Constant, Any]], Any]:
    """Return energies of boundaries, named ones and those between grains [J/m2], each with its measure. Collective.

    Also the tags of all facets, which the measures of a form have to share.

    Raises:
        ParameterError: for one that is not less than gamma in size, or 2 gamma of a grain boundary: the surface would
            leave, or spread all over it; or grains that do not exist.
        UnknownName: for a boundary that does not exist.
    """
    checked, unit = list[tuple[float, int]](), "J/m2"
    for name, value in (energies or {}).items():
        words, tag = f"wall_energy[{name!r}]", domain.tag(name)
        number(f"abs({words})", abs(number(words, value, unit=unit)), below=tension, unit=unit)
        checked.append((float(value), tag))
    faces: Any = domain.facets
    if of_grains is not None:
        number("grain_boundary_energy", of_grains, at_least=0.0, below=2 * tension, unit=unit)
        faces, between = surfaces(domain, "grain_boundary_energy")
        checked.append((float(of_grains), between))
    return [(fem.Constant(domain.mesh, value), measure(domain, faces, tag, degree)) for value, tag in checked], faces


def sources(
    domain: Domain, fluxes: Mapping[str, OfTime] | None, faces: Any, degree: int
) -> tuple[dict[str, tuple[fem.Constant, Any]], list[models.Driver]]:
    """Return metal that comes out of boundaries, by name [m2/s], each with its measure, and the drivers. Collective.

    Raises:
        ParameterError: for one that is not finite.
        UnknownName: for a boundary that does not exist.
    """
    entering, drivers = dict[str, tuple[fem.Constant, Any]](), list[models.Driver]()
    for name, value in (fluxes or {}).items():
        words, tag = f"wall_flux[{name!r}]", domain.tag(name)
        rate, own = models.coefficient(domain, words, models.of_time(words, value, unit="m2/s"))
        entering[name] = rate, measure(domain, faces, tag, degree)
        drivers += own
    return entering, drivers


def _has(material: MaterialLaws, name: str) -> bool:
    """Return True if the material has a constant."""
    try:
        material.law(name)
    except ParameterError:
        return False
    return True


def drive(on: Sequence[str] | None, **drives: OfTime | None) -> tuple[str, OfTime] | None:
    """Return the name and the value of the one drive: current density, voltage or current; None without any.

    Raises:
        ParameterError: for more than one, a number that is 0, or one that is not finite; for boundaries without any.
    """
    chosen = {name: value for name, value in drives.items() if value is not None}
    if not chosen:
        require(on is None, f"on = {on!r} without a drive, must have one of {', '.join(drives)} beside it")
        return None
    if len(chosen) > 1:
        msg = f"{' and '.join(chosen)} are given, must be one of them"
        raise ParameterError(msg)
    ((name, value),) = chosen.items()
    checked = models.of_time(name, value, unit=DRIVES[name])
    if not callable(checked) and checked == 0.0:
        msg = f"{name} = 0 {DRIVES[name]}, must not be zero: leave it out where no current flows"
        raise ParameterError(msg)
    return name, checked


def start(c: fem.Function, domain: Domain, shape: Any, width: float, narrowest: float | None = None) -> None:
    """Set c to the profile of the shape's surface; `narrowest` is the least width it will have. Collective.

    Raises:
        ParameterError: if the shape is no function of place, or leaves no metal or no vacuum, or cells are too coarse.
    """
    words = shape.words if isinstance(shape, Shape) else "shape"
    period = np.zeros(3)
    period[: domain.dim] = domain.period

    def distance(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return shape.distance(x, period) if isinstance(shape, Shape) else shape(x)

    lengths = {"interface_width": width}
    if isinstance(shape, Shape):
        lengths |= shape.lengths
    _check_units(domain, lengths)
    if isinstance(shape, Shape):
        corners = np.abs(np.concatenate(bounds(domain.mesh)))
        places = {shape.place_name: max(map(abs, shape.place), default=0.0)}
        _check_sizes(places, float(corners.max()), "whose corners are up to")
    if isinstance(shape, Shape):
        _check_wave(shape, domain)
        _check_place(shape, domain)
    fields.set_initial(c, distance, "shape")
    c.x.array[:] = profile(c.x.array, width)
    low, high = fields.extremes(c)
    if not high > 0.9:
        msg = f"{words} leaves no metal in the domain: c is at most {high:.3g}, must come near 1 somewhere"
        raise ParameterError(msg)
    if not low < 0.1:
        msg = f"{words} has no surface in the domain: c is at least {low:.3g}, must come near 0 somewhere"
        raise ParameterError(msg)
    _check_resolution(c, domain, width if narrowest is None else narrowest)


def _check_units(domain: Domain, lengths: Mapping[str, float]) -> None:
    """Refuse lengths that are far from that of the domain, or a domain of metres: a factor such as nm is missing.

    Raises:
        ParameterError: with the number, and what was probably meant.
    """
    lower, upper = bounds(domain.mesh)
    longest = float((upper - lower).max())
    if longest > VAST:
        like = lengths["interface_width"]
        msg = f"domain = {longest:g} m long, must be at most {VAST:g} m: did you mean {longest:g} * {_unit_near(like)}?"
        raise ParameterError(msg)
    _check_sizes(lengths, longest, "of")


def _check_sizes(lengths: Mapping[str, float], longest: float, words: str) -> None:
    """Refuse lengths, or distances from the origin, far beyond the longest of the domain.

    Raises:
        ParameterError: with the number, and what was probably meant.
    """
    for name, length in lengths.items():
        if abs(length) > APART * longest:
            msg = (
                f"{name} = {length:g} m in a domain {words} {longest:g} m, must be one of its lengths: did you mean "
                f"{length:g} * {_unit_near(longest)}?"
            )
            raise ParameterError(msg)


def _unit_near(length: float) -> str:
    """Return the name of the unit in which a length is a number of 1 to 1000; nm of one in metres."""
    return next((name for name, unit in UNITS.items() if unit <= length < 1e3 * unit), "nm")


def _check_wave(shape: Shape, domain: Domain) -> None:
    """Refuse a wave that does not fit a periodic domain.

    Raises:
        ParameterError: with the period.
    """
    length = float(domain.period[0])
    waves = length / shape.wavelength if shape.wavelength else 0.0
    if abs(waves - round(waves)) > 1e-6 or (waves and round(waves) < 1 and length):
        msg = f"wavelength = {shape.wavelength:g} m, must fit the period of {length:g} m a whole number of times"
        raise ParameterError(msg)


def _check_place(shape: Shape, domain: Domain) -> None:
    """Refuse a place outside of a plane, which would cut the shape elsewhere, and one that lacks a coordinate in space.

    Raises:
        ParameterError: with the coordinates that a place has here.
    """
    if not shape.place:
        return
    names = "xyz"[: domain.dim] if shape.place_name == "centre" else "yz"[: domain.dim - 1]
    place = ", ".join(f"{x:g}" for x in shape.place)
    message = f"{shape.place_name} = ({place}) m of the {shape.words}, must be {' and '.join(names)}"
    if len(shape.place) < len(names):
        msg = f"{message} in space"
        raise ParameterError(msg)
    if any(shape.place[len(names) :]):
        msg = f"{message} alone in a plane: z = {shape.place[-1]:g} m"
        raise ParameterError(msg)


def _check_resolution(c: fem.Function, domain: Domain, width: float) -> None:
    """Refuse cells that do not resolve a surface. Collective.

    Raises:
        ParameterError: with the width and the cell size that would do.
    """
    space, mesh = c.function_space, domain.mesh
    dim, degree = mesh.topology.dim, space.element.basix_element.degree
    owned = mesh.topology.index_map(dim).size_local
    values = c.x.array[space.dofmap.list[:owned]]
    there = np.flatnonzero((values.max(axis=1) > 0.1) & (values.min(axis=1) < 0.9)).astype(np.int32)
    size = models.largest_diameter(mesh, there) / np.sqrt(dim)
    if size / degree > FINEST * width * (1 + 1e-6):
        msg = (
            f"interface_width = {width:g} m, must be at least {size / degree / FINEST:.3g} m on cells of {size:.3g} m "
            f"with degree {degree}, or the cells at most {width * degree * FINEST:.3g} m"
        )
        raise ParameterError(msg)


class NoPathError(ParameterError):
    """Metal that does not join the ends of the circuit."""


def check_path(c: fem.Function, domain: Domain, ends: tuple[str, str] | None, width: float) -> None:
    """Refuse metal that does not join the ends of the circuit, or those of a period along x. Collective.

    Raises:
        NoPathError: if it does not.
    """
    if not joined(c, domain, ends, width):
        between = "along x across the periodic domain" if ends is None else f"from {ends[0]!r} to {ends[1]!r}"
        msg = f"shape leaves no path for the current {between}, must be metal all the way"
        raise NoPathError(msg)

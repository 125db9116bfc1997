"""Limits of a surface model, what it cannot resolve or leaves out: said once in a warning, with both numbers."""

from __future__ import annotations

import warnings
from typing import Any

from emfem import fields
from emfem.errors import ParameterError
from emfem.materials.resistivity import SizeEffect
from emfem.mesh import Domain
from emfem.model import Model, Resolution, warn_unresolved
from emfem.surface.circuit import ALONG_X, Ends
from emfem.surface.measures import is_round, section, section_of_box, thickness
from emfem.surface.sampling import joins, pixels

import numpy as np
from dolfinx import fem

THIN = 5.0  # least neck of a wire, in l
CLEARLY = 0.98  # of 5 l: a wire of radius 5 l is not warned of for its first atom
MOSTLY = 0.5  # part of a section that is metal below which a mean over the section is hardly that of the wire
SCATTERED = 1.2  # resistivity of a thin wire over that of the bulk from which on a warning says so


def limits(
    c: fem.Function, domain: Domain, ends: Ends, width: float, *, driven: bool, ratio: float
) -> list[Resolution]:
    """Return what is looked at after each step: a neck thinner than 5 l, and metal that carries the current no more."""
    grids: list[fields.Pixels] = []

    def grid() -> fields.Pixels:
        """Return pixels one l wide, made when first needed."""
        if not grids:
            grids.append(fields.Pixels(domain.mesh, pixels(domain, width)))
        return grids[0]

    def neck(model: Model, _: float) -> float:
        """Return the neck [m]; NaN for one that is thick enough, or for islands."""
        if thickness(c, grid(), width).min() > (THIN + 1) * width:  # a quarter of the pixels
            return np.nan
        now = model.quantity("neck")
        return now if 0 < now < CLEARLY * THIN * width else np.nan

    def paths(model: Model, _: float) -> float:
        """Return 1 if metal joins the ends, else 0; NaN for a thick wire."""
        if ends not in ALONG_X:
            return float(joins(c, domain, ends, grid()))
        return float(model.quantity("neck") > 0) if thin.name in model.warned else np.nan

    thin = Resolution("neck", neck, THIN * width, lambda _: _of_thin(width), timed=True, each_step=True)
    if not driven:
        return [thin]
    between = "along x" if ends is None else f"from {ends[0]!r} to {ends[1]!r}"
    return [
        thin,
        Resolution(f"paths of metal {between}", paths, 1, lambda _: _of_broken(ratio), timed=True, each_step=True),
    ]


def _of_thin(width: float) -> str:
    """Return the words for a thin neck."""
    return (
        f"5 times interface_width = {width:g} m; errors, about 2 (l/R)^2 at a radius R, grow as it thins: take a "
        "smaller interface_width and smaller cells if this part of the run counts"
    )


def _of_broken(ratio: float) -> str:
    """Return the words for a broken wire."""
    return (
        f"the wire is broken, and the current goes on through the vacuum, which conducts {ratio:g} times as well; "
        "watch=[em.watch.stop_when(em.surface.neck_below(0))] ends the run there"
    )


def warn_at_start(model: Model, material: Any, drive: str) -> None:
    """Warn of a current density that is not the wire's own, and of electrons that a thin wire scatters. Collective."""
    neck = model.quantity("neck")
    part = section(model.domain, neck) / section_of_box(model.domain)
    if drive == "current_density" and 0 < part < MOSTLY:
        warn_unresolved(_of_density(model.domain, neck, part), model.mesh.comm)
    message = _of_electrons(getattr(material, "material", material), *_sizes(model.domain, neck)) if neck else ""
    if message:
        warn_unresolved(message, model.mesh.comm)


def _of_density(domain: Domain, neck: float, part: float) -> str:
    """Return the words for a mean over a section of which the metal fills a small part."""
    area, unit = section(domain, neck), "m2" if domain.measure == 3 else "m, per metre of thickness"
    return (
        f"current_density is the mean over the whole section of the domain: metal fills {part:.3g} of it where it is "
        f"thinnest, so the density is {1 / part:.3g} times as large there (the quantity neck_current_density); "
        f"for j in the wire itself pass current=j * {area:.4g} [{unit}]"
    )


def _sizes(domain: Domain, neck: float) -> tuple[float, float | None]:
    """Return height and width of a wire with this neck; of a strip in a plane its width alone."""
    return (2 * neck, 2 * neck) if is_round(domain) else (neck, domain.thickness)


def _of_electrons(metal: Any, height: float, width: float | None) -> str:
    """Return the words for a wire in which the resistivity of the bulk is too small by more than a fifth, or ""."""
    constants = getattr(metal, "constants", {})
    if "mean_free_path_product" not in constants or isinstance(constants["resistivity"].law, SizeEffect):
        return ""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            thin = metal.with_size_effect(height=height, width=width)
        except ParameterError:  # of a law of the user, or thinner than the theory goes
            return ""
    factor, path = thin.resistivity / metal.resistivity, metal.mean_free_path_product / metal.resistivity
    if factor < SCATTERED:
        return ""
    sizes = f"height={height:.3g}" + ("" if width is None else f", width={width:.3g}")
    return (
        f"the resistivity of {metal.name} is that of the bulk: {height:.3g} m thin it is up to {factor:.3g} times as "
        f"large, for electrons go {path:.3g} m at {metal.temperature:g} K before they are scattered; "
        f"{metal.name}.with_size_effect({sizes}) has it"
    )

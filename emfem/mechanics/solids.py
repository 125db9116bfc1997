"""Solids of a domain: elastic constants and eigenstrain by region, and unknowns that exist in some regions only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from emfem import model as models
from emfem.errors import ParameterError, floats, kind, require, shown
from emfem.mechanics.elasticity import Elastic, isotropic
from emfem.mesh import Domain
from emfem.model import DirichletCondition, Driver, Unknown
from emfem.model.materials import plain_number

import numpy as np
import ufl
from dolfinx import fem, la
from mpi4py import MPI
from numpy.typing import NDArray

SPREAD = 1e-8  # of the largest shear modulus: below it a solid is in GPa, or rounding decides
SOFTEST = 1e3  # shear modulus beside atoms [Pa]: that of jelly
MIXED = 0.45  # Poisson's ratio above which pressure is an unknown of its own: displacements alone would lock


def elastic(metal: Any) -> Elastic:
    """Return the elastic constants of a metal of `em.materials`, with its thermal expansion if it has one.

    Raises:
        ParameterError: if the metal lacks youngs_modulus or poisson_ratio, or one of them is a control.
    """
    if isinstance(metal, Elastic):
        return metal
    models.check_material(metal)
    names = ["youngs_modulus", "poisson_ratio"]
    names += ["thermal_expansion"] if "thermal_expansion" in getattr(metal, "constants", {}) else []
    return Elastic(*(plain_number(metal, name) for name in names))


@dataclass(frozen=True, eq=False)
class Solids:
    """Elastic constants on a domain.

    Attributes:
        domain: where.
        by_region: the materials; of a domain in one piece that of the key "".
        lame: lambda, constant in each cell [Pa].
        shear: mu [Pa].
        bulk: K [Pa].
        expansion: linear, by temperature [1/K].
    """

    domain: Domain
    by_region: Mapping[str, Elastic]
    lame: Any
    shear: Any
    bulk: Any
    expansion: Any

    def indicator(self, name: str, regions: set[str]) -> Any:
        """Return a coefficient that is 1 in some regions and 0 in the others."""
        return coefficient_of(self.domain, name, {region: float(region in regions) for region in self.by_region})


def solids_of(domain: Domain, solids: Any) -> Solids:
    """Return the elastic constants on a domain, of one material or of one for each region. Collective.

    Raises:
        ParameterError: for something else, or cells without a material.
        UnknownName: for a region that does not exist.
    """
    by_name = dict(solids) if isinstance(solids, Mapping) else {"": solids}
    by_region = {}
    for name, each in by_name.items():
        argument = f"solids[{name!r}]" if name else "solids"
        kind(argument, each, (Elastic, models.MaterialLaws), "em.mechanics.Elastic(...) or a metal of em.materials")
        by_region[name] = elastic(each)
    names = ("lame_modulus", "shear_modulus", "bulk_modulus", "expansion")
    values = (
        coefficient_of(domain, name, {region: getattr(m, name) or 0.0 for region, m in by_region.items()})
        for name in names
    )
    return Solids(domain, by_region, *values)


def check_moduli(solids: Solids, with_atoms: bool) -> None:
    """Refuse Young's moduli that cannot be in Pa, beside others or beside atoms.

    Raises:
        ParameterError: naming the softest solid.
    """
    moduli = {name: each.shear_modulus for name, each in solids.by_region.items()}
    name, softest = min(moduli.items(), key=lambda item: item[1])
    least = max(SPREAD * max(moduli.values()), SOFTEST if with_atoms else 0.0)
    of = f" of {name!r}" if name else ""
    value = solids.by_region[name].young_modulus
    require(softest >= least, f"young_modulus = {value:g} Pa{of}, must be in Pa: a shear modulus of at least {least:g}")


def check_expansion(solids: Solids) -> None:
    """Refuse solids whose thermal expansion nobody stated.

    Raises:
        ParameterError: naming them.
    """
    lacking = [repr(name) for name, each in solids.by_region.items() if each.expansion is None]
    of = f" of {', '.join(filter(None, lacking))}" if "''" not in lacking else ""
    require(not lacking, f"expansion{of} is left out, must be a number with a stress_free_temperature, 0.0 for none")


def coefficient_of(domain: Domain, name: str, values: Mapping[str, float]) -> Any:
    """Return a coefficient that is constant in each region, always a Function: forms are then the same."""
    if "" not in values:
        return domain.piecewise(name, values)
    result = fem.Function(fem.functionspace(domain.mesh, ("DG", 0)), name=name)
    result.x.array[:] = values[""]
    return result


def eigenstrain_of(domain: Domain, solids: Solids, value: Any) -> tuple[Any, list[Driver]]:
    """Return an eigenstrain as a 3 x 3 tensor: of a change of volume, a tensor, either for some regions; drivers.

    Raises:
        ParameterError: for another shape, or numbers that are not finite.
        UnknownName: for a region that does not exist.
    """
    if value is None:
        return 0 * ufl.Identity(3), []
    if isinstance(value, Mapping):
        arrays = {region: floats(f"eigenstrain[{region!r}]", part) for region, part in value.items()}
        for region, array in arrays.items():
            domain.region(region)
            good = array.shape in ((), (3, 3)) and np.isfinite(array).all()
            require(good, f"eigenstrain[{region!r}] = {shown(value[region])}, must be a finite number or 3 x 3 of them")
            _check_symmetric(f"eigenstrain[{region!r}]", array)
        tensors = {r: a if a.ndim else a / 3 * np.eye(3) for r, a in arrays.items()}
        rest = {region: np.zeros((3, 3)) for region in domain.regions if region not in tensors}
        return domain.piecewise("eigenstrain", {**tensors, **rest}), []
    words = "a number (of volume) or 3 x 3"
    strain, drivers = models.shaped_coefficient(domain, "eigenstrain", value, ((), (3, 3)), words)
    if not models.is_ufl(value):
        _check_symmetric("eigenstrain", np.asarray(models.at_start("eigenstrain", value)))
    return ufl.sym(strain) if strain.ufl_shape else isotropic(strain), drivers


def _check_symmetric(name: str, tensor: NDArray[np.float64]) -> None:
    """Refuse a tensor that turns: its stress would not be symmetric.

    Raises:
        ParameterError: naming it.
    """
    largest = float(np.abs(tensor).max())
    words = f"{name} = {tensor.tolist()}, must be symmetric: half of a shear angle in each of two places"
    require(tensor.ndim < 2 or bool(np.abs(tensor - tensor.T).max() <= 1e-12 * largest), words)


@dataclass(frozen=True, eq=False)
class Misfit:
    """Strain that makes no stress by itself.

    Attributes:
        strain: prescribed, and of the temperature, 3 x 3.
        temperature: T, None where nothing states it.
        drivers: of both.
    """

    strain: Any
    temperature: Any
    drivers: list[Driver]


def misfit_of(
    domain: Domain, solids: Solids, eigenstrain: Any, temperature: Any, stress_free: Any, material: Any
) -> Misfit:
    """Return `eigenstrain + alpha (T - T_0) I`.

    Raises:
        ParameterError: for what `eigenstrain_of` and `temperature_rise` refuse, or solids without an expansion.
    """
    t, rise, drivers = temperature_rise(domain, temperature, stress_free, material)
    if rise is not None:
        check_expansion(solids)
    strain, moved = eigenstrain_of(domain, solids, eigenstrain)
    if rise is not None:
        strain = strain + solids.expansion * rise * ufl.Identity(3)
    return Misfit(strain, t, drivers + moved)


def temperature_rise(
    domain: Domain, temperature: Any, stress_free: Any, material: Any
) -> tuple[Any, Any, list[Driver]]:
    """Return T, the difference to the stress-free temperature (None without one), and the drivers.

    Raises:
        ParameterError: for a stress-free temperature without a temperature, one that is not positive, or a second
            function of time.
    """
    drivers: list[Driver] = []
    if models.is_law(temperature) and _of_time(temperature):
        models.of_time("temperature", temperature, above=0.0, unit="K")
        temperature, drivers = models.coefficient(domain, "temperature", temperature)
    elif temperature is not None:
        holder = material if material is not None else _Anything()
        temperature = models.material_temperature(domain, holder, temperature)
    elif material is not None:
        temperature = material.temperature
    if stress_free is None:
        return temperature, None, drivers
    models.of_time("stress_free_temperature", stress_free, above=0.0, unit="K")
    require(temperature is not None, "stress_free_temperature without temperature, must come with one")
    reference, moved = models.coefficient(domain, "stress_free_temperature", stress_free)
    if not models.is_ufl(temperature):
        temperature_now = fem.Constant(domain.mesh, float(temperature))
        return temperature, temperature_now - reference, drivers + moved
    return temperature, temperature - reference, drivers + moved


def _of_time(law: Any) -> bool:
    """Return True for a function of time, False for one of x: at time 0 it is one number."""
    try:
        return np.ndim(law(0.0)) == 0
    except (TypeError, IndexError, AttributeError):
        return False


class _Anything:
    """Material without laws, whose temperature may be any."""

    temperature = 300.0

    def law(self, _: str) -> Any:
        """Return a law that holds everywhere."""
        return lambda t: t


def region_nodes(domain: Domain, space: fem.FunctionSpace, regions: set[str]) -> NDArray[np.bool_]:
    """Return True for the nodes of a scalar space on this rank that cells of some regions have. Collective."""
    marker = fem.Function(space)
    if "" in regions:
        marker.x.array[:] = 1.0
        return marker.x.array > 0
    assert domain.cells is not None
    cells = np.concatenate([domain.cells.find(domain.region(name)) for name in regions])
    marker.x.array[np.unique(space.dofmap.list[cells])] = 1.0
    marker.x.scatter_reverse(la.InsertMode.add)  # cells of another rank may have nodes of this one
    marker.x.scatter_forward()
    return marker.x.array > 0


def outside(domain: Domain, unknown: Unknown, regions: set[str], value: float = 0.0) -> list[DirichletCondition]:
    """Return the condition that an unknown is a number at the nodes of this rank that no cell of some regions has."""
    space = unknown.function.function_space
    inside = region_nodes(domain, space, regions)[: space.dofmap.index_map.size_local]
    dofs = np.flatnonzero(~inside).astype(np.int32)
    if not domain.mesh.comm.allreduce(len(dofs), op=MPI.SUM):
        return []
    where = f"outside {', '.join(sorted(regions))}"
    return [DirichletCondition(where, unknown, dofs, fem.Constant(domain.mesh, value))]


def check_region(domain: Domain, solids: Solids, name: str | None) -> str:
    """Return the region whose atoms move; of one material alone it is the whole domain.

    Raises:
        ParameterError: if it is not named where there are several.
        UnknownName: for a region that does not exist.
    """
    if "" in solids.by_region and name is None:
        return ""
    if name is None:
        regions = ", ".join(solids.by_region)
        msg = f"atoms_in is left out, must be the region with atoms, one of {regions}"
        raise ParameterError(msg)
    if "" in solids.by_region:
        msg = f"atoms_in = {name!r} with one material for the whole domain, must be left out, or solids be by region"
        raise ParameterError(msg)
    domain.region(name)
    return name

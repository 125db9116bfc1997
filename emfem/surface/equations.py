"""The surface model: the terms put together into a residual for metal, chemical potential and electric potential."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emfem import model as models
from emfem.dimensions import Meaning
from emfem.errors import ParameterError, number, require
from emfem.gate import checked
from emfem.mesh import Domain
from emfem.model import Model, OfTime
from emfem.model.unknowns import degree_of
from emfem.surface.anisotropy import MobilityAnisotropy, mobility_factor
from emfem.surface.circuit import circuit, ends_of
from emfem.surface.crystal import Crystal, crystal_terms
from emfem.surface.elastic import elastic_metal, elasticity
from emfem.surface.inputs import check_path, drive, metal, series, sources, start, walls
from emfem.surface.limits import limits, warn_at_start
from emfem.surface.motion import SurfaceMotion
from emfem.surface.pulses import Pulses
from emfem.surface.shapes import Shape
from emfem.surface.terms import conducts, error_scale

from dolfinx import fem

BOUNDS = (-0.2, 1.2)  # of c; it passes 0 and 1 by a few percent where a surface breaks
BEYOND = "a field too strong for the interface width"
MEANINGS = {
    "c": Meaning("c: metal 1, void 0"),
    "mu": Meaning("chemical potential"),
    "solid": Meaning("conductivity over that of the metal"),
    "psi": Meaning("potential of one volt"),
    "voltage": Meaning("voltage", "V"),
    "flux": Meaning("flux of metal", "m/s"),
    "distance": Meaning("distance from the surface", "m", signed=True),
    "E": Meaning("electric field", "V/m"),
    "j": Meaning("current density", "A/m2"),
    "phi": Meaning("potential", "V"),
    "conductivity": Meaning("conductivity", "S/m"),
    "u": Meaning("displacement", "m"),
    "sigma": Meaning("hydrostatic stress, tension > 0", "Pa", signed=True),
    "von_mises": Meaning("von Mises stress", "Pa"),
    **{f"u_{a}": Meaning(f"displacement along {a} beyond the mean strain", "m", signed=True) for a in "xyz"},
    **{f"stress_{ab}": Meaning(f"stress {ab}", "Pa", signed=True) for ab in ("xx", "xy", "xz", "yy", "yz", "zz")},
}


@checked(collective=True)
def model(
    domain: Domain,
    material: Any,
    *,
    shape: Shape | Callable[[Any], Any],
    interface_width: float,
    current_density: OfTime | None = None,
    voltage: OfTime | None = None,
    current: OfTime | None = None,
    on: Sequence[str] | None = None,
    series_resistance: float | None = None,
    pulses: Pulses | None = None,
    anisotropy: MobilityAnisotropy | Callable[[Any], Any] | None = None,
    crystal: Crystal | None = None,
    wall_energy: Mapping[str, float] | None = None,
    grain_boundary_energy: float | None = None,
    wall_flux: Mapping[str, OfTime] | None = None,
    temperature: Any = None,
    conductivity_ratio: float = 1e-3,
    strain: Any = None,
    eigenstrain: Any = 0.0,
    rollers: Sequence[str] | None = None,
    stiffness_ratio: float = 1e-4,
    degree: int = 1,
) -> Model:
    """Return the surface model on `domain`: unknowns c (1 metal, 0 vacuum), mu, and with a current psi and the voltage.

    Find c, mu, psi and V with

        int (dc/dt) v - J . grad v dx = 0,   J = (6 B / l^2) c^2 (1 - c)^2 (Z* e l / (gamma Omega) E - grad mu)
        int g(c) mu w - 3 W'(c) w - 6 l^2 grad c . grad w dx = 0,   W = c^2 (1 - c)^2
        int sigma(c) e . grad s dx = 0,   E = V e,   V int sigma |e|^2 dx = I

    for all v, w, s. B = D_s delta_s gamma Omega / (k T); mu is the chemical potential over gamma Omega / l, at a
    surface its curvature times l; g keeps the metal beside a curved surface at c = 1 (`terms.restriction`). As l
    becomes small this is diffusion of atoms along the surface, driven by its curvature and by Z* e E. Errors are about
    2 (l/R)^2 at radius R, and of the second order in the distance of nodes. Metal keeps its amount; a surface meets
    the boundaries at a right angle, and nothing passes them. e is the field of one volt: of a volt between the two
    boundaries `on`, or a volt in each period along x.

    With a mean strain or an eigenstrain e* the metal is elastic, in a plane under plane strain: find also u with

        int h(c) s . sym grad v dx = 0,   s = lambda tr(e) I + 2 G e,   e = sym grad u - e* I

    and the energy w = s . e / 2 drives atoms away from where it is high: g mu has the further term (l / gamma) h'(c) w.
    A surface has no traction but that of a void of `stiffness_ratio`. Errors are about 3 (k l)^2 for a wave of wave
    number k, more than those without stress: take l at most a fortieth of a wavelength. Then there are also the fields
    u, u_x, ..., sigma, von_mises and stress_xx, ..., the quantity elastic_energy, and free_energy is the sum.

    Fields: also flux (J), distance (how deep in the metal a place is), solid (conductivity of a place over that of the
    metal, the `solid` of a heat model), and with a current E, j, phi (V psi; along a
    periodic path only its periodic part), conductivity. Quantities: metal, void (int c, int 1 - c), free_energy,
    `x_centre` and `x_drift` of the void if the shape is one, else of the metal (in a periodic domain the centre of its
    first wave: `numpy.unwrap` it with the period), the same along y and z, neck (least thickness along x; NaN
    where the current flows otherwise), moved (atoms moved from the left half to the right since the start), resistance,
    conductance, voltage, current, power, neck_current_density (mean where the metal is thinnest, of a wire that of the
    wire), c_min, c_max. In a plane without a thickness all of them are per metre of it.

    Take l at most a tenth of the radius, nodes l/2 to l apart (they add 0.5 % to 2 % to a drift; coarser ones are
    refused), and walls that a surface does not meet at least 9 l away from it. All unknowns are solved for together:
    without the potential a step takes half the time, but then it would lag by a step that no error control sees.

    Args:
        domain: plane, solid or `em.mesh.axisymmetric`; of cells fine enough where the surface is and will be.
        material: with surface_diffusivity_thickness, surface_energy, atomic_volume, and with a current effective_charge
            and resistivity. Its effective charge is taken for that of surface atoms: having(effective_charge=...) gives
            another one.
        shape: `wire`, `strip`, `flat`, `void`, `bridge`, or a function of x with shape (3, n) that gives the distance
            into the metal, negative in vacuum, shape (n,) [m].
        interface_width: l, the half-width of surfaces: c = (1 + tanh(n / 2 l)) / 2 at a distance n [m].
        current_density: mean over the whole cross-section, vacuum too: of a wire give the current; positive along x, or
            from the first to the last of `on`; a number or a function of time, as the next two; at most one of the
            three [A/m2].
        voltage: between the boundaries `on`, or in a period; of the source if there is a resistance in series [V].
        current: total; in a plane without a thickness per metre of it [A].
        on: the boundaries that the current enters and leaves by; None where the domain is periodic along x.
        series_resistance: between the source of `voltage` and the metal, above 0; the quantity voltage is then that of
            the metal. In a plane without a thickness times a metre of it [Ohm].
        pulses: `Pulses(duty, temperature)`: the current flows for a part of the time only, in many short pulses.
        anisotropy: `MobilityAnisotropy(...)`, or a function of the outward normal that returns the mobility over its
            mean, UFL [-].
        crystal: `Crystal(...)`: energy and mobility by the direction of the normal, in place of `anisotropy`. The
            surface is then a l wide where its energy is a times the material's [-].
        wall_energy: energy of metal that meets a boundary over that of vacuum there, by name, less than gamma in size:
            on a mirror along a grain boundary half of its energy. The surface meets it at cos(angle) = -energy / gamma
            in the metal, at a right angle where there is none [J/m2].
        grain_boundary_energy: of every facet between two regions of the domain, from 0 to less than 2 gamma: grains
            stay where they are, the surface gets grooves at them, and the current flows across [J/m2].
        wall_flux: metal that comes out of a boundary onto the surface that meets it, by name, negative for metal that
            goes in; a number or a function of time: diffusion along the grain boundary in a mirror brings it, half of
            what the whole boundary carries. Volume a second for each metre of the root [m2/s].
        temperature: a number, a function of x with shape (3, n), or UFL such as the T of a heat model; that of the
            material when left out [K].
        conductivity_ratio: of vacuum to metal, above 0 and at most 1, which is no contrast [-].
        strain: mean strain of the domain along its axes, dim numbers, at most 0.2; in a plane there is none along
            z [-].
        eigenstrain: strain that the metal would have without stress, alike in all directions; a number or UFL, such as
            17e-6 * (heat["T"] - 300) [-].
        rollers: boundaries whose normal displacement is that of the mean strain and that bear no shear, each in a plane
            across an axis: all when left out, as the mirrors that walls are for the surface. Others bear no load.
        stiffness_ratio: of vacuum to metal, above 0 and at most 1; the growth of a wave is off by about 10 times it,
            at 1e-3 by 1 % [-].
        degree: polynomial degree of the unknowns [-].

    Raises:
        ParameterError: for constants that the material lacks, a strain that is 0 everywhere, too large or not finite,
            boundaries on rollers that are not plane or let the body turn, an energy that would wet a boundary, more
            than one drive or one that is zero or not finite, a crystal whose energy has not everywhere a stiffness of
            at least 0, or beside an anisotropy, cells too coarse for the interface width, a shape without metal,
            without a surface, or without a path for the current.
        UnknownName: for a boundary that does not exist.

    Warns:
        ResolutionWarning: where a current density is the mean over a section with less than half metal, or the wire is
            so thin that the resistivity of the bulk is too small by a fifth. In a run, once: where the neck becomes
            thinner than 5 l, and where no metal joins the ends of the current any more.
    """
    _check_domain(domain)
    width = number("interface_width", interface_width, above=0.0, unit="m")
    ratio = number("conductivity_ratio", conductivity_ratio, above=0.0, at_most=1.0)
    degree = degree_of(degree)
    driven = drive(on, current_density=current_density, voltage=voltage, current=current)
    laws = metal(domain, material, temperature, driven is not None, pulses)
    between = series(driven[0] if driven else None, series_resistance)
    at_walls, faces = walls(domain, wall_energy, grain_boundary_energy, laws.surface_energy, 4 * degree)
    fed, feeds = sources(domain, wall_flux, faces, 4 * degree)
    ends = None if driven is None else ends_of(domain, on)
    words = "anisotropy beside a crystal, must be left out: a crystal has a mobility of its own"
    require(anisotropy is None or crystal is None, words)

    space = fem.functionspace(domain.mesh, ("Lagrange", degree))
    solid = models.evolving("c", space, BOUNDS, bounds_message=BEYOND, error_scale=error_scale)
    c, half = solid.function, fem.Constant(domain.mesh, width)
    start(c, domain, shape, width, width if crystal is None else crystal.check(domain)[0] * width)
    conducting, wired = conducts(c, fem.Constant(domain.mesh, ratio)), None
    if driven is not None:
        check_path(c, domain, ends, width)
        wired = circuit(domain, space, driven, ends, laws.conductivity, conducting, between)
    strained = soft = None
    if strain is not None or models.is_ufl(eigenstrain) or eigenstrain != 0.0:
        soft = fem.Constant(domain.mesh, number("stiffness_ratio", stiffness_ratio, above=0.0, at_most=1.0))
        load = strain, eigenstrain
        strained = elasticity(domain, space, elastic_metal(material), load, rollers, conducts(c, soft))
    of_crystal = None if crystal is None else crystal_terms(crystal, c, half)
    factor = of_crystal.mobility if of_crystal else None
    if anisotropy is not None:
        factor = mobility_factor(anisotropy, domain, c, half)
    motion = SurfaceMotion(
        domain,
        metal=laws,
        solid=solid,
        chemical=models.algebraic("mu", space),
        width=half,
        dx=domain.dx(4 * degree),
        walls=at_walls,
        sources=fed,
        factor=factor,
        crystal=of_crystal,
        circuit=wired,
        elastic=strained,
        softness=soft,
    )
    of_void = isinstance(shape, Shape) and shape.of_void
    resolutions = limits(c, domain, ends, width, driven=driven is not None, ratio=ratio)
    made = _assembled(motion, conducting, feeds, resolutions, of_void=of_void)
    if driven is not None and not of_void:  # the line around a void is all metal
        warn_at_start(made, material, driven[0])
    return made


def _assembled(
    motion: SurfaceMotion,
    conducting: Any,
    feeds: Sequence[models.Driver],
    resolutions: Sequence[models.Resolution],
    *,
    of_void: bool,
) -> Model:
    """Return the model of a motion whose sources follow time by `feeds`. Collective."""
    domain, parts = motion.domain, motion.parts
    return Model(
        "surface",
        domain,
        motion.unknowns,
        motion.residual(),
        conditions=[condition for part in parts for condition in part.conditions],
        expressions=motion.expressions(conducting),
        quantities=motion.quantities(of_void),
        drivers=[*feeds, *(driver for part in parts for driver in part.drivers)],
        steady_by_relaxation=True,
        balances={"metal": motion.balance()},
        system=domain.system(si=True),
        meanings=MEANINGS,
        resolutions=resolutions,
        roles={"metal": "solid"},
        preconditioner=[motion.structure(), *(part.multigrid for part in parts)],
    )


def _check_domain(domain: Any) -> None:
    """Refuse a domain that no surface runs through.

    Raises:
        ParameterError: for a line or a shell.
    """
    if domain.shell or domain.dim < 2:
        msg = f"domain = {domain.shape} in {domain.dim} dimensions, must be plane or solid"
        raise ParameterError(msg)

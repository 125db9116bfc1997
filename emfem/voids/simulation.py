"""Life of a void: stress until it opens, growth of its true shape, until the line is cut or nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any

from emfem import evolution, fields
from emfem import watch as watching
from emfem.checkpoints import FINISHED, Checkpoint, alike, load, owned, save
from emfem.errors import ParameterError, kind, number
from emfem.gate import Meeting, checked
from emfem.mesh import Domain
from emfem.model import Model, warn_unresolved
from emfem.observe import Observer, check_observers, model_with_field
from emfem.signals import stop_requests
from emfem.solve import as_models
from emfem.stress.inputs import critical_tension
from emfem.surface import Shape, neck_below, void

import numpy as np
from dolfinx import fem
from numpy.typing import NDArray

SAME = 1e-9  # of the stress: places that differ by less are equal
STILL = 5e-3  # part of its volume by which a void at rest has changed in the second half of its life
LARGE = 0.1  # of the critical stress that the atoms of a seed may relieve
FIRST = 1e-6  # of the time left: the first step after a void has opened
NUCLEATED = "nucleated"
OPENED = "opened.npz"  # the stress as the void opened, beside the files of the void


@dataclass(frozen=True, eq=False)
class VoidLife:
    """Report of a void from the stress that opened it to the end of its growth.

    Attributes:
        nucleated: when it opened; infinity if it did not [s].
        place: where, shape (dim,): the node whose tension was highest over the critical one [m].
        stress: the tension there then, or at the end if it did not open [Pa].
        why: "survived" (no void opened), "cut", "resistance", "saturated", "until", or what ended the run before.
        time_to_failure: time of "cut" or "resistance"; infinity if it did not fail [s].
        t: times of the steps with a void, counted from the start of the stress, shape (n,) [s].
        void: volume of the void at those times, shape (n,) [m3]; in a plane without a thickness per metre of it.
        resistance: at those times, or None without a current [Ohm].
        model: of the void at the end; None if none opened.
    """

    nucleated: float
    place: NDArray[np.float64]
    stress: float
    why: str
    time_to_failure: float
    t: NDArray[np.float64]
    void: NDArray[np.float64]
    resistance: NDArray[np.float64] | None
    model: Model | None

    def __str__(self) -> str:
        """Return one line."""
        if self.model is None:
            return f"no void: {self.why} with at most {self.stress / 1e6:.4g} MPa"
        end = "" if np.isinf(self.time_to_failure) else f" at {self.time_to_failure:.6g} s"
        return f"void at {self.nucleated:.6g} s, {self.void[-1]:.4g} m3 at {self.t[-1]:.6g} s; {self.why}{end}"

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


@checked(collective=True)
def run(
    stress: Model,
    make: Callable[[Shape, Any], Model],
    *,
    critical_stress: Any,
    seed_radius: float,
    until: float,
    rise: float | None = None,
    rtol: float = 1e-4,
    watch: Sequence[Observer] = (),
    checkpoint: Checkpoint | None = None,
    wall_time: float | str | None = None,
) -> VoidLife:
    """Integrate stress until a void opens, and then its shape, until it fails the line or has come to rest. Collective.

    A void opens where and when tension reaches the critical one, which may differ from place to place; the time is
    located. It is a round seed there, half of one at a wall. The atoms of the seed go into all the metal around, so
    the number of atoms stays that of the metal without a void. It must be larger than gamma / sigma_c, or it would
    close. One void opens; where the stress passes the critical one elsewhere later, nothing happens.

    It ends as "cut" (no metal on a section across x), "resistance" (it has risen by `rise`), "saturated" (the volume
    has changed by less than 0.5 % in the second half of the void's life, longer than L^2 / kappa), or "until".

    Args:
        stress: of `em.stress.model`, in two or three dimensions; it keeps the state reached.
        make: `lambda shape, sigma: em.voids.model(domain, metal, shape=shape, residual_stress=sigma, ...)`, on the same
            domain; called once, when the void opens. `liner=True` lets a line that is cut conduct.
        critical_stress: sigma_c, at least 1e4: a number, or a function of x with shape (3, n), lower at flaws [Pa].
        seed_radius: of the void as it opens, at least 2.2 interface widths [m].
        until: the time to give up at [s].
        rise: of the resistance since the void opened, over that, which is failure; none when left out [-].
        rtol: error allowed in a step, as in `em.evolve`.
        watch: observers of the void.
        checkpoint: as in `em.evolve`: to go on from after whatever ended the program.
        wall_time: as in `em.evolve`, for the whole run.

    Raises:
        ParameterError: for a value out of its bounds, a seed that would close, cuts the line or is no wider than its
            interface, a rise without a current, a `make` that makes no voids model of the domain, or a checkpoint of
            another run.
        UnknownName: if the model has no field sigma.

    Warns:
        ResolutionWarning: if the atoms of the seed take more than a tenth of the critical stress out of the metal: it
            is large for the line, and may shrink at first. Where it saturates does not depend on it.
    """
    kind("make", make, Callable, "a function of shape and stress that makes a model of em.voids.model")  # type: ignore[arg-type]
    radius, last = number("seed_radius", seed_radius, above=0.0, unit="m"), number("until", until, above=0.0, unit="s")
    limit = None if rise is None else number("rise", rise, above=0.0)
    model = model_with_field(as_models(stress), "sigma")
    critical = fem.Function(model["sigma"].function_space, name="critical stress")
    fields.set_initial(critical, critical_stress, "critical_stress")
    check_observers(watch)
    if checkpoint is not None:
        kind("checkpoint", checkpoint, Checkpoint, 'em.checkpoint("folder")')
    comm, models = model.mesh.comm, as_models(stress)
    least, total = critical_tension(fields.extremes(critical)[0]), comm.allreduce(float(np.sum(owned(critical))))
    settings = _Settings({"critical_stress": [least, total], "seed_radius": radius, "rise": limit})
    clock = evolution.WallTime(wall_time, comm)
    with nullcontext() if checkpoint is None else checkpoint.locked(comm), stop_requests(comm):
        # a signal between the two parts ends the second one
        if not _opened(checkpoint, models):
            first = evolution.evolve(
                models,
                last,
                rtol=rtol,
                watch=[
                    watching.event(lambda _, __: _highest(model["sigma"], critical)[0], above=0.0, reason=NUCLEATED),
                    settings,
                ],
                checkpoint=checkpoint,
                wall_time=clock.left(),
                progress=False,
            )
            if first.stopped != NUCLEATED:
                why = "survived" if first.stopped == FINISHED else first.stopped
                _, place, reached = _highest(model["sigma"], critical)
                return VoidLife(np.inf, place, reached, why, np.inf, np.zeros(0), np.zeros(0), None, None)
            if checkpoint is not None:
                save(models, checkpoint.folder / OPENED)
        _, place, reached = _highest(model["sigma"], critical)
        with closing(Meeting(comm)) as meeting, meeting:  # make may fail on one rank only
            made = make(void(place, radius), model["sigma"])
            _check(made, model.domain, radius, least, limit)
        _conserve(made, model.quantity("atoms"), least)
        return _grow(made, model.t, place, reached, last, limit, rtol, [settings, *watch], checkpoint, clock)


def _opened(checkpoint: Checkpoint | None, models: Sequence[Model]) -> bool:
    """Return True if a checkpoint is of a run whose void is open; the models get the stress that opened it."""
    if checkpoint is None:
        return False
    checkpoint.in_parts = True
    newest = checkpoint.newest(models[0].mesh.comm) if checkpoint.resume and not checkpoint.used else None
    if newest is None or newest.about["models"][0]["name"] != "voids":
        return False
    load(models, checkpoint.folder / OPENED)
    return True


class _Settings(Observer):
    """Observer that does nothing but refuse a checkpoint of other settings."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Take them."""
        super().__init__()
        self.settings = dict(settings)

    def state(self) -> dict[str, Any]:
        """Return the settings."""
        return super().state() | {"settings": self.settings}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Refuse others.

        Raises:
            ParameterError: with their names.
        """
        super().restore(state)
        different = [name for name, value in self.settings.items() if not alike(value, state["settings"][name])]
        if different:
            msg = f"{' and '.join(different)} of another value, must be as in the run of the checkpoint"
            raise ParameterError(msg)

    def record(self, t: float) -> None:
        """Do nothing."""


def _highest(sigma: fem.Function, critical: fem.Function) -> tuple[float, NDArray[np.float64], float]:
    """Return the highest stress over the critical one, less 1, its place, of equal ones the first, and the stress."""
    space, comm = sigma.function_space, sigma.function_space.mesh.comm
    owned, dim = space.dofmap.index_map.size_local, space.mesh.geometry.dim
    part = sigma.x.array[:owned] / critical.x.array[:owned]
    top = max(comm.allgather(float(part.max(initial=-np.inf))))
    near = np.flatnonzero(part >= top - SAME * abs(top))
    places = space.tabulate_dof_coordinates()[near, :dim]
    size = max(comm.allgather(float(np.abs(space.mesh.geometry.x).max(initial=0.0))))
    places[abs(places) < SAME * size] = 0.0  # or rounding decides on the first
    rows = np.column_stack([places, sigma.x.array[near]])
    row = min(np.concatenate(comm.allgather(rows)).tolist())
    return top - 1, np.array(row[:-1]), row[-1]


def _check(made: Any, domain: Domain, radius: float, least: float, limit: float | None) -> None:
    """Refuse a model of something else, a seed that would close or cuts the line, and a rise without a resistance.

    Raises:
        ParameterError: with the least radius.
    """
    kind("make(shape, sigma)", made, Model, "one of em.voids.model")
    if "excess" not in made.names or made.mesh is not domain.mesh:
        msg = f"make(shape, sigma) = the {made.name} model, must be one of em.voids.model on the domain of the stress"
        raise ParameterError(msg)
    if neck_below(0.0)([made], made.t):
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


def _conserve(made: Model, target: float, least: float) -> None:
    """Put the atoms of the seed into the metal, in proportion to c: as many as before there was a void.

    Raises:
        ParameterError: if those that are missing are not those of the seed: the metals differ.
    """
    now, metal, empty = (made.quantity(name) for name in ("atoms", "metal", "void"))
    each = (metal + made.quantity("excess")) / now
    missing = (target - now) * each
    if not 0 < missing < 2 * empty:
        msg = (
            f"make(shape, sigma) has {now:.6g} atoms around a void of {empty:.4g} m3, must have those of the stress "
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


def _grow(
    made: Model,
    begin: float,
    place: NDArray[np.float64],
    reached: float,
    last: float,
    limit: float | None,
    rtol: float,
    watch: Sequence[Observer],
    checkpoint: Checkpoint | None,
    clock: evolution.WallTime,
) -> VoidLife:
    """Integrate the model of a void to its end."""
    wired = "resistance" in made.quantities
    seen = watching.series(["void", *(["resistance"] if wired else [])])
    calm = made.quantity("relaxation_time")
    stops: list[Observer] = [
        watching.stop_when(neck_below(0.0), "cut"),
        watching.stop_when(lambda _, __: _at_rest(seen.t, seen["void"], calm), "saturated"),
    ]
    if limit is not None:
        stops.append(watching.event(lambda models, _: _rise(models[0], seen), above=limit, reason="resistance"))
    made.t = begin
    made.set_time(begin)
    end = evolution.evolve(
        made,
        last,
        first_step=FIRST * (last - begin),
        rtol=rtol,
        watch=[seen, *stops, *watch],
        checkpoint=checkpoint,
        wall_time=clock.left(),
        progress=False,
    )
    if checkpoint is not None and end.stopped not in evolution.GOES_ON and made.mesh.comm.rank == 0:
        checkpoint.finish()
    why = "until" if end.stopped == FINISHED else end.stopped
    failed = end.t if why in ("cut", "resistance") else np.inf
    resistance = seen["resistance"] if wired else None
    return VoidLife(begin, place, reached, why, failed, seen.t, seen["void"], resistance, made)


def _at_rest(t: NDArray[np.float64], volume: NDArray[np.float64], calm: float) -> bool:
    """Return True if a volume has not changed in the second half of its life, if that is longer than `calm`.

    However slow its growth is, what is left of it is then a small part: the surface may be slower than the line.
    """
    begin = (t[0] + t[-1]) / 2
    if t[-1] - begin < calm:
        return False
    late = np.append(volume[t >= begin], np.interp(begin, t, volume))
    return bool(np.ptp(late) < STILL * volume[-1])


def _rise(model: Model, seen: Any) -> float:
    """Return the rise of the resistance over that as the void opened."""
    return float(model.quantity("resistance") / seen["resistance"][0] - 1)

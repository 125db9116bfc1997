"""Life of a void: stress until it opens, growth of its true shape, until the line is cut or nothing changes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from typing import Any

from emfem import evolution
from emfem import watch as watching
from emfem.checkpoints import FINISHED, Checkpoint, load, save
from emfem.errors import kind, number
from emfem.gate import Meeting, checked
from emfem.model import Model
from emfem.observe import Observer, check_observers, model_with_field
from emfem.signals import stop_requests
from emfem.solve import as_models
from emfem.surface import Shape, void
from emfem.voids.films import Films
from emfem.voids.limits import EXTRUDED, Limits, limits_of
from emfem.voids.opening import SameDrive, Tension, check_made, conserve, highest, open_another, warn_of_tail
from emfem.voids.tracking import OneVoid, Tracker

import numpy as np
from numpy.typing import NDArray

STILL = 5e-3  # part of its volume by which a void at rest has changed in the second half of its life
FIRST = 1e-6  # of the time left: the first step after a void has opened
NUCLEATED = "nucleated"
FAILURES = ("cut", "resistance", EXTRUDED)
OPENED = "opened.npz"  # the stress as the void opened, beside the files of the void


@dataclass(frozen=True, eq=False)
class VoidLife:
    """Report of voids from the stress that opened them to the end of their growth.

    Attributes:
        nucleated: when the first one opened; infinity if none did [s].
        place: where, shape (dim,): the node whose tension was highest over the critical one [m].
        stress: the tension there then, or at the end if it did not open [Pa].
        why: "survived" (no void opened), "cut", "resistance", "extruded", "saturated", "until", or what ended the run
            before.
        time_to_failure: of "cut", "resistance" or "extruded", `bare_time_to_failure + early`: it has the time that
            films of metal would have taken that were lost at once; infinity if it did not fail [s].
        t: times of the steps with a void, counted from the start of the stress, shape (n,) [s].
        void: volume of all voids at those times, shape (n,) [m3]; in a plane without a thickness per metre of it.
        resistance: at those times, or None without a current [Ohm].
        model: of the void at the end; None if none opened.
        extruded: where compression reached its limit, shape (dim,) [m]; None if it did not.
        voids: each void by itself, the first one first; empty if none opened.
        bare_time_to_failure: time at which the computed surface failed, where `t` ends; infinity if it did not [s].
        early: by about how much that is too early, for films of metal that are lost at once as they become thinner than
            2.5 interface widths; 0 if it did not fail [s].
        uncertainty: of `time_to_failure`, by these films: 0.7 of `early`; NaN if one was lost whose speed is not known,
            and so is not in `early` [s].
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
    extruded: NDArray[np.float64] | None = None
    voids: tuple[OneVoid, ...] = ()
    bare_time_to_failure: float = np.inf
    early: float = 0.0
    uncertainty: float = 0.0

    def __str__(self) -> str:
        """Return one line."""
        if self.model is None and self.extruded is not None:
            where = ", ".join(f"{x:.4g}" for x in self.extruded)
            return f"no void: extruded at {self.time_to_failure:.6g} s at ({where}) m"
        if self.model is None:
            return f"no void: {self.why} with at most {self.stress / 1e6:.4g} MPa"
        unit = self.model.quantities["void"].unit
        end = "" if np.isinf(self.time_to_failure) else f" at {self.time_to_failure:.6g} s"
        if self.early:
            end += (
                f" +- {self.uncertainty:.2g} s (computed {self.bare_time_to_failure:.6g} s, films {self.early:.2g} s)"
            )
        first = "" if len(self.voids) < 2 else f" (the first of {len(self.voids)})"
        size = f"{self.void[-1]:.4g} {unit} at {self.t[-1]:.6g} s"
        return f"void at {self.nucleated:.6g} s{first}, {size}; {self.why}{end}"

    def __repr__(self) -> str:
        """Return one line."""
        return f"<{self}>"


@checked(collective=True)
def run(
    stress: Model | Sequence[Model],
    make: Callable[[Shape, Any], Model],
    *,
    critical_stress: Any,
    seed_radius: float,
    until: float,
    rise: float | None = None,
    extrusion_stress: Any = None,
    most: int | None = None,
    rtol: float = 1e-4,
    solver: str = "auto",
    watch: Sequence[Observer] = (),
    checkpoint: Checkpoint | None = None,
    wall_time: float | str | None = None,
    before: Sequence[Observer] = (),
    progress: bool = False,
) -> VoidLife:
    """Integrate stress until a void opens, and then its shape, until it fails the line or has come to rest. Collective.

    A void opens where and when tension reaches the critical one, which may differ from place to place; the time is
    located. It is a round seed there, half of one at a wall. The atoms of the seed go into all the metal around, so
    the number of atoms stays that of the metal without a void. It must be larger than gamma / sigma_c, or it would
    close. Another one opens in the same way where and when tension reaches the critical one more than three seed radii
    from any void; those that meet merge.

    It ends as "cut" (no metal leads from one end of the circuit to the other, or on a section across x), "resistance"
    (it has risen by `rise`), "extruded" (compression has reached its limit somewhere, before or after a void opened),
    "saturated" (the volume has changed by less than 0.5 % in the second half of the void's life, longer than
    L^2 / kappa), or "until".

    Args:
        stress: of `em.stress.model`, in two or three dimensions, or it and the model of its current; they keep the
            state reached.
        make: `lambda shape, sigma: em.voids.model(domain, metal, shape=shape, residual_stress=sigma, ...)`, on the same
            domain; called once, when the void opens. `liner=True` lets a line that is cut conduct.
        critical_stress: sigma_c, at least 1e4: a number, or a function of x with shape (3, n), lower at flaws [Pa].
        seed_radius: of the void as it opens, at least 2.2 interface widths [m].
        until: the time to give up at [s].
        rise: of the resistance since the void opened, over that, which is failure; none when left out [-].
        extrusion_stress: compression, at least 1e4, at which metal is pressed out into a hillock: a number, or a
            function of x with shape (3, n); no limit when left out [Pa].
        most: how many voids may open, at least 1; any number when left out.
        rtol: error allowed in a step, as in `em.evolve`.
        solver: of the linear systems, as in `em.evolve`.
        watch: observers of the void.
        checkpoint: as in `em.evolve`: to go on from after whatever ended the program.
        wall_time: as in `em.evolve`, for the whole run.
        before: observers of the stress, until a void opens.
        progress: as in `em.evolve`.

    Raises:
        ParameterError: for a value out of its bounds, a seed that would close, cuts the line or is no wider than its
            interface, a rise without a current, a `make` that makes no voids model of the domain or one with a drive
            on atoms that is not that of the stress within 2 %, or a checkpoint of another run.
        UnknownName: if the model has no field sigma.

    Warns:
        ResolutionWarning: if the atoms of the seed take more than a tenth of the critical stress out of the metal: it
            is large for the line, and may shrink at first. Where it saturates does not depend on it. If the seed's
            radius is less than six interface widths: `sharp_limit` tells what that does. And if tension passes the
            critical one where no other void may open, because there are `most`, or the cells there are too large for
            the interface (then no other one opens anywhere), or if the seed of another one cuts the line. If it failed,
            and `VoidLife.early` is more than 3 % of the time from opening to failure, or lacks a film.
    """
    kind("make", make, Callable, "a function of shape and stress that makes a model of em.voids.model")  # type: ignore[arg-type]
    last = number("until", until, above=0.0, unit="s")
    model = model_with_field(as_models(stress), "sigma")
    limits = limits_of(model["sigma"], critical_stress, extrusion_stress, seed_radius, rise, most)
    check_observers(watch)
    check_observers(before)
    if checkpoint is not None:
        kind("checkpoint", checkpoint, Checkpoint, 'em.checkpoint("folder")')
    comm, models = model.mesh.comm, as_models(stress)
    clock, options = evolution.WallTime(wall_time, comm), {"rtol": rtol, "solver": solver, "progress": progress}
    with nullcontext() if checkpoint is None else checkpoint.locked(comm), stop_requests(comm):
        # a signal between the two parts ends the second one
        if not _opened(checkpoint, models):
            end = _to_opening(models, model, limits, last, options, before, checkpoint, clock)
            if end is not None:
                return end
            if checkpoint is not None:
                save(models, checkpoint.folder / OPENED)
        _, place, reached = highest(model["sigma"], limits.critical)
        with closing(Meeting(comm)) as meeting, meeting:  # make may fail on one rank only
            made = make(void(place, limits.radius), model["sigma"])
            check_made(made, model.domain, limits.radius, limits.least, limits.rise)
        warn_of_tail(made, limits.radius)
        limits.check_relief(conserve(made, model.quantity("atoms"), limits.least), model["sigma"])
        tracker = Tracker(limits.most)
        tension = Tension(critical_stress, limits.radius, lambda: tracker.full)
        watch = [limits.observer(), SameDrive(models), tension, tracker, Films(tracker), *watch]
        return _grow(made, model.t, (place, reached), limits, last, options, watch, checkpoint, clock)


def _to_opening(
    models: Sequence[Model],
    model: Model,
    limits: Limits,
    last: float,
    options: dict[str, Any],
    before: Sequence[Observer],
    checkpoint: Checkpoint | None,
    clock: evolution.WallTime,
) -> VoidLife | None:
    """Integrate stress until a void opens; return the report if none does."""
    sigma, pressed = model["sigma"], limits.extrusion(model)
    opens = watching.event(lambda _, __: highest(sigma, limits.critical)[0], above=0.0, reason=NUCLEATED)
    first = evolution.evolve(
        models,
        last,
        watch=[opens, *([pressed] if pressed else []), limits.observer(), *before],
        checkpoint=checkpoint,
        wall_time=clock.left(),
        **options,
    )
    if first.stopped == NUCLEATED:
        return None
    why = "survived" if first.stopped == FINISHED else first.stopped
    _, place, reached = highest(sigma, limits.critical)
    failed, where = (first.t, limits.extruded(model)) if why == EXTRUDED else (np.inf, None)
    return VoidLife(np.inf, place, reached, why, failed, np.zeros(0), np.zeros(0), None, None, where, (), failed)


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


def _grow(
    made: Model,
    begin: float,
    opened: tuple[NDArray[np.float64], float],
    limits: Limits,
    last: float,
    options: dict[str, Any],
    watch: Sequence[Observer],
    checkpoint: Checkpoint | None,
    clock: evolution.WallTime,
) -> VoidLife:
    """Integrate the model of a void, opened at a place by a stress, to its end; other voids open on the way."""
    wired = "resistance" in made.quantities
    seen = watching.series(["void", *(["resistance"] if wired else [])])
    made.t = begin
    made.set_time(begin)
    tracker = next(observer for observer in watch if isinstance(observer, Tracker))
    tension = next(observer for observer in watch if isinstance(observer, Tension))
    films = next(observer for observer in watch if isinstance(observer, Films))
    tracker.open(made, void(opened[0], limits.radius), (begin, *opened))
    opens = watching.event(lambda _, __: tension.excess(), above=0.0, reason=NUCLEATED)
    opens.check_resolution = False
    # those that end a run come first: no void opens as it ends
    watch = [seen, *_ends(made, seen, limits), *watch, opens]
    while True:
        end = evolution.evolve(
            made,
            last,
            first_step=FIRST * (last - made.t),
            watch=watch,
            checkpoint=checkpoint,
            wall_time=clock.left(),
            **options,
        )
        if end.stopped != NUCLEATED or end.t >= last:
            break
        _, place, reached = tension.highest()
        seed = void(place, limits.radius)
        if open_another(made, seed, place, limits.least):
            tracker.open(made, seed, (end.t, place, reached))
        else:
            tracker.most = 0
    if checkpoint is not None and end.stopped not in evolution.GOES_ON and made.mesh.comm.rank == 0:
        checkpoint.finish()
    why = "until" if end.stopped in (FINISHED, NUCLEATED) else end.stopped
    neck = wired and why == "cut"
    failed, early, doubt = (end.t, *films.early(cut=neck)) if why in FAILURES else (np.inf, 0.0, 0.0)
    films.warn(early, doubt, failed - begin)
    return VoidLife(
        begin,
        *opened,
        why,
        failed + early,
        seen.t,
        seen["void"],
        seen["resistance"] if wired else None,
        made,
        limits.extruded(made) if why == EXTRUDED else None,
        tracker.report(),
        failed,
        early,
        doubt,
    )


def _ends(made: Model, seen: watching.Series, limits: Limits) -> list[Observer]:
    """Return the observers that end the growth of a void."""
    calm, pressed = made.quantity("relaxation_time"), limits.extrusion(made)
    ends: list[Observer] = [
        watching.stop_when(lambda models, _: not models[0].quantity("path"), "cut"),
        watching.stop_when(lambda _, __: _at_rest(seen.t, seen["void"], calm), "saturated"),
    ]
    if limits.rise is not None:
        rise = watching.event(lambda models, _: _rise(models[0], seen), above=limits.rise, reason="resistance")
        ends.append(rise)
    return [*ends, *([pressed] if pressed else [])]


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

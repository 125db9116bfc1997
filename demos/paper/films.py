"""The films of the paper's figures: one run and what is kept of it, a study of many, and the folder they share."""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import emfem as em

import numpy as np
from numpy.typing import NDArray

STUDIES = Path(__file__).parent / "studies"
WAVELENGTH = 5.2  # of the fastest wave of em.film.cupd() at 0.3: 2 pi / 1.208
KEPT = (0.05, 0.1, 0.25, 0.5, 1.0)  # when the composition itself is kept, as parts of the whole time
LOOKS = 30  # how often the pattern is measured, at equal intervals, of a case that does not say when
PIXELS = 128  # along an edge of the composition that is measured and kept, or
DENSE = 10.0  # times the fastest wavelengths that fit, if these are more: a stripe needs eight pixels
SEED = "film.initial.seed"


@dataclass(frozen=True, eq=False)
class Film:
    """One film of a study: what is asked of its case, in the units of the paper.

    Attributes:
        name: the hash of its case.
        field: F [-].
        angle: of the field to the x axis [degrees].
        surface: "110", "100" or "111".
        strength: beta [-].
        misorientation: phi_x [degrees].
        ratio: Lambda [-].
        mean: solute fraction [-].
        seed: of the random start.
        until: the time to reach.
        edge: of the square [film thicknesses].
        rates: (f_x, Lambda f_y), of diffusion along x and y [-].
        skew: Lambda f_y / f_x, by which diffusion along y is faster than along x [-].
        drift: direction of D F, along which small waves travel, in [0, 180) [degrees]; NaN without a field.
        looks: the times at which the pattern is measured.
        tables: the resolved case.
    """

    name: str
    field: float
    angle: float
    surface: str
    strength: float
    misorientation: float
    ratio: float
    mean: float
    seed: int
    until: float
    edge: float
    rates: tuple[float, float]
    skew: float
    drift: float
    looks: tuple[float, ...]
    tables: dict[str, Any]

    @property
    def case(self) -> str:
        """Name of all starts of its case."""
        first = em.studies.Case.from_dict(self.tables).with_(**{SEED: 0})
        return first.hash

    @classmethod
    def of(cls, case: em.studies.Case) -> Film:
        """The film of a case."""
        given = {"surface": "110", "strength": 0.0, "misorientation": 0.0, "ratio": 1.0}
        given |= case.value("film.anisotropy") or {}
        force = case.value("film.field") or {"strength": 0.0}
        crystal, angle = em.film.Anisotropy(**given), force.get("angle", 0.0)
        fast, slow = crystal.rates
        drift = np.degrees(np.arctan2(slow * np.sin(angle), fast * np.cos(angle))) % 180.0
        until = case.value("time.until")
        return cls(
            name=case.hash,
            field=force["strength"],
            angle=round(float(np.degrees(angle)), 9),
            surface=crystal.surface,
            strength=crystal.strength,
            misorientation=round(float(np.degrees(crystal.misorientation)), 9),
            ratio=crystal.ratio,
            mean=case.value("film.mean"),
            seed=case.value(SEED),
            until=until,
            edge=case.value("domain.size")[0],
            rates=crystal.rates,
            skew=slow / fast,
            drift=float(drift) if force["strength"] else float("nan"),
            looks=tuple(case.value("output.states_at") or np.linspace(0.0, until, LOOKS + 1)),
            tables=case.resolved,
        )


type Together = Callable[[Sequence[Film]], list[Record]]


@dataclass(frozen=True)
class Record:
    """Record of a run.

    Attributes:
        film: what was run.
        t: times at which the pattern was measured, shape (n,).
        patterns: the patterns at these times.
        shown: times at which the composition was kept, shape (m,).
        pictures: the composition at these times, shape (m, pixels, pixels), indexed [ix, iy].
        cpu: seconds of processor time that it took.
    """

    film: Film
    t: NDArray[np.float64]
    patterns: tuple[em.patterns.Pattern, ...]
    shown: NDArray[np.float64]
    pictures: NDArray[np.float32]
    cpu: float

    def of(self, quantity: str) -> NDArray[Any]:
        """One quantity of the patterns against `t`, shape (n,)."""
        return np.array([getattr(pattern, quantity) for pattern in self.patterns])

    def at(self, t: float) -> em.patterns.Pattern:
        """The pattern at the measured time nearest to t."""
        return self.patterns[int(np.abs(self.t - t).argmin())]

    def picture(self, t: float) -> tuple[float, NDArray[np.float32]]:
        """The time and the composition kept nearest to t."""
        index = int(np.abs(self.shown - t).argmin())
        return float(self.shown[index]), self.pictures[index]


def stops(film: Film) -> NDArray[np.float64]:
    """Times at which a film is looked at, each once: 1000 and 1000.0000000000001 are one."""
    return np.unique(np.round(np.concatenate([film.until * np.array(KEPT), film.looks]), 9))


class Looker(em.observe.Observer):
    """Measures the pattern, and now and then keeps the composition."""

    def __init__(self, film: Film) -> None:
        self.shown = film.until * np.array(KEPT)
        super().__init__(None, stops(film))
        self.pixels = max(PIXELS, math.ceil(DENSE * film.edge / WAVELENGTH))
        self.t: list[float] = []
        self.patterns: list[em.patterns.Pattern] = []
        self.pictures: list[NDArray[np.float32]] = []

    def record(self, t: float) -> None:
        grid = em.fields.sample_grid(em.observe.field(self.models, "c"), (self.pixels, self.pixels))
        self.t.append(t)
        self.patterns.append(em.patterns.measure_grid(grid.values, grid.lengths))
        if np.isclose(self.shown, t, rtol=1e-9).any():
            self.pictures.append(grid.values.astype(np.float32))


def run(film: Film) -> Record:
    """Evolve one film."""
    began = time.process_time()
    case = em.studies.Case.from_dict(film.tables)
    looker = Looker(film)
    marching = case.tables.time
    em.evolve(case.build(), **marching.make(), watch=[looker, *marching.observers()], progress=False)
    cpu = time.process_time() - began
    return Record(film, np.array(looker.t), tuple(looker.patterns), looker.shown, np.array(looker.pictures), cpu)


def save(record: Record, folder: Path) -> None:
    """Write a record into its file, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    told = {
        "case": record.film.tables,
        "t": record.t.tolist(),
        "patterns": [asdict(pattern) for pattern in record.patterns],
        "cpu": record.cpu,
    }
    partial = folder / f"{record.film.name}.part.npz"
    np.savez_compressed(partial, told=json.dumps(told), shown=record.shown, pictures=record.pictures)
    partial.replace(folder / f"{record.film.name}.npz")


def load(film: Film, folder: Path) -> Record | None:
    """The record of a film, or None if it has not been run."""
    path = folder / f"{film.name}.npz"
    if not path.exists():
        return None
    with np.load(path) as kept:
        told = json.loads(str(kept["told"]))
        patterns = tuple(em.patterns.Pattern(**pattern) for pattern in told["patterns"])
        return Record(film, np.array(told["t"]), patterns, kept["shown"], kept["pictures"], told["cpu"])


def run_and_save(job: Sequence[Film], folder: Path, together: Together | None = None) -> float:
    """Run films into their files; the seconds they took."""
    records = together(job) if together else [run(film) for film in job]
    for record in records:
        save(record, folder)
    return sum(record.cpu for record in records)


def run_all(films: Iterable[Film], folder: Path, workers: int = 2, together: Together | None = None) -> dict[str, str]:
    """Run those films that are not in the folder yet; one that fails does not stop the others.

    Args:
        films: what is wanted.
        folder: of the records.
        workers: films at a time, each in a process of its own; 0 for this process.
        together: runs all starts of one case at once, instead of `run` for each film.

    Returns:
        What went wrong, by the name of the film.
    """
    wanted = list({film.name: film for film in films}.values())
    missing = [film for film in wanted if not (folder / f"{film.name}.npz").exists()]
    em.write.print_root(f"{len(wanted)} films, {len(missing)} to run")
    cases: dict[str, list[Film]] = {}
    for film in missing:
        cases.setdefault(film.case if together else film.name, []).append(film)
    failed: dict[str, str] = {}
    for number, (job, outcome) in enumerate(_outcomes(list(cases.values()), folder, workers, together), start=1):
        if isinstance(outcome, BaseException):
            failed |= {film.name: str(outcome) for film in job}
        said = f"failed: {outcome}" if isinstance(outcome, BaseException) else f"{outcome:.0f} s"
        em.write.print_root(f"{number}/{len(cases)} {', '.join(film.name for film in job)}: {said}")
    return failed


def _outcomes(
    jobs: Sequence[list[Film]], folder: Path, workers: int, together: Together | None
) -> Iterator[tuple[list[Film], float | BaseException]]:
    """Films that are run together with the seconds they took or what went wrong, in the order in which they end."""
    if not workers:
        for job in jobs:
            try:
                yield job, run_and_save(job, folder, together)
            except em.EmfemError as error:
                yield job, error
    elif jobs:
        # spawned, not forked: MPI and PETSc do not survive a fork
        with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
            running = {pool.submit(run_and_save, job, folder, together): job for job in jobs}
            for done in as_completed(running):
                yield running[done], done.exception() or done.result()


def study(name: str, *, seeds: Sequence[int] = (), **changes: Any) -> list[Film]:
    """The films of a study, a file in studies/ that `emfem sweep` runs too; one seed of all before the next.

    Args:
        name: of the file.
        seeds: of the random starts, instead of those in the file.
        changes: of its case, by dotted key.

    Raises:
        ParameterError: for a file or changes that make no case.
    """
    found = em.studies.Study.read(STUDIES / f"{name}.toml")
    grid = {key: list(dict.fromkeys(point[key] for point in found.values)) for key in found.values[0]}
    own_seeds = grid.pop(SEED)
    base = found.case.with_(**changes) if changes else found.case
    points = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    return [Film.of(base.with_(**point, **{SEED: seed})) for seed in seeds or own_seeds for point in points]

"""Script that test_gate.py starts with mpiexec on two ranks: prints by case what each rank got, as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

import emfem as em
from emfem.gate import checked, collective

import numpy as np
from mpi4py import MPI
from scipy.stats import norm

COMM = MPI.COMM_WORLD
RANK = COMM.rank


@checked(collective=True, local=("mine",))
def first(comm: MPI.Comm, a: float = 0.0, b: Any = None, *, words: Sequence[str] = (), mine: Any = None) -> float:
    return a


@checked(collective=True)
def second(comm: MPI.Comm, a: float = 0.0) -> float:
    return a


@dataclass(frozen=True)
class Value:
    x: int


def block(action: Callable[[], Any]) -> None:
    with collective(COMM) as same:
        same["v"] = action()


def interrupted() -> None:
    if RANK == 1:
        raise KeyboardInterrupt


def outcome(action: Callable[[], Any]) -> list[str]:
    """Return the result or the error of each rank."""
    try:
        mine = str(action())
    except BaseException as error:
        mine = f"{type(error).__name__}: {error}"
    return COMM.allgather(mine)


def film(**arguments: Any) -> em.Model:
    domain = em.mesh.rectangle((4.0, 3.0), cells=(4, 3))
    return em.film.model(domain, em.film.cupd(), **({"mean": 0.3} | arguments))


def driven(field: Callable[[float], Any]) -> None:
    """Set the time of a film whose field is a function of time."""
    film(field=field).set_time(3.0)


class EachStep(em.observe.Observer):
    """Returns what a function returns, as a reason to stop."""

    def __init__(self, reason: Callable[[], str | None]) -> None:
        super().__init__()
        self.reason = reason

    def record(self, t: float) -> str | None:
        return self.reason()


def evolved(*watch: em.observe.Observer, **options: Any) -> em.Run:
    """Run a film, always the same one: what it has reached does not matter."""
    return em.evolve(FILM, 1.0, watch=list(watch), progress=False, **options)


CASES: dict[str, Callable[[], Any]] = {
    "same": lambda: first(COMM, 1.0),
    "equal": lambda: first(COMM, (1, 1.0)[RANK], b=(np.float64(2), 2)[RANK]),
    "number": lambda: first(COMM, 0.3 + 0.1 * RANK),
    "words": lambda: first(COMM, words=("ab"[RANK],)),
    "array": lambda: first(COMM, b=np.arange(2) + RANK),
    "nested": lambda: first(COMM, b={"x": [RANK]}),
    "left out": lambda: first(COMM, 1.0, *[1] * (1 - RANK)),
    "value": lambda: first(COMM, b=Value(RANK)),
    "functions": lambda: first(COMM, b=lambda: RANK),
    "local": lambda: first(COMM, mine=RANK),
    "kind on all": lambda: first(COMM, "a"),  # type: ignore[arg-type]
    "kind on one": lambda: first(COMM, (1.0, "a")[RANK]),  # type: ignore[arg-type]
    "kind on one, equal texts": lambda: first(COMM, ("a", 1.0)[RANK]),  # type: ignore[arg-type]
    "callee": lambda: (first, second)[RANK](COMM, 1.0),
    "block": lambda: block(lambda: 1),
    "block differs": lambda: block(lambda: RANK),
    "block fails": lambda: block(lambda: 1 // RANK),
    "block interrupted": lambda: block(interrupted),
    "function of time fails": lambda: driven(lambda t: (1.0 / (1 - RANK * (t > 0)), 0.0)),
    "function of time differs": lambda: driven(lambda t: (float(RANK * (t > 0)), 0.0)),
    "function of time is nan": lambda: driven(lambda t: (float("nan") if RANK * (t > 0) else 0.0, 0.0)),
    "function of x fails": lambda: film(initial=lambda x: 0.3 + 0 * x[0] * (1.0 / (1 - RANK))),
}

DOORS: dict[str, Callable[[], Any]] = {
    "mean": lambda: film(mean=0.3 + 0.1 * RANK),
    "size": lambda: em.mesh.rectangle((4.0 + RANK, 3.0), cells=(4, 3)),
    "cells of another kind": lambda: em.mesh.rectangle((4.0, 3.0), cells=((4, 3), "43")[RANK]),  # type: ignore[arg-type]
    "until": lambda: em.evolve(film(), 1.0 + RANK, progress=False),
    "rtol": lambda: em.evolve(film(), 1.0, rtol=(1e-4, "a")[RANK], progress=False),  # type: ignore[arg-type]
    "times of observers": lambda: evolved(em.watch.series([], every=0.1 + 0.1 * RANK)),
    "reason of one rank": lambda: evolved(EachStep(lambda: "ends" if RANK else None)),
    "folder of checkpoints": lambda: evolved(checkpoint=em.checkpoint("ab"[RANK])),
    "resume": lambda: evolved(checkpoint=em.checkpoint("a", resume=bool(RANK))),
}

# ---- readers and writers of files, fits

X = np.linspace(0.0, 1.0, 8)
UNKNOWN = em.fit.Unknown("a", (0.0, 10.0))


def fitted(**options: Any) -> em.fit.Fit:
    """Fit the slope of a line."""
    model = options.pop("model", lambda c, x: c["a"] * x["x"])
    return em.fit.fit(model, [em.fit.Curve("line", {"x": X}, 2 * X + 0.01 * X**2)], [UNKNOWN], **options)


def propagated(**options: Any) -> Any:
    """Propagate a normal constant."""
    inputs = {"a": options.pop("a", norm(1.0, 0.1))}
    return em.uncertainty.propagate(lambda c, x: c["a"], inputs, **({"samples": 4} | options))


DOORS |= {
    "technology": lambda: em.signoff.read_technology(("technology.toml", 3)[RANK]),  # type: ignore[arg-type]
    "material": lambda: em.materials.read(("a.toml", "b.toml")[RANK]),
    "case": lambda: em.studies.Case.read(("a.toml", 3)[RANK]),  # type: ignore[arg-type]
    "study": lambda: em.studies.Study.read(("a.toml", 3)[RANK]),  # type: ignore[arg-type]
    "fit of a file": lambda: em.fit.read_fit((3, "a.toml")[RANK], folder="runs"),  # type: ignore[arg-type]
    "curves": lambda: em.fit.read_curves(("a.csv", 3)[RANK], measured="y", inputs=["x"]),  # type: ignore[arg-type]
    "waveform": lambda: em.waveforms.table("a.csv", time=1.0 + RANK),
    "table": lambda: em.write.series(("a.csv", 3)[RANK]),  # type: ignore[arg-type]
    "tables": lambda: evolved(em.write.series(("a.csv", "b.csv")[RANK])),
    "text": lambda: em.write.text((3, "a.txt")[RANK], ""),  # type: ignore[arg-type]
    "starts": lambda: fitted(starts=1 + RANK),
    "folder of a fit": lambda: fitted(folder=("fit", None)[RANK]),
    "model breaks": lambda: fitted(model=lambda c, x: c["a"] * x["x"] * (1 / (1 - RANK))),
    "model differs": lambda: fitted(model=lambda c, x: c["a"] * x["x"] * (1 + RANK)),
    "distribution": lambda: propagated(a=norm(1.0 + RANK, 0.1)),
    "samples": lambda: propagated(samples=4 + 4 * RANK),
}

with TemporaryDirectory() as made:
    os.chdir(COMM.bcast(made))
    FILM = film(degree=1)
    answers = {name: outcome(case) for name, case in (CASES | DOORS).items()}
    COMM.barrier()
if RANK == 0:
    print(json.dumps(answers))

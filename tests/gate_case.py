"""Script that test_gate.py starts with mpiexec on two ranks: prints by case what each rank got, as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import emfem as em
from emfem.gate import checked, collective

import numpy as np
from mpi4py import MPI

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
}

answers = {name: outcome(case) for name, case in (CASES | DOORS).items()}
if RANK == 0:
    print(json.dumps(answers))

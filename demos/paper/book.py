"""The films at hand: how large they are, which studies they belong to, and what a figure has to say of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import emfem as em

import spectral
from films import Film, Record, Together, load, run_all, study


@dataclass(frozen=True)
class Size:
    """Changes of the studies: their case, the random starts (none: those of the files), and what runs the films."""

    changes: dict[str, Any]
    seeds: tuple[int, ...] = ()
    together: Together | None = None


STARTS = (1, 2, 3, 4, 5)
EIGHT_WAVES = {"domain.size": [41.6, 41.6], "domain.cells": [22, 22], "time.until": 2000.0}
TEN_WAVES = {"domain.size": [52.0, 52.0], "domain.cells": [28, 28], "time.until": 3000.0}


SIZES = {
    # eight wavelengths instead of twelve, on cells of the same size
    "reduced": Size(EIGHT_WAVES, seeds=(1, 2)),
    # ten wavelengths, where the paper's 14 stripes at 45 degrees have room, on Fourier modes and from more starts: what
    # the statistics are made of
    "ensemble": Size(TEN_WAVES, seeds=STARTS, together=spectral.run),
    # the same with other equations: which statements would change
    "constant-mobility": Size(TEN_WAVES, seeds=STARTS, together=partial(spectral.run, mobility=0.21)),
    "isotropic-drift": Size(TEN_WAVES, seeds=STARTS, together=partial(spectral.run, isotropic_drift=True)),
    # the error of an implicit Euler method with steps of 20 in time
    "damped": Size(TEN_WAVES, seeds=STARTS, together=partial(spectral.run, damping=20.0)),
    # squares whose edges lie along and across the drift
    "along": Size(TEN_WAVES, seeds=STARTS, together=partial(spectral.run, along=True)),
    "laptop": Size({}),
    "modes": Size({}, together=spectral.run),
    "full": Size({"domain.cells": [70, 70], "time.until": 4000.0}),
}


@dataclass(frozen=True)
class Finding:
    """One statement of the paper beside what is found: a row of the agreement table.

    Attributes:
        figure: or the place in the text.
        says: the statement.
        found: the numbers.
        agrees: "yes", "partly", "no", "not reached" or "not run".
        command: what makes the numbers.
    """

    figure: str
    says: str
    found: str
    agrees: str
    command: str = "figures.py"

    def row(self) -> str:
        """A line of a Markdown table."""
        return f"| {self.figure} | {self.says} | {self.found} | {self.agrees} | `{self.command}` |"


def verdict(holds: bool | None, *, partly: bool = False) -> str:
    """Text of the last column; None stands for a pattern that could not be seen."""
    if holds is None:
        return "not reached"
    return "yes" if holds else "partly" if partly else "no"


@dataclass
class Book:
    """Data that all figures share.

    Attributes:
        size: a name of `SIZES`.
        out: folder of the pictures; the runs lie in its `runs/`.
        changes: of the case of every study, such as a shorter time.
        seeds: of the random starts; those of the size when empty.
        failed: films that could not be run by name, and why.
    """

    size: str
    out: Path
    changes: dict[str, Any]
    seeds: Sequence[int]
    failed: dict[str, str] = field(default_factory=dict)

    def films(self, name: str) -> list[Film]:
        """The films of a study at this size."""
        size = SIZES[self.size]
        return study(name, seeds=self.seeds or size.seeds, **(size.changes | self.changes))

    def run(self, names: Sequence[str], workers: int) -> None:
        """Run what these studies need; one seed of all of them before the next."""
        films = sorted((film for name in names for film in self.films(name)), key=lambda film: film.seed)
        self.failed |= run_all(films, self.out / "runs", workers, SIZES[self.size].together)

    def groups(self, name: str, parameter: str) -> dict[Any, list[Record]]:
        """The films of a study that have been run, by the value of the one parameter that varies in it.

        Raises:
            EmfemError: if there is none at one of its values.
        """
        found: dict[Any, list[Record]] = {}
        for film in self.films(name):
            there = found.setdefault(getattr(film, parameter), [])
            record = load(film, self.out / "runs")
            there += [] if record is None else [record]
        for value, records in found.items():
            if not records:
                msg = f"study {name}: no film with {parameter} = {value} has been run"
                raise em.EmfemError(msg)
        return found

    def along(self, films: Sequence[Film]) -> list[Record]:
        """Films once more, in squares along and across the drift; none at other sizes."""
        folder = self.out / "along"
        if self.size != "ensemble":
            return []
        self.failed |= run_all(films, folder, 0, SIZES["along"].together)
        return [record for film in films if (record := load(film, folder)) is not None]

    def everything(self, names: Sequence[str]) -> list[Record]:
        """All films of some studies, each once."""
        films = {film.name: film for name in names for film in self.films(name)}
        return [record for film in films.values() if (record := load(film, self.out / "runs")) is not None]


def write(findings: Sequence[Finding], book: Book) -> Path:
    """Write the agreement table as Markdown, and as JSON for other programs."""
    head = ["| figure | the paper says | we find | agrees? | command |", "|---|---|---|---|---|"]
    told = f"size {book.size}; mean ± standard deviation over the seeds\n"
    lost = [f"\nnot run: {name}: {why}" for name, why in book.failed.items()]
    em.write.text(book.out / "agreement.md", "\n".join([told, *head, *(f.row() for f in findings), *lost]) + "\n")
    em.write.text(book.out / "agreement.json", json.dumps([asdict(f) for f in findings], indent=1) + "\n")
    return book.out / "agreement.md"

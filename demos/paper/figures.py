"""The figures of arXiv:2004.08314, and a table of what they say beside what is found here.

    python demos/paper/figures.py                 all figures at the reduced size, in minutes
    python demos/paper/figures.py --size ensemble all figures from five starts each, on Fourier modes
    python demos/paper/figures.py --size laptop   larger films for longer, in an hour or two
    python demos/paper/figures.py --only 9        one of them

Films are run once and kept in results/paper/<size>/runs; a run that was broken off goes on where it was.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import emfem as em

from anisotropy import fig7, fig8, fig9, fig10, text1, text2
from book import SIZES, Book, Finding, write
from linear import fig2, theory
from orientation import fig3, fig4, fig5, fig6
from summary import beyond, conclusion, remark5

# What is drawn, and the studies whose films it needs
FIGURES: dict[str, tuple[Callable[[Book], list[Finding]], tuple[str, ...]]] = {
    "2": (fig2, ()),
    "3": (fig3, ("fig3",)),
    "4": (fig4, ("fig4",)),
    "5": (fig5, ("fig5",)),
    "6": (fig6, ("fig6",)),
    "text1": (text1, ("text1",)),
    "7": (fig7, ("fig7", "fig7fast")),
    "8": (fig8, ("fig8",)),
    "9": (fig9, ("fig9",)),
    "text2": (text2, ("text2",)),
    "10": (fig10, ("fig10",)),
    "theory": (theory, ()),
}


def main(
    size: str = "reduced",
    only: Sequence[str] = (),
    workers: int = 2,
    seeds: Sequence[int] = (),
    out: str = "results/paper",
    changes: dict[str, Any] | None = None,
) -> list[Finding]:
    """Run what is missing and draw the figures; the rows of the agreement table.

    Args:
        size: "reduced", "laptop", "full", "ensemble", or an ensemble of other equations.
        only: names of figures; all when left out.
        workers: films at a time; 0 runs them in this process.
        seeds: of the random starts; those of the size when left out.
        out: folder of the results.
        changes: of the case of all studies, by dotted key, such as {"time.until": 100.0}.
    """
    em.errors.choice("size", size, SIZES)
    names = [em.errors.choice("figure", name, FIGURES) for name in only] or list(FIGURES)
    book = Book(size, Path(out) / size, changes or {}, seeds)
    studies = [study for name in names for study in FIGURES[name][1]]
    book.run(studies, workers)
    findings = [finding for name in names for finding in figure(name, book)]
    if not only:
        findings += [found for say in (remark5, conclusion, beyond) for found in say(book, studies)]
    em.write.print_root(*(f"Fig. {f.figure}: {f.says}\n    {f.found}\n    {f.agrees}" for f in findings))
    em.write.print_root(f"table: {write(findings, book)}")
    return findings


def figure(name: str, book: Book) -> list[Finding]:
    """Draw a figure; what it finds, or that its films are missing."""
    try:
        found = FIGURES[name][0](book)
    except em.EmfemError as error:
        found = [Finding(name, "all of it", str(error), "not run")]
    return [replace(finding, command=f"figures.py --only {name}") for finding in found]


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--size", default="reduced", choices=SIZES)
    options.add_argument("--only", nargs="*", default=(), choices=FIGURES, metavar="FIGURE")
    options.add_argument("--workers", type=int, default=2, help="films at a time")
    options.add_argument("--seeds", type=int, nargs="*", default=(), help="of the random starts")
    options.add_argument("--out", default="results/paper", help="folder for the results")
    main(**vars(options.parse_args()))

"""Steps of every demo that the error control undid, run small as the tests do.

    python benchmarks/rejected.py [NAME ...]

A step is `rejected` if its error was beyond the tolerance, or if it left the bounds of an unknown; one that was taken
and given back to hit an event, such as the opening of a void, is `undone`. Of a demo that takes no steps there is no
row. The last row is that of all; the command ends with status 1 if one of at least 20 steps has more than 5 %.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import emfem as em
from emfem.solve import TimeStepper
from tests.test_demos import DEMOS, load

MOST, FEW = 0.05, 20  # part of the steps that may be rejected; below so many steps one of them is more than that
TAKEN = Counter[str]()  # by all steppers of this process


def count() -> None:
    """Let all steppers of this process add to `TAKEN` what they take, reject and undo."""
    step, restore = TimeStepper.step, TimeStepper.restore

    def counted_step(self: TimeStepper, target: float) -> None:
        steps, rejected = self.steps, self.rejected
        try:
            step(self, target)
        finally:
            TAKEN.update(steps=self.steps - steps, rejected=self.rejected - rejected)

    def counted_restore(self: TimeStepper, state: Any) -> None:
        TAKEN.update(undone=self.steps - state.steps)
        restore(self, state)

    TimeStepper.step, TimeStepper.restore = counted_step, counted_restore  # type: ignore[method-assign]


def run(name: str) -> tuple[Counter[str], float]:
    """Return the counts of a demo, and its processor time [s]."""
    TAKEN.clear()
    began = time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        load(name).main(**DEMOS[name][0], out=folder)
    return Counter(TAKEN), time.process_time() - began


def line(name: str, counts: Counter[str], seconds: float) -> str:
    """Return one row of the table."""
    share = counts["rejected"] / max(1, counts["steps"] + counts["rejected"])
    numbers = f"{counts['steps']} | {counts['rejected']} | {100 * share:.1f} % | {counts['undone']}"
    return f"| {name} | {numbers} | {seconds:.1f} |"


def main(names: list[str]) -> bool:
    """Print the table; return True if no demo has more rejected steps than it may."""
    warnings.simplefilter("ignore", em.ResolutionWarning)
    count()
    em.write.print_root("| demo | steps | rejected | share | undone | processor time [s] |\n|---|---|---|---|---|---|")
    total, seconds, good = Counter[str](), 0.0, True
    for name in names:
        counts, took = run(name)
        total, seconds = total + counts, seconds + took
        good &= counts["rejected"] <= MOST * (counts["steps"] + counts["rejected"]) or counts["steps"] < FEW
        if counts["steps"]:
            sys.__stdout__.write(line(name, counts, took) + "\n")  # type: ignore[union-attr]
            sys.__stdout__.flush()  # type: ignore[union-attr]
    em.write.print_root(line("all", total, seconds))
    return good


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("names", nargs="*", choices=[[], *DEMOS], help="demos; all when left out")
    sys.exit(0 if main(options.parse_args().names or list(DEMOS)) else 1)

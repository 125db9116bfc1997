"""Mutants of the physics, and which of them no test kills: `python -m tests.mutants --sample 200 --seed 1`.

A random sample of small changes is made in a copy of the project, one at a time, and the tests that execute the line
are run. Those that survive meet all tests of their package, slow ones too.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from difflib import unified_diff
from pathlib import Path
from typing import Any

from tests.mutants.sites import PACKAGES, Mutant, sample
from tests.mutants.trial import Outcome, Trial, remove_record

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
KILLED = ("killed", "timeout")
OUTCOME = tuple(field.name for field in fields(Outcome))
LEAST = 0.9  # share of mutants that are not equivalent and that must be killed


def changed(mutant: Mutant, source: str) -> list[str]:
    """Return the lines of a diff, without white space at their beginning."""
    lines = list(unified_diff(source.splitlines(), (mutant.code(source) or "").splitlines(), n=0, lineterm=""))[3:]
    return [line[0] + " " + line[1:].strip() for line in lines if line[1:].strip()]


def entry(mutant: Mutant, source: str) -> dict[str, Any]:
    """Return what identifies a mutant in a report."""
    where = {"package": mutant.package, "definition": mutant.definition(source)}
    return asdict(mutant) | where | {"diff": changed(mutant, source)}


def change(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return file, definition and lines of a mutant; line numbers change with every edit."""
    return (found["path"], found["definition"], *found["diff"])


def key(found: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return what a mutant is recognised by when a run goes on."""
    return (found["operator"], found["occurrence"], *change(found))


def equivalents() -> dict[tuple[str, ...], str]:
    """Return the reasons of mutants that no test can kill."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"]
    return {change(one): one["reason"] for one in listed}


def share(results: Sequence[Mapping[str, Any]]) -> float:
    """Return the killed part of the mutants that are not equivalent."""
    counted = [result for result in results if result["kind"] != "equivalent"]
    return sum(result["kind"] != "survived" for result in counted) / max(len(counted), 1)


def table(results: Sequence[Mapping[str, Any]], counts: Mapping[str, int], options: argparse.Namespace) -> str:
    """Return the report in Markdown."""
    kinds = ("killed", "timeout", "survived", "equivalent")
    lines = [
        f"# Mutants, sample {options.sample}, seed {options.seed}",
        "",
        f"{len(results)} of {sum(counts.values())} places; {share(results):.1%} of those not equivalent are killed.",
        "",
        "| package | places | sample | killed | timeout (killed) | survived | equivalent |",
        "|---|---|---|---|---|---|---|",
    ]
    for package, number in (*counts.items(), ("all", sum(counts.values()))):
        rows = [result for result in results if package in (result["package"], "all")]
        numbers = [sum(result["kind"] == kind for result in rows) for kind in kinds]
        lines.append("| " + " | ".join(map(str, (package, number, len(rows), *numbers))) + " |")
    for kind in ("survived", "equivalent"):
        lines += ["", f"## {kind.capitalize()}"]
        for result in (result for result in results if result["kind"] == kind):
            lines += ["", f"{result['path']}:{result['line']} ({result['by'] or result['tests']})", "```diff"]
            lines += [*result["diff"], "```"]
    return "\n".join(lines) + "\n"


class Report:
    """Results of a run, written to report.json and report.md after each mutant.

    Attributes:
        results: what identifies each mutant, with its outcome.
        before: results of a run that goes on.
    """

    def __init__(self, output: Path, *, resume: bool) -> None:
        """Read what is there, or remove it."""
        self.output, self.path = output, output / "report.json"
        self.results: list[dict[str, Any]] = []
        self.before: dict[tuple[Any, ...], dict[str, Any]] = {}
        if resume and self.path.exists():
            self.before = {key(found): found for found in json.loads(self.path.read_text(encoding="utf-8"))}
        else:
            remove_record(output)

    def killed_before(self, found: Mapping[str, Any]) -> Outcome | None:
        """Return the outcome of a mutant that was killed before."""
        known = self.before.get(key(found), {})
        return Outcome(**{name: known[name] for name in OUTCOME}) if known.get("kind") in KILLED else None

    def write(self, text: str) -> None:
        """Write all results, and the text beside them."""
        everything = self.before | {key(found): found for found in self.results}
        self.path.write_text(json.dumps(list(everything.values()), indent=1), encoding="utf-8")
        (self.output / "report.md").write_text(text, encoding="utf-8")


def results_of(trial: Trial, options: argparse.Namespace, report: Report) -> list[dict[str, Any]]:
    """Return the results of a sample, the quick tests of all first."""
    drawn, counts = sample(trial.folder, options.sample, options.seed, tuple(options.packages.split(",")))
    record, reasons = trial.record(report.output), equivalents()

    def show(found: Mapping[str, Any]) -> None:
        report.write(table(report.results, counts, options))
        print(found["kind"], f"{found['path']}:{found['line']}", *found["diff"], found["by"], flush=True)

    for mutant in drawn:
        found = entry(mutant, trial.source(mutant))
        if change(found) in reasons:
            outcome = Outcome("equivalent", 0, reasons[change(found)])
        else:
            outcome = report.killed_before(found) or trial.quick(mutant, record)
        report.results.append(found | asdict(outcome))
        show(report.results[-1])
    for found, mutant in zip(report.results, drawn, strict=True):
        if found["kind"] == "survived" and not options.quick:
            found |= asdict(trial.thorough(mutant, record))
            show(found)
    return report.results


def main(arguments: Sequence[str] | None = None) -> int:
    """Try a sample, and write report.json and report.md; the exit code is 1 if fewer than 90 % are killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="number of mutants")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6), help="random by default")
    parser.add_argument("--packages", default=",".join(PACKAGES), help="of emfem, with commas")
    parser.add_argument("--output", type=Path, default=Path("results", "mutants"))
    parser.add_argument("--cache", type=Path, help="compiled forms, in OUTPUT/cache by default")
    parser.add_argument("--quick", action="store_true", help="do not run slower tests on survivors")
    parser.add_argument("--resume", action="store_true", help="do not try again what report.json has as killed")
    options = parser.parse_args(arguments)
    output = options.output.resolve()
    cache = (options.cache or output / "cache").resolve()
    cache.mkdir(parents=True, exist_ok=True)
    report = Report(output, resume=options.resume)
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        results = results_of(Trial(Path(folder), cache), options, report)
    print((output / "report.md").read_text(encoding="utf-8"))
    return int(share(results) < LEAST)


if __name__ == "__main__":
    sys.exit(main())

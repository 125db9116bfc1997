"""Mutants of the physics, and which of them no test kills: `python -m tests.mutants --sample 200 --seed 1`.

A random sample of small changes is made in a copy of the project, one at a time, and the tests that execute the line
are run. Those that survive meet all tests of their package, slow ones too.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from difflib import unified_diff
from pathlib import Path
from typing import Any

from tests.mutants.sites import PACKAGES, Mutant, sample
from tests.mutants.trial import ROOT, Outcome, Trial

EQUIVALENT = Path(__file__).with_name("equivalent.toml")
LEAST = 0.9  # share of mutants that are not equivalent and that must be killed


def changed(mutant: Mutant) -> list[str]:
    """Return the lines of a diff, without white space at their beginning."""
    source = (ROOT / mutant.path).read_text(encoding="utf-8")
    lines = list(unified_diff(source.splitlines(), (mutant.code(source) or "").splitlines(), n=0, lineterm=""))[3:]
    return [line[0] + " " + line[1:].strip() for line in lines]


def entry(mutant: Mutant) -> dict[str, Any]:
    """Return what identifies a mutant in a report."""
    return asdict(mutant) | {"package": mutant.package, "diff": changed(mutant)}


def key(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return file and change; line numbers change with every edit."""
    return (found["path"], *found["diff"])


def equivalents() -> dict[tuple[str, ...], str]:
    """Return the reasons of mutants that no test can kill."""
    listed = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["mutant"]
    return {(one["path"], f"- {one['old']}", f"+ {one['new']}"): one["reason"] for one in listed}


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


def main(arguments: Sequence[str] | None = None) -> int:
    """Try a sample, and write report.json and report.md; the exit code is 1 if fewer than 90 % are killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=int, default=200, help="number of mutants")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--packages", default=",".join(PACKAGES), help="of emfem, with commas")
    parser.add_argument("--output", type=Path, default=Path("results", "mutants"))
    parser.add_argument("--cache", type=Path, help="compiled forms, in OUTPUT/cache by default")
    parser.add_argument("--quick", action="store_true", help="do not run slower tests on survivors")
    parser.add_argument("--resume", action="store_true", help="do not try again what report.json has as killed")
    options = parser.parse_args(arguments)
    output = options.output.resolve()
    cache = (options.cache or output / "cache").resolve()
    cache.mkdir(parents=True, exist_ok=True)

    drawn, counts = sample(ROOT, options.sample, options.seed, tuple(options.packages.split(",")))
    reasons, results = equivalents(), {}
    report = output / "report.json"
    if options.resume and report.exists():
        results = {key(found): found for found in json.loads(report.read_text(encoding="utf-8"))}
    else:
        for name in ("coverage", "seconds.json"):
            (output / name).unlink(missing_ok=True)

    done: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        trial = Trial(Path(folder), cache)
        record = trial.record(output)

        def write() -> None:
            report.write_text(json.dumps(done, indent=1), encoding="utf-8")
            (output / "report.md").write_text(table(done, counts, options), encoding="utf-8")

        for mutant in drawn:
            found = entry(mutant)
            before = results.get(key(found))
            if key(found) in reasons:
                outcome = Outcome("equivalent", 0, reasons[key(found)])
            elif before and before["kind"] in ("killed", "timeout"):
                outcome = Outcome(before["kind"], before["tests"], before["by"])
            else:
                outcome = trial.quick(mutant, record)
            done.append(found | asdict(outcome))
            print(len(done), outcome.kind, f"{mutant.path}:{mutant.line}", *found["diff"], outcome.by, flush=True)
            write()
        for found, mutant in zip(done, drawn, strict=True):
            if found["kind"] == "survived" and not options.quick:
                found |= asdict(trial.thorough(mutant))
                print(found["kind"], f"{mutant.path}:{mutant.line}", *found["diff"], found["by"], flush=True)
                write()
    print((output / "report.md").read_text(encoding="utf-8"))
    return int(share(done) < LEAST)


if __name__ == "__main__":
    sys.exit(main())

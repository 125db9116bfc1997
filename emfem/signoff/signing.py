"""Sign-off of a grid at several corners, in a folder with a report."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from emfem.errors import Terminated, number, require
from emfem.failure import Criterion, Drop, FirstVoid
from emfem.gate import checked
from emfem.mesh import Network
from emfem.quantities import duration
from emfem.signals import stop_requests
from emfem.signoff.corners import NOMINAL, Corner, check_corners
from emfem.signoff.digests import checksum, described, heat_digest, key_of, network_digest, technology_digest, versions
from emfem.signoff.folder import Folder
from emfem.signoff.metal import Temperature
from emfem.signoff.running import check_until, run
from emfem.signoff.summary import constants, layers, plain, summarize
from emfem.signoff.thermal import Source, map_temperature
from emfem.technology import Technology
from emfem.units import MPa, mV

import numpy as np
from mpi4py import MPI

FORMAT = 1

Progress = Callable[[float, str], None]


@dataclass(frozen=True, eq=False)
class SignOff:
    """Outcome of a sign-off.

    Attributes:
        folder: with the report, the tables and the pictures.
        corners: summary of each corner, as in its verdict.json.
    """

    folder: Path
    corners: tuple[Mapping[str, Any], ...]

    @property
    def lasts(self) -> bool:
        """True if the grid lasts at every corner."""
        return all(corner["lasts"] for corner in self.corners)

    def __str__(self) -> str:
        """One line a corner."""
        return "\n".join(map(_line, self.corners))

    def __repr__(self) -> str:
        """One line."""
        failed = [corner["name"] for corner in self.corners if not corner["lasts"]]
        return f"<SignOff in {self.folder}: {f'fails at {", ".join(failed)}' if failed else 'lasts'}>"


def _line(corner: Mapping[str, Any]) -> str:
    """Return the outcome of a corner."""
    end = "lasts" if corner["lasts"] else f"FAILS: {'; '.join(corner['reasons'])}"
    first = ""
    if corner["first void [s]"] is not None:
        first = f", the first after {duration(corner['first void [s]'])} at {corner['first void at']}"
    residual = "; residual stress 0 (none given)" if corner["residual stress [Pa]"] == 0 else ""
    return (
        f"{corner['name']}: {end}. {corner['trees']} trees, {corner['immortal trees']} immortal at first, "
        f"{corner['trees with voids']} with a void{first}; IR drop {corner['drop [V]']:.4g} V{residual}"
    )


@checked
def sign_off(
    network: Network,
    technology: Technology,
    folder: os.PathLike[str] | str,
    *,
    until: float,
    corners: Sequence[Corner] = (NOMINAL,),
    temperature: Source | None = None,
    fails: Criterion | None = None,
    drop_limit: float | None = None,
    title: str = "the grid",
    inputs: Mapping[str, os.PathLike[str] | str] | None = None,
    resume: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> SignOff:
    """Compute the life of a grid at each corner, and leave tables, pictures and a report in a folder.

    A signal (SIGINT, SIGTERM, SIGUSR1) ends it with `em.Terminated` when the state is saved; with `resume` the same
    call goes on from there, and the report is the same.

    Args:
        network: of wires, with loads and pads.
        technology: of the chip.
        folder: is made; one run at a time writes there.
        until: the time that the grid has to last [s].
        corners: conditions, each computed by itself.
        temperature: of the metal: see `em.signoff.map_temperature`; that of the technology if left out. At a corner
            with a temperature of its own it is shifted by the difference to that of the technology.
        fails: criterion of `em.failure`; the first void if left out.
        drop_limit: largest distance allowed of a node from the voltage of the pads at the start [V]; that of a
            criterion `em.failure.Drop` if left out.
        title: of the report, such as the name of the netlist.
        inputs: files to be listed with their checksums, by what they are.
        resume: go on with what is in the folder.
        force: replace what is in the folder.
        progress: called with the part that is done, from 0 to 1, and words.
        options: for `em.signoff.run`.

    Raises:
        ParameterError: for a value out of its bounds, a folder with a sign-off (unless `resume` or `force`) or in use,
            or on more than one rank.
        Terminated: after a signal.
    """
    require(MPI.COMM_WORLD.size == 1, f"a sign-off on {MPI.COMM_WORLD.size} ranks, must be on 1")
    conditions, end = check_corners(corners), check_until(until)
    technology.of_segments(network)  # layers that it lacks are known before the folder is made
    if drop_limit is not None:
        number("drop_limit", drop_limit, above=0.0, unit="V")
    criterion = FirstVoid() if fails is None else fails
    limit = criterion.limit if drop_limit is None and isinstance(criterion, Drop) else drop_limit
    heat = None if temperature is None else map_temperature(temperature, network)
    metals = {corner.name: _at(technology, heat, corner) for corner in conditions}
    checksums = {name: checksum(path) for name, path in (inputs or {}).items()}
    settings = [versions(), end, described(criterion), limit, plain(options), heat_digest(heat)]
    common = [network_digest(network), technology_digest(technology), *settings]
    out = Folder(Path(folder), network, {corner.name: key_of([*common, asdict(corner)]) for corner in conditions})
    with out.locked(), stop_requests(MPI.COMM_SELF) as stop:
        out.prepare(resume=resume, force=force)
        summaries = []
        for i, corner in enumerate(conditions):
            shown = _part(progress, corner.name, i, len(conditions))
            done = out.summary(corner)
            if done is None:
                metal, kelvin = metals[corner.name]
                verdict = run(
                    network,
                    metal,
                    until=end,
                    temperature=kelvin,
                    loads=network.loads * corner.current,
                    fails=criterion,
                    progress=shown,
                    checkpoint=out.state(corner, stop),
                    **options,
                )
                done = out.write(corner, verdict, summarize(verdict, corner, until=end, drop_limit=limit))
            if shown is not None:
                shown(1.0, "done")
            summaries.append(done)
            if (number_of_signal := stop()) is not None:
                raise Terminated(number_of_signal)
        content = {
            "format": FORMAT,
            "title": title,
            "lasts": all(each["lasts"] for each in summaries),
            "until [s]": end,
            "criterion": criterion.reason,
            "inputs": checksums,
            "versions": versions(),
            "technology": _technology(technology),
            "assumptions": _assumptions(technology, heat, limit),
            "corners": summaries,
        }
        out.finish(content, until=end, critical=technology.critical_stress)
        stop()  # a signal that came while the report was written is answered by it
    return SignOff(out.path, tuple(summaries))


def _at(technology: Technology, heat: Temperature | None, corner: Corner) -> tuple[Technology, Temperature | None]:
    """Return technology and temperature at a corner."""
    if corner.temperature is None:
        return technology, heat
    shift = corner.temperature - technology.temperature
    if heat is not None:
        ends = np.asarray(heat.start) + shift, np.asarray(heat.end) + shift
        heat = Temperature(*ends, heat.excess, heat.healing_length)
    return technology.at(corner.temperature), heat


def _part(progress: Progress | None, name: str, i: int, total: int) -> Progress | None:
    """Return the progress of one corner of several."""
    if progress is None:
        return None
    return lambda part, words: progress((i + min(max(part, 0.0), 1.0)) / total, f"{name}: {words}")


def _technology(technology: Technology) -> dict[str, Any]:
    """Return what the report tells of a technology."""
    return {
        "material": technology.material.name,
        "temperature [K]": technology.temperature,
        "critical stress [Pa]": technology.critical_stress,
        "residual stress [Pa]": technology.residual_stress,
        "constants": constants(technology),
        "layers": layers(technology),
    }


def _assumptions(technology: Technology, heat: Temperature | None, limit: float | None) -> list[str]:
    """Return the sentences on this sign-off alone."""
    lines = [
        f"The critical stress is {technology.critical_stress / MPa:.4g} MPa, the residual stress without current "
        f"{technology.residual_stress / MPa:.4g} MPa at the temperature of the technology."
    ]
    if heat is None:
        lines.append("All metal of a corner is at one temperature: there is no Joule heat, and no thermomigration.")
    else:
        lines.append("Temperatures are those of a map, and drive atoms by their gradient along the wires too.")
    guessed = [row["name"].replace("_", " ") for row in constants(technology) if row["confidence"] == "placeholder"]
    if guessed:
        lines.append(f"Of these constants only the sign or the order is known: {', '.join(guessed)}.")
    if limit is not None:
        lines.append(f"The IR drop may be {limit / mV:.4g} mV at the start.")
    return lines

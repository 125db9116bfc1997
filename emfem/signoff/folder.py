"""Sign-off of a grid at several corners, in a folder: tables, pictures, a summary and a report of one page.

out/report.html  verdict.json           the page, and the same for programs
out/corners/NAME/trees.csv  .parquet    a row a tree of metal
                 wires.csv  .parquet    a row a wire
                 nodes.csv  .parquet    a row a node
                 history.csv            largest drop and rise of resistance over time
                 arrays.npz             what the pictures are made of
                 verdict.json           the summary of the corner; it is there when the corner is done
                 state.npz              from which an interrupted corner goes on
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emfem.errors import ParameterError, Terminated, number, require
from emfem.failure import Criterion, Drop, FirstVoid
from emfem.files import READ_ERRORS, reason, replace_text, save_arrays, writable
from emfem.files import Arrays as StoredArrays
from emfem.gate import checked
from emfem.lock import FolderLock
from emfem.mesh import Network
from emfem.quantities import duration
from emfem.signals import stop_requests
from emfem.signoff.corners import NOMINAL, Corner, check_corners
from emfem.signoff.metal import Temperature
from emfem.signoff.pictures import Arrays, draw
from emfem.signoff.report import report
from emfem.signoff.running import check_until, run
from emfem.signoff.state import SavedState, Stop
from emfem.signoff.summary import constants, layers, node_name, plain, summarize
from emfem.signoff.thermal import Source, map_temperature
from emfem.technology import Technology
from emfem.units import MPa, mV

import numpy as np
import pandas as pd
from mpi4py import MPI

if TYPE_CHECKING:
    from emfem.signoff.verdict import Verdict

FORMAT = 1
VERDICT, REPORT, CORNERS, ARRAYS, STATE = "verdict.json", "report.html", "corners", "arrays.npz", "state.npz"
LIBRARIES = ("emfem", "numpy", "scipy", "pandas", "matplotlib")

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
    first = "" if corner["first void [s]"] is None else f", the first after {duration(corner['first void [s]'])}"
    return (
        f"{corner['name']}: {end}. {corner['trees']} trees, {corner['immortal trees']} immortal at first, "
        f"{corner['trees with voids']} with a void{first}; IR drop {corner['drop [V]']:.4g} V"
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
    checksums = {name: _checksum(path) for name, path in (inputs or {}).items()}
    settings = [_versions(), end, _described(criterion), limit, plain(options), _heat_digest(heat)]
    common = [_network_digest(network), _technology_digest(technology), *settings]
    out = _Folder(Path(folder), network, {corner.name: _key([*common, asdict(corner)]) for corner in conditions})
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
            "versions": _versions(),
            "technology": _technology(technology),
            "assumptions": _assumptions(technology, heat, limit),
            "corners": summaries,
        }
        out.finish(content, until=end, critical=technology.critical_stress)
        stop()  # a signal that came while the report was written is answered by it
    return SignOff(out.path, tuple(summaries))


class _Folder:
    """Folder of a sign-off.

    Attributes:
        path: of the folder.
    """

    def __init__(self, path: Path, network: Network, keys: Mapping[str, str]) -> None:
        """Take the folder; `keys` are texts by corner, the same for the same run."""
        self.path, self._network, self._keys = path, network, keys

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs out of the folder.

        Raises:
            ParameterError: if one is there, or it cannot be written to.
        """
        writable(self.path / REPORT, comm=MPI.COMM_SELF)
        with FolderLock(self.path, comm=MPI.COMM_SELF):
            yield

    def prepare(self, *, resume: bool, force: bool) -> None:
        """Make the folders of the corners, without what is not to stay.

        Raises:
            ParameterError: for a folder with a sign-off, unless it is to go on or to be replaced.
        """
        finished, old = (self.path / VERDICT).exists(), sorted((self.path / CORNERS).glob("*/"))
        if not (resume or force) and (finished or old):
            kind = "a finished sign-off: force" if finished else "one that did not end: resume goes on with it, force"
            msg = f"folder = {str(self.path)!r}, must be another folder, for it holds {kind} replaces it"
            raise ParameterError(msg)
        try:
            for path in (self.path / VERDICT, self.path / REPORT):
                path.unlink(missing_ok=True)
            for folder in old:
                if not resume or folder.name not in self._keys:
                    _clear(folder)
            for name in self._keys:
                self._of(name).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"folder = {str(self.path)!r}, must be a folder that can be written: {reason(error)}"
            raise ParameterError(msg) from None

    def _of(self, name: str) -> Path:
        return self.path / CORNERS / name

    def summary(self, corner: Corner) -> dict[str, Any] | None:
        """Return the summary of a corner that is done; None for others.

        Raises:
            ParameterError: for one of other files or options.
        """
        path = self._of(corner.name) / VERDICT
        if not path.exists():
            return None
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            key, summary = content["key"], content["summary"]
            StoredArrays(path.parent / ARRAYS)
        except READ_ERRORS:  # half a corner: it is computed again
            return None
        if key != self._keys[corner.name]:
            msg = f"{path} is of another run, must be of the same files, options and versions: begin anew"
            raise ParameterError(msg)
        return dict(summary)

    def state(self, corner: Corner, stop: Stop) -> SavedState:
        """Return the state of a corner on disk."""
        return SavedState(self._of(corner.name) / STATE, self._keys[corner.name], stop=stop)

    def write(self, corner: Corner, verdict: Verdict, summary: dict[str, Any]) -> dict[str, Any]:
        """Write the tables of a corner, then its summary, and return that as it is on disk."""
        folder = self._of(corner.name)
        with _writing(folder):
            nodes, history = node_table(verdict), history_table(verdict)
            for name, table in (("trees", verdict.trees()), ("wires", verdict.wires()), ("nodes", nodes)):
                table.to_csv(folder / f"{name}.csv", index=False)
                table.to_parquet(folder / f"{name}.parquet", index=False)
            history.to_csv(folder / "history.csv", index=False)
            arrays = Arrays.of(verdict)
            save_arrays(
                folder / ARRAYS, {}, {f.name: getattr(arrays, f.name) for f in fields(Arrays)}, comm=MPI.COMM_SELF
            )
            _write_json(folder / VERDICT, {"key": self._keys[corner.name], "summary": summary})
        SavedState(folder / STATE, "").remove()
        return summary

    def finish(self, content: Mapping[str, Any], *, until: float, critical: float) -> None:
        """Draw the pictures, and write the report and the summary."""
        corners, folders = {}, {}
        for name in self._keys:
            folders[name] = self._of(name)
            stored = StoredArrays(folders[name] / ARRAYS)
            corners[name] = Arrays(**{f.name: np.array(stored[f.name]) for f in fields(Arrays)})
        with _writing(self.path):
            drawn = draw(self._network, corners, folders, until=until, critical=critical)
            pictures = {kind: [(path.parent.name, path) for path in files] for kind, files in drawn.items()}
            replace_text(self.path / REPORT, report(content, pictures))
            _write_json(self.path / VERDICT, content)


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    """Report a file that cannot be written.

    Raises:
        ParameterError: with the reason.
    """
    try:
        yield
    except OSError as error:
        msg = f"folder = {str(folder)!r}, must be a folder that can be written: {reason(error)}"
        raise ParameterError(msg) from None


def _clear(folder: Path) -> None:
    """Remove the files of a corner, and its folder if nothing else is there."""
    for pattern in ("*.csv", "*.parquet", "*.png", ARRAYS, STATE, VERDICT):
        for path in folder.glob(pattern):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        folder.rmdir()


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    replace_text(path, json.dumps(plain(content), indent=1, allow_nan=False) + "\n")


def node_table(verdict: Verdict) -> pd.DataFrame:
    """Return a row a node: its name, place, voltage, drop, temperature and stress."""
    network, currents = verdict.network, verdict.currents
    columns: dict[str, Any] = {"node": [node_name(network, i) for i in range(len(network.nodes))]}
    columns |= {f"{axis} [m]": values for axis, values in zip("xyz", network.nodes.T, strict=False)}
    columns |= {"potential [V]": currents.potential, "drop [V]": currents.drop}
    columns |= {"temperature [K]": verdict.temperature, "steady stress [Pa]": verdict.steady}
    columns |= {"stress at the end [Pa]": verdict.stress, "drop at the end [V]": verdict.currents_end.drop}
    return pd.DataFrame(columns)


def history_table(verdict: Verdict) -> pd.DataFrame:
    """Return a row a time: the largest drop and the largest rise of resistance."""
    return pd.DataFrame(
        {"t [s]": verdict.t, "largest drop [V]": verdict.drop, "largest rise of resistance": verdict.resistance_rise}
    )


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


def _checksum(path: os.PathLike[str] | str) -> dict[str, str]:
    """Return the name and the SHA-256 of a file.

    Raises:
        ParameterError: if it cannot be read.
    """
    try:
        with Path(path).open("rb") as file:
            return {"file": Path(path).name, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
    except OSError as error:
        msg = f"path = {str(path)!r}, must be a file that can be read: {reason(error)}"
        raise ParameterError(msg) from None


def _versions() -> dict[str, str]:
    """Return the versions that the numbers may depend on."""
    return {name: version(name) for name in LIBRARIES} | {"Python": platform.python_version()}


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


def _described(criterion: Any) -> str:
    return (
        f"{type(criterion).__name__} {criterion!r}" if hasattr(criterion, "__dataclass_fields__") else repr(criterion)
    )


def _key(content: Any) -> str:
    """Return a checksum of settings."""
    return hashlib.sha256(json.dumps(plain(content), sort_keys=True, default=repr).encode()).hexdigest()


def _heat_digest(heat: Temperature | None) -> Any:
    """Return checksums of temperatures, None for none."""
    return None if heat is None else [_digest(heat.start), _digest(heat.end), _digest(heat.excess), heat.healing_length]


def _digest(values: Any) -> str:
    """Return a checksum of numbers."""
    array = np.ascontiguousarray(values)
    return hashlib.sha256(f"{array.shape} {array.dtype}".encode() + array.tobytes()).hexdigest()


def _network_digest(network: Network) -> str:
    """Return a checksum of a network: of all that its currents and stress follow from, and of its names."""
    parts = ("nodes", "segments", "width", "thickness", "vias", "via_resistance", "loads", "layer")
    digests = [_digest(getattr(network, part)) for part in parts]
    return _key([digests, sorted(network.pads.items()), network.names, network.layers])


def _technology_digest(technology: Technology) -> str:
    """Return a checksum of a technology: of the constants of the metal, and of the layers."""
    rest = {f.name: getattr(technology, f.name) for f in fields(technology) if f.name not in ("layers", "material")}
    return _key([constants(technology), {name: repr(layer) for name, layer in technology.layers.items()}, repr(rest)])

"""Damaged files for every reader: `python -m tests.fuzz.damaged_files --kind msh --files 500 --seed 1`.

A file that is read must give finite numbers, any other one of emfem's errors, in seconds. The readers of foreign files
run in a fork of this process instead of a new one, which is ten times faster; what they import and their limits are
those of `emfem.mesh.sandbox`.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import emfem as em
from emfem.mesh import sandbox
from emfem.mesh.readers import child, gmsh_model
from emfem.mesh.readers.gmsh_model import session

import gdstk
import imageio.v3 as imageio
import meshio
import numpy as np

MESHES = Path(__file__).resolve().parents[2] / "meshes"
SLOW = 10.0  # s
LONGEST = 1000  # characters of a message
NUMBER = re.compile(rb"-?\d+\.?\d*(?:[eE][-+]?\d+)?")
HOSTILE = (
    *(b"0", b"-1", b"9", b"255", b"32768", b"65536", b"2147483647", b"2147483648", b"-2147483649", b"999999999999"),
    *(b"18446744073709551616", b"1" * 400, b"1e308", b"1e400", b"-1e-320", b"nan", b"inf", b"", b"x", b"1_0", b"0x10"),
    *(b'"', b"\\", b"\x00", b"\xff\xfe", b"[" * 2000, b"{", b"=", b"\n\n", b"$", b"\xc2\xb2"),
)


@dataclass(frozen=True)
class Kind:
    """A kind of file: intact contents by name, and the function that reads one."""

    contents: Mapping[str, bytes]
    read: Callable[[Path], Any]


def damaged(content: bytes, random: random.Random) -> bytes:
    """Return the content with one to three damages."""
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        content = random.choice((_cut, _flip, _flip, _fill, _noise, _copy, _remove, _number, _number, _line))(
            content, random
        )
    return content


def _span(content: bytes, random: random.Random) -> tuple[int, int]:
    start = random.randrange(len(content) + 1)
    return start, min(len(content), start + int(2 ** random.uniform(0, 9)))


def _cut(content: bytes, random: random.Random) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _flip(content: bytes, random: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(random.choice((1, 1, 1, 2, 8)) if content else 0):
        changed[random.randrange(len(changed))] ^= 1 << random.randrange(8)
    return bytes(changed)


def _fill(content: bytes, random: random.Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + random.choice((b"\x00", b"\xff", b" ", b"9")) * (end - start) + content[end:]


def _noise(content: bytes, random: random.Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + random.randbytes(end - start) + content[end:]


def _copy(content: bytes, random: random.Random) -> bytes:
    start, end = _span(content, random)
    return content[:end] + content[start:]


def _remove(content: bytes, random: random.Random) -> bytes:
    start, end = _span(content, random)
    return content[:start] + content[end:]


def _number(content: bytes, random: random.Random) -> bytes:
    near = random.randrange(len(content) + 1)
    match = NUMBER.search(content, near) or NUMBER.search(content)
    if match is None:
        return _noise(content, random)
    return content[: match.start()] + random.choice(HOSTILE) + content[match.end() :]


def _line(content: bytes, random: random.Random) -> bytes:
    lines = content.split(b"\n")
    i, j = random.randrange(len(lines)), random.randrange(len(lines))
    lines[i] = random.choice((lines[j], b"", lines[i] * 2, lines[i] * 3000 if len(lines[i]) < 99 else b"x" * 100_000))
    return b"\n".join(lines)


def meshes(folder: Path) -> dict[str, Kind]:
    """Return the kinds of files that `em.mesh.read` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    plate = em.mesh.read(MESHES / "plate.msh")
    block = em.mesh.box((1.0, 2.0, 3.0), cells=(2, 2, 1), cell="tetrahedron")
    bricks = em.mesh.box((1.0, 2.0, 3.0), cells=(2, 2, 1))
    small = em.mesh.rectangle((2.0, 1.0), cells=(2, 1), cell="triangle")
    shape = {"unit": 1e-3, "size": 0.5e-3}
    kinds: dict[str, tuple[dict[str, bytes], dict[str, Any]]] = {}
    for ending in (".msh", ".vtu", ".vtk", ".xdmf", ".inp", ".med", ".mesh"):
        contents = {}
        for name, domain in (("plate", plate), ("block", block), ("bricks", bricks), ("small", small)):
            path = folder / f"{name}{ending}"
            em.mesh.write(domain, path)
            contents[path.name] = path.read_bytes()
        kinds[ending[1:]] = contents, {}
    points = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]]
    cells = [("triangle", [[0, 1, 2], [0, 2, 3]]), ("line", [[0, 3], [1, 2]])]
    for ending in (".vol", ".bdf", ".meshb"):
        tags = {"netgen:index": [np.array([1, 1]), np.array([1, 2])]} if ending == ".vol" else {}
        mesh = meshio.Mesh(points, cells[: 1 if ending == ".bdf" else 2], cell_data=tags)
        try:
            meshio.write(folder / f"s{ending}", mesh)
        except Exception:  # this meshio does not write it
            continue
        kinds[ending[1:]] = {f"s{ending}": (folder / f"s{ending}").read_bytes()}, {}
    with session("seeds") as gmsh:
        gmsh.merge(str(MESHES / "plate.msh"))
        for version, binary in ((2.2, 0), (2.2, 1), (4.0, 0), (4.1, 1)):
            gmsh.option.setNumber("Mesh.MshFileVersion", version)
            gmsh.option.setNumber("Mesh.Binary", binary)
            name = f"plate {version} {binary}.msh"
            gmsh.write(str(folder / name))
            kinds["msh"][0][name] = (folder / name).read_bytes()
    for ending in (".step", ".brep", ".stl"):
        contents = {}
        for binary in (0, 1)[: 1 + (ending == ".stl")]:
            with session("seeds") as gmsh:
                gmsh.model.occ.addBox(0, 0, 0, 1, 1, 2)
                if ending != ".stl":
                    gmsh.model.occ.addBox(1, 0, 0, 1, 1, 1)
                gmsh.model.occ.synchronize()
                gmsh.option.setNumber("Mesh.Binary", binary)
                gmsh.option.setNumber("Mesh.MeshSizeMax", 1.0)
                if ending == ".stl":
                    gmsh.model.mesh.generate(2)
                gmsh.write(str(folder / f"seed{binary}{ending}"))
            contents[f"seed{binary}{ending}"] = (folder / f"seed{binary}{ending}").read_bytes()
        kinds[ending[1:]] = contents, shape
    return {
        kind: Kind(contents, lambda path, more=more: _measured(em.mesh.read(path, names={}, **more)))  # type: ignore[misc]
        for kind, (contents, more) in kinds.items()
    }


def layouts(folder: Path) -> dict[str, Kind]:
    """Return layouts and images."""
    folder.mkdir(parents=True, exist_ok=True)
    library = gdstk.Library("test")
    part, top = library.new_cell("PART"), library.new_cell("TOP")
    part.add(gdstk.rectangle((0, 0), (1, 2), layer=1), gdstk.FlexPath([(0, 0), (0, 3)], 0.5, layer=1, simple_path=True))
    top.add(gdstk.Reference(part, columns=4, rows=1, spacing=(1, 2)), gdstk.Label("x", (0, 0)))
    top.add(gdstk.rectangle((-1, 0), (0, 2), layer=2), gdstk.rectangle((3, 0), (5, 2), layer=3))
    library.write_gds(folder / "array.gds")
    pads = {"anode": 10, "cathode": 11}
    gds = {"array.gds": (folder / "array.gds").read_bytes(), "s.gds": (MESHES / "serpentine.gds").read_bytes()}

    def read_layout(path: Path) -> None:
        chosen = {"anode": 2, "cathode": 3} if b"PART" in path.read_bytes() else pads
        _measured(em.mesh.from_gds(path, layer=1, electrodes=chosen, size=2e-6))

    pixels = np.zeros((12, 16), dtype=np.uint8)
    pixels[3:9] = 200
    for ending in ("png", "tif", "bmp", "jpg", "gif"):
        imageio.imwrite(folder / f"film.{ending}", pixels)
    images = {path.name: path.read_bytes() for path in sorted(folder.glob("film.*"))}
    return {
        "gds": Kind(gds, read_layout),
        "image": Kind(images, lambda path: _measured(em.mesh.from_image(path, pixel=1.0, size=4.0, electrodes=()))),
    }


def networks(folder: Path) -> dict[str, Kind]:
    """Return tables and netlists."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "segments.csv").write_text("from,to,width,thickness\na,b,1,1\nb,c,1,1\n", encoding="utf-8")
    nodes = b"name,x,y,load,voltage,boundary\na,0,0,,1.0,left\nb,20,0,1e-3,,\nc,20,10,,,right\n"
    metal = {"resistivity": 2e-8, "thickness": 2e-7, "unit": 1e-9}
    return {
        "toml": Kind(
            {"star.toml": (MESHES / "star.toml").read_bytes()}, lambda p: _measured(em.mesh.read_network(p, cells=2))
        ),
        "csv": Kind(
            {"nodes.csv": nodes},
            lambda p: _measured(em.mesh.read_network(p, segments=folder / "segments.csv", unit=1e-6, cells=2)),
        ),
        "netlist": Kind(
            {"grid.sp": (MESHES / "grid.sp").read_bytes()},
            lambda p: em.mesh.read_netlist(p, **metal),  # type: ignore[arg-type]
        ),
    }


def results(folder: Path) -> dict[str, Kind]:
    """Return the files of results, and a checkpoint; what is read from a damaged one must be what was written."""
    domain = em.mesh.rectangle((2.0, 1.0), cells=(3, 2))
    model = em.conduction.model(domain, on={"left": em.fixed(1.0), "right": em.fixed(0.0)})
    em.solve_steady(model)
    writer = em.storage.StateWriter(folder, [model])
    state, checkpoint = writer.save(folder / "state.npz"), em.checkpoint.save(model, folder / "checkpoint.npz")
    files = ("fields.json", "mesh.npz", "state.npz", "checkpoint.npz")
    intact = {name: (folder / name).read_bytes() for name in files}
    expected = model.unknowns[0].function.x.array.copy()

    def read(path: Path) -> None:
        place = folder / path.name
        place.write_bytes(path.read_bytes())
        try:
            if path.name == checkpoint.name:
                model.unknowns[0].function.x.array[:] = np.nan
                em.checkpoint.load(model, place)
                values = model.unknowns[0].function.x.array
            else:
                (saved,) = em.storage.StateReader(folder).read(state)
                values = saved.unknowns[0].function.x.array
            if not np.array_equal(np.sort(values), np.sort(expected)):
                msg = "values that nobody wrote were accepted"
                raise AssertionError(msg)
        finally:
            place.write_bytes(intact[path.name])

    return {name: Kind({name: intact[name]}, read) for name in files}


def kinds(folder: Path) -> dict[str, Kind]:
    """Return all kinds of files."""
    makers = (meshes, layouts, networks, results)
    return {name: kind for make in makers for name, kind in make(folder / make.__name__).items()}


def _measured(domain: em.mesh.Domain) -> None:
    """Check that a mesh that was read has finite coordinates."""
    if not np.isfinite(domain.mesh.geometry.x).all():
        msg = "coordinates that are not finite were accepted"
        raise AssertionError(msg)


@contextmanager
def forked_readers() -> Iterator[None]:
    """Make the readers run in a fork of this process, and meshes of many cells refused: they are right, but slow."""
    run, many = sandbox.run, gmsh_model.MANY
    sandbox.run, gmsh_model.MANY = _forked, 1e5
    try:
        yield
    finally:
        sandbox.run, gmsh_model.MANY = run, many


def _forked(request: Mapping[str, Any]) -> tuple[int, bytes]:
    """Return status and output of a fork that reads the file of a request; the limit of memory is for what it adds."""
    own = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    receive, send = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a fork in a process with threads
        process = os.fork()
    if not process:
        os.close(receive)
        silence = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(silence, descriptor)
        try:
            with os.fdopen(send, "wb") as stream:
                child.answer({**request, "size": request["size"] + own}, stream)
        except MemoryError:
            os._exit(child.NO_MEMORY)
        except BaseException:
            os._exit(99)
        os._exit(0)
    os.close(send)
    with os.fdopen(receive, "rb") as pipe:
        output = pipe.read()
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]), output


def outcome(kind: Kind, path: Path) -> tuple[str, str]:
    """Return "read", "refused" with the message, or "raw" with the place of an error that is none of emfem's."""
    started = time.monotonic()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", em.ResolutionWarning)
            kind.read(path)
        result = "read", ""
    except em.EmfemError as error:
        text = str(error)
        result = "refused", text
        if error.__cause__ is not None and text.startswith("no "):  # whatever was raised on rank 0
            result = "raw", f"{type(error.__cause__).__name__} {_place(error.__cause__)}"
        elif "\n" in text or len(text) > LONGEST:
            result = "raw", f"a message of {len(text)} characters: {text[:60]!r}"
    except Exception as error:
        result = "raw", f"{type(error).__name__} {_place(error)}"
    if time.monotonic() - started > SLOW:
        return "raw", f"{time.monotonic() - started:.0f} s: {result}"
    return result


def _place(error: BaseException | None) -> str:
    """Return the last line of emfem in a trace."""
    frames = traceback.extract_tb(error.__traceback__) if error else []
    mine = [frame for frame in frames if "/emfem/" in frame.filename] or frames
    return f"at {Path(mine[-1].filename).name}:{mine[-1].lineno}: {str(error)[:150]}" if mine else str(error)[:150]


def attempts(kind: Kind, folder: Path, count: int, seed: int) -> Iterator[tuple[str, str, Path]]:
    """Yield the outcome of each of `count` damaged files, and the file, which is there until the next one."""
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    names = list(kind.contents)
    with forked_readers():
        for _ in range(count):
            name = chance.choice(names)
            path = folder / name
            path.write_bytes(damaged(kind.contents[name], chance))
            yield *outcome(kind, path), path


def main() -> None:
    """Print outcomes by kind of file, raw errors by place, with one example kept of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", action="append", help="of files; all if left out")
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for an example of each raw error")
    options = parser.parse_args()
    os.environ.setdefault("EMFEM_READ_SECONDS", "8")
    folder = Path(tempfile.mkdtemp(prefix="damaged-"))
    known, failed = kinds(folder), 0
    for name in options.kind or known:
        counts, raw, crashes = Counter[str](), Counter[str](), Counter[str]()
        for result, text, path in attempts(known[name], folder / name, options.files, options.seed):
            counts[result] += 1
            if result == "raw":
                raw[text] += 1
                if options.keep and raw[text] == 1:
                    options.keep.mkdir(parents=True, exist_ok=True)
                    (options.keep / f"{name} {sum(raw.values())} {path.name}").write_bytes(path.read_bytes())
            elif match := re.search(r"crashed \(.*\)|did not finish|needs more than|was killed|ended with", text):
                crashes[match[0]] += 1
        failed += sum(raw.values())
        print(f"{name}: {dict(counts)} {dict(crashes) or ''}", flush=True)
        for text, number in raw.most_common():
            print(f"  {number} x {text}", flush=True)
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()

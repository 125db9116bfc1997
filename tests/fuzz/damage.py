"""Files that emfem reads, damaged: bits, ends, blocks, numbers; each is opened as users do."""

from __future__ import annotations

import random
import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import emfem as em
from emfem.mesh.exchange import WRITABLE
from emfem.studies import Case, Study, templates
from tests.fuzz import fixtures

import numpy as np

__all__ = ["open_damaged"]

NUMBER = re.compile(rb"-?\d+\.?\d*(?:[eE][+-]?\d+)?")
NUMBERS = (
    b"999999999999",
    b"-1",
    b"0",
    b"nan",
    b"inf",
    b"1e400",
    b"9",
    b"1e-320",
    b"",
    b"x",
    b"2147483648",
    b"9" * 5000,
)
BYTES = (b"\x00", b"\xff" * 8, b"\n", b"[", b"{", b'"', b"$End\n", b"\x00\x00\x00\x7f", b"\xf0\x9f", b"," * 50)

STL = """solid s
facet normal 0 0 1
outer loop
vertex 0 0 0
vertex 1 0 0
vertex 0 1 0
endloop
endfacet
facet normal 0 0 1
outer loop
vertex 1 0 0
vertex 1 1 0
vertex 0 1 0
endloop
endfacet
endsolid s
"""
NODES = "name,x,y\nA,0,0\nB,20,0\nC,50,0\n"
SEGMENTS = "from,to,width,thickness\nA,B,0.2,0.1\nB,C,0.1,0.1\n"


class Accepted(Exception):
    """A damaged state that was taken."""


@dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        name: of the file, in the folder of its own.
        content: its bytes.
        read: opens the file.
        beside: files beside it, which are whole.
    """

    name: str
    content: bytes
    read: Callable[[Path], Any]
    beside: Mapping[str, bytes]


def open_damaged(kind: str, seed: int) -> None:
    """Damage a file of a kind as the seed says, and open it."""
    described = kinds()[kind]
    folder = Path(f"{kind}.d".replace(" ", "_").replace("/", "_"))
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in described.beside.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    path = folder / described.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(damaged(described.content, random.Random(seed)))
    described.read(path)


def damaged(content: bytes, rng: random.Random) -> bytes:
    """Return bytes with one to three damages."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        content = rng.choice(DAMAGES)(content, rng)
    return content


def _flip(content: bytes, rng: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(content: bytes, rng: random.Random) -> bytes:
    return content[: rng.randrange(len(content) + 1)]


def _zero(content: bytes, rng: random.Random) -> bytes:
    at, length = rng.randrange(len(content) + 1), rng.choice((1, 8, 64, 1024))
    return (content[:at] + bytes(length) + content[at + length :])[: len(content)]


def _swap(content: bytes, rng: random.Random) -> bytes:
    a, b, c = sorted(rng.randrange(len(content) + 1) for _ in range(3))
    return content[:a] + content[b:c] + content[a:b] + content[c:]


def _insert(content: bytes, rng: random.Random) -> bytes:
    at = rng.randrange(len(content) + 1)
    return content[:at] + rng.choice(BYTES) + content[at:]


def _number(content: bytes, rng: random.Random) -> bytes:
    matches = list(NUMBER.finditer(content))
    if not matches:
        return _flip(content, rng)
    match = rng.choice(matches)
    return content[: match.start()] + rng.choice(NUMBERS) + content[match.end() :]


def _line(content: bytes, rng: random.Random) -> bytes:
    lines = content.split(b"\n")
    at = rng.randrange(len(lines))
    return b"\n".join(lines[:at] + ([lines[at]] * 2 if rng.random() < 0.3 else []) + lines[at + 1 :])


def _nothing(content: bytes, rng: random.Random) -> bytes:
    return rng.choice((b"", b"\x00" * 100, b"PK\x03\x04", rng.randbytes(200)))


DAMAGES = (_flip, _flip, _flip, _cut, _cut, _zero, _swap, _insert, _number, _number, _number, _line, _nothing)


# ---- kinds ------------------------------------------------------------------------------------------------------


@cache
def kinds() -> Mapping[str, Kind]:
    """Return all kinds by name."""
    listed: dict[str, Kind] = {}

    def add(key: str, name: str, content: bytes, read: Callable[[Path], Any], **beside: bytes) -> None:
        listed[key] = Kind(name, content, read, beside)

    plate, meshes = (fixtures.MESHES / "plate.msh").read_bytes(), fixtures.MESHES
    add("msh", "a.msh", plate, em.mesh.read)
    for ending in (".msh", *WRITABLE):
        path = Path(f"original{ending}")
        em.mesh.write(em.mesh.rectangle((2.0, 1.0), cells=(4, 2), cell="triangle"), path)
        beside = {each.name: each.read_bytes() for each in Path().glob("original*.h5")}
        listed[f"mesh {ending}"] = Kind(path.name, path.read_bytes(), em.mesh.read, beside)
    add("stl", "a.stl", STL.encode(), lambda path: em.mesh.read(path, size=0.5))
    gds = (meshes / "serpentine.gds").read_bytes()
    electrodes = {"left": 10, "right": 11}
    add("gds", "a.gds", gds, lambda path: em.mesh.from_gds(path, layer=1, electrodes=electrodes, size=2e-6))
    metal: dict[str, Any] = {"resistivity": 2e-8, "thickness": 2e-7, "unit": 1e-6}
    grid = (meshes / "grid.sp").read_bytes()
    add("netlist", "a.sp", grid, lambda path: em.mesh.from_netlist(path, **metal, cells=2))
    star = (meshes / "star.toml").read_bytes()
    add("network", "a.toml", star, lambda path: em.mesh.read_network(path, cells=2))
    tables = {"nodes.csv": NODES.encode(), "segments.csv": SEGMENTS.encode()}
    for name in tables:
        listed[name] = Kind(name, tables[name], _network, tables)
    image = (meshes / "micrograph.png").read_bytes()
    add("image", "a.png", image, lambda path: em.mesh.from_image(path, pixel=1e-8, size=2e-7))
    saved = Path(fixtures.saved()).read_bytes()
    add("checkpoint", "a.npz", saved, _checkpoint)
    run = Path(fixtures.results_folder())
    whole = {path.relative_to(run).as_posix(): path.read_bytes() for path in run.rglob("*") if path.is_file()}
    for name in ("report.json", "series.csv", "fields.json", "mesh.npz", "case.toml", "states/last.npz"):
        depth = name.count("/") + 1
        listed[f"run {name}"] = Kind(name, whole[name], partial(_run, depth=depth), whole)
    case = templates.text("physical_film")
    add("case", "a.toml", case.encode(), Case.read)
    inner = re.sub(r"(?m)^\[(\w)", r"[case.\1", templates.text("film"))
    study = f'[case]\n{inner}\n[grid]\n"film.mean" = [0.3, 0.4]\n"film.initial.seed" = [1, 2]\n'
    assert tomllib.loads(study)
    add("study", "a.toml", study.encode(), lambda path: Study.read(path).trials())
    add("material", "a.toml", Path(fixtures.material_file()).read_bytes(), em.materials.read)
    add("waveform", "a.csv", Path(fixtures.table()).read_bytes(), em.waveforms.table)
    return listed


def _network(path: Path) -> None:
    em.mesh.read_network(path.with_name("nodes.csv"), segments=path.with_name("segments.csv"), unit=1e-6, cells=2)


def _checkpoint(path: Path) -> None:
    """Load a checkpoint; the state must be the one that was saved."""
    model = fixtures.film_model()
    before = model["c"].x.array.copy()
    em.checkpoint.load(model, path)
    if model.t != 0.0 or not np.array_equal(model["c"].x.array, before):
        raise Accepted


def _run(path: Path, depth: int) -> None:
    """Read everything of the run in the folder so far above a file."""
    run = em.results.open(path.parents[depth - 1])
    run.series  # noqa: B018
    for t in run.times:
        run.field("c", float(t))
    run.case  # noqa: B018

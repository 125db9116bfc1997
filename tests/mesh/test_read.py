"""Meshes from files and into files: what comes back, and what is refused with which sentence."""

from __future__ import annotations

import inspect
import json
import math
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.mesh import exchange
from emfem.mesh.files import READABLE, WRITABLE
from emfem.mesh.mesher import mesh_drawing
from emfem.mesh.readers.gmsh_files import CAD
from emfem.mesh.readers.gmsh_model import session
from emfem.units import mm

import dolfinx
import meshio
import numpy as np
import pytest
from dolfinx import fem
from mpi4py import MPI

MESHES = Path(__file__).resolve().parents[2] / "meshes"
SAME = 1e-12  # coordinates are written with 16 digits


def measures(domain: em.mesh.Domain) -> dict[str, float]:
    """Sizes of the whole, of each boundary and of each region."""
    one = fem.Constant(domain.mesh, 1.0)
    found = {"": domain.dx(4)} | {name: domain.ds(name, 4) for name in domain.names}
    found |= {f"region {name}": domain.dx(4, name) for name in domain.regions}
    return {name: em.fields.integral(fem.form(one * dx), domain.mesh.comm) for name, dx in found.items()}


def round_plate(order: int, dim: int = 2, recombine: bool = False) -> em.mesh.Domain:
    """A disk, or a rod, of two regions; with order 2 it is round. In quadrilaterals or hexahedra it has one."""

    def draw(gmsh: Any) -> None:
        occ = gmsh.model.occ
        occ.addDisk(0, 0, 0, 1, 1)
        if not recombine:
            occ.addDisk(0, 0, 0, 0.5, 0.5)
            occ.fragment([(2, 1)], [(2, 2)])
        if dim == 3:
            occ.extrude(occ.getEntities(2), 0, 0, 1, numElements=[2], recombine=recombine)
        occ.synchronize()
        for (_, tag), name in zip(gmsh.model.getEntities(dim), ("copper", "tantalum"), strict=False):
            gmsh.model.addPhysicalGroup(dim, [tag], name=name)
        gmsh.option.setNumber("Mesh.MeshSizeMax", 0.7)
        if recombine:
            gmsh.model.mesh.setRecombine(2, 1)
            gmsh.option.setNumber("Mesh.SubdivisionAlgorithm", 1)

    ends: dict[str, Callable[..., Any]] = {"right": lambda x: x[0] > 0.3}
    return mesh_drawing("round plate", draw, MPI.COMM_WORLD, dim=dim, order=order, boundaries=ends, rest="others")


OWN: dict[str, Callable[[], em.mesh.Domain]] = {
    "interval": lambda: em.mesh.interval(1.0, cells=3),
    "rectangle": lambda: em.mesh.rectangle((1.0, 2.0), cells=(2, 3)),
    "triangles": lambda: em.mesh.rectangle((1.0, 2.0), cells=(2, 3), cell="triangle"),
    "box": lambda: em.mesh.box((1.0, 2.0, 3.0), cells=(2, 2, 2)),
    "tetrahedra": lambda: em.mesh.box((1.0, 2.0, 3.0), cells=(2, 1, 2), cell="tetrahedron"),
    "two metals": lambda: round_plate(1),
    "round": lambda: round_plate(2),
    "round quadrilaterals": lambda: round_plate(2, recombine=True),
    "round rod": lambda: round_plate(2, dim=3),
    "round hexahedra": lambda: round_plate(2, dim=3, recombine=True),
}


@pytest.fixture(scope="module")
def domains() -> dict[str, em.mesh.Domain]:
    return {name: make() for name, make in OWN.items()}


# ---- there and back ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OWN)
def test_a_mesh_comes_back_from_gmsh_as_it_was(domains: dict[str, em.mesh.Domain], name: str, tmp_path: Path):
    domain = domains[name]
    em.mesh.write(domain, tmp_path / "new folder" / "mesh.msh")
    back = em.mesh.read(tmp_path / "new folder" / "mesh.msh")
    assert (back.names, back.regions, back.dim) == (domain.names, domain.regions, domain.dim)
    assert back.mesh.topology.cell_name() == domain.mesh.topology.cell_name()
    assert measures(back) == pytest.approx(measures(domain), rel=SAME)
    assert [path.name for path in (tmp_path / "new folder").iterdir()] == ["mesh.msh"]


NOT_HELD = {  # what meshio does not write, or writes and cannot read
    ".xdmf": ("interval", "round", "round quadrilaterals", "round rod", "round hexahedra"),
    ".mesh": ("interval", "round", "round quadrilaterals", "round rod", "round hexahedra"),
    ".inp": ("interval", "round hexahedra"),
    ".med": ("round quadrilaterals", "round hexahedra"),
}


@pytest.mark.parametrize("ending", exchange.WRITABLE)
@pytest.mark.parametrize("name", OWN)
def test_a_mesh_comes_back_through_meshio(domains: dict[str, em.mesh.Domain], name: str, ending: str, tmp_path: Path):
    """Formats without names give numbers, in the order of the names."""
    domain, path = domains[name], tmp_path / f"mesh{ending}"
    if name in NOT_HELD.get(ending, ()):
        with pytest.raises(em.ParameterError, match=f"must be of one that a {ending} file holds: try .msh or .vtu"):
            em.mesh.write(domain, path)
        assert not list(tmp_path.iterdir())
        return
    em.mesh.write(domain, path)
    named = ending in (".inp", ".med")
    back = em.mesh.read(path, names={name: name if named else i for i, name in enumerate(domain.names, start=1)})
    assert len(back.regions) == len(domain.regions)
    assert back.regions == domain.regions or not named
    assert list(measures(back).values()) == pytest.approx(list(measures(domain).values()), rel=SAME)


def test_the_geometry_of_degree_2_is_kept(domains: dict[str, em.mesh.Domain], tmp_path: Path):
    """Chords miss 1 % of this disk; parabolas through their ends and middles miss 1e-5."""
    em.mesh.write(domains["round"], tmp_path / "mesh.msh")
    back = em.mesh.read(tmp_path / "mesh.msh")
    assert measures(back)[""] == pytest.approx(math.pi, rel=1e-4)
    assert measures(domains["two metals"])[""] < 0.99 * math.pi


def shape_arguments() -> dict[str, dict[str, Any]]:
    """Arguments for each shape of em.mesh that is not tested above; one that is missing here fails the test below."""
    strip = {"length": 8.0, "width": 4.0, "size": 1.0}
    square = [(0, 0), (1, 0), (1, 1), (0, 1)]
    return {
        "notched_strip": strip | {"notch_depth": 1.0, "notch_width": 1.2},
        "strip_with_holes": strip | {"holes": [(3.0, 2.0, 1.0)], "order": 2},
        "dogbone": strip | {"width": 2.0, "head_length": 3.0, "head_width": 4.0, "fillet": 0.5},
        "disk": {"radius": 1.0, "electrodes": 2, "size": 0.6, "order": 2},
        "annulus": {"inner": 1.0, "outer": 2.0, "angle": math.pi / 2, "size": 0.6},
        "bend": {"width": 1.0, "arms": (3.0, 2.0), "size": 0.5},
        "hall_cross": {"arm_length": 2.0, "arm_width": 1.0, "size": 0.5},
        "cylinder": {"radius": 1.0, "length": 2.0, "size": 0.9, "order": 2},
        "tube": {"radius": 1.0, "length": 2.0, "size": 0.9, "order": 2},
        "sphere": {"radius": 1.0, "size": 0.9},
        "via": {"line_length": 4.0, "line_width": 2.0, "line_thickness": 1.0, "via_radius": 0.5, "via_height": 1.0}
        | {"size": 1.0},
        "polycrystal": {"size_xy": (2.0, 1.0), "grains": 4, "size": 0.4},
        "polygon": {"outline": square, "electrodes": {"a": square[:2], "b": square[2:]}, "size": 0.4},
    }


@pytest.mark.parametrize("name", shape_arguments())
def test_a_shape_comes_back_from_gmsh_as_it_was(name: str, tmp_path: Path):
    domain = getattr(em.mesh, name)(**shape_arguments()[name])
    em.mesh.write(domain, tmp_path / "mesh.msh")
    back = em.mesh.read(tmp_path / "mesh.msh")
    assert (back.names, back.regions, back.dim) == (domain.names, domain.regions, domain.dim)
    assert measures(back) == pytest.approx(measures(domain), rel=SAME)


def test_every_shape_is_tested():
    tested = {"interval", "rectangle", "box", "grains", "read", "from_gds", "from_image", *shape_arguments()}
    tested |= {"axisymmetric", "refined", "halved"}  # of a domain that one of the others makes
    tested |= {"network", "grid_network", "read_network", "from_netlist"}  # of wires, which have files of their own
    makers = [getattr(em.mesh, name) for name in em.mesh.__all__ if not name.startswith("periodic")]
    made = {m.__name__ for m in makers if inspect.isfunction(m) and inspect.signature(m).return_annotation == "Domain"}
    assert made - tested == set()


def test_cells_without_a_region_are_named_rest(tmp_path: Path):
    domain = em.mesh.rectangle((2.0, 1.0), cells=(2, 1))
    half = dolfinx.mesh.meshtags(domain.mesh, 2, np.array([0], np.int32), np.array([1], np.int32))
    em.mesh.write(
        em.mesh.Domain(domain.mesh, "halves", domain.names, domain.facets, ("first",), half), tmp_path / "mesh.msh"
    )
    back = em.mesh.read(tmp_path / "mesh.msh")
    assert back.regions == ("first", "rest")
    assert measures(back)["region rest"] == pytest.approx(1.0, rel=SAME)


def test_a_periodic_mesh_is_not_written(torus: em.mesh.Domain, tmp_path: Path):
    with pytest.raises(em.ParameterError, match="domain = periodic rectangle, must not be periodic"):
        em.mesh.write(torus, tmp_path / "mesh.msh")


@pytest.mark.parametrize(
    ("name", "message"),
    [("mesh.txt", r"must end in .msh, .vtu, .vtk, .xdmf, .inp, .med or .mesh"), ("mesh", "must end in")],
)
def test_an_unknown_ending_is_not_written(plate: em.mesh.Domain, name: str, message: str, tmp_path: Path):
    with pytest.raises(em.ParameterError, match=message):
        em.mesh.write(plate, tmp_path / name)


@pytest.mark.parametrize("ending", WRITABLE)
def test_a_folder_without_permission_is_reported(plate: em.mesh.Domain, unwritable_dir: Path, ending: str):
    with pytest.raises(em.ParameterError, match="must be a file that can be written"):
        em.mesh.write(plate, unwritable_dir / f"mesh{ending}")


def test_a_write_that_fails_leaves_what_was_there(
    plate: em.mesh.Domain, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def half(parts: object, path: Path) -> None:
        path.write_text("half", encoding="utf-8")
        raise OSError(28, "no space left")

    em.mesh.write(plate, tmp_path / "mesh.vtu")
    before = (tmp_path / "mesh.vtu").read_bytes()
    monkeypatch.setattr(exchange, "save", half)
    with pytest.raises(em.ParameterError, match="no space left"):
        em.mesh.write(plate, tmp_path / "mesh.vtu")
    assert (tmp_path / "mesh.vtu").read_bytes() == before
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("bad", [None, "strip"])
def test_only_domains_are_written(bad: Any, tmp_path: Path):
    with pytest.raises(em.ParameterError, match="domain = "):
        em.mesh.write(bad, tmp_path / "mesh.msh")


# ---- what others made -------------------------------------------------------------------------------------------


def test_a_plate_in_millimetres_is_read_in_metres():
    """24 chords and their neighbours round a hole of 2 mm: 0.1 % of the plate is less than they miss."""
    domain = em.mesh.read(MESHES / "plate.msh", unit=mm)
    assert domain.names == ("source", "drain", "hole", "sides")
    assert domain.regions == ("copper", "aluminium")
    found = measures(domain)
    assert found[""] == pytest.approx((20 * 10 - math.pi * 4) * 1e-6, rel=1e-3)
    assert (found["source"], found["drain"], found["sides"]) == pytest.approx((0.01, 0.01, 0.04), rel=SAME)
    assert str(domain).startswith("plate.msh 0.02 x 0.01: ")


@pytest.mark.parametrize(("version", "binary"), [(2.2, 0), (2.2, 1), (4.0, 0), (4.1, 0), (4.1, 1)])
def test_every_version_of_gmsh_files_is_read(version: float, binary: int, tmp_path: Path):
    with session("again") as gmsh:
        gmsh.merge(str(MESHES / "plate.msh"))
        gmsh.option.setNumber("Mesh.MshFileVersion", version)
        gmsh.option.setNumber("Mesh.Binary", binary)
        gmsh.write(str(tmp_path / "again.msh"))
    again = em.mesh.read(tmp_path / "again.msh")
    assert measures(again) == pytest.approx(measures(em.mesh.read(MESHES / "plate.msh")), rel=SAME)


def test_names_choose_by_name_by_number_and_by_place():
    names: dict[str, Any] = {"anode": "source", "cathode": 2, "top": lambda x: x[1] > 0.00999}
    domain = em.mesh.read(MESHES / "plate.msh", unit=mm, names=names)
    assert domain.names == ("anode", "cathode", "top")
    assert [measures(domain)[name] for name in domain.names] == pytest.approx([0.01, 0.01, 0.02], rel=SAME)


def test_an_empty_mapping_of_names_is_allowed():
    assert em.mesh.read(MESHES / "plate.msh", names={}).names == ()


@pytest.fixture
def cad(tmp_path: Path) -> Callable[[str], Path]:
    """Makes a CAD file of two blocks of 1 x 1 x 1 that touch, at x = 1."""

    def make(name: str) -> Path:
        with session("blocks") as gmsh:
            gmsh.model.occ.addBox(0, 0, 0, 1, 1, 1)
            gmsh.model.occ.addBox(1, 0, 0, 1, 1, 1)
            gmsh.model.occ.synchronize()
            gmsh.write(str(tmp_path / name))
        return tmp_path / name

    return make


@pytest.mark.parametrize("ending", [".step", ".brep"])
def test_solids_of_a_cad_file_are_meshed_and_glued(cad: Callable[[str], Path], ending: str):
    """Glued: the interface is no boundary, so current passes from one to the other; with two volumes, R = 2."""
    names: dict[str, Any] = {"left": lambda x: x[0] < 1e-9, "right": lambda x: x[0] > 2e-3 - 1e-9}
    domain = em.mesh.read(cad(f"blocks{ending}"), unit=mm, size=0.6 * mm, names=names)
    found = measures(domain)
    assert [found[""], found["left"], found["right"]] == pytest.approx([2e-9, 1e-6, 1e-6], rel=1e-9)
    model = em.conduction.model(domain, on={"left": em.fixed(1.0), "right": em.fixed(0.0)}, degree=1)
    em.solve_steady(model)
    assert em.conduction.resistance(model) == pytest.approx(2e3, rel=1e-6)


def test_faces_of_a_cad_file_are_chosen_by_number(cad: Callable[[str], Path]):
    """gmsh numbers the six faces of a box from x = 0, x = 1 on; those of the second box follow."""
    domain = em.mesh.read(cad("blocks.step"), size=1.0, names={"left": 1, "right": 8})
    assert [measures(domain)[name] for name in domain.names] == pytest.approx([1.0, 1.0], rel=1e-9)
    with pytest.raises(em.UnknownName, match=r"99; blocks.step, among its boundaries, has '1'"):
        em.mesh.read(cad("blocks.step"), size=1.0, names={"left": 1, "right": 99})


def test_labels_of_a_step_file_are_names(cad: Callable[[str], Path]):
    path = cad("blocks.step")
    text = path.read_text(encoding="utf-8")
    first, second = re.findall(r"PRODUCT\('(Open CASCADE STEP translator [\d.]+ \d+\.\d+)'", text)
    path.write_text(text.replace(first, "copper").replace(second, "liner"), encoding="utf-8")
    domain = em.mesh.read(path, size=1.0, names={"left": lambda x: x[0] < 1e-9})
    assert domain.regions == ("copper", "liner")
    assert measures(domain)["region liner"] == pytest.approx(1.0, rel=1e-9)


@pytest.fixture
def stl(tmp_path: Path) -> Callable[[], Path]:
    """Makes the surface of a bar of 1 x 1 x 3 in triangles."""

    def make() -> Path:
        with session("bar") as gmsh:
            gmsh.model.occ.addBox(0, 0, 0, 1, 1, 3)
            gmsh.model.occ.synchronize()
            gmsh.model.mesh.generate(2)
            gmsh.write(str(tmp_path / "bar.stl"))
        return tmp_path / "bar.stl"

    return make


def test_a_closed_surface_is_filled(stl: Callable[[], Path]):
    names: dict[str, Any] = {"bottom": lambda x: x[2] < 1e-9, "top": lambda x: x[2] > 3e-3 - 1e-9}
    domain = em.mesh.read(stl(), unit=mm, size=0.5 * mm, names=names)
    assert domain.mesh.topology.cell_name() == "tetrahedron"
    assert list(measures(domain).values()) == pytest.approx([3e-9, 1e-6, 1e-6], rel=1e-6)


def test_a_surface_with_a_hole_is_not_filled(stl: Callable[[], Path]):
    path = stl()
    facets = path.read_text(encoding="utf-8").split("facet normal")
    path.write_text("facet normal".join([*facets[:-2], facets[-1]]), encoding="utf-8")
    with pytest.raises(em.ParameterError, match="must hold a closed surface: 3 edges"):
        em.mesh.read(path, size=0.5, names={"top": lambda x: x[2] > 2})


def square(**data: Any) -> meshio.Mesh:
    """The unit square in two triangles, with its left and right edges."""
    points = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0.0]]
    return meshio.Mesh(points, [("triangle", [[0, 1, 2], [0, 2, 3]]), ("line", [[0, 3], [1, 2]])], **data)


def test_point_sets_name_the_facets_between_them(tmp_path: Path):
    """As Abaqus names edges; NALL, which holds all points, names nothing."""
    sets = {"NALL": np.arange(4), "left": np.array([0, 3]), "right": np.array([1, 2])}
    meshio.write(tmp_path / "square.inp", square(point_sets=sets))
    domain = em.mesh.read(tmp_path / "square.inp")
    assert domain.names == ("left", "right")
    assert list(measures(domain).values()) == pytest.approx([1.0, 1.0, 1.0], rel=SAME)


def test_whole_numbers_on_cells_are_groups(tmp_path: Path):
    tags = [np.array([5, 6]), np.array([1, 2])]
    meshio.write(tmp_path / "square.vtu", square(cell_data={"material": tags, "height": [np.ones(2), np.ones(2)]}))
    domain = em.mesh.read(tmp_path / "square.vtu")
    assert (domain.names, domain.regions) == (("1", "2"), ("5", "6"))


def test_names_of_netgen_are_kept(tmp_path: Path):
    names = {"left": np.array([1, 1]), "right": np.array([2, 1]), "copper": np.array([1, 2])}
    tags = [np.array([1, 1]), np.array([1, 2])]
    meshio.write(tmp_path / "square.vol", square(cell_data={"netgen:index": tags}, field_data=names))
    domain = em.mesh.read(tmp_path / "square.vol", names={"anode": "left", "cathode": 2})
    assert (domain.names, domain.regions) == (("anode", "cathode"), ("copper",))


@pytest.mark.parametrize("name", ["box", "round hexahedra"])
def test_mirrored_hexahedra_are_set_right(domains: dict[str, em.mesh.Domain], name: str, tmp_path: Path):
    """Some programs count the nodes of a hexahedron in the other sense."""
    em.mesh.write(domains[name], tmp_path / "mesh.vtu")
    mesh = meshio.read(tmp_path / "mesh.vtu")
    mesh.points[:, 2] *= -1
    meshio.write(tmp_path / "mirrored.vtu", mesh)
    found = measures(em.mesh.read(tmp_path / "mirrored.vtu"))
    assert list(found.values()) == pytest.approx(list(measures(domains[name]).values()), rel=SAME)


# ---- what is refused --------------------------------------------------------------------------------------------

CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))


def msh(
    elements: list[str], nodes: Any = CORNERS, groups: tuple[str, ...] = ('1 1 "left"', '1 2 "right"', '2 3 "film"')
) -> str:
    """A .msh of version 2, written by hand; an element is `kind 2 group entity nodes...`."""
    rows = [f"{i} {x} {y} 0" for i, (x, y, *_) in enumerate(nodes, start=1)]
    return "\n".join(
        ["$MeshFormat", "2.2 0 8", "$EndMeshFormat", "$PhysicalNames", str(len(groups)), *groups, "$EndPhysicalNames"]
        + ["$Nodes", str(len(rows)), *rows, "$EndNodes", "$Elements", str(len(elements))]
        + [f"{i} {element}" for i, element in enumerate(elements, start=1)]
        + ["$EndElements", ""]
    )


LEFT, RIGHT = "1 2 1 1 4 1", "1 2 2 2 2 3"
EIGHT = "16 2 3 1 1 2 3 4 5 6 7 8"  # a quadrilateral without its middle
LOWER, UPPER = "2 2 3 1 1 2 3", "2 2 3 1 1 3 4"


def test_a_mesh_by_hand_is_read(tmp_path: Path):
    (tmp_path / "hand.msh").write_text(msh([LEFT, RIGHT, LOWER, UPPER]), encoding="utf-8")
    domain = em.mesh.read(tmp_path / "hand.msh")
    assert (domain.names, domain.regions) == (("left", "right"), ("film",))
    assert list(measures(domain).values()) == pytest.approx([1.0, 1.0, 1.0, 1.0], rel=SAME)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "must be a mesh: the file is empty"),
        ("hello world\n1 2 3\n", r"must be a mesh of gmsh: it does not begin with \$MeshFormat"),
        (msh([LEFT, RIGHT, LOWER, UPPER])[:-90], "must be a .msh file that gmsh reads|cells of"),
        (msh([LOWER, UPPER]), r"has no physical groups .* name the electrodes in gmsh, or give names=\{...\}"),
        (msh([LEFT, RIGHT]), "has no physical groups for boundaries of its interval cells"),
        (msh([LEFT, "1 2 2 1 4 1", RIGHT, LOWER, UPPER]), "boundaries 'left' and 'right' overlap at"),
        (msh([LEFT, LOWER, UPPER], nodes=((0, 0), (1, 0), (2, 0), (0, 1))), "1 of 2 cells degenerate or inverted"),
        (msh([LEFT, LOWER, UPPER], nodes=((0, 0), (1, 0), (1, 1), (0.9, 0.1))), "1 pairs of cells overlap"),
        (msh([LEFT, LOWER, "3 2 3 1 1 2 3 4"]), "cells of 2 kinds, Triangle 3 and Quadrilateral 4, must be of one"),
        (msh(["1 2 1 1 4 5", LOWER, UPPER], nodes=(*CORNERS, (5, 5))), "belong to no triangle: a mesh of mixed dim"),
        (
            msh([LEFT, EIGHT], nodes=(*CORNERS, (0.5, 0), (1, 0.5), (0.5, 1), (0, 0.5))),
            "all their",
        ),
        (msh([LEFT, "1 2 2 2 1 3", LOWER, UPPER]), "boundary 'right' has 1 facets that are not|has left"),
    ],
)
def test_a_bad_mesh_is_refused_in_one_sentence(content: str, message: str, tmp_path: Path):
    path = tmp_path / "bad.msh"
    path.write_text(content, encoding="utf-8")
    if message.endswith("has left"):  # a group inside the mesh is no boundary
        with pytest.raises(em.UnknownName, match=r"'right'; bad.msh, among its boundaries, has left"):
            em.mesh.read(path, names={"right": "right"})
        return
    with pytest.raises(em.ParameterError, match=message) as caught:
        em.mesh.read(path)
    assert "\n" not in str(caught.value)


def test_an_empty_group_is_refused(tmp_path: Path):
    with session("empty") as gmsh:
        gmsh.merge(str(MESHES / "plate.msh"))
        gmsh.model.addPhysicalGroup(1, [gmsh.model.addDiscreteEntity(1)], name="lost")
        gmsh.write(str(tmp_path / "empty.msh"))
    with pytest.raises(em.ParameterError, match="boundary 'lost' is empty"):
        em.mesh.read(tmp_path / "empty.msh")


@pytest.mark.parametrize("ending", [e for e in READABLE if e != ".msh"])
@pytest.mark.parametrize("content", [b"hello\n", bytes(range(256))])
def test_garbage_is_refused(ending: str, content: bytes, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    path = tmp_path / f"garbage{ending}"
    path.write_bytes(content)
    with pytest.raises(em.ParameterError) as caught:
        em.mesh.read(path, size=1.0 if ending in (*CAD, ".stl") else None)
    assert "\n" not in str(caught.value)
    assert "Couldn't read" not in capfd.readouterr().out


def test_cells_of_two_kinds_are_refused_through_meshio(tmp_path: Path):
    cells = [("triangle", [[0, 1, 2]]), ("quad", [[0, 1, 2, 3]])]
    meshio.write(tmp_path / "mixed.vtu", meshio.Mesh(square().points, cells))
    with pytest.raises(em.ParameterError, match="cells of 2 kinds, quad and triangle, must be of one"):
        em.mesh.read(tmp_path / "mixed.vtu")


def test_cells_that_dolfinx_does_not_take_are_refused(tmp_path: Path):
    points = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1.0]]
    meshio.write(tmp_path / "wedge.vtu", meshio.Mesh(points, [("wedge", [[0, 1, 2, 3, 4, 5]])]))
    with pytest.raises(em.ParameterError, match="cells of the kind wedge, must be one of"):
        em.mesh.read(tmp_path / "wedge.vtu")


def test_two_sets_of_numbers_are_refused(tmp_path: Path):
    tags = [np.array([5, 6]), np.array([1, 2])]
    meshio.write(tmp_path / "square.vtu", square(cell_data={"material": tags, "part": tags}))
    with pytest.raises(em.ParameterError, match="whole numbers material, part on the cells"):
        em.mesh.read(tmp_path / "square.vtu")


PLATE = MESHES / "plate.msh"


@pytest.mark.parametrize(
    ("path", "arguments", "message"),
    [
        (None, {}, "path = None, must be the name of a file"),
        ("missing.msh", {}, "path = 'missing.msh', must be a file: there is none"),
        ("plate.foo", {}, r"path = 'plate.foo', must end in .msh, .step"),
        (PLATE, {"unit": 0.0}, "unit = 0, must be greater than 0"),
        (PLATE, {"unit": "mm"}, "unit = 'mm', must be a number"),
        (PLATE, {"size": 1.0}, "size = 1.0, must be left out: a .msh file holds its cells"),
        ("part.step", {}, "size = None, must be the edge of a cell: a .step file holds a shape"),
        ("part.stl", {"size": -1.0}, "size = -1, must be greater than 0"),
        (PLATE, {"names": "source"}, "names = 'source', must be a mapping"),
        (PLATE, {"names": {"": "source"}}, "must be words for boundaries: '' is none"),
        (PLATE, {"names": {"a": None}}, r"names\['a'\] = None, must be a name or number in the file, or a function"),
        (PLATE, {"names": {"a": True}}, r"names\['a'\] = True, must be a name or number"),
        (PLATE, {"names": {"a": "anod"}}, "'anod'; plate.msh, among its boundaries, has source, drain, hole, sides"),
        (PLATE, {"names": {"a": 77}}, "77; plate.msh, among its boundaries, has '1', '2', '3', '4'"),
        (PLATE, {"names": {"a": "source", "b": 1}}, "boundaries 'a' and 'b' overlap"),
        (PLATE, {"names": {"a": lambda x: x[0] > 99}}, "boundary 'a' is empty"),
        (PLATE, {"names": {"a": lambda x: True}}, r"a\(x\) = True, must be of shape"),
    ],
)
def test_a_bad_argument_is_refused(path: Any, arguments: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        em.mesh.read(path, **arguments)


# ---- on two ranks -----------------------------------------------------------------------------------------------

CASE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import emfem as em
import test_read as case

def message(attempt):
    try:
        attempt()
    except em.ParameterError as error:
        return str(error)

folder, comm, found = sys.argv[2], case.MPI.COMM_WORLD, {}
for name in ("interval", "rectangle", "round", "round hexahedra"):
    domain = case.OWN[name]()
    for ending in (".msh", ".vtu"):
        em.mesh.write(domain, f"{folder}/mesh{ending}")
        found[name + ending] = [case.measures(em.mesh.read(f"{folder}/mesh{ending}")), case.measures(domain)]
plate = case.PLATE
attempts = [
    lambda: em.mesh.read("missing.msh"),
    lambda: em.mesh.read(plate, names={"a": "anod"}),
    lambda: em.mesh.read(plate, unit=0.0),
    lambda: em.mesh.read(case.__file__ + ".vtu"),
    lambda: em.mesh.write(em.mesh.rectangle((1, 1), cells=(2, 2)), case.__file__ + "/below/mesh.msh"),
]
# What differs between ranks, or is wrong on one of them, is refused on both.
own, files, two = comm.rank, case.PLATE.parent, [(0.0, 0.0), (1.0, 0.0)]
technology = em.signoff.read_technology(files / "technology.toml")
grid = {"path": files / "grid.sp", "technology": technology}
attempts += [
    lambda: em.mesh.read((plate, 3)[own]),
    lambda: em.mesh.write(em.mesh.interval(1.0, cells=4), (f"{folder}/line.msh", 3)[own]),
    lambda: em.mesh.read_network((files / "star.toml", 3)[own]),
    lambda: em.mesh.network(two, [(0, 1)], width=(0.1, -1.0)[own], thickness=0.1, cells=4),
    lambda: em.mesh.read_netlist(**grid, unit=(1e-6, 2e-6)[own]),
    lambda: em.mesh.from_netlist(**grid, cells=(2, -1)[own]),
    lambda: em.mesh.read_lef((3, files / "chip.lef")[own]),
    lambda: em.mesh.read_def((files / "chip.def", 3)[own]),
    lambda: em.mesh.read_report((files / "chip.def", files / "chip.lef")[own]),
    lambda: em.mesh.from_gds(files / "serpentine.gds", layer=(1, "a")[own], electrodes={"left": 10}, size=2e-6),
    lambda: em.mesh.from_image(files / "micrograph.png", pixel=(1.0, 2.0)[own], size=30.0),
    lambda: em.signoff.sign_off(em.mesh.read_netlist(**grid), technology, f"{folder}/signed", until=1e8),
]
errors = comm.gather([message(attempt) for attempt in attempts])
if comm.rank == 0:
    print(json.dumps([found, errors]))
"""


@pytest.mark.parallel
def test_two_ranks_write_and_read_the_same_mesh_and_raise_the_same(
    tmp_path: Path, mpiexec: Callable[..., tuple[int, str, str]]
):
    status, out, err = mpiexec(2, sys.executable, "-c", CASE, Path(__file__).parent, tmp_path)
    assert status == 0, err
    found, (first, second) = json.loads(out.splitlines()[-1])
    for name, (back, domain) in found.items():
        assert list(back.values()) == pytest.approx(list(domain.values()), rel=SAME), name
    alone = em.mesh.rectangle((1.0, 2.0), cells=(2, 3))
    assert found["rectangle.msh"][0] == pytest.approx(measures(alone), rel=SAME)
    assert first == second
    assert all(first)
    assert first[-1] == "a sign-off on 2 ranks, must be on 1"
    assert not (tmp_path / "signed").exists()

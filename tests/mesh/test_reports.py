"""Reports of OpenROAD, and loads that follow from currents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import emfem as em
from emfem.units import um

import numpy as np
import pytest

VOLTAGES = "Instance,Terminal,Layer,X location,Y location,Voltage\n_4_,VSS,metal1,52.91,46.313,0.000702\n"
CURRENTS = (
    "Node0 Layer,Node0 X location,Node0 Y location,Node1 Layer,Node1 X location,Node1 Y location,Current\n"
    "1,0.0000,0.0000,1,10.0000,0.0000,1.000e-03\n"
    "1,20.0000,0.0000,1,10.0000,0.0000,4.000e-04\n"
    "1,20.0000,0.0000,2,20.0000,0.0000,4.000e-04\n"
)
LINE = "* line\nR1 n1_0_0 n1_10_0 1\nR2 n1_10_0 n1_20_0 1\nRV n1_20_0 n2_20_0 1\nV1 n1_0_0 0 1\nI1 n1_20_0 0 1m\n.end\n"


def line(tmp_path: Path) -> em.mesh.Network:
    """Two wires in a row and a via at their end."""
    path = tmp_path / "line.sp"
    path.write_text(LINE, encoding="utf-8")
    return em.mesh.read_netlist(path, resistivity=2e-8, thickness=0.2 * um, unit=um)


def report(tmp_path: Path, text: str) -> Any:
    """The table of a report."""
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    return em.mesh.read_report(path)


def test_reports_are_tables_in_si(tmp_path: Path):
    table = report(tmp_path, VOLTAGES)
    assert table.iloc[0].tolist()[:3] == ["_4_", "VSS", "metal1"]
    assert table[["x [m]", "y [m]", "voltage [V]"]].iloc[0].tolist() == pytest.approx(
        [52.91e-6, 46.313e-6, 7.02e-4], rel=1e-12, abs=0
    )
    table = report(tmp_path, CURRENTS)
    assert len(table) == 3
    assert table["to layer"].tolist() == ["1", "1", "2"]
    assert table["from x [m]"].tolist() == pytest.approx([0, 20e-6, 20e-6], rel=1e-12, abs=0)
    assert table["current [A]"].sum() == pytest.approx(1.8e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"a.csv, line 1, must be the head of a report: Instance,Terminal"),
        (VOLTAGES.replace("Instance", "Cell"), r"a.csv, line 1, must be the head of a report"),
        (VOLTAGES + "_5_,VSS,metal1,1.0,2.0\n", r"a.csv, line 3, must have 6 values, has 5"),
        (VOLTAGES + "\n_5_,VSS,metal1,1.0,far,3\n", r"a.csv, line 4: 'far', must be a finite number"),
        (VOLTAGES + "_5_,VSS,metal1,1.0,1e999,3\n", r"a.csv, line 3: '1e999', must be a finite number"),
    ],
)
def test_bad_reports_are_refused_with_the_line(tmp_path: Path, text: str, message: str):
    with pytest.raises(em.ParameterError, match=message):
        report(tmp_path, text)


def test_currents_of_a_report_are_those_of_its_segments(tmp_path: Path):
    network = line(tmp_path)
    assert em.mesh.reported_currents(network, report(tmp_path, CURRENTS)).tolist() == [1e-3, 4e-4]
    few = report(tmp_path, "".join(CURRENTS.splitlines(keepends=True)[:2]))
    assert em.mesh.reported_currents(network, few, missing=0.0).tolist() == [1e-3, 0.0]
    with pytest.raises(
        em.ParameterError, match=r"report without 1 of 2 segments, such as segment 1 .*, must have all$"
    ):
        em.mesh.reported_currents(network, few)
    other = report(tmp_path, CURRENTS.replace("10.0", "11.0"))
    with pytest.raises(em.ParameterError, match=r"report without 2 of 2 segments, .* must have all: check its unit"):
        em.mesh.reported_currents(network, other, missing=0.0)
    wrong: Any = 7
    with pytest.raises(em.ParameterError, match=r"report = 7, must be a table of em.mesh.read_report"):
        em.mesh.reported_currents(network, wrong)
    with pytest.raises(em.ParameterError, match=r"network = 7, must be a network"):
        em.mesh.reported_currents(wrong, other)
    with pytest.raises(em.ParameterError, match=r"report with columns \['instance', .*, must be one of currents"):
        em.mesh.reported_currents(network, report(tmp_path, VOLTAGES))


def test_loads_follow_where_currents_do_not_close(tmp_path: Path):
    network = line(tmp_path)
    message = r"do not close at 2 of 4 nodes, which become loads: 0.001 A at node 'n1_10_0', -0.001 A at"
    with pytest.warns(em.ResolutionWarning, match=message):
        first = em.mesh.close_currents(network, [1e-3, 0.0])
    assert first.loads.tolist() == pytest.approx([0.0, 1e-3, 0.0, 0.0], abs=1e-18)
    assert em.mesh.close_currents(network, [1e-3, 1e-3]) is network
    assert em.mesh.close_currents(network, [1e-3, 1.0005e-3]) is network  # rounded numbers
    with pytest.warns(em.ResolutionWarning, match=r"at 3 of 4 nodes"):
        branched = em.mesh.close_currents(network, [1e-3, 6e-4], via_current=[2e-4])
    assert branched.loads == pytest.approx([0.0, 4e-4, 4e-4, 2e-4], abs=1e-18)
    branched.check_balance([1e-3, 6e-4] / network.cross_sections)
    table = em.mesh.load_table(branched)
    assert table["node"].tolist()[-1] == "n2_20_0"
    assert table["load [A]"].tolist() == pytest.approx([4e-4, 4e-4, 2e-4])
    assert table["x [m]"].tolist() == pytest.approx([10e-6, 20e-6, 20e-6])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"current": [1e-3]}, r"current of shape \(1,\), must be 2 finite numbers|current"),
        ({"current": [1e-3, np.nan]}, r"current .*must be 2 finite numbers"),
        ({"current": [1e-3, 1e-3], "via_current": [1.0, 2.0]}, r"via_current.* must be 1 finite numbers"),
        ({"current": [1e-3, 1e-3], "rtol": -1.0}, r"rtol = -1, must be at least 0"),
    ],
)
def test_bad_currents_are_refused(tmp_path: Path, arguments: dict[str, Any], message: str):
    with pytest.raises(em.ParameterError, match=message):
        em.mesh.close_currents(line(tmp_path), **arguments)


@pytest.mark.filterwarnings("ignore::emfem.ResolutionWarning")
def test_reports_of_openroad_fit_its_netlist(public_data: Callable[[str], Path]):
    """Sizes of currents, of every wire; voltages at the terminals of 624 cells."""
    network = em.mesh.read_netlist(
        public_data("openroad_gcd_vss.sp"), resistivity=2e-8, thickness=0.1 * um, unit=0.5e-9
    )
    currents = em.mesh.read_report(public_data("openroad_gcd_vss_currents.csv"))
    size = em.mesh.reported_currents(network, currents)
    found = em.conduction.kirchhoff(network, 2e-8)
    large = size > 1e-8
    assert np.isfinite(size).all()
    assert np.abs(found.current)[large] == pytest.approx(size[large], rel=5.5e-4, abs=0)
    assert len(em.mesh.read_report(public_data("openroad_gcd_vss_voltages.csv"))) == 624
    closed = em.mesh.close_currents(network, found.current, via_current=found.via_current)
    assert closed.loads == pytest.approx(network.loads, rel=1e-6, abs=1e-12)

"""The units of em.units."""

from pathlib import Path

from emfem import units
from extensions.markdown import table


def page() -> str:
    """Those of a kind in one row, as the module lists them."""
    rows = []
    for block in Path(units.__file__).read_text(encoding="utf-8").split("\n# ")[1:]:
        kind, *lines = block.splitlines()
        names = [line.split(" = ")[0] for line in lines if " = " in line]
        rows.append([kind, ", ".join(f"`{name}` {getattr(units, name):.10g}" for name in names)])
    return table(["", "name and what it multiplies by"], rows)

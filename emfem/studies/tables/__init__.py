"""The tables of a case, each with keys that are checked. A new physics is one more entry of MODELS."""

from emfem.studies.tables.base import Parts, Table
from emfem.studies.tables.conduction import Conduction
from emfem.studies.tables.domain import SHAPES, Domain, makers
from emfem.studies.tables.film import Film, scales
from emfem.studies.tables.heat import Heat
from emfem.studies.tables.material import MaterialTable
from emfem.studies.tables.migration import Migration
from emfem.studies.tables.stress import Stress
from emfem.studies.tables.surface import Surface

# In the order they are built in: each may use the fields of those before it, and be promised those of later ones.
MODELS: dict[str, type[Table]] = {
    "conduction": Conduction,
    "heat": Heat,
    "film": Film,
    "migration": Migration,
    "stress": Stress,
    "surface": Surface,
}

__all__ = ["MODELS", "SHAPES", "Domain", "MaterialTable", "Parts", "Table", "makers", "scales"]

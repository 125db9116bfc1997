"""The tables of a case, each with keys that are checked. A physics of emfem is one more entry of PHYSICS."""

from emfem.studies.tables.base import Arguments, BuildContext, Key, Table
from emfem.studies.tables.conduction import CONDUCTION
from emfem.studies.tables.domain import SHAPES, DomainTable
from emfem.studies.tables.film import ALLOY, FILM, scales
from emfem.studies.tables.heat import HEAT
from emfem.studies.tables.height import HEIGHT
from emfem.studies.tables.material import MaterialTable
from emfem.studies.tables.mechanics import MECHANICS
from emfem.studies.tables.migration import MIGRATION
from emfem.studies.tables.physics import Coupling, Physics
from emfem.studies.tables.stress import STRESS
from emfem.studies.tables.surface import SURFACE
from emfem.studies.tables.voids import VOIDS, Opening

# In the order they are built in: each may use the fields of those before it, and defer to those of later ones.
PHYSICS: tuple[Physics, ...] = (CONDUCTION, HEAT, FILM, HEIGHT, MIGRATION, STRESS, MECHANICS, SURFACE, VOIDS)

__all__ = [
    "ALLOY",
    "PHYSICS",
    "SHAPES",
    "Arguments",
    "BuildContext",
    "Coupling",
    "DomainTable",
    "Key",
    "MaterialTable",
    "Opening",
    "Physics",
    "Table",
    "scales",
]

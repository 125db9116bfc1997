"""Technology of a chip: layers of metal, the metal, its liner and the stress at which voids open.

Public in `em.signoff`.
"""

from emfem.public import dir_of
from emfem.technology.reading import read_technology
from emfem.technology.values import Layer, Passivation, Technology

__all__ = ["Layer", "Passivation", "Technology", "read_technology"]
__dir__ = dir_of(__all__)

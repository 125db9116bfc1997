"""Fields of models on disk, with the mesh they live on: a folder that describes itself.

`fields.json` holds the version of the format and says what is there: the domains, the function spaces, and the fields
of each model with their units. `mesh.npz` holds one row for each cell: its nodes, its geometry, the tags of its facets,
its region, and the numbers of its degrees of freedom in each space. A state holds the values of these degrees of
freedom, and what `em.checkpoint.load` needs. All ranks write and read their own rows; nothing is gathered. The three
have the same random number: files of different runs do not fit each other, even where their sizes do.

A run that goes on with another partition of the mesh numbers its degrees of freedom anew: `mesh-1.npz` holds the row of
`mesh.npz` of each cell and these numbers, and the states written from then on have its random number.
"""

from emfem.files import READ_ERRORS as READ_ERRORS
from emfem.public import dir_of
from emfem.storage.reading import SavedModel, StateReader
from emfem.storage.table import CONTENTS as CONTENTS
from emfem.storage.table import MESH as MESH
from emfem.storage.table import contents
from emfem.storage.writing import StateWriter

__all__ = ["SavedModel", "StateReader", "StateWriter", "contents"]
__dir__ = dir_of(__all__)

"""States on disk: one of them (`em.checkpoint.save`, `load`), or those of a run as it goes (`em.checkpoint(...)`)."""

from emfem.checkpoints.folder import FINISHED, Checkpoint, read_about, seconds
from emfem.checkpoints.states import arrays, keys, load, owned, save
from emfem.public import dir_of

checkpoint = Checkpoint

__all__ = [
    "FINISHED",
    "Checkpoint",
    "arrays",
    "checkpoint",
    "keys",
    "load",
    "owned",
    "read_about",
    "save",
    "seconds",
]
__dir__ = dir_of(__all__)

"""States on disk: one of them (`em.checkpoint.save`, `load`), or those of a run as it goes (`em.checkpoint(...)`)."""

from emfem.checkpoints.comparison import alike, describe, names_of, saved_state
from emfem.checkpoints.folder import FINISHED, Checkpoint, SavedRun, read_about, seconds
from emfem.checkpoints.states import arrays, keys, load, owned, save
from emfem.public import dir_of

checkpoint = Checkpoint

__all__ = [
    "FINISHED",
    "Checkpoint",
    "SavedRun",
    "alike",
    "arrays",
    "checkpoint",
    "describe",
    "keys",
    "load",
    "names_of",
    "owned",
    "read_about",
    "save",
    "saved_state",
    "seconds",
]
__dir__ = dir_of(__all__)

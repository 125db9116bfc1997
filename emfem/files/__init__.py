"""Files: places to write to, and arrays that all ranks write to and read from one file."""

from emfem.files.arrays import Arrays, save_arrays
from emfem.files.lines import LineFile
from emfem.files.places import READ_ERRORS as READ_ERRORS
from emfem.files.places import read_text, replace_text, sync, writable
from emfem.files.places import reason as reason
from emfem.files.shared import SharedFile
from emfem.public import dir_of

ON_WRITE_ERROR = ("warn", "stop")  # the run goes on without the file, or ends

__all__ = ["Arrays", "LineFile", "SharedFile", "read_text", "replace_text", "save_arrays", "sync", "writable"]
__dir__ = dir_of(__all__)

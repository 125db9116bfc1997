"""Files: places to write to, and arrays that all ranks write to and read from one file."""

from __future__ import annotations

import errno
import io
import os
import struct
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from emfem.errors import ParameterError, WriteWarning
from emfem.gate import checked
from emfem.public import dir_of

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

__all__ = ["Arrays", "LineFile", "SharedFile", "read_text", "replace_text", "save_arrays", "sync", "writable"]
__dir__ = dir_of(__all__)

ALIGNMENT = 64  # bytes: arrays begin at multiples of it, so that they can be mapped into memory
PADDING = 0xD935  # tag of the field of a zip header that fills up to the alignment
POLYNOMIAL = 0xEDB88320  # of the checksum of zip files, its bits reversed
READ_ERRORS = (  # of half a file, or a damaged one
    OSError,
    EOFError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RuntimeError,
    MemoryError,
    zipfile.BadZipFile,
    struct.error,
    zlib.error,
)
ON_WRITE_ERROR = ("warn", "stop")  # the run goes on without the file, or ends
OTHER = "Other I/O error "  # of MPI, before the words of the system
LOCAL_HEADER = 30  # bytes of a local zip header without name and extra fields
SIGNATURE = b"PK\x03\x04"  # of a local zip header
END_RECORD = struct.Struct("<4s4H2LH")  # of a zip file without a comment; the fifth is the number of its entries
ENCRYPTED = 0x41  # flags of a zip entry


@checked(collective=True, local=("path",))
def writable(path: str | os.PathLike[str], *suffixes: str, comm: MPI.Comm = MPI.COMM_WORLD) -> Path:
    """Return `path`, with its folder made and tried on rank 0. Collective.

    Args:
        path: a file (or folder) to write.
        suffixes: the endings allowed; any when left out.
        comm: the ranks that wait for the answer.

    Raises:
        ParameterError: for another ending, or if the folder cannot be made or written to; on all ranks.
    """
    path = Path(path)
    if suffixes and path.suffix not in suffixes:
        msg = f"path = {str(path)!r}, must end in {' or '.join(suffixes)}"
        raise ParameterError(msg)
    trouble = None
    if comm.rank == 0:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not os.access(path.parent, os.W_OK | os.X_OK):
                trouble = "permission denied"
            elif path.exists() and path.is_dir() != (path.suffix == ".bp"):  # ADIOS2 writes folders
                trouble = "it is a folder" if path.is_dir() else "it is a file"
        except OSError as error:
            trouble = error.strerror
    trouble = comm.bcast(trouble, root=0)
    if trouble:
        msg = f"path = {str(path)!r}, must be a file that can be written: {trouble}"
        raise ParameterError(msg)
    return path


@checked(collective=True)
def read_text(path: os.PathLike[str] | str, *, comm: MPI.Comm = MPI.COMM_WORLD) -> str:
    """Return the text of a file. Collective: rank 0 of `comm` reads.

    Raises:
        ParameterError: if it cannot be read.
    """
    text, trouble = None, None
    if comm.rank == 0:
        try:
            text = Path(path).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:  # no UTF-8, or a zero byte in the path
            trouble = reason(error)
    text, trouble = comm.bcast((text, trouble), root=0)
    if text is None:
        msg = f"path = {str(path)!r}, must be a file that can be read: {trouble}"
        raise ParameterError(msg)
    return text


class LineFile:
    """Text file to which rank 0 adds lines as they come; a half line of a process that was killed is cut off.

    What cannot be written, on a full disk, is a warning and waits for the next line.

    Attributes:
        path: of the file.
        lines: that were in it at the start, the same on all ranks.
    """

    def __init__(self, path: Path, comm: MPI.Comm = MPI.COMM_WORLD) -> None:
        """Read what is there. Collective.

        Raises:
            ParameterError: if it cannot be read.
        """
        self._made = comm.bcast(path.exists(), root=0)
        content = read_text(path, comm=comm) if self._made else ""
        whole = content[: content.rfind("\n") + 1]
        self.path, self.lines = path, whole.splitlines()
        self._comm, self._size, self._waiting = comm, len(whole.encode()), b""
        if comm.rank == 0 and len(whole) < len(content):
            with suppress(OSError):  # the next line is refused then, with the reason
                os.truncate(path, self._size)

    def add(self, line: str) -> None:
        """Add a line; it is on disk then.

        Warns:
            WriteWarning: if it cannot be written, or another run adds lines too.
        """
        if self._comm.rank != 0:
            return
        former, self._waiting = len(self._waiting), self._waiting + f"{line}\n".encode()
        try:
            # A file that was removed is not made again: it would lack the lines before.
            with self.path.open("r+b" if self._made else "xb") as file:
                if self._made and self.path.stat().st_size > self._size + former:
                    raise OSError(errno.EBUSY, "another run writes there")
                self._made = True
                file.seek(self._size)
                file.write(self._waiting)
                file.truncate()
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            msg = f"line not written: path = {str(self.path)!r}, must be a file that can be written: {reason(error)}"
            warnings.warn(msg, WriteWarning, stacklevel=2)
            return
        self._size += len(self._waiting)
        self._waiting = b""


class SharedFile:
    """A file that all ranks write together, each its own part; it takes its name when all is on disk. Collective.

    An error of one rank, such as a full disk, is kept until `finish`, where all ranks raise it.
    """

    def __init__(self, path: Path, comm: MPI.Comm) -> None:
        """Begin a file beside `path`.

        Raises:
            ParameterError: if it cannot be made.
        """
        self.path, self.comm, self.size = path, comm, 0
        self.partial = path.with_name(f"{path.stem}.part{path.suffix}")
        self._trouble = ""
        try:
            self._file = MPI.File.Open(comm, str(self.partial), MPI.MODE_CREATE | MPI.MODE_WRONLY)
        except MPI.Exception as error:  # MPI agrees on it
            raise _not_written(path, reason(error)) from None
        with self.attempt():
            self._file.Set_size(0)

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Keep an error of writing until `finish`: other ranks may have none."""
        try:
            yield
        except (OSError, MPI.Exception) as error:
            self._trouble = self._trouble or reason(error)

    def text(self, content: bytes) -> None:
        """Append bytes that are the same on all ranks."""
        if self.comm.rank == 0:
            with self.attempt():
                self._file.Write_at(self.size, content)
        self.size += len(content)

    def rows(self, block: NDArray[Any]) -> None:
        """Append the blocks of all ranks, in the order of ranks."""
        ends = np.cumsum(self.comm.allgather(block.nbytes))
        with self.attempt():
            self._file.Write_at_all(self.size + int(ends[self.comm.rank]) - block.nbytes, np.ascontiguousarray(block))
        self.size += int(ends[-1])

    def close(self) -> None:
        """End the writing; the file still has its name of a part."""
        with self.attempt():
            self._file.Sync()
        with self.attempt():
            self._file.Close()

    def finish(self) -> None:
        """Give it its name, once all of it is on disk.

        Raises:
            ParameterError: if it could not be written; what was at its place is still there.
        """
        troubles = self.comm.allgather(self._trouble)
        trouble = next(filter(None, troubles), "")
        if self.comm.rank == 0:
            try:
                if not trouble:
                    sync(self.partial)
                    self.partial.replace(self.path)
                    sync(self.path.parent)
            except OSError as error:
                trouble = reason(error)
            if trouble:
                with suppress(OSError):
                    self.partial.unlink(missing_ok=True)
        trouble = self.comm.bcast(trouble, root=0)
        if trouble:
            raise _not_written(self.path, trouble)


def sync(path: Path) -> None:
    """Wait until the content of a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace_text(path: Path, content: str) -> None:
    """Write a text, aside first: at any moment the old or the new one is there, all of it. On one rank.

    Raises:
        OSError: if it cannot be written.
    """
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_text(content, encoding="utf-8")
        sync(partial)
        partial.replace(path)
    except OSError:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def _not_written(path: Path, trouble: str) -> ParameterError:
    """Return the error of a file that could not be written."""
    return ParameterError(f"path = {str(path)!r}, must be a file that can be written: {trouble}")


def reason(error: Exception) -> str:
    """Return a short reason of an error of reading or writing."""
    if isinstance(error, MPI.Exception):
        first, *stack = error.Get_error_string().splitlines()
        _, unnamed, of_the_system = "".join(stack[-1:]).rpartition(OTHER)  # MPI has no name for a full disk
        return of_the_system if unnamed else first.partition(", error stack")[0].strip()
    if isinstance(error, KeyError):
        return f"it has no {error.args[0]}"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def save_arrays(
    path: Path, rows: Mapping[str, NDArray[Any]], shared: Mapping[str, NDArray[Any]], *, comm: MPI.Comm
) -> None:
    """Write a .npz file that `numpy.load` reads, all ranks together; nothing is gathered. Collective.

    Args:
        path: the file; it is replaced when the new one is on disk.
        rows: arrays by name, of each the rows of this rank; those of all ranks follow each other.
        shared: arrays by name that are the same on all ranks.
        comm: the ranks.

    Raises:
        ParameterError: if it cannot be written; on all ranks.
    """
    file, entries = SharedFile(path, comm), []
    for name, block in [*shared.items(), *rows.items()]:
        if name in shared:
            shape, mine = block.shape, block if comm.rank == 0 else block.reshape(-1)[:0]
        else:
            shape, mine = (comm.allreduce(len(block)), *block.shape[1:]), block
        header = io.BytesIO()
        described = {"descr": np.lib.format.dtype_to_descr(block.dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(header, described)
        content = header.getvalue()
        info = zipfile.ZipInfo(f"{name}.npy")
        info.header_offset = file.size
        info.file_size = info.compress_size = len(content) + int(np.prod(shape, dtype=int)) * block.itemsize
        info.CRC = _checksum(np.ascontiguousarray(mine), comm, zlib.crc32(content))
        info.extra = struct.pack("<HH", PADDING, 0)
        start = file.size + len(info.FileHeader())
        info.extra = struct.pack("<HH", PADDING, -start % ALIGNMENT) + bytes(-start % ALIGNMENT)
        file.text(info.FileHeader() + content)
        file.rows(mine)
        info.extra = b""
        entries.append(info)
    file.close()
    if comm.rank == 0:
        # Writes the list of contents behind the arrays.
        with file.attempt(), zipfile.ZipFile(file.partial, "a") as archive:
            for info in entries:
                archive.filelist.append(info)
                archive.NameToInfo[info.filename] = info
    file.finish()


class Arrays(Mapping[str, NDArray[Any]]):
    """The arrays of a .npz file, mapped into memory: a rank reads only its part.

    Attributes:
        path: the file.
    """

    def __init__(self, path: str | os.PathLike[str], comm: MPI.Comm = MPI.COMM_SELF) -> None:
        """Read the list of contents.

        Raises:
            OSError: if there is no file that can be opened.
            BadZipFile: if it is no .npz file, or not all of one.
        """
        self.path, self._comm = Path(path), comm
        with self.path.open("rb") as file:
            self._size = os.fstat(file.fileno()).st_size
            with _damage("it is no .npz file, or not all of one"), zipfile.ZipFile(file) as archive:
                self._entries = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
                file.seek(-END_RECORD.size, os.SEEK_END)
                counted = END_RECORD.unpack(file.read(END_RECORD.size))[4]
                _expect(len(self._entries) == counted, f"it has {len(self._entries)} arrays, must have {counted}")
                self._begins = {name: self._begin(file, name, info) for name, info in self._entries.items()}

    def _begin(self, file: BinaryIO, name: str, info: zipfile.ZipInfo) -> int:
        """Return where an array begins in the file, which both of its headers must tell."""
        plain = not info.flag_bits & ENCRYPTED and info.compress_type == zipfile.ZIP_STORED
        _expect(plain and info.file_size == info.compress_size, f"its {name} is compressed or encrypted")
        file.seek(info.header_offset)
        header = file.read(LOCAL_HEADER)
        signature, method = header[:4], struct.unpack("<H", header[8:10])[0]
        lengths = struct.unpack("<HH", header[-4:])
        alike = signature == SIGNATURE and method == zipfile.ZIP_STORED
        _expect(alike and file.read(lengths[0]) == info.orig_filename.encode(), f"its {name} has another header")
        begin = info.header_offset + LOCAL_HEADER + sum(lengths)
        _expect(begin + info.file_size <= self._size, f"its {name} ends behind the file")
        return begin

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Array `name`, its checksum checked, of which each rank computes a part. Collective.

        Raises:
            KeyError: if there is none.
            BadZipFile: if its content is damaged.
        """
        info = self._entries[name]
        size = info.file_size
        with _damage(f"its {name} is damaged"):
            content = np.memmap(self.path, np.uint8, "r", self._begins[name], (size,))
        ends = np.linspace(0, size, self._comm.size + 1).astype(np.int64)
        checksum = _checksum(content[ends[self._comm.rank] : ends[self._comm.rank + 1]], self._comm, 0)
        _expect(checksum == info.CRC, f"its {name} is damaged")
        with _damage(f"its {name} is no array"):
            header = io.BytesIO(content[: min(size, 2**16)].tobytes())
            np.lib.format.read_magic(header)
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(header)
            _expect(not dtype.hasobject, f"its {name} holds Python objects")
            return content[header.tell() :].view(dtype).reshape(shape, order="F" if fortran else "C")

    def __contains__(self, name: object) -> bool:
        """Return true if there is an array of this name; nothing is read."""
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        """Names."""
        return iter(self._entries)

    def __len__(self) -> int:
        """Return the number of arrays."""
        return len(self._entries)


@contextmanager
def _damage(message: str) -> Iterator[None]:
    """Turn all errors of a library about the content of a file into one kind.

    Raises:
        BadZipFile: with the message and that of the library.
    """
    try:
        yield
    except zipfile.BadZipFile:
        raise
    except Exception as error:
        msg = f"{message}: {error}"
        raise zipfile.BadZipFile(msg) from error


def _expect(condition: object, message: str) -> None:
    """Refuse a damaged file unless the condition holds."""
    if not condition:
        raise zipfile.BadZipFile(message)


def _checksum(block: NDArray[Any], comm: MPI.Comm, first: int) -> int:
    """CRC-32 of the blocks of all ranks after content of checksum `first`. Collective."""
    for checksum, length in comm.allgather((zlib.crc32(block.data if block.size else b""), block.nbytes)):
        first = _followed_by_zeros(first, length) ^ checksum
    return first


def _followed_by_zeros(checksum: int, length: int) -> int:
    """Multiply a checksum by x^(8 length), modulo the polynomial of CRC-32, by repeated squaring.

    The checksum of two blocks is that of the first, moved so by the length of the second, plus that of the second.
    """
    power, square = 1 << 31, 1 << 23  # 1 and x^8
    while length:
        if length & 1:
            power = _product(power, square)
        square = _product(square, square)
        length >>= 1
    return _product(power, checksum)


def _product(a: int, b: int) -> int:
    """Product of two polynomials over GF(2), modulo that of CRC-32."""
    result = 0
    for bit in range(31, -1, -1):
        if a >> bit & 1:
            result ^= b
        b = b >> 1 ^ (POLYNOMIAL if b & 1 else 0)
    return result

"""Files of arrays (.npz) that all ranks write and read together, each its own part."""

from __future__ import annotations

import io
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from emfem.files.shared import SharedFile

import numpy as np
from mpi4py import MPI
from numpy.typing import NDArray

__all__ = ["Arrays", "save_arrays"]

ALIGNMENT = 64  # bytes: arrays begin at multiples of it, so that they can be mapped into memory
PADDING = 0xD935  # tag of the field of a zip header that fills up to the alignment
POLYNOMIAL = 0xEDB88320  # of the checksum of zip files, its bits reversed
LOCAL_HEADER = 30  # bytes of a local zip header without name and extra fields
SIGNATURE = b"PK\x03\x04"  # of a local zip header
END_RECORD = struct.Struct("<4s4H2LH")  # of a zip file without a comment; the fifth is the number of its entries
ENCRYPTED = 0x41  # flags of a zip entry


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

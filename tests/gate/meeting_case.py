"""Run on several ranks: rank 1 fails inside of a block; each rank prints what it raised."""

from __future__ import annotations

import sys
import time

from emfem.gate import Meeting

from mpi4py import MPI

comm, kind = MPI.COMM_WORLD, sys.argv[1]
began = time.monotonic()
with Meeting(comm):
    comm.barrier()
try:
    with Meeting(comm):
        if comm.rank == 1:
            message = "no number"
            raise ValueError(message)
        if kind == "waiting":
            comm.barrier()
except Exception as error:
    lines = comm.gather(f"{type(error).__name__}: {error}")
    if lines:
        print("|".join(lines), flush=True)

"""Readers of files that other programs made, by gmsh, meshio, gdstk and imageio.

They run in a process of their own, which `emfem.mesh.sandbox` starts, so that a file that crashes a library does not
take the program with it. They import the standard library, NumPy, Shapely, their own library and each other, and of
emfem the errors only: that process has no DOLFINx, MPI or PETSc.
"""

"""`python -m emfem` is the command `emfem`."""

from emfem.cli import main

main()

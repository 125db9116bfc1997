"""`python -m emfem` is the command `emfem`."""

from emfem.cli import main

if __name__ == "__main__":
    main()

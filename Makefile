# Everything happens in .venv, which is made when it is missing. `make` alone lists what there is.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install demo paper test quick soak bench docs links lint release clean

export OMP_NUM_THREADS := 1
unexport PYTHONDONTWRITEBYTECODE  # tests are rewritten by pytest and compiled once, not at each start of Python

minutes ?= 60

bin := .venv/bin
installed := .venv/.installed
pythons ?= python3 python3.14 python3.13 python3.12

# One failure does not hide the next: all of them run, and the target fails if any did.
code := emfem tests demos meshes benchmarks docs
checks = $(bin)/ruff check $(code) || failed=1; $(bin)/ruff format --check $(code) || failed=1; $(bin)/mypy || failed=1

# The files of tests run side by side, one for each core, in the order of tests/conftest.py; what a file computes once
# stays with it.
side_by_side = -n auto --maxprocesses 8 --dist loadfile --no-loadscope-reorder

# Lint and types use the core that is idle while pytest collects; their output comes last, so that it is not mixed in.
tested = failed=0; lines=$$(mktemp); $(MAKE) --silent lint > $$lines 2>&1 & lint=$$!; \
	$(bin)/python -m pytest $(side_by_side) $(1) || failed=1; \
	wait $$lint || failed=1; cat $$lines; rm $$lines; exit $$failed

# Warnings are errors; pages are read anew each time, but executed only when they or the code have changed.
sphinx := -m sphinx -q -E -W --keep-going docs

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-8s  %s\n", $$1, $$2}' Makefile
	@echo "make demo N=2   the demo on two processes"

install: $(installed)  ## make .venv and install emfem with FEniCSx and the test tools into it

demo: $(installed)  ## run demos/stripes.py; pictures and ParaView files go to results/stripes/
	$(if $(N),$(bin)/mpiexec -n $(N)) $(bin)/python demos/stripes.py

paper: $(installed)  ## every figure of the film paper at a reduced size; pictures and table go to results/paper/reduced/
	$(bin)/python demos/paper/figures.py

test: $(installed)  ## lint, types and all tests, the parallel ones too
	@$(call tested)

quick: $(installed)  ## lint, types and the quick tests of every package
	@$(call tested,-m "not slow and not parallel")

soak: $(installed)  ## more of each kind of test, the site executed, killed runs, random calls, mutants; minutes=60 of fuzz
	EMFEM_SOAK=1 $(bin)/python -m pytest -m soak
	$(bin)/python $(sphinx) docs/_build/html
	$(bin)/python -m tests.checkpoints.kills results/soak/kills 50 1
	$(bin)/python -m tests.checkpoints.cost
	$(bin)/python -m tests.fuzz.soak --minutes $(minutes) --output results/soak
	$(bin)/python -m tests.mutants --sample 100 --output results/mutants

bench: $(installed)  ## emfem at many sizes and against other programs, which it installs; a page in results/bench/
	$(bin)/python -m pip install --disable-pip-version-check --quiet --editable ".[bench]"
	$(bin)/python -m benchmarks $(options)

docs: $(installed)  ## build the site into docs/_build/html; its pages are executed
	$(bin)/python $(sphinx) docs/_build/html

links: $(installed)  ## ask every address that the site links to
	$(bin)/python $(sphinx) docs/_build/links -b linkcheck

lint: $(installed)  ## style and types
	@failed=0; $(checks); exit $$failed

release: $(installed)  ## build wheel and sdist into dist/, check them, try the wheel in an empty environment; nothing is sent
	rm -rf dist build/release
	$(bin)/python -m pip install --disable-pip-version-check --quiet --editable ".[release]"
	$(bin)/python -m build --outdir dist .
	$(bin)/python -m twine check --strict dist/*
	$(bin)/python -m venv build/release
	build/release/bin/pip install --disable-pip-version-check --quiet "$$(ls dist/*.whl)[fenicsx,view]"
	cd build/release && bin/emfem verify && bin/emfem new film > film.toml && bin/emfem run film.toml --set time.until=1.0
	cd build/release && bin/python ../../demos/blech.py

clean:  ## remove results and caches; .venv stays
	rm -rf results build dist docs/_build .mypy_cache .pytest_cache .ruff_cache
	find . -name .venv -prune -o -name __pycache__ -type d -exec rm -rf {} +

# Touched last, so that an install that broke off is done again.
$(installed): pyproject.toml | $(bin)/pip
	$(bin)/python -m pip install --disable-pip-version-check --quiet --editable ".[fenicsx,view,notebook,test,docs]"
	@touch $@

# Each candidate is run, not only looked up: a pyenv shim may exist and fail. pip is the last thing venv writes.
$(bin)/pip:
	@for python in $(pythons); do \
	    $$python -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1 || continue; \
	    $$python -c 'import ensurepip' >/dev/null 2>&1 || { \
	        version=$$($$python -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	        echo "$$python has no ensurepip, so it cannot make .venv: install the package python$$version-venv (apt)." >&2; \
	        exit 1; \
	    }; \
	    echo "$$python -m venv .venv"; exec $$python -m venv .venv; \
	done; \
	echo "emfem needs Python 3.12 or newer, and none of these is: $(pythons)." >&2; exit 1

# emfem with DOLFINx, PETSc and the viewer: docker build -t emfem . && docker run --rm -v "$PWD:/work" emfem run case.toml
FROM debian:13-slim

# Debian keeps one version of a package at a time: none can be named
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --no-install-recommends -y \
        gcc libc6-dev libegl1 libgl1 libglu1-mesa libxcursor1 libxft2 libxinerama1 python3-dev python3-venv \
    && rm -rf /var/lib/apt/lists/*

# gcc stays: forms are compiled when a model is used for the first time
COPY pyproject.toml README.md LICENSE /emfem/
COPY emfem /emfem/emfem
RUN python3 -m venv /venv && /venv/bin/pip install --no-cache-dir "/emfem[fenicsx,view]"

RUN useradd --uid 1000 --create-home emfem && mkdir /work && chown 1000 /work
USER 1000
ENV PATH=/venv/bin:$PATH OMP_NUM_THREADS=1
WORKDIR /work
ENTRYPOINT ["emfem"]
CMD ["--help"]

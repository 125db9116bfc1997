"""Studies: a run that a file describes (a case), and many of them (a sweep).

    case = em.studies.Case.read("film.toml")
    case.with_(**{"field.angle": "30 deg"}).run("results/30")
    em.studies.Study.of(case, grid={"field.angle": ["0 deg", "45 deg"], "initial.seed": [1, 2, 3]}).run("results")

On a cluster the workers may be those of any Dask scheduler that sees the same folder. With dask-jobqueue and Slurm:

    from dask_jobqueue import SLURMCluster
    cluster = SLURMCluster(cores=16, processes=16, memory="32GB", walltime="04:00:00",
                           job_script_prologue=["export OMP_NUM_THREADS=1"])
    cluster.scale(jobs=4)
    study.run("results", scheduler=cluster.scheduler_address)     # or: emfem sweep study.toml --scheduler tcp://...
"""

from emfem.public import dir_of
from emfem.studies import templates
from emfem.studies.case import Case
from emfem.studies.registry import load, register
from emfem.studies.running import Outcome
from emfem.studies.sweep import Study
from emfem.studies.tables import Coupling, Key, Physics
from emfem.studies.validation import CaseError
from emfem.versions import versions

__all__ = [
    "Case",
    "CaseError",
    "Coupling",
    "Key",
    "Outcome",
    "Physics",
    "Study",
    "load",
    "register",
    "templates",
    "versions",
]
__dir__ = dir_of(__all__)

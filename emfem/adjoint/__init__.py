"""Derivatives of a run by its constants, fields and initial values, at the cost of one more run: discrete adjoints.

objective = em.adjoint.Objective(model, "outflow", {"D": D, "start": model["c"]}, until=1.0)
gradient = objective.gradient()                 by name, one derivative for each value
objective.taylor_orders()                       2 where the gradient is right
scipy.optimize.minimize(*objective.as_function(), jac=True)
em.adjoint.Metal(domain, copper, ["effective_charge"])      a metal whose constants are controls
"""

from emfem.adjoint.metal import Metal
from emfem.adjoint.objective import Objective
from emfem.public import dir_of

__all__ = ["Metal", "Objective"]
__dir__ = dir_of(__all__)

"""One test for each check of `emfem verify`; tests/verification/ compares with other numbers, and in other ways."""

from emfem import verify

import pytest

# Their long form is a rate over three meshes, and takes some seconds; `emfem verify --full` runs all of them at length.
AT_LENGTH = {"corner of a bend", "kink between phases", "resistance of a ring"}


@pytest.mark.filterwarnings("ignore:the film model. nodes in an interface:emfem.ResolutionWarning")
@pytest.mark.parametrize("check", verify.checks(), ids=lambda check: f"{check.physics} {check.name}")
def test_check_passes(check: verify.Check):
    (result,) = verify.run([check], full=check.name in AT_LENGTH).results
    assert result.ok, f"{result.values}, order {result.order}, must be {check.target}; {result.trouble}"

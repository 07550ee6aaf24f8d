"""What Terraform would create in each environment; planned once for all tests of a run."""

import os

import pytest

from tests.infra.used_permissions import used
from tests.support import terraform

__all__ = ["used"]  # a fixture


@pytest.fixture(scope="session")
def infrastructures(
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, terraform.PlannedEnvironment]:
    """Return what Terraform would create, by environment."""
    base = tmp_path_factory.getbasetemp()
    return terraform.planned_environments(
        base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    )


@pytest.fixture(params=terraform.ENVIRONMENTS)
def infra(
    request: pytest.FixtureRequest, infrastructures: dict[str, terraform.PlannedEnvironment]
) -> terraform.PlannedEnvironment:
    return infrastructures[request.param]

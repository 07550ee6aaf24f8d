"""Fixtures of the pipeline's tests."""

import pytest

from tests.support.fakes import Clock, FakeDoorbell


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def doorbell() -> FakeDoorbell:
    return FakeDoorbell()

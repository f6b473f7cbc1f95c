"""botocore's service models are read once for all tests: EC2's alone takes a second."""

import functools

import botocore.session
import pytest


@pytest.fixture(scope="session", autouse=True)
def one_loader() -> None:
    botocore.session.create_loader = functools.lru_cache(botocore.session.create_loader)

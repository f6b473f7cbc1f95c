"""A Context on moto's EMR, EC2, S3, IAM and STS in this process, with a clock that never waits."""

import io
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from moto import mock_aws

from lofn_aws.adapters.clock import Clock
from lofn_aws.report.progress import Reporter
from lofn_aws.workflows.context import Context
from tests.lofn_aws.factory import settings


class FakeClock(Clock):
    """A clock on which sleeping is all that takes time."""

    def __init__(self) -> None:
        self.time = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time, timezone.utc)

    def monotonic(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


class Heard(Reporter):
    """A reporter whose words can be read."""

    def __init__(self) -> None:
        self.out, self.err = io.StringIO(), io.StringIO()
        super().__init__(out=self.out, err=self.err)

    @property
    def words(self) -> str:
        return self.err.getvalue()


@pytest.fixture
def account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with mock_aws():
        yield


@pytest.fixture
def ctx(account: None, tmp_path: Path) -> Context:
    """A Context of a new user in an empty account; SSH stays closed."""
    chosen = settings(region="us-east-1", ssh_ingress="none")
    return Context(
        settings=chosen.changed(access_key="test", secret_key="test"),
        reporter=Heard(),
        clock=FakeClock(),
        home=tmp_path / "home",
    )

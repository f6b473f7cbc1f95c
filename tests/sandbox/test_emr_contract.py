"""The EMR adapter's contract on the sandbox, whose clusters run what they are given."""

from __future__ import annotations

import time

import pytest

from lofn_aws.adapters.emr import EmrAdapter
from lofn_aws.adapters.session import Aws
from lofn_aws.errors import LofnAwsError
from lofn_aws.model.step import StepSpec
from tests.contract.emr_contract import EmrContract
from tests.lofn_aws.factory import settings
from tests.sandbox.harness import Project


@pytest.fixture(scope="module")
def adapter(sandbox: Project) -> EmrAdapter:
    told = sandbox.run("sandbox", "status", "-o", "json").json
    return EmrAdapter(Aws(settings(region=told["region"]).changed(
        endpoint_url=told["url"], access_key=told["access_key"], secret_key=told["secret_key"],
    )))


@pytest.fixture(scope="module")
def cluster_id(cluster: Project) -> str:
    return str(cluster.run("status", "-o", "json").json["cluster"]["id"])


class TestOnTheSandbox(EmrContract):
    """The cluster that `up` made."""

    def test_an_unknown_step_is_an_error_of_ours(
        self, adapter: EmrAdapter, cluster_id: str
    ) -> None:
        with pytest.raises(LofnAwsError, match="s-0000000000000"):
            adapter.describe_step(cluster_id, "s-0000000000000")

    def test_steps_really_run_and_are_really_cancelled(
        self, adapter: EmrAdapter, cluster_id: str
    ) -> None:
        """One step runs and is ended, one that waits behind it is cancelled, one fails."""
        specs = [StepSpec("long", ("sleep", "120")), StepSpec("never", ("true",)),
                 StepSpec("wrong", ("sh", "-c", "exit 3"))]
        running, waiting, failing = adapter.add_steps(cluster_id, specs)
        self.wait(adapter, cluster_id, running, {"RUNNING"})
        told = {c.id: c for c in adapter.cancel_steps(cluster_id, [waiting, running])}
        assert {told[running].status, told[waiting].status} == {"SUBMITTED"}
        self.wait(adapter, cluster_id, waiting, {"CANCELLED"})
        self.wait(adapter, cluster_id, running, {"CANCELLED"})
        self.wait(adapter, cluster_id, failing, {"FAILED"})

    @staticmethod
    def wait(adapter: EmrAdapter, cluster_id: str, step_id: str, states: set[str]) -> None:
        end = time.monotonic() + 90
        while adapter.describe_step(cluster_id, step_id).state not in states:
            assert time.monotonic() < end, adapter.describe_step(cluster_id, step_id)
            time.sleep(1)

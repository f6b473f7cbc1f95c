"""The EMR adapter's contract on moto."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from lofn_aws.adapters.emr import EmrAdapter
from lofn_aws.adapters.session import Aws
from lofn_aws.plan.job_flow import run_job_flow
from tests.contract.emr_contract import EmrContract
from tests.lofn_aws.factory import settings, spec


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        patch.setenv("AWS_CONFIG_FILE", "/nowhere")
        yield Aws(settings(region="us-east-1").changed(access_key="t", secret_key="t"))


@pytest.fixture(scope="module")
def adapter(aws: Aws) -> EmrAdapter:
    return EmrAdapter(aws)


@pytest.fixture(scope="module")
def cluster_id(aws: Aws, adapter: EmrAdapter) -> str:
    # moto lists instances only of clusters that name a subnet.
    subnet = aws.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    return adapter.run_job_flow(run_job_flow(spec(region="us-east-1", subnet=subnet)))


class TestOnMoto(EmrContract):
    """moto's EMR: clusters are ready at once and nothing runs."""

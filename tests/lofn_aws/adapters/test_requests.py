"""Every request that the toolkit sends fits botocore's own service model.

Every public method of the AWS adapters is called once, no byte leaves the machine, and a hook of
botocore's records what would have been sent.
"""

import contextlib
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator

from lofn_aws.adapters.ec2 import Ec2Adapter
from lofn_aws.adapters.emr import EmrAdapter
from lofn_aws.adapters.iam import IamAdapter
from lofn_aws.adapters.s3 import S3Adapter
from lofn_aws.adapters.session import Aws
from lofn_aws.errors import LofnAwsError
from lofn_aws.model.network import IngressRule
from lofn_aws.model.step import StepSpec
from lofn_aws.plan.job_flow import run_job_flow
from tests.lofn_aws.factory import settings, spec

J, S = "j-1ABCDEFGHIJKL", "s-1ABCDEFGHIJKL"

CALLS: dict[str, Callable[[Any], Any]] = {
    "EmrAdapter.clusters": lambda a: a.clusters(["WAITING", "RUNNING"]),
    "EmrAdapter.cluster": lambda a: a.cluster(J),
    "EmrAdapter.groups": lambda a: a.groups(J),
    "EmrAdapter.instances": lambda a: a.instances(J),
    "EmrAdapter.run_job_flow": lambda a: a.run_job_flow(run_job_flow(spec())),
    "EmrAdapter.terminate": lambda a: a.terminate([J] * 11),
    "EmrAdapter.add_steps": lambda a: a.add_steps(J, [StepSpec("n", ("spark-submit", "x"))]),
    "EmrAdapter.describe_step": lambda a: a.describe_step(J, S),
    "EmrAdapter.list_steps": lambda a: (a.list_steps(J), a.list_steps(J, ["PENDING"])),
    "EmrAdapter.cancel_steps": lambda a: a.cancel_steps(J, [S]),
    "Ec2Adapter.has_key_pair": lambda a: a.has_key_pair("k"),
    "Ec2Adapter.import_key_pair": lambda a: a.import_key_pair("k", "ssh-rsa AAAA"),
    "Ec2Adapter.delete_key_pair": lambda a: a.delete_key_pair("k"),
    "Ec2Adapter.vpc_cidrs": lambda a: a.vpc_cidrs("subnet-1"),
    "Ec2Adapter.tcp_rules": lambda a: a.tcp_rules("sg-1"),
    "Ec2Adapter.open_ssh": lambda a: a.open_ssh("sg-1", "203.0.113.7/32", "lofn-aws ada"),
    "Ec2Adapter.close_ssh": lambda a: a.close_ssh(
        "sg-1", IngressRule("203.0.113.7/32", 22, 22, "lofn-aws ada")),
    "IamAdapter.account": lambda a: a.account,
    "S3Adapter.bucket_exists": lambda a: a.bucket_exists("b-1"),
    "S3Adapter.ensure_bucket": lambda a: a.ensure_bucket("b-1", "eu-north-1", {"t": "v"}),
    "S3Adapter.delete_bucket": lambda a: a.delete_bucket("b-1"),
    "S3Adapter.exists": lambda a: a.exists("b-1", "k"),
    "S3Adapter.size": lambda a: a.size("b-1", "k"),
    "S3Adapter.put_bytes": lambda a: a.put_bytes("b-1", "k", b"x"),
    "S3Adapter.put_file": lambda a: a.put_file("b-1", "k", Path(__file__)),
    "S3Adapter.get_bytes": lambda a: a.get_bytes("b-1", "k"),
    "S3Adapter.get_file": lambda a: a.get_file("b-1", "k", Path("/tmp/lofn-aws-none")),
    "S3Adapter.list": lambda a: list(a.list("b-1", "p/")),
    "S3Adapter.delete_prefix": lambda a: a.delete_prefix("b-1", "p/"),
    "S3Adapter.copy": lambda a: a.copy(("b-1", "k"), ("b-2", "k")),
}

# What the calls above must send, so that a method that sends nothing is noticed.
OPERATIONS = {
    "AddJobFlowSteps", "AuthorizeSecurityGroupIngress", "CancelSteps", "CopyObject",
    "CreateBucket", "DeleteBucket", "DescribeCluster", "DescribeKeyPairs",
    "DescribeSecurityGroups", "DescribeStep", "DescribeSubnets", "GetCallerIdentity",
    "GetObject", "HeadBucket", "HeadObject", "ImportKeyPair", "ListClusters",
    "ListInstanceGroups", "ListInstances", "ListObjectsV2", "ListSteps", "PutObject",
    "PutPublicAccessBlock", "RevokeSecurityGroupIngress", "RunJobFlow", "TerminateJobFlows",
}


EMPTY = b'{"InstanceGroups": [], "Instances": [], "Clusters": [], "Steps": []}'


def answer(request: Any, status: int, body: bytes) -> AWSResponse:
    raw = io.BytesIO(body)
    raw.stream = lambda *_, **__: iter([body])  # type: ignore[attr-defined]
    return AWSResponse(request.url, status, {"content-length": str(len(body))}, raw)


class Recorder:
    """Listens to botocore: what was asked for, and an empty answer instead of a connection."""

    def __init__(self, aws: Aws) -> None:
        self.sent: list[tuple[str, Any, dict[str, Any]]] = []
        aws.session.events.register("before-parameter-build", self.record)
        aws.session.events.register("before-send", self.answer)

    def record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.sent.append((model.name, model, params))

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        """A bucket is not there yet, everything else is there and empty."""
        missing = request.method == "HEAD" and urlsplit(request.url).path == "/"
        body = EMPTY if "X-Amz-Target" in request.headers else b"<r/>"
        body = b"" if missing else body
        return answer(request, 404 if missing else 200, body)

    def problems(self) -> list[str]:
        found = []
        for name, model, params in self.sent:
            if model.input_shape is not None:
                report = ParamValidator().validate(params, model.input_shape)
                if report.has_errors():
                    found.append(f"{name}: {report.generate_report()}")
        return found


def fresh() -> Aws:
    return Aws(settings().changed(access_key="test", secret_key="test"))


@pytest.fixture(scope="module")
def aws() -> Iterator[Aws]:
    """One set of clients for the module: loading a service's model takes long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_CONFIG_FILE", "/nowhere")
        yield fresh()


@pytest.fixture(scope="module")
def listener(aws: Aws) -> Recorder:
    return Recorder(aws)


@pytest.fixture
def recorder(listener: Recorder) -> Recorder:
    listener.sent.clear()
    return listener


def adapters(aws: Aws) -> dict[str, Any]:
    made = [EmrAdapter(aws), Ec2Adapter(aws), IamAdapter(aws), S3Adapter(aws.s3)]
    return {type(a).__name__: a for a in made}


def call(name: str, aws: Aws) -> None:
    """Call one method; what it makes of an empty answer is not the question here."""
    with contextlib.suppress(KeyError, IndexError, LofnAwsError, ValueError, OSError):
        CALLS[name](adapters(aws)[name.partition(".")[0]])


@pytest.mark.parametrize("name", CALLS)
def test_requests_fit_the_service_model(name: str, aws: Aws, recorder: Recorder) -> None:
    call(name, aws)
    assert recorder.sent, "the call sent nothing"
    assert recorder.problems() == []


def test_every_public_method_is_called_above(aws: Aws) -> None:
    public = {
        f"{name}.{member}"
        for name, adapter in adapters(aws).items()
        for member in vars(type(adapter))
        if not member.startswith("_")
    }
    assert public == set(CALLS)


def test_the_operations_are_those_meant(aws: Aws, recorder: Recorder) -> None:
    for name in CALLS:
        call(name, aws)
    assert {name for name, _, _ in recorder.sent} >= OPERATIONS


def test_a_wrong_request_would_be_found(aws: Aws, recorder: Recorder) -> None:
    """The check can fail: an unknown member and a wrong type are both named."""
    with pytest.raises(LofnAwsError, match="InstanceCuont"):
        EmrAdapter(aws).run_job_flow({"Name": 3, "Instances": {"InstanceCuont": 1}})
    assert "InstanceCuont" in recorder.problems()[0]
    assert "Name" in recorder.problems()[0]


def test_requests_that_must_not_be_sent_twice_are_sent_once() -> None:
    """RunJobFlow and AddJobFlowSteps have no client token: a lost answer is not a reason."""
    aws = fresh()
    sent: list[str] = []

    def drop(request: Any, **_: Any) -> AWSResponse:
        sent.append(request.headers["X-Amz-Target"].decode().rpartition(".")[2])
        return answer(request, 503, b"{}")

    aws.session.events.register("before-send", drop)
    for act in (lambda a: a.run_job_flow(run_job_flow(spec())),
                lambda a: a.add_steps(J, [StepSpec("n", ("x",))])):
        with pytest.raises(LofnAwsError):
            act(EmrAdapter(aws))
    assert sent == ["RunJobFlow", "AddJobFlowSteps"]

"""Every request that the toolkit sends fits botocore's own service model.

Every public method of the AWS adapters is called, no byte leaves the machine, and a hook of
botocore's records what would have been sent. The answers are whole enough for every method to go
to its end: what it sends second and third is sent too.
"""

import io
import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.awsrequest import AWSResponse
from botocore.validate import ParamValidator

from lofn_aws.adapters import ec2, emr, iam, s3
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
# Above 8 MB, boto3's transfers send and copy in parts.
LARGE_BYTES = 9 << 20
_folder = tempfile.TemporaryDirectory(prefix="lofn-aws-requests-")
FETCHED, LARGE = Path(_folder.name, "fetched"), Path(_folder.name, "large")
with LARGE.open("wb") as _sparse:
    _sparse.truncate(LARGE_BYTES)

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
    "S3Adapter.put_file": lambda a: (a.put_file("b-1", "k", Path(__file__)),
                                     a.put_file("b-1", "large", LARGE)),
    "S3Adapter.get_bytes": lambda a: a.get_bytes("b-1", "k"),
    "S3Adapter.get_file": lambda a: a.get_file("b-1", "k", FETCHED),
    "S3Adapter.list": lambda a: list(a.list("b-1", "p/")),
    "S3Adapter.delete_prefix": lambda a: a.delete_prefix("b-1", "p/"),
    "S3Adapter.copy": lambda a: (a.copy(("b-1", "k"), ("b-2", "k")),
                                 a.copy(("b-1", "large"), ("b-2", "large"))),
}

# What boto3's transfers call for each of their methods. Not here: AbortMultipartUpload, which they
# send when a part fails.
IN_PARTS = {"CreateMultipartUpload", "CompleteMultipartUpload"}
TRANSFERS = {
    "upload_file": {"PutObject", "UploadPart", *IN_PARTS},
    "download_file": {"HeadObject", "GetObject"},
    "copy": {"HeadObject", "CopyObject", "UploadPartCopy", *IN_PARTS},
}
CLIENT_CALL = re.compile(r"(?:_client|_aws\.\w+)\.(?:get_paginator\(\"(\w+)\"\)|(\w+)\()")

EMR_ANSWER = json.dumps({
    "Clusters": [{"Id": J, "Name": "n"}], "Cluster": {"Id": J, "Name": "n"}, "JobFlowId": J,
    "InstanceGroups": [{"Id": "ig-1"}], "Instances": [{"Id": "ci-1"}],
    "Steps": [{"Id": S}], "Step": {"Id": S}, "StepIds": [S],
    "CancelStepsInfoList": [{"StepId": S, "Status": "SUBMITTED"}],
}).encode()
QUERY_ANSWERS = {
    "GetCallerIdentity": b"<r><GetCallerIdentityResult><Account>123456789012</Account>"
                         b"</GetCallerIdentityResult></r>",
    "DescribeSubnets": b"<r><subnetSet><item><vpcId>vpc-1</vpcId></item></subnetSet></r>",
    "DescribeVpcs": b"<r><vpcSet><item><cidrBlock>10.0.0.0/16</cidrBlock></item></vpcSet></r>",
    "DescribeSecurityGroups": b"<r><securityGroupInfo><item><ipPermissions><item>"
                              b"<ipProtocol>tcp</ipProtocol><fromPort>22</fromPort>"
                              b"<toPort>22</toPort></item></ipPermissions></item>"
                              b"</securityGroupInfo></r>",
}
# By method and a word of the query.
S3_ANSWERS = {
    ("GET", "list-type"): b"<r><Contents><Key>p/k</Key><Size>1</Size></Contents></r>",
    ("POST", "uploads"): b"<r><UploadId>u-1</UploadId></r>",
    ("POST", "uploadId"): b"<r><ETag>e</ETag></r>",
    ("POST", "delete"): b"<r/>",
}


def answer(
    request: Any, status: int, body: bytes, headers: dict[str, str] | None = None
) -> AWSResponse:
    raw = io.BytesIO(body)
    raw.stream = lambda *_, **__: iter([body])  # type: ignore[attr-defined]
    length = {"content-length": str(len(body))}
    return AWSResponse(request.url, status, {**length, **(headers or {})}, raw)


def s3_answer(request: Any) -> AWSResponse:
    """A bucket is not there yet; every object is, of one byte or LARGE_BYTES."""
    url = urlsplit(request.url)
    if request.method == "HEAD":
        size = LARGE_BYTES if url.path.endswith("large") else 1
        known = {"content-length": str(size), "ETag": '"e"'}
        return answer(request, 404 if url.path == "/" else 200, b"", known)
    query = parse_qs(url.query, keep_blank_values=True)
    for (method, word), body in S3_ANSWERS.items():
        if method == request.method and word in query:
            return answer(request, 200, body)
    if "x-amz-copy-source" in request.headers:
        return answer(request, 200, b"<r><ETag>e</ETag></r>")
    return answer(request, 200, b"x" if request.method == "GET" else b"", {"ETag": '"e"'})


class Recorder:
    """Listens to botocore: what was asked for, and an answer instead of a connection."""

    def __init__(self, aws: Aws) -> None:
        self.sent: list[tuple[str, Any, dict[str, Any]]] = []
        aws.session.events.register("before-parameter-build", self.record)
        aws.session.events.register("before-send", self.answer)

    def record(self, params: dict[str, Any], model: Any, **_: Any) -> None:
        self.sent.append((model.name, model, params))

    def answer(self, request: Any, **_: Any) -> AWSResponse:
        """Answer as the service would, in short."""
        if "X-Amz-Target" in request.headers:
            return answer(request, 200, EMR_ANSWER)
        if ".s3." not in request.url:
            form = request.body.decode() if isinstance(request.body, bytes) else request.body
            return answer(request, 200, QUERY_ANSWERS.get(parse_qs(form)["Action"][0], b"<r/>"))
        return s3_answer(request)

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
    """Call one method, to its end."""
    CALLS[name](adapters(aws)[name.partition(".")[0]])


def operations_in_the_sources(aws: Aws) -> set[str]:
    """The operations that the adapters' sources name, those behind boto3's transfers too."""
    found: set[str] = set()
    clients = {emr: aws.emr, ec2: aws.ec2, iam: aws.sts, s3: aws.s3}
    for module, client in clients.items():
        names = client.meta.method_to_api_mapping
        for paginated, called in CLIENT_CALL.findall(Path(module.__file__ or "").read_text()):
            method = paginated or called
            found |= TRANSFERS.get(method) or {names[method]}
    return found


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


def test_every_operation_of_the_adapters_was_checked(aws: Aws, recorder: Recorder) -> None:
    for name in CALLS:
        call(name, aws)
    assert {name for name, _, _ in recorder.sent} == operations_in_the_sources(aws)


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

"""A sandbox for tests: its clients, requests for clusters, and waits with deadlines."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from lofn_aws.sandbox.account import ACCESS_KEY, REGION, SECRET_KEY

ENDED = ("TERMINATED", "TERMINATED_WITH_ERRORS")
STEP_ENDED = ("COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED")


def until(what: str, probe: Callable[[], Any], seconds: float) -> Any:
    """Return the probe's first true answer; fail when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        answer = probe()
        if answer:
            return answer
        time.sleep(0.1)
    raise AssertionError(f"not within {seconds:.0f} s: {what}")


class World:
    """Unmodified boto3 clients of one endpoint.

    ``kill`` ends a node by its EC2 id, as a crash does; ``patience`` is in seconds.
    """

    def __init__(self, url: str, kill: Callable[[str], None], patience: float) -> None:
        session = boto3.session.Session(
            aws_access_key_id=ACCESS_KEY, aws_secret_access_key=SECRET_KEY, region_name=REGION
        )
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        self.emr, self.s3, self.ec2, self.iam = (
            session.client(name, endpoint_url=url, config=config)
            for name in ("emr", "s3", "ec2", "iam")
        )
        self.kill = kill
        self.patience = patience
        self.s3.create_bucket(Bucket="lofn-tests")

    def put(self, key: str, text: str) -> str:
        """Put an object and return its URI."""
        self.s3.put_object(Bucket="lofn-tests", Key=key, Body=text.encode())
        return f"s3://lofn-tests/{key}"

    def log(self, cluster_id: str, path: str) -> str:
        """The text of a log below LogUri."""
        key = f"logs/{cluster_id}/{path}.gz"
        return gzip.decompress(
            self.s3.get_object(Bucket="lofn-tests", Key=key)["Body"].read()
        ).decode()

    def log_keys(self, cluster_id: str) -> list[str]:
        """The keys of a cluster's logs."""
        listed = self.s3.list_objects_v2(Bucket="lofn-tests", Prefix=f"logs/{cluster_id}/")
        return [item["Key"] for item in listed.get("Contents", [])]

    def run(self, **changes: Any) -> str:
        """Ask for a cluster; see ``request``."""
        return str(self.emr.run_job_flow(**request(**changes))["JobFlowId"])

    def cluster(self, cluster_id: str) -> dict[str, Any]:
        return dict(self.emr.describe_cluster(ClusterId=cluster_id)["Cluster"])

    def state(self, cluster_id: str) -> str:
        return str(self.cluster(cluster_id)["Status"]["State"])

    def await_state(self, cluster_id: str, *states: str) -> dict[str, Any]:
        """Wait for one of the states and return the status."""

        def probe() -> dict[str, Any] | None:
            status = dict(self.cluster(cluster_id)["Status"])
            unexpected = status["State"] in ENDED and status["State"] not in states
            assert not unexpected, status
            return status if status["State"] in states else None

        return dict(until(f"{cluster_id} in {states}", probe, self.patience))

    def instances(self, cluster_id: str, **filters: Any) -> list[dict[str, Any]]:
        return list(self.emr.list_instances(ClusterId=cluster_id, **filters)["Instances"])

    def group(self, cluster_id: str, role: str) -> dict[str, Any]:
        groups = self.emr.list_instance_groups(ClusterId=cluster_id)["InstanceGroups"]
        return dict(next(g for g in groups if g["InstanceGroupType"] == role))

    def add_steps(self, cluster_id: str, *steps: dict[str, Any]) -> list[str]:
        return list(self.emr.add_job_flow_steps(JobFlowId=cluster_id, Steps=steps)["StepIds"])

    def step_status(self, cluster_id: str, step_id: str) -> dict[str, Any]:
        return dict(self.emr.describe_step(ClusterId=cluster_id, StepId=step_id)["Step"]["Status"])

    def await_step(self, cluster_id: str, step_id: str, *states: str) -> dict[str, Any]:
        """Wait until a step is in one of the states (by default: has ended); return its status."""
        wanted = states or STEP_ENDED

        def probe() -> dict[str, Any] | None:
            status = self.step_status(cluster_id, step_id)
            return status if status["State"] in wanted else None

        return dict(until(f"{step_id} in {wanted}", probe, self.patience))


def request(core: int = 1, **changes: Any) -> dict[str, Any]:
    """A RunJobFlow request of one primary and some core nodes; ``instances`` changes Instances."""
    groups = [{"InstanceRole": "MASTER", "InstanceType": "m5.xlarge", "InstanceCount": 1}]
    if core:
        groups.append({"InstanceRole": "CORE", "InstanceType": "m5.xlarge", "InstanceCount": core})
    instances = {"InstanceGroups": groups, "KeepJobFlowAliveWhenNoSteps": True}
    instances.update(changes.pop("instances", {}))
    return {
        "Name": "test",
        "ReleaseLabel": "emr-7.13.0",
        "LogUri": "s3://lofn-tests/logs/",
        "Applications": [{"Name": "Hadoop"}, {"Name": "Spark"}],
        "ServiceRole": "EMR_DefaultRole",
        "JobFlowRole": "EMR_EC2_DefaultRole",
        "Instances": instances,
        **changes,
    }


def step(*args: str, action: str = "CONTINUE", jar: str = "command-runner.jar") -> dict[str, Any]:
    """A step that runs a command."""
    return {
        "Name": " ".join(args)[:60],
        "ActionOnFailure": action,
        "HadoopJarStep": {"Jar": jar, "Args": list(args)},
    }


def bootstrap(uri: str, *args: str) -> dict[str, Any]:
    """A bootstrap action."""
    return {"Name": uri, "ScriptBootstrapAction": {"Path": uri, "Args": list(args)}}

"""The RunJobFlow request of a wanted cluster."""

from typing import Any

from lofn_aws.model.cluster import TAG_CLUSTER, TAG_OWNER, TAG_RUN_ID
from lofn_aws.model.spec import ClusterSpec

ENGINE_PYTHON = "/opt/lofn/venv/bin/python"
# YARN's containers run with USER=hadoop and HOME=/home/, so ~/.docker is not found there.
DOCKER_CONFIG = "/opt/lofn/docker"
# Needed by AmazonEMRServicePolicy_v2, harmless with other policies.
MANAGED_POLICIES_TAG = "for-use-with-amazon-emr-managed-policies"


def run_job_flow(spec: ClusterSpec) -> dict[str, Any]:
    """Return the keyword arguments of boto3's ``run_job_flow`` for this cluster.

    Source of names and limits: EMR API reference, RunJobFlow.
    """
    s = spec.settings
    request: dict[str, Any] = {
        "Name": spec.name,
        "ReleaseLabel": s.release_label,
        "LogUri": f"s3://{spec.bucket}/logs/",
        "Applications": [{"Name": name} for name in applications(s.release_label)],
        "ServiceRole": s.service_role,
        "JobFlowRole": s.instance_profile,
        "EbsRootVolumeSize": s.root_volume_gib,
        "StepConcurrencyLevel": s.step_concurrency,
        "Instances": _instances(spec),
        "BootstrapActions": [_bootstrap_action(spec)],
        "Configurations": configurations(),
        "Tags": [{"Key": k, "Value": v} for k, v in tags(spec).items()],
    }
    if s.idle_timeout:
        request["AutoTerminationPolicy"] = {"IdleTimeout": s.idle_timeout}
    return request


def applications(release_label: str) -> list[str]:
    """Return the applications to ask for.

    The releases emr-spark-* have HDFS and YARN but do not list Hadoop as an application.
    """
    return ["Spark"] if release_label.startswith("emr-spark-") else ["Hadoop", "Spark"]


def tags(spec: ClusterSpec) -> dict[str, str]:
    """Return the tags by which the cluster is found again."""
    return {
        TAG_CLUSTER: spec.name,
        TAG_OWNER: spec.settings.owner,
        TAG_RUN_ID: spec.run_id,
        MANAGED_POLICIES_TAG: "true",
    }


def _instances(spec: ClusterSpec) -> dict[str, Any]:
    s = spec.settings
    wanted = [
        ("primary", "MASTER", s.primary_type, 1),
        ("core", "CORE", s.core_type, s.core_count),
        ("task", "TASK", s.task_type, s.task_count),
    ]
    instances: dict[str, Any] = {
        "InstanceGroups": [
            {
                "Name": name,
                "InstanceRole": role,
                "InstanceType": instance_type,
                "InstanceCount": count,
                "Market": "ON_DEMAND",
            }
            for name, role, instance_type, count in wanted
            if count
        ],
        "Ec2KeyName": spec.key_pair.name,
        "KeepJobFlowAliveWhenNoSteps": True,
        "TerminationProtected": s.termination_protected,
    }
    if s.subnet:
        instances["Ec2SubnetId"] = s.subnet
    return instances


def _bootstrap_action(spec: ClusterSpec) -> dict[str, Any]:
    return {
        "Name": "lofn",
        "ScriptBootstrapAction": {
            "Path": spec.uri("bootstrap"),
            "Args": [
                "--bucket", spec.bucket,
                "--run-id", spec.run_id,
                "--wheel", spec.uri("wheel"),
                "--node-script", spec.uri("node-script"),
            ],
        },
    }


def configurations() -> list[dict[str, Any]]:
    """Return EMR's Configurations: driver and executors on the engine's interpreter."""
    exports = {
        "PYSPARK_PYTHON": ENGINE_PYTHON,
        "PYSPARK_DRIVER_PYTHON": ENGINE_PYTHON,
        "DOCKER_CONFIG": DOCKER_CONFIG,
    }
    return [
        {
            "Classification": "spark-defaults",
            "Properties": {
                "spark.pyspark.python": ENGINE_PYTHON,
                "spark.pyspark.driver.python": ENGINE_PYTHON,
                "spark.executorEnv.DOCKER_CONFIG": DOCKER_CONFIG,
                "spark.yarn.appMasterEnv.DOCKER_CONFIG": DOCKER_CONFIG,
            },
        },
        {
            "Classification": "spark-env",
            "Properties": {},
            "Configurations": [{"Classification": "export", "Properties": exports}],
        },
    ]

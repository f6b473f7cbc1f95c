"""What the README promises of a cluster beside its jobs: memory, logs, images that outlive it."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.sandbox.harness import Project, wait_for, write_project

IDLE_BYTES = 2_000_000_000
PSS = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {n += $2} END {print \"held=\" n}'"
# The command with a Docker Engine that cannot reach this machine's loopback, as Docker Desktop's.
AS_ON_DOCKER_DESKTOP = """
from lofn_aws.adapters.docker_engine import DockerEngine
DockerEngine.reaches_loopback = lambda self: False
from lofn_aws.cli import main
main()
"""


def test_three_idle_nodes_take_less_than_two_gigabytes(cluster: Project) -> None:
    """A laptop with 8 GB can try it. Counted is what the nodes' processes hold, by PSS."""
    told = cluster.run("exec", "--", "sudo", "sh", "-c", PSS).stdout
    kilobytes = [int(number) for number in re.findall(r"held=(\d+)", told)]
    assert len(kilobytes) == 3, told
    assert 0 < sum(kilobytes) * 1024 < IDLE_BYTES, kilobytes


def test_logs_of_a_step_and_of_its_executors_are_in_the_bucket(
    cluster: Project, clients: dict[str, Any], tmp_path: Path
) -> None:
    """LogUri has EMR's layout: the step's four files, and the YARN containers' own."""
    script = tmp_path / "said.py"
    script.write_text(
        "import sys\nfrom pyspark import SparkContext\n"
        "def say(part):\n    print('said-by-executor', file=sys.stderr)\n    return part\n"
        "SparkContext().parallelize([1], 1).mapPartitions(say).count()\nprint('said-by-driver')\n"
    )
    cluster.run("submit", str(script))
    step = cluster.run("step", "list", "-o", "json").json[0]["id"]
    emr, s3 = clients["emr"], clients["s3"]
    (listed,) = [c for c in cluster.run("list", "-o", "json").json if c["name"] == "shared"]
    cluster_id = listed["id"]
    uri = emr.describe_cluster(ClusterId=cluster_id)["Cluster"]["LogUri"]
    bucket, _, prefix = uri.partition("://")[2].partition("/")
    below = f"{prefix}{cluster_id}/"

    def keys(part: str) -> set[str]:
        pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=below + part)
        return {item["Key"] for page in pages for item in page.get("Contents", ())}

    files = {key.rsplit("/", 1)[1] for key in keys(f"steps/{step}/")}
    assert {"controller.gz", "stdout.gz", "stderr.gz"} <= files

    def executors_words() -> bool:
        bodies = (
            s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in keys("containers/application_")
            if key.endswith("stderr.gz")
        )
        return any(b"said-by-executor" in gzip.decompress(body) for body in bodies)

    wait_for(executors_words, "the executors' logs", 120)


def test_an_image_goes_as_a_stream_where_the_engine_reaches_no_tunnel(
    cluster: Project, busybox: str
) -> None:
    """What Docker Desktop needs, with the real `docker load` at the other end of real SSH."""
    name = "lofn-tests/streamed:1"
    subprocess.run(["docker", "tag", busybox, name], check=True, timeout=60)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_ON_DOCKER_DESKTOP, "--sandbox", "push", name],
            cwd=cluster.folder,
            env=cluster.env,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
    finally:
        subprocess.run(["docker", "rmi", name], check=True, timeout=60, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"localhost:5000/{name}"
    assert "as a stream" in done.stderr
    inspect = ["docker", "image", "inspect", "-f", "{{.Id}}", f"localhost:5000/{name}"]
    told = cluster.run("exec", "--", *inspect)
    assert told.stdout.count("sha256:") == 3


def test_images_are_the_buckets_and_not_the_clusters(
    cluster: Project, home: Path, busybox: str, tmp_path: Path
) -> None:
    """A cluster that did not see the push has the image: so it will after the first one's end."""
    pushed = cluster.run("push", busybox).stdout.strip()
    later = write_project(tmp_path, home, cluster.sandbox, "later", core_count=1)
    later.run("up")
    try:
        assert pushed in later.run("image", "list").stdout
        later.run("exec", "--", "docker", "pull", "-q", pushed)
    finally:
        later.run("down", "-y")

"""Volumes on YARN: a folder in HDFS or S3 is on each node once, as it is now, and read-only."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.sandbox.engine_nodes import on_nodes
from tests.sandbox.harness import Project

PLACE = "/var/tmp/lofn-cache-*"
LOOK = "cat /ref/name > /shared/output.txt; ! touch /ref/name"


@pytest.fixture(scope="module")
def image(cluster: Project, busybox: str) -> str:
    return cluster.run("push", busybox).stdout.strip().splitlines()[-1]


@pytest.fixture(scope="module")
def lines(cluster: Project, tmp_path_factory: pytest.TempPathFactory) -> str:
    local = tmp_path_factory.mktemp("lines") / "lines.txt"
    local.write_text("".join(f"{number}\n" for number in range(800)), encoding="utf-8")
    cluster.run("cp", str(local), "hdfs:///tests/volumes/lines.txt")
    return "hdfs:///tests/volumes/lines.txt"


def put_reference(cluster: Project, folder: Path, text: str) -> None:
    """Replace /tests/volumes/ref in HDFS."""
    (folder / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "name").write_text(text)
    (folder / "deep" / "in dex").write_bytes(bytes(100_000))
    cluster.run("ssh", "hdfs dfs -rm -r -f -skipTrash /tests/volumes/ref")
    cluster.run("cp", str(folder), "hdfs:///tests/volumes/ref")


def looked(cluster: Project, image: str, lines: str, out: str, volume: str, **how: bool) -> str:
    """Run a map of eight partitions that copies what the volume's file says."""
    words = ["--image", image, "--input", lines, "--output", f"hdfs:///tests/volumes/{out}"]
    words += ["--partitions", "8", "--volume", volume, "--command", LOOK]
    done = cluster.run("step", "map", *words, timeout=400, check=how.get("check", True))
    if done.exit_code:
        return f"exit {done.exit_code}: {done.stderr}"
    return cluster.run("ssh", f"hdfs dfs -cat '/tests/volumes/{out}/part-*'").stdout


def copies(cluster: Project) -> list[str]:
    """Complete copies of the reference in all nodes' caches, as (node, path)."""
    command = f"sudo sh -c 'grep -l tests/volumes/ref\\\" {PLACE}/*/*/listing.json 2>&-'; true"
    found = cluster.run("exec", "--", command)
    return re.findall(r"(\S+): (/var/tmp/\S+)/listing\.json", found.stdout + found.stderr)


def test_a_folder_in_hdfs_is_on_each_node_once_and_fetched_anew_when_it_changed(
    cluster: Project, image: str, lines: str, tmp_path: Path
) -> None:
    put_reference(cluster, tmp_path / "ref", "first\n")
    assert looked(cluster, image, lines, "one", "/tests/volumes/ref:/ref") == "first\n" * 8
    first = copies(cluster)
    assert 1 <= len(first) <= 2
    assert len({node for node, _ in first}) == len(first)
    assert looked(cluster, image, lines, "two", "hdfs:///tests/volumes/ref:/ref") == "first\n" * 8
    again = copies(cluster)
    assert len(again) <= 2, "the same folder under its URI is the same copy"
    put_reference(cluster, tmp_path / "ref", "second\n")
    assert looked(cluster, image, lines, "three", "/tests/volumes/ref:/ref") == "second\n" * 8
    assert set(again) < set(copies(cluster))


def test_a_folder_in_s3_is_a_volume_too(
    cluster: Project, image: str, lines: str, tmp_path: Path
) -> None:
    (tmp_path / "name").write_text("from S3\n")
    bucket = cluster.run("ssh", "aws s3 ls").stdout.split()[-1]
    cluster.run("cp", str(tmp_path / "name"), f"s3://{bucket}/tests/volumes/ref/name")
    source = f"s3://{bucket}/tests/volumes/ref"
    assert looked(cluster, image, lines, "four", f"{source}:/ref") == "from S3\n" * 8


def test_a_missing_folder_and_a_writable_one_fail_with_one_sentence(
    cluster: Project, image: str, lines: str
) -> None:
    gone = looked(cluster, image, lines, "five", "/tests/volumes/gone:/ref", check=False)
    assert gone.startswith("exit 10")
    assert "volume '/tests/volumes/gone' cannot be read" in gone
    assert "put it there with" in gone
    writable = looked(
        cluster, image, lines, "six", "hdfs:///tests/volumes/ref:/ref:rw", check=False
    )
    assert "exit 0" not in writable
    assert "cannot be 'rw'" in writable


# Stands before Hadoop's own shell in the executors' PATH: each download is one run of it.
COUNTER = r"""
mkdir -p /var/tmp/counting && cd /var/tmp/counting && rm -f log && touch log && chmod 666 log
printf '#!/bin/sh\necho "$*" >> /var/tmp/counting/log\nexec /usr/bin/hadoop "$@"\n' > hadoop
chmod 755 hadoop
"""


def test_sixteen_tasks_at_once_make_one_download_per_node(
    cluster: Project, image: str, tmp_path: Path
) -> None:
    text = f"counted {tmp_path.name}"
    put_reference(cluster, tmp_path / "ref", text + "\n")
    on_nodes(cluster, COUNTER)
    script = tmp_path / "job.py"
    script.write_text(
        textwrap.dedent(
            r"""
            import socket, sys
            from pyspark import SparkContext
            from lofn.api import DockerPipe

            sc = SparkContext()
            volumes = {"/tests/volumes/ref": {"bind": "/ref", "mode": "ro"}}
            pipe = DockerPipe(volumes=volumes, network="none")
            made = pipe.map(
                sc.parallelize(range(16), 16), sys.argv[1],
                "{ cat /ref/name; grep -c ' /ref [^ ]* ro,' /proc/mounts; "
                "touch /ref/name 2>/dev/null && echo written; true; } > /shared/output.txt; "
                "sleep 4", map_udf=lambda part: {"input.txt": map(str, part)})
            said = made.mapPartitions(lambda p: [(socket.gethostname(), tuple(p))]).collect()
            print("SEEN", len(said), *{line for _, lines in said for line in lines}, sep="|")
            print("NODES", len({node for node, _ in said}))
            sc.stop()
            """
        )
    )
    executors = ["spark.executorEnv.PATH=/var/tmp/counting:/usr/bin:/bin"]
    executors += ["spark.executor.instances=4", "spark.dynamicAllocation.enabled=false"]
    conf = [word for one in executors for word in ("--conf", one)]
    done = cluster.run("submit", str(script), *conf, "--", image, timeout=400)
    seen = next(line for line in done.stdout.splitlines() if line.startswith("SEEN"))
    assert set(seen.split("|")[1:]) == {"16", text, "1"}, "each saw it, read-only"
    gets = [line for line in on_nodes(cluster, "cat /var/tmp/counting/log") if "-get" in line]
    assert f"NODES {len(gets)}\n" in done.stdout, gets

"""Volumes on YARN: a folder in HDFS or S3 is on each node once, as it is now, and read-only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

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

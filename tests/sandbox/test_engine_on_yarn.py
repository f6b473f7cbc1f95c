"""The engine on YARN: earlier scripts, reduce trees, failures, and what kills leave behind."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from tests.sandbox.harness import Project

LEFT = "sudo sh -c 'docker ps -aq --filter label=lofn=1; ls -d /tmp/lofn-*/*' 2>/dev/null; true"


@pytest.fixture(scope="module")
def image(cluster: Project, busybox: str) -> str:
    return cluster.run("push", busybox).stdout.strip().splitlines()[-1]


def submitted(cluster: Project, folder: Path, code: str, *arguments: str, check: bool = True):
    """Run a script as a step on YARN."""
    script = folder / "job.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    return cluster.run("submit", str(script), "--", *arguments, timeout=400, check=check)


def left_on_nodes(cluster: Project) -> str:
    """Containers and folders of the engine on any node, as text; empty for none."""
    found = cluster.run("exec", "--", LEFT)
    lines = (found.stdout + found.stderr).splitlines()
    return "\n".join(line for line in lines if "/tmp/lofn-" in line or _container_id(line))


def _container_id(line: str) -> bool:
    last = line.split()[-1] if line.split() else ""
    return len(last) == 12 and all(letter in "0123456789abcdef" for letter in last)


def wait_for_nothing_left(cluster: Project, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while left := left_on_nodes(cluster):
        assert time.monotonic() < deadline, f"still there after {seconds} s: {left}"
        time.sleep(1)


def test_a_script_of_the_earlier_lofn(cluster: Project, image: str, tmp_path: Path) -> None:
    done = submitted(
        cluster,
        tmp_path,
        r"""
        import sys
        from pyspark import SparkConf, SparkContext
        from lofn.api import DockerPipe

        sc = SparkContext(conf=SparkConf())
        words = sc.parallelize(["oak ash", "elm oak"] * 50, 6)
        counted = DockerPipe(SparkConf()).map(
            image_name=sys.argv[1],
            command="cat /shared/input.txt | tr -s ' ' | tr ' ' '\\n' | sort | uniq -c "
            "| awk '\$1=\$1' > /shared/output.txt; mkdir -m 700 -p /shared/a/b",
            rdd=words)
        nested = counted.mapPartitions(lambda part: [list(part)])
        result = DockerPipe(SparkConf()).reduce(
            image_name=sys.argv[1],
            command="cat /shared/input.txt | awk '{cnt[\$2]+=\$1} END {for (w in cnt) "
            "print cnt[w],w}' | sort -nr > /shared/output.txt",
            rdd=nested)
        print("COUNTED", result)

        def two(partition):
            return {"left.txt": (p[0] for p in partition), "right.txt": (p[1] for p in partition)}

        pairs = sc.parallelize([(f"l{i}", f"r{i}") for i in range(8)], 4)
        with DockerPipe(SparkConf()).map_binary(
            image_name=sys.argv[1],
            command="umask 077; cat /shared/left.txt /shared/right.txt > /shared/output.bin",
            docker_options=["--ipc=host"], rdd=pairs, map_udf=two,
        ) as folder:
            print("FOLDER", folder)
            merged = DockerPipe(SparkConf()).reduce_binary(
                rdd=sc.binaryFiles(folder), image_name=sys.argv[1],
                command="cat /shared/input_1.bin /shared/input_2.bin > /shared/output.bin")
            print("MERGED", sorted(merged.decode().split()))
        path = sc._jvm.org.apache.hadoop.fs.Path(folder)
        print("GONE", not path.getFileSystem(sc._jsc.hadoopConfiguration()).exists(path))
        sc.stop()
        """,
        image,
    )
    assert "COUNTED ['100 oak', '50 elm', '50 ash']" in done.stdout
    assert "FOLDER hdfs://" in done.stdout
    both = sorted([f"l{i}" for i in range(8)] + [f"r{i}" for i in range(8)])
    assert f"MERGED {both}" in done.stdout
    assert "GONE True" in done.stdout
    wait_for_nothing_left(cluster, 20)


def test_failures_speak_on_the_driver(cluster: Project, image: str, tmp_path: Path) -> None:
    done = submitted(
        cluster,
        tmp_path,
        r"""
        import sys, time
        from pyspark import SparkContext
        from lofn.api import DockerPipe
        from lofn.docker_handler import DockerFailure

        sc = SparkContext()
        sc.setLogLevel("OFF")
        lines = sc.parallelize(["a"] * 4, 4)
        try:
            DockerPipe().map(lines, sys.argv[1], "echo bad gene >&2; exit 9").collect()
        except DockerFailure as error:
            failure = error.failure
            print("FAILED", failure.exit_code, failure.stderr.strip(), failure.node)
        start = time.monotonic()
        try:
            DockerPipe().map(lines, "localhost:5000/no-such-tool:1", "true").collect()
        except DockerFailure as error:
            print("MISSING", type(error).__name__, round(time.monotonic() - start))
        result = DockerPipe().map(
            sc.parallelize(["good", "bad"], 2), sys.argv[1],
            "grep good /shared/input.txt > /shared/output.txt", on_error="quarantine")
        bad = result.bad.collect()
        print("QUARANTINED", result.good.collect(), [b.partition for b in bad])
        sc.stop()
        """,
        image,
    )
    assert "FAILED 9 bad gene ip-" in done.stdout
    missing = next(line for line in done.stdout.splitlines() if line.startswith("MISSING"))
    assert missing.split()[1] == "ImageMissing"
    assert int(missing.split()[2]) < 30
    assert "QUARANTINED ['good'] [1]" in done.stdout
    wait_for_nothing_left(cluster, 20)


def test_killed_workers_leave_nothing_and_the_answer_is_right(
    cluster: Project, image: str, tmp_path: Path
) -> None:
    script = tmp_path / "kill.py"
    script.write_text(
        textwrap.dedent(
            r"""
            import sys
            from pyspark import SparkContext
            from lofn.api import DockerPipe

            sc = SparkContext()
            command = "sleep 4; cat /shared/input.txt > /shared/output.txt"
            lines = sc.parallelize([str(i) for i in range(8)], 8)
            print("SUM", sum(map(int, DockerPipe().map(lines, sys.argv[1], command).collect())))
            sc.stop()
            """
        )
    )
    # Inside the nodes of this cluster, so no process of anybody else's can be meant.
    kill = "sudo sh -c 'for p in $(pgrep -u yarn -f pyspark.daemon); do kill -9 $p; done'; true"
    with cluster.started("submit", str(script), "--", image) as job:
        deadline = time.monotonic() + 120
        while not left_on_nodes(cluster):
            assert time.monotonic() < deadline, "no container was ever started"
            time.sleep(0.5)
        before = set(left_on_nodes(cluster).split())
        cluster.run("exec", "--", kill)
        deadline = time.monotonic() + 10
        while survivors := before & {
            word for word in left_on_nodes(cluster).split() if _container_id(word)
        }:
            assert time.monotonic() < deadline, survivors
            time.sleep(0.5)
        job.communicate(timeout=300)
        assert job.returncode == 0
    wait_for_nothing_left(cluster, 20)

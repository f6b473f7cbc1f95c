"""The engine on YARN: scripts of the earlier one, reduce trees, failures that speak."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from tests.sandbox.engine_nodes import assert_nothing_left, on_nodes
from tests.sandbox.harness import Finished, Project


@pytest.fixture(scope="module")
def image(cluster: Project, busybox: str) -> str:
    return cluster.run("push", busybox).stdout.strip().splitlines()[-1]


def submitted(cluster: Project, folder: Path, code: str, *arguments: str) -> Finished:
    """Run a script as a step on YARN."""
    script = folder / "job.py"
    script.write_text(textwrap.dedent(code), encoding="utf-8")
    return cluster.run("submit", str(script), "--", *arguments, timeout=400)


def test_a_script_of_the_earlier_lofn(cluster: Project, image: str, tmp_path: Path) -> None:
    (tmp_path / "name").write_text("ref\n")
    cluster.run("cp", str(tmp_path / "name"), "hdfs:///tests/earlier/name")
    done = submitted(
        cluster,
        tmp_path,
        r"""
        import sys
        from pyspark import SparkConf, SparkContext
        from lofn.api import DockerPipe
        from lofn.docker_handler import DockerFailure

        sc = SparkContext(conf=SparkConf())
        sc.setLogLevel("OFF")
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
        with_reference = DockerPipe(SparkConf(), temporary_directory_parent="/tmp",
            volumes={"/tests/earlier": {"bind": "/ref/", "mode": "ro"}})
        with with_reference.map_binary(
            image_name=sys.argv[1],
            command="umask 077; cat /shared/left.txt /shared/right.txt /ref/name "
            "> /shared/output.bin",
            docker_options=["--ipc=host"], rdd=pairs, map_udf=two, hdfs_tempdir="/tmp",
        ) as folder:
            print("FOLDER", folder)
            merged = DockerPipe(SparkConf()).reduce_binary(
                rdd=sc.binaryFiles(folder), image_name=sys.argv[1],
                command="cat /shared/input_1.bin /shared/input_2.bin > /shared/output.bin")
            print("MERGED", sorted(merged.decode().split()))
        path = sc._jvm.org.apache.hadoop.fs.Path(folder)
        try:
            DockerPipe(SparkConf()).map(
                rdd=pairs, image_name=sys.argv[1], command="exit 3", map_udf=two).count()
        except DockerFailure as error:
            print("CAUGHT", "exit code 3" in str(error))
        print("GONE", not path.getFileSystem(sc._jsc.hadoopConfiguration()).exists(path))
        sc.stop()
        """,
        image,
    )
    assert "COUNTED ['100 oak', '50 elm', '50 ash']" in done.stdout
    assert re.search(r"FOLDER hdfs://[^/]+/tmp/", done.stdout)
    both = sorted([f"l{i}" for i in range(8)] + [f"r{i}" for i in range(8)] + ["ref"] * 4)
    assert f"MERGED {both}" in done.stdout
    assert "CAUGHT True" in done.stdout
    assert "GONE True" in done.stdout
    assert_nothing_left(cluster)


def test_failures_speak_on_the_driver(cluster: Project, image: str, tmp_path: Path) -> None:
    done = submitted(
        cluster,
        tmp_path,
        r"""
        import sys, time
        from pyspark import SparkConf, SparkContext
        from lofn.api import DockerPipe
        from lofn.docker_handler import DockerFailure

        sc = SparkContext(conf=SparkConf().set("spark.task.maxFailures", "2"))
        sc.setLogLevel("OFF")
        lines = sc.parallelize(["a"] * 4, 4)
        try:
            DockerPipe().map(lines, sys.argv[1], "echo bad gene >&2; exit 9").collect()
        except DockerFailure as error:
            failure = error.failure
            print("FAILED", failure.exit_code, failure.stderr.strip(), failure.node)

        def failure_of(command, **how):
            try:
                DockerPipe(network="none").map(lines, sys.argv[1], command, **how).collect()
            except DockerFailure as error:
                return error.failure

        full = failure_of("awk 'BEGIN { s = \"x\"; while (1) s = s s }'",
                          docker_options=["--memory=64m", "--memory-swap=64m"])
        print("FULL", full.out_of_memory, "out of memory" in full.reason)
        print("LATE", failure_of("sleep 100", timeout=1.5).reason)
        none = failure_of("echo x > /shared/elsewhere.txt")
        print("NONE", none.reason, none.listing)
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
    assert "FULL True True" in done.stdout
    assert "LATE the command was stopped: it ran longer than timeout=1.5 s" in done.stdout
    none = next(line for line in done.stdout.splitlines() if line.startswith("NONE"))
    assert "did not write /shared/output.txt" in none
    assert "elsewhere.txt" in none
    missing = next(line for line in done.stdout.splitlines() if line.startswith("MISSING"))
    assert missing.split()[1] == "ImageMissing"
    assert int(missing.split()[2]) < 10
    assert "QUARANTINED ['good'] [1]" in done.stdout
    assert_nothing_left(cluster)


def test_a_reduce_is_a_tree_of_as_many_commands_as_it_takes(
    cluster: Project, image: str, tmp_path: Path
) -> None:
    began = on_nodes(cluster, "date +%s.%N", node="primary")[0]
    done = submitted(
        cluster,
        tmp_path,
        r"""
        import sys
        from pyspark import SparkContext
        from lofn.api import DockerPipe

        sc = SparkContext()
        lists = [["a"], [], ["b", "c"], [], ["d"], ["e"], ["f", "g", "h"], ["i"], []]
        lines = sc.parallelize(range(9), 9).flatMap(lambda number: lists[number])
        keep = "cat /shared/input.txt > /shared/output.txt"

        def reduced(rdd, command, **how):
            pipe = DockerPipe(network="none", reuse=True)
            result = pipe.reduce(rdd, sys.argv[1], command, **how)
            sums = pipe.counters.totals()
            launches = sums["containers_started"] + sums["containers_reused"]
            return "".join(result), int(launches)

        print("PAIRS", *reduced(lines, keep, fan_in=2))
        print("THREES", *reduced(lines, keep, fan_in=3))
        print("AT ONCE", *reduced(lines, keep))
        one = sc.parallelize(range(5), 5).flatMap(lambda number: ["x"] if number == 3 else [])
        print("ONE", *reduced(one, keep + "; echo end >> /shared/output.txt", fan_in=2))
        files = sc.parallelize([(f"f{n}", b"%d" % n) for n in range(5)], 3)
        pipe = DockerPipe(network="none", reuse=True)
        join = "cat /shared/input_1.bin /shared/input_2.bin > /shared/output.bin"
        print("FILES", pipe.reduce_binary(files, sys.argv[1], join).decode())
        sc.stop()
        """,
        image,
    )
    # Six partitions have something. Pairs: one command for each of four partitions, one for two
    # lines and two for three, and five to merge six. Threes and all at once: one for each of
    # six; then the levels (a b-c)(d e)(f-h i), and those three; or all six together.
    assert "PAIRS abcdefghi 12\n" in done.stdout
    assert "THREES abcdefghi 10\n" in done.stdout
    assert "AT ONCE abcdefghi 7\n" in done.stdout
    assert "ONE xend 1\n" in done.stdout
    assert "FILES 01234\n" in done.stdout
    events = "docker events --since $1 --until $(date +%s.%N) --filter event=create --filter "
    assert on_nodes(cluster, events + "label=lofn=1", began, node="primary") == []
    assert any(on_nodes(cluster, events + "label=lofn=1", began, node="core")), "it can be seen"
    assert_nothing_left(cluster)

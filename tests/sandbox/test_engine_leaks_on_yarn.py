"""On YARN nothing outlives its task: kills, lost executors, twins, cancels, early stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.engine_nodes import (
    EXECUTORS,
    PYTHON_WORKERS,
    Workers,
    assert_no_task_has_anything,
    assert_nothing_left,
    in_background,
    killed,
)
from tests.sandbox.harness import Project

# One application for all, since its start is most of what a phase costs. The sleeps tell phases
# apart on the nodes, and none of them would end before the test does.
LIFE = r"""
import os, signal, sys, threading, time
from pyspark import InheritableThread, SparkConf, SparkContext, TaskContext
from lofn.api import DockerPipe

signal.alarm(240)  # should the test have failed meanwhile
conf = SparkConf().set("spark.speculation", "true").set("spark.speculation.interval", "200ms")
conf.set("spark.speculation.minTaskRuntime", "8s").set("spark.speculation.quantile", "0.75")
# A twin runs on another node, and no node has room for all four.
conf.set("spark.dynamicAllocation.enabled", "false").set("spark.executor.instances", "4")
sc = SparkContext(conf=conf)
sc.setLogLevel("OFF")
image = sys.argv[1]
lines = sc.parallelize([str(i) for i in range(4)], 4)

def slow_at_first(partitions):
    def files(part):
        task = TaskContext.get()
        late = task.attemptNumber() == 0 and task.partitionId() < partitions
        return {"input.txt": part, "late": ["yes" if late else "no"]}
    return files

def phase(name, seconds, partitions):
    pipe = DockerPipe(network="none")
    command = "grep -q yes /shared/late && sleep %s; cat /shared/input.txt > /shared/output.txt"
    made = pipe.map(lines, image, command % seconds, map_udf=slow_at_first(partitions))
    print(name, *made.collect(), int(pipe.counters.totals()["partitions"]), flush=True)
    wait_for_test()

def wait_for_test():
    while not os.path.exists("/tmp/lofn-test-goes-on"):
        time.sleep(0.1)
    os.unlink("/tmp/lofn-test-goes-on")

phase("WORKERS", 6001, 2)
phase("EXECUTORS", 6002, 2)
phase("TWIN", 6003, 1)

def cancelled():
    sc.setJobGroup("group", "", interruptOnCancel=True)
    try:
        DockerPipe(network="none").map(lines, image, "sleep 6004").collect()
    except Exception:
        print("CANCELLED", flush=True)

thread = InheritableThread(target=cancelled)
thread.start()
wait_for_test()
sc.cancelJobGroup("group")
thread.join()
wait_for_test()

endless = "while true; do echo x; done > /shared/output.txt; sleep 6005"
stream = DockerPipe(network="host").map(lines, image, endless, streaming=True)
print("TOOK", *stream.take(1), flush=True)
wait_for_test()
wait_for_test()
sc.stop()
"""


@pytest.fixture(scope="module")
def image(cluster: Project, busybox: str) -> str:
    return cluster.run("push", busybox).stdout.strip().splitlines()[-1]


def go_on(cluster: Project) -> None:
    """Have the driver go on; return when it was ready to, which is when its phase is through."""
    mark = "/tmp/lofn-test-goes-on"
    cluster.run("ssh", f"touch {mark}; timeout 60 sh -c 'while [ -e {mark} ]; do sleep 0.1; done'")


def test_what_yarn_and_spark_end_is_gone_within_ten_seconds(
    cluster: Project, image: str, tmp_path: Path
) -> None:
    script = tmp_path / "life.py"
    script.write_text(LIFE)
    job = in_background(cluster, "submit", str(script), "--", image)

    first = Workers.that_run(cluster, "sleep 6001", 2)
    assert killed(cluster, PYTHON_WORKERS) > 2, "a daemon and two workers at least"
    first.assert_gone(cluster)
    go_on(cluster)

    lost = Workers.that_run(cluster, "sleep 6002", 2)
    assert killed(cluster, EXECUTORS)
    lost.assert_gone(cluster)
    go_on(cluster)

    loser = Workers.that_run(cluster, "sleep 6003", 1)
    go_on(cluster)  # its twin has won
    loser.assert_gone(cluster)

    all_four = Workers.that_run(cluster, "sleep 6004", 4)
    go_on(cluster)  # now it cancels them
    all_four.assert_gone(cluster)
    go_on(cluster)

    go_on(cluster)  # one record of an endless stream was taken
    assert_no_task_has_anything(cluster, "sleep 6005")
    go_on(cluster)

    said = job.result().stdout
    for phase in ("WORKERS", "EXECUTORS", "TWIN"):
        assert f"{phase} 0 1 2 3 4\n" in said, "each record once, each partition counted once"
    assert "CANCELLED\n" in said
    assert "TOOK x\n" in said
    assert_nothing_left(cluster)

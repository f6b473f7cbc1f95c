"""Nothing holds a partition whole: the peak memory of Python workers with a 200 MB partition."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.docker, pytest.mark.spark]

RECORDS = 2_000_000
MOST_MB = 150

# A Spark of its own, whose workers are used once: what another test once held is not seen.
JOB = """
import resource, sys
from pyspark import SparkConf, SparkContext
from lofn import reduce_tree
from lofn.api import DockerPipe

image, parent, records = sys.argv[1], sys.argv[2], int(sys.argv[3])
conf = SparkConf().setMaster("local[1]").set("spark.ui.enabled", "false")
context = SparkContext(conf=conf.set("spark.python.worker.reuse", "false"))
context.setLogLevel("OFF")
lines = context.parallelize([0], 1).flatMap(lambda _: ("%099d" % i for i in range(records)))
copy = "cat /shared/input.txt > /shared/output.txt"
pipe = DockerPipe(temporary_directory_parent=parent, network="none")

def measured(name, rdd):
    def look(results):
        size = sum(map(len, results))
        yield size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(name, *rdd.mapPartitions(look).collect()[0], flush=True)

measured("files", pipe.map(lines, image, copy))
measured("stream", pipe.map(lines, image, copy, streaming=True))

def tasks_of_a_reduce(rdd, job):
    def both_levels(index, elements):
        sent = (((0, *key), block) for key, block in job.first(index, elements, 2))
        return (block for _, block in job.merge(0, sent, 2))
    measured("reduce", rdd.mapPartitionsWithIndex(both_levels))
    return []

reduce_tree.run = tasks_of_a_reduce
pipe.reduce(lines, image, copy)
context.stop()
"""


def test_a_partition_of_200_mb_needs_less_than_150_mb(tmp_path, image):
    done = subprocess.run(
        [sys.executable, "-c", JOB, image, str(tmp_path), str(RECORDS)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = [line.split() for line in done.stdout.splitlines()]
    # Records without their line ends; a reduce's blocks have them.
    through = {"files": 99, "stream": 99, "reduce": 100}
    assert {name: int(size) for name, size, _ in said} == {
        name: width * RECORDS for name, width in through.items()
    }
    peaks = {name: int(peak) for name, _, peak in said}
    assert max(peaks.values()) < MOST_MB, peaks
    assert min(peaks.values()) > 20, "the workers themselves were measured"

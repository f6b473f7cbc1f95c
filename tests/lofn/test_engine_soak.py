"""Many small partitions while workers are killed at random: right answer, nothing left.

LOFN_SOAK_PARTITIONS says how many; by default few. The full soak is

    LOFN_SOAK_PARTITIONS=2000 .venv/bin/python -m pytest -q tests/lofn/test_engine_soak.py
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.lofn.conftest import containers_of, wait_until

pytestmark = [pytest.mark.docker, pytest.mark.spark, pytest.mark.timeout(3600)]

JOB = """
import sys
from pyspark import SparkConf, SparkContext
from lofn.api import DockerPipe

image, parent, partitions = sys.argv[1], sys.argv[2], int(sys.argv[3])
conf = SparkConf().setMaster("local[2,1000]").set("spark.ui.enabled", "false")
context = SparkContext(conf=conf)
context.setLogLevel("OFF")
pipe = DockerPipe(temporary_directory_parent=parent, network="none")
numbers = context.parallelize(range(partitions * 5), partitions).map(str)
for reuse in (False, True):
    squares = pipe.map(
        numbers, image, "awk '{ print $1 * $1 % 1000 }' /shared/input.txt > /shared/output.txt",
        reuse=reuse,
    )
    print(sum(map(int, squares.collect())), flush=True)
    add = "awk '{ n += $1 } END { print n }' /shared/input.txt > /shared/output.txt"
    print(*pipe.reduce(numbers, image, add, reuse=True), flush=True)
    print(*pipe.reduce(squares, image, add, reuse=True), flush=True)
context.stop()
"""


def lock_holders(home: Path) -> list[int]:
    """Processes that hold a worker's lock in this home."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            links = [os.readlink(fd) for fd in (process / "fd").iterdir()]
        except OSError:
            continue
        if any(link.startswith(str(home)) and link.endswith("/lock") for link in links):
            found.append(int(process.name))
    return found


def test_random_kills_change_nothing(tmp_path, image):
    partitions = int(os.environ.get("LOFN_SOAK_PARTITIONS", "60"))
    home = tmp_path / f"lofn-{os.getuid()}"
    script = tmp_path / "job.py"
    script.write_text(textwrap.dedent(JOB))
    with open(tmp_path / "log", "wb") as log:
        job = subprocess.Popen(
            [sys.executable, str(script), image, str(tmp_path), str(partitions)],
            stdout=subprocess.PIPE,
            stderr=log,
        )
    chance = random.Random(4)
    seen: set[str] = set()
    kills = 0
    while job.poll() is None:
        time.sleep(chance.uniform(0.5, 4))
        seen.update(os.listdir(home) if home.exists() else [])
        workers = lock_holders(home)
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
            kills += 1
    said = job.stdout.read().decode().split()
    many = partitions * 5
    squares, total = sum(i * i % 1000 for i in range(many)), sum(range(many))
    assert said == [str(squares), str(total), str(squares)] * 2, (tmp_path / "log").read_text()[
        -2000:
    ]
    assert kills > 3
    wait_until(lambda: not os.listdir(home), 15, "all folders are gone")
    wait_until(
        lambda: not any(containers_of(worker=worker) for worker in seen), 15, "all containers too"
    )

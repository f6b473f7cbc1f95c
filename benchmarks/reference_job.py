"""Runs on YARN: what waiting for a reference costs, against a bare `hdfs dfs -get` on each node.

Prints one JSON object per round: seconds of the slowest node's bare get, seconds that the slowest
of all tasks waited for its volume, and downloads per node.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from pyspark import SparkContext

from lofn import hdfs, volumes

PARENT = "/mnt/tmp/lofn-bench"


def bare_get(source: str, mark: str) -> list[tuple[str, float]]:
    """Let the first task to come on each node get the folder; the others leave at once."""
    os.makedirs(PARENT, exist_ok=True)
    try:
        os.mkdir(os.path.join(PARENT, mark))
    except FileExistsError:
        time.sleep(2)  # keeps the slot, so that the other node's tasks are not run here
        return []
    folder = tempfile.mkdtemp(dir=PARENT)
    start = time.monotonic()
    hdfs_command = shutil.which("hdfs", path="/usr/bin:/usr/local/bin") or "hdfs"
    subprocess.run([hdfs_command, "dfs", "-get", source, f"{folder}/data"], check=True)
    seconds = time.monotonic() - start
    shutil.rmtree(folder)
    return [(socket.gethostname(), seconds)]


def mounted(mounts: volumes.Mounts) -> list[tuple[str, float, int]]:
    """Wait for the volume as a container's task does; count this task's own downloads."""
    calls = []
    real = hdfs.get

    def counted(*args: Any, **rest: Any) -> None:
        calls.append(1)
        real(*args, **rest)

    hdfs.get = counted
    start = time.monotonic()
    try:
        with mounts.open() as binds:
            seconds = time.monotonic() - start
            os.listdir(binds[0][0])
    finally:
        hdfs.get = real
    return [(socket.gethostname(), seconds, len(calls))]


def cleared() -> list[int]:
    """Remove what a round left on this node."""
    shutil.rmtree(PARENT, ignore_errors=True)
    return [0]


def locked(task: Any) -> Any:
    """Start all tasks of a stage together: each waits a moment until the last has its slot."""

    def run(_: Iterator[int]) -> Any:
        time.sleep(1)
        return task()

    return run


def main() -> None:
    source, tasks, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    context = SparkContext()
    slots = context.parallelize(range(tasks), tasks)
    slots.mapPartitions(locked(cleared)).collect()
    slots.mapPartitions(locked(lambda: bare_get(source, "warm"))).collect()  # fills disk caches
    for number in range(rounds):
        slots.mapPartitions(locked(cleared)).collect()
        mark = f"round-{number}"
        bare = slots.mapPartitions(locked(lambda m=mark: bare_get(source, m))).collect()
        prepared = volumes.prepare(context, {source: {"bind": "/ref"}}, f"{PARENT}/cache-{number}")
        waits = slots.mapPartitions(locked(lambda p=prepared: mounted(p))).collect()
        downloads = Counter()
        for host, _, count in waits:
            downloads[host] += count
        record = {
            "bare": max(seconds for _, seconds in bare),
            "wait": max(seconds for _, seconds, _ in waits),
            "hosts": len({host for host, _ in bare}),
            "downloads": dict(downloads),
        }
        print("LOFN-REFERENCE " + json.dumps(record), flush=True)
    slots.mapPartitions(locked(cleared)).collect()
    context.stop()


if __name__ == "__main__":
    main()

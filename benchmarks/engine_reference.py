"""The line about a reference on every node: runs on a sandbox cluster of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.engine_bench import Bench
from benchmarks.measure import Line, load, median_of, medians

JOB = Path(__file__).with_name("reference_job.py")
TASKS = 16
CORES = 4  # the most that a sandbox node gives to one YARN container
NAME = "bench-reference"


def reference(bench: Bench) -> list[Line]:
    """500 MB in HDFS, two nodes, 16 tasks at once."""
    before = load()
    megabytes = 50 if bench.quick else 500
    with _cluster(bench.folder) as run:
        folder = bench.folder / "reference"
        folder.mkdir(exist_ok=True)
        for part in range(5):
            with open(folder / f"part-{part}", "wb") as file:
                for _ in range(megabytes // 5):
                    file.write(os.urandom(1_000_000))
        run("cp", str(folder), "hdfs:///reference")
        conf = {
            "spark.executor.instances": str(TASKS // CORES),
            "spark.executor.cores": str(CORES),
            "spark.executor.memory": "512m",
            "spark.dynamicAllocation.enabled": "false",
            "spark.scheduler.minRegisteredResourcesRatio": "1.0",
            "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
            "spark.locality.wait": "0s",
        }
        settings = [word for name in conf for word in ("--conf", f"{name}={conf[name]}")]
        arguments = ["hdfs:///reference", str(TASKS), str(bench.rounds)]
        said = run("submit", *settings, str(JOB), "--", *arguments)
    return _lines([json.loads(text) for text in _records(said)], megabytes, before)


def _records(said: str) -> Iterator[str]:
    for line in said.splitlines():
        if line.startswith("LOFN-REFERENCE "):
            yield line.split(" ", 1)[1]


def _lines(records: list[dict], megabytes: int, before: float) -> list[Line]:
    spread = [record for record in records if record["hosts"] == 2]
    if not spread:
        raise SystemExit("both executors were on one node in every round: run the line again")
    most = max(max(record["downloads"].values()) for record in spread)
    times = [{"bare get": r["bare"], "longest wait": r["wait"]} for r in spread]
    value = median_of(times, lambda r: r["longest wait"] / r["bare get"])
    what = f"a {megabytes} MB reference, 2 nodes, {TASKS} tasks at once"
    return [
        Line(
            name="reference-downloads",
            what=f"{what}: most downloads on a node in any round",
            target="1",
            value=most,
            unit="",
            reached=most == 1,
            rounds=len(spread),
            load=before,
        ),
        Line(
            name="reference-wait",
            what=f"{what}: the longest wait of a task, in bare `hdfs dfs -get`s of the slower node",
            target="at most 1.2",
            value=value,
            reached=value <= 1.2,
            rounds=len(spread),
            figures=medians(times),
            load=before,
        ),
    ]


@contextmanager
def _cluster(folder: Path) -> Iterator:
    """Bring a sandbox cluster of two core nodes up, give a way to run the toolkit, take it down."""
    command = [sys.executable, "-m", "lofn_aws", "--sandbox", "-c", NAME]
    environment = {"LOFN_AWS_SANDBOX_NAME": NAME, **os.environ}

    def run(*arguments: str) -> str:
        with tempfile.TemporaryFile("w+") as errors:
            done = subprocess.run(
                [*command, *arguments],
                cwd=folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                timeout=1800,
                check=False,
            )
            if done.returncode:
                errors.seek(0)
                raise SystemExit(f"lofn-aws {' '.join(arguments)}: {errors.read()}\n{done.stdout}")
        return done.stdout

    try:
        run("up")
        yield run
    finally:
        subprocess.run([*command, "sandbox", "stop"], env=environment, check=False, timeout=300)

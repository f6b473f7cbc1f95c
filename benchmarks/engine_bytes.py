"""Lines of the engine's table that move much data: rates and memory."""

from __future__ import annotations

import itertools
import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.engine_bench import Bench
from benchmarks.measure import Line, load, median_of, medians, rounds, timed
from lofn.api import DockerPipe

LINE = "x" * 99
CAT = "cat /shared/input.txt > /shared/output.txt"


def _many_lines(bench: Bench, megabytes: int, partitions: int = 2) -> Any:
    """An RDD of 100-byte lines (99 and their newline) that costs next to nothing to make."""
    each = megabytes * 10_000 // partitions
    return bench.context.parallelize(range(partitions), partitions).mapPartitions(
        lambda _: itertools.repeat(LINE, each)
    )


def _counted(rdd: Any) -> int:
    return sum(rdd.mapPartitions(lambda records: [sum(1 for _ in records)]).collect())


def _bare(bench: Bench, arm: Callable[[], float]) -> Callable[[], float]:
    def run() -> float:
        with bench.bare_workers():
            return arm()

    return run


def cat(bench: Bench) -> list[Line]:
    """1 GB of 100-byte lines through cat: streaming, and with files."""
    before = load()
    megabytes = 100 if bench.quick else 1000
    pipe = bench.pipe()

    def arm(make: Callable[[Any], Any]) -> Callable[[], float]:
        def run() -> float:
            made = make(_many_lines(bench, megabytes))
            return timed(lambda: bench.expect(f"lines-{megabytes}", _counted(made)))

        return run

    arms = {
        "pipe": _bare(bench, arm(lambda rdd: rdd.pipe("cat", checkCode=True))),
        "stream": arm(lambda rdd: pipe.map(rdd, bench.image, CAT, streaming=True)),
        "files": arm(lambda rdd: pipe.map(rdd, bench.image, CAT)),
    }
    results = rounds(arms, bench.rounds)
    figures = medians(results)
    rates = {f"{name} MB/s": megabytes / seconds for name, seconds in figures.items()}
    lines = []
    for name, target in (("stream", 1.1), ("files", 0.9)):
        value = median_of(results, lambda r, name=name: r["pipe"] / r[name])
        lines.append(
            Line(
                name=f"cat-{name}",
                what=f"{megabytes} MB of 100-byte lines through cat, {name}: rate against rdd.pipe",
                target=f"at least {target}",
                value=value,
                reached=value >= target,
                rounds=bench.rounds,
                figures={**figures, **rates},
                load=before,
            )
        )
    return lines


def whole_bytes(bench: Bench) -> list[Line]:
    """1 GB as bytes, a file per partition in and out, against pipes into and out of cat."""
    before = load()
    megabytes = 128 if bench.quick else 1024
    pipe = bench.pipe()

    def host_pipe() -> float:
        argv = f"dd if=/dev/zero bs=1M count={megabytes} 2>/dev/null | cat | cat > /dev/null"
        return timed(lambda: subprocess.run(argv, shell=True, check=True))

    block = bytes(1 << 20)

    def engine(pipe: DockerPipe = pipe) -> float:
        blocks = bench.context.parallelize(range(2), 2).mapPartitions(
            lambda _: itertools.repeat(block, megabytes // 2)
        )
        made = pipe.map(blocks, bench.image, CAT, encoding=None, framing="none")
        sizes = made.mapPartitions(lambda out: [sum(map(len, out))])
        return timed(lambda: bench.expect("bytes", sum(sizes.collect())))

    results = rounds({"host pipe": host_pipe, "engine": engine}, bench.rounds)
    figures = medians(results)
    rates = {f"{name} MB/s": megabytes * 1.048576 / took for name, took in figures.items()}
    value = median_of(results, lambda r: r["host pipe"] / r["engine"])
    once = bench.pipe()  # for the counters of one run
    engine(once)
    return [
        Line(
            name="bytes",
            what=f"{megabytes} MiB as bytes, a file per partition in and out: rate against "
            "host pipes into and out of cat",
            target="at least 0.5",
            value=value,
            reached=value >= 0.5,
            rounds=bench.rounds,
            figures={**figures, **rates},
            breakdown=once.counters.totals(),
            load=before,
        )
    ]


def memory(bench: Bench) -> list[Line]:
    """Peak memory of a Python worker that carries a 2 GB partition."""
    before = load()
    megabytes = 200 if bench.quick else 2000
    pipe = bench.pipe()

    def peak(records: Iterator[str]) -> Iterator[tuple[int, int, int]]:
        count = sum(1 for _ in records)
        yield count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, os.getpid()

    def once() -> float:
        rdd = pipe.map(_many_lines(bench, megabytes, 1), bench.image, CAT)
        ((count, kilobytes, _),) = rdd.mapPartitions(peak).collect()
        bench.expect(f"memory-lines-{megabytes}", count)
        return kilobytes / 1000

    results = rounds({"peak": once}, min(bench.rounds, 3))
    value = max(result["peak"] for result in results)
    return [
        Line(
            name="memory",
            what=f"peak memory of a Python worker with a {megabytes} MB partition (worst run)",
            target="under 200",
            value=value,
            unit=" MB",
            reached=value < 200,
            rounds=len(results),
            load=before,
        )
    ]

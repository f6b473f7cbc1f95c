"""Lines of the engine's table that count words: many small partitions, fresh and reused."""

from __future__ import annotations

import random
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.earlier_lofn import map_partitions, reduce_pairs
from benchmarks.engine_bench import Bench
from benchmarks.measure import Line, container_cost, load, median_of, medians, rounds, timed

if TYPE_CHECKING:
    from pyspark import RDD

PARTITIONS = 64
LINES, WORDS_PER_LINE = 200_000, 8
RECORDS, RECORD_PARTITIONS = 2000, 8

_COUNT = "awk '{for(i=1;i<=NF;i++)c[$i]++}END{for(w in c)print w,c[w]}'"
_SUM = "awk '{c[$1]+=$2}END{for(w in c)print w,c[w]}'"
_FILES = " < /shared/input.txt > /shared/output.txt"
_ADD = "awk '{s+=$1}END{print s}'"


def _text(bench: Bench) -> Path:
    path = bench.folder / "words.txt"
    if not path.exists():
        draw = random.Random(1)
        words = [f"w{int(draw.paretovariate(0.6)) % 5000}" for _ in range(50_000)]
        with open(path, "w", encoding="ascii") as file:
            for _ in range(LINES):
                file.write(" ".join(draw.choices(words, k=WORDS_PER_LINE)) + "\n")
    return path


def _input(bench: Bench) -> RDD[str]:
    return bench.context.textFile(str(_text(bench)), PARTITIONS)


def _piped(bench: Bench, command: str) -> str:
    """``rdd.pipe`` splits its argument as a shell would and starts no shell."""
    return f"sh -c {shlex.quote(command)}"


def _escaped(command: str) -> str:
    r"""Write a command as scripts of the earlier lofn had to: its host shell would eat ``$``."""
    return command.replace("$", r"\$")


def _map_arm(bench: Bench, **options: Any) -> Callable[[], float]:
    pipe = bench.pipe()

    def run() -> float:
        mapped = pipe.map(_input(bench), bench.image, _COUNT + _FILES, **options)
        return timed(lambda: bench.expect("words", mapped.count()))

    return run


def _piped_words(bench: Bench) -> float:
    """Seconds of the same map by ``rdd.pipe``, in whichever workers there are."""
    piped = _input(bench).pipe(_piped(bench, _COUNT), checkCode=True)
    return timed(lambda: bench.expect("words", piped.count()))


def _pipe_arm(bench: Bench) -> Callable[[], float]:
    def run() -> float:
        with bench.bare_workers():
            return _piped_words(bench)

    return run


def fresh(bench: Bench) -> list[Line]:
    """64 small partitions, each in its own container, at each network setting."""
    lines = []
    for network in ("host", "none", "bridge"):
        before = load()
        arms = {
            "pipe": _pipe_arm(bench),
            "fresh": _map_arm(bench, network=network),
            "one container": lambda network=network: container_cost(bench.image, network),
        }
        results = rounds(arms, bench.rounds)
        value = median_of(
            results, lambda r: r["fresh"] / (r["pipe"] + PARTITIONS * r["one container"])
        )
        lines.append(
            Line(
                name=f"fresh-{network}",
                what=f"fresh containers, {PARTITIONS} small partitions, map, network {network}: "
                "time / (bare pipe + 64 x `docker run --rm` of true, four at a time)",
                target="at most 1.00",
                value=value,
                reached=value <= 1.0,
                rounds=bench.rounds,
                figures=medians(results),
                breakdown=bench.counters(_input(bench), _COUNT + _FILES, network=network),
                load=before,
            )
        )
    return lines


def reuse(bench: Bench) -> list[Line]:
    """64 small partitions through containers that stay."""
    before = load()
    arms = {
        "pipe": _pipe_arm(bench),
        "reuse": _map_arm(bench, reuse=True),
        "pipe in the engine's workers": lambda: _piped_words(bench),
    }
    results = rounds(arms, bench.rounds)
    value = median_of(results, lambda r: r["pipe"] / r["reuse"])
    return [
        Line(
            name="reuse",
            what=f"reuse=True, {PARTITIONS} partitions, map: speed against bare pipe",
            target="at least 1.05",
            value=value,
            reached=value >= 1.05,
            rounds=bench.rounds,
            figures=medians(results),
            breakdown=bench.counters(_input(bench), _COUNT + _FILES, reuse=True),
            load=before,
            notes="a bare job's workers read Spark's zip archives before each task, which the "
            "engine spares them; in workers that have run the engine, rdd.pipe gains that too",
        )
    ]


def _map_reduce_arm(bench: Bench, **options: Any) -> Callable[[], float]:
    return lambda: timed(lambda: _map_and_reduce(bench, **options))


def _map_and_reduce(bench: Bench, **options: Any) -> dict[str, float]:
    """Count words and return the engine's counters of it."""
    pipe = bench.pipe()
    mapped = pipe.map(_input(bench), bench.image, _COUNT + _FILES, **options)
    result = pipe.reduce(mapped, bench.image, _SUM + _FILES, **options)
    bench.expect("totals", sorted(result))
    return pipe.counters.totals()


def _earlier_map_reduce_arm(bench: Bench) -> Callable[[], float]:
    def run() -> float:
        def job() -> None:
            mapped = map_partitions(_input(bench), bench.image, _escaped(_COUNT) + _FILES)
            result = reduce_pairs(mapped.glom(), bench.image, _escaped(_SUM) + _FILES)
            bench.expect("totals", sorted(result))

        with bench.bare_workers():
            return timed(job)

    return run


def map_reduce(bench: Bench) -> list[Line]:
    """Map and reduce together against one bridge container per partition and per pair."""
    before = load()
    arms = {
        "earlier lofn": _earlier_map_reduce_arm(bench),
        "fresh": _map_reduce_arm(bench, network="none"),
        "reuse": _map_reduce_arm(bench, network="none", reuse=True),
    }
    results = rounds(arms, bench.rounds)
    lines = []
    for arm, target, reused in (("fresh", 2.5, False), ("reuse", 6.0, True)):
        value = median_of(results, lambda r, arm=arm: r["earlier lofn"] / r[arm])
        lines.append(
            Line(
                name=f"map-reduce-{arm}",
                what=f"map and reduce, {PARTITIONS} partitions, {arm} without network: speed "
                "against one bridge container per map partition and per rolling pair",
                target=f"at least {target}",
                value=value,
                reached=value >= target,
                rounds=bench.rounds,
                figures=medians(results),
                breakdown=_map_and_reduce(bench, network="none", reuse=reused),
                load=before,
            )
        )
    return lines


def flat_reduce(bench: Bench) -> list[Line]:
    """A flat RDD of records, reduced; the pairwise way takes a container per record."""
    before = load()
    sample = RECORDS if bench.full else RECORDS // 20
    pipe = bench.pipe()

    def records(count: int) -> Any:
        return bench.context.parallelize(map(str, range(count)), RECORD_PARTITIONS)

    def tree() -> float:
        return timed(
            lambda: bench.expect(
                "sum", list(pipe.reduce(records(RECORDS), bench.image, _ADD + _FILES))
            )
        )

    def pairwise() -> float:
        with bench.bare_workers():
            seconds = timed(
                lambda: reduce_pairs(records(sample), bench.image, _escaped(_ADD) + _FILES)
            )
        return seconds * (RECORDS - 1) / (sample - 1)

    results = rounds({"pairwise": pairwise, "tree": tree}, bench.rounds)
    value = median_of(results, lambda r: r["pairwise"] / r["tree"])
    scaled = "" if bench.full else f"pairwise timed on {sample} records and scaled by its launches"
    return [
        Line(
            name="flat-reduce",
            what=f"reduce of a flat RDD of {RECORDS} records on {RECORD_PARTITIONS} partitions: "
            "speed against the pairwise way",
            target="at least 100",
            value=value,
            reached=value >= 100,
            rounds=bench.rounds,
            figures=medians(results),
            load=before,
            notes=scaled,
        )
    ]


def sleepers(bench: Bench) -> list[Line]:
    """200 tasks that sleep a second: is anything but the sleeping seen?"""
    before = load()
    pipe = bench.pipe()

    def tasks() -> Any:
        return bench.context.parallelize(map(str, range(200)), 200)

    def bare() -> float:
        with bench.bare_workers():
            piped = tasks().pipe(_piped(bench, "sleep 1; cat"), checkCode=True)
            return timed(piped.count)

    arms = {
        "pipe": bare,
        "fresh": lambda: timed(
            lambda: pipe.map(tasks(), bench.image, "sleep 1; cat" + _FILES).count()
        ),
    }
    results = rounds(arms, bench.rounds)
    value = median_of(results, lambda r: r["fresh"] / r["pipe"])
    return [
        Line(
            name="sleep",
            what="200 tasks that sleep 1 s, fresh: time against bare pipe",
            target="at most 1.05",
            value=value,
            reached=value <= 1.05,
            rounds=bench.rounds,
            figures=medians(results),
            breakdown=bench.counters(tasks(), "sleep 1; cat" + _FILES),
            load=before,
        )
    ]

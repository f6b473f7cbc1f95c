"""ReduceJob over any partitions gives what one process gives; only the container is replaced."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lofn import reduction
from lofn.command import build
from lofn.plan import BoxPlan
from lofn.records import Format
from lofn.reduce_tree import default_fan_in
from lofn.reduction import ReduceJob
from lofn.task import Run
from lofn.tree import levels

SEVERAL = 12  # input files that a command may find

Command = Callable[[Path], None]


def cat(shared: Path) -> None:
    """Lines after lines: associative, and not commutative."""
    (shared / "output.txt").write_bytes((shared / "input.txt").read_bytes())


def glue(shared: Path) -> None:
    """All lines to one line, which hides how many there were."""
    data = (shared / "input.txt").read_bytes()
    (shared / "output.txt").write_bytes(data.replace(b"\n", b"") + b"\n")


def join(shared: Path) -> None:
    """Whole files after each other, as many as there are."""
    paths = [shared / f"input_{n}.bin" for n in range(1, SEVERAL + 1)]
    data = b"".join(path.read_bytes() for path in paths if path.exists())
    (shared / "output.txt").write_bytes(data)


@contextmanager
def containers(command: Command) -> Iterator[list[int]]:
    """Run the command in this process instead; count how often."""
    launches = [0]

    def with_box(run: Run, task: Any, more: bool, use: Any) -> Iterator[Any]:
        with tempfile.TemporaryDirectory() as shared:
            yield from use(SimpleNamespace(shared=shared), None)

    def execute(box: Any, owned: Any, run: Run, task: Any) -> None:
        launches[0] += 1
        command(Path(box.shared))

    def output_path(box: Any, owned: Any, run: Run, task: Any, name: str) -> str:
        return os.path.join(box.shared, name)

    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as home:
        patch.setattr(reduction, "with_box", with_box)
        patch.setattr(reduction, "execute", execute)
        patch.setattr(reduction, "output_path", output_path)
        worker = SimpleNamespace(folder=SimpleNamespace(path=home))
        patch.setattr(reduction, "pool", lambda parent: worker)
        yield launches
        assert os.listdir(home) == [], "a task leaves no partial result on its node"


def job(fan_in: int | None, *, binary: bool = False, udf: Any = None) -> ReduceJob:
    plan = BoxPlan("image", "/shared", {"HostConfig": {"NetworkMode": "none"}}, None)
    form = Format(encoding=None) if binary else Format()
    names = tuple(f"input_{n}.bin" for n in range(1, SEVERAL + 1))
    command = build("cat /shared/input_1.bin /shared/input_2.bin > /shared/output.txt")
    return ReduceJob(
        run=Run(plan, command),
        binary=binary,
        inputs=names[: max(2, fan_in or 2)] if binary else ("input.txt",),
        output_name="output.txt",
        into=form,
        out=form,
        fan_in=fan_in,
        udf=udf,
    )


def reduced(one: ReduceJob, partitions: list[list[Any]], chance: random.Random) -> bytes:
    """Do what `reduce_tree.run` has Spark do; what a shuffle brings, it brings in any order."""
    count = len(partitions)
    parts = [list(one.first(i, elements, count)) for i, elements in enumerate(partitions)]
    for groups in levels(count, one.fan_in or default_fan_in(count, one)):
        merged = []
        for number, orders in enumerate(groups):
            chunks: list[Any] = [
                ((number, *key), block) for order in orders for key, block in parts[order]
            ]
            chance.shuffle(chunks)
            merged.append(list(one.merge(number, chunks, len(groups))))
        parts = merged
    (last,) = parts
    return b"".join(block for _, block in sorted(last, key=lambda chunk: chunk[0]))


def some(partitions: list[list[Any]]) -> bool:
    return any(partitions)


texts = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=4)
lines = st.lists(st.lists(texts, max_size=6), min_size=1, max_size=14).filter(some)
fan_ins = st.one_of(st.none(), st.integers(2, SEVERAL))
chances = st.randoms(use_true_random=False)


@given(lines, fan_ins, chances)
def test_lines_over_any_tree(
    partitions: list[list[str]], fan_in: int | None, chance: random.Random
) -> None:
    flat = [line for part in partitions for line in part]
    with containers(cat) as launches:
        got = reduced(job(fan_in), partitions, chance)
    assert got == "".join(line + "\n" for line in flat).encode()
    full = [part for part in partitions if part]
    if fan_in == 2:
        first = sum(max(1, len(part) - 1) for part in full)
        assert launches == [first + len(full) - 1], "pairs, and one line alone goes through too"
    else:
        assert len(full) <= launches[0] <= 2 * len(full), "as many as partitions, not as records"


@given(lines, fan_ins, chances)
def test_a_result_that_is_one_line(
    partitions: list[list[str]], fan_in: int | None, chance: random.Random
) -> None:
    with containers(glue):
        got = reduced(job(fan_in), partitions, chance)
    assert got.decode() == "".join(line for part in partitions for line in part) + "\n"


@given(lines, chances)
def test_nested_partitions_of_the_earlier_scripts(
    partitions: list[list[str]], chance: random.Random
) -> None:
    nested: list[list[Any]] = [[part] if part else [] for part in partitions]
    with containers(cat):
        got = reduced(job(None), nested, chance)
    assert got.decode() == "".join(line + "\n" for part in partitions for line in part)


@given(lines, st.sampled_from([None, 2]), chances)
def test_a_function_of_two(
    partitions: list[list[str]], fan_in: int | None, chance: random.Random
) -> None:
    def both(left: Iterable[str] | str, right: Iterable[str] | str) -> dict[str, list[str]]:
        sides = [[side] if isinstance(side, str) else list(side) for side in (left, right)]
        return {"input.txt": sides[0] + sides[1]}

    with containers(cat):
        got = reduced(job(fan_in, udf=both), partitions, chance)
    assert got.decode() == "".join(line + "\n" for part in partitions for line in part)


@given(
    st.lists(st.lists(st.binary(max_size=3), max_size=6), min_size=1, max_size=14).filter(some),
    fan_ins,
    chances,
)
def test_whole_files_over_any_tree(
    partitions: list[list[bytes]], fan_in: int | None, chance: random.Random
) -> None:
    flat = [data for part in partitions for data in part]
    with containers(join) as launches:
        got = reduced(job(fan_in, binary=True), partitions, chance)
    assert got == b"".join(flat)
    if fan_in in (None, 2):
        assert launches == [max(1, len(flat) - 1)], "pairs; a file alone goes through too"


def test_partial_results_of_many_chunks_in_any_order() -> None:
    partitions = [["a" * 100_000, "b" * 70_000], [], ["c" * 300_000], ["d"]]
    for seed in range(5):
        with containers(cat):
            got = reduced(job(3), partitions, random.Random(seed))
        assert got.decode().split() == [line for part in partitions for line in part]

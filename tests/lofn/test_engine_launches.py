"""How many containers a job starts, and what counts as a result."""

from __future__ import annotations

import pytest

from lofn.errors import ContainerFailed

pytestmark = [pytest.mark.docker, pytest.mark.spark]

COPY = "cat /shared/input.txt > /shared/output.txt"


def test_a_mapped_rdd_is_reduced_in_two_reused_containers_a_worker(sc, pipe, image):
    lines = sc.parallelize([str(i) for i in range(40)], 40)
    mapped = pipe.map(lines, image, COPY, reuse=True)
    assert pipe.reduce(mapped, image, COPY, reuse=True) == [str(i) for i in range(40)]
    assert pipe.counters.totals()["containers_started"] <= 2 * sc.defaultParallelism


@pytest.mark.parametrize(("fan_in", "most"), [(3, 2 + 1), (8, 2 + 1), (2, 99 + 99 + 1)])
def test_only_rolling_pairs_start_a_container_for_each_record(sc, pipe, image, fan_in, most):
    lines = [str(i) for i in range(200)]
    got = pipe.reduce(sc.parallelize(lines, 2), image, COPY, fan_in=fan_in, reuse=True)
    assert got == lines
    totals = pipe.counters.totals()
    assert totals["containers_started"] + totals["containers_reused"] == most


@pytest.mark.parametrize("ending", ["kill -9 $$", "exit 127", "exit 0"])
def test_the_only_file_is_no_result_of_a_command_that_wrote_nothing(sc, pipe, image, ending):
    command = f"cat /shared/input_1.bin /shared/input_2.bin > /shared/other; {ending}"
    with pytest.raises(ContainerFailed):
        pipe.reduce_binary(sc.parallelize([b"one"], 1), image, command)


def test_a_link_to_a_file_of_the_node_is_no_output(sc, pipe, image):
    inner = "cat /shared/input.txt > /shared/made; ln -s made /shared/output.txt"
    assert pipe.map(sc.parallelize(["a"], 1), image, inner).collect() == ["a"]
    with pytest.raises(ContainerFailed, match="leads out of the shared folder"):
        pipe.map(sc.parallelize(["a"], 1), image, "ln -s /etc/hostname /shared/output.txt").count()

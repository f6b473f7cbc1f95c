"""reduce and reduce_binary on real containers."""

from __future__ import annotations

import pytest

from lofn.errors import ContainerFailed, UsageError

pytestmark = [pytest.mark.docker, pytest.mark.spark]

KEEP = "cat /shared/input.txt > /shared/output.txt"
TOTAL = "awk '{ n += \\$1 } END { print n }' /shared/input.txt > /shared/output.txt"
JOIN = "cat /shared/input_1.bin /shared/input_2.bin > /shared/output.bin"


def test_lines_come_back_in_order_whatever_the_partitions(sc, pipe, image):
    lines = [f"line {i}" for i in range(200)]
    for partitions in (1, 3, 20):
        assert pipe.reduce(sc.parallelize(lines, partitions), image, KEEP, reuse=True) == lines


def test_launches_go_with_partitions_not_with_records(sc, pipe, image):
    records = sc.parallelize(["1"] * 2000, 8)
    assert pipe.reduce(records, image, TOTAL) == ["2000"]
    assert pipe.counters.totals()["partitions"] == 8
    assert pipe.counters.totals()["containers_started"] <= 8 + 1


def test_a_single_element_goes_through_the_command(sc, pipe, image):
    command = TOTAL + "; echo end >> /shared/output.txt"
    assert pipe.reduce(sc.parallelize(["5"], 3), image, command) == ["5", "end"]


def test_nested_partitions_as_the_earlier_scripts_make_them(sc, pipe, image):
    nested = sc.parallelize(range(40), 4).mapPartitions(lambda p: [[str(i) for i in p]])
    assert pipe.reduce(image_name=image, command=TOTAL, rdd=nested) == [str(sum(range(40)))]


def test_rolling_pairs_are_one_argument_away(sc, pipe, image):
    log = "cat /shared/input.txt > /shared/output.txt; echo '|' >> /shared/output.txt"
    got = pipe.reduce(sc.parallelize(list("abcd"), 2), image, log, fan_in=2, reuse=True)
    assert got == ["a", "b", "|", "c", "d", "|", "|"]
    assert (
        pipe.counters.totals()["containers_started"] + pipe.counters.totals()["containers_reused"]
        == 3
    )


def test_a_udf_gets_pairs(sc, pipe, image):
    nested = sc.parallelize(range(6), 3).mapPartitions(lambda p: [[f"{i}" for i in p]])

    def two(left, right):
        return {"left": left, "right": right}

    command = "cat /shared/left /shared/right > /shared/output.txt; echo '|' >> /shared/output.txt"
    got = pipe.reduce(nested, image, command, reduce_udf=two, reuse=True)
    assert [line for line in got if line != "|"] == [str(i) for i in range(6)]
    assert got.count("|") == 2


def test_an_rdd_without_elements_is_an_error(sc, pipe, image):
    with pytest.raises(ValueError, match="without elements"):
        pipe.reduce(sc.parallelize([], 3), image, KEEP)


@pytest.mark.parametrize("files", [1, 2, 3, 17])
def test_binary_files_of_any_number(sc, pipe, image, files):
    parts = [(f"f{i:02d}", bytes([i, 10, 255])) for i in range(files)]
    got = pipe.reduce_binary(sc.parallelize(parts, 5), image, JOIN, reuse=True)
    assert got == b"".join(data for _, data in parts)


def test_one_file_that_a_merge_would_refuse_comes_back_as_it_is(sc, pipe, image):
    merge = "[ -s /shared/input_2.bin ] || exit 1; " + JOIN
    assert pipe.reduce_binary(sc.parallelize([("a", b"x\0y")], 2), image, merge) == b"x\0y"
    with pytest.raises(ContainerFailed):
        pipe.reduce_binary(sc.parallelize([("a", b"x\0y")], 2), image, "exit 3")


def test_many_files_at_once(sc, pipe, image):
    parts = [(f"f{i:02d}", b"%d," % i) for i in range(17)]
    command = "set -- /shared/input_*.bin; n=$#; i=1; while [ $i -le $n ]; do "
    command += "cat /shared/input_$i.bin; i=$((i + 1)); done > /shared/output.bin"
    got = pipe.reduce_binary(sc.parallelize(parts, 6), image, command, fan_in=5, reuse=True)
    assert got == b"".join(data for _, data in parts)


def test_a_binary_udf_gets_bytes(sc, pipe, image):
    parts = sc.parallelize([("a", b"1"), ("b", b"2"), ("c", b"3")], 3)
    got = pipe.reduce_binary(
        parts, image, "cat /shared/l /shared/r > /shared/output.bin",
        reduce_udf=lambda left, right: {"l": left, "r": right},
    )  # fmt: skip
    assert got == b"123"


def test_large_partials_travel_in_chunks(sc, pipe, image):
    lines = sc.parallelize(range(6), 6).map(lambda i: f"{i}" * 700_000)
    got = pipe.reduce(lines, image, KEEP, reuse=True)
    assert got == [f"{i}" * 700_000 for i in range(6)]


def test_wrong_arguments(sc, pipe, image):
    rdd = sc.parallelize(["a"], 1)
    with pytest.raises(UsageError, match="fan_in"):
        pipe.reduce(rdd, image, KEEP, fan_in=1)
    with pytest.raises(UsageError, match="did you mean 'reduce_udf'"):
        pipe.reduce(rdd, image, KEEP, reduce_uff=print)
    with pytest.raises(UsageError, match="fan_in"):
        pipe.reduce(rdd, image, KEEP, reduce_udf=print, fan_in=3)
    with pytest.raises(UsageError, match="count on"):
        pipe.reduce_binary(rdd, image, JOIN, fan_in=3, container_binary_input_2_name="right")

"""map, map_binary and map_binary_rdd on real containers."""

from __future__ import annotations

import gzip
import os
import re
import shutil
import subprocess
import threading
import time

import pytest

from lofn.api import DockerPipe
from lofn.docker_handler import DockerFailure
from lofn.errors import ContainerFailed, ImageMissing, RecordError, UsageError
from tests.images import busybox_image
from tests.lofn import engine_images
from tests.lofn.conftest import containers_of, things_of_tasks, wait_until, workers

pytestmark = [pytest.mark.docker, pytest.mark.spark]
COPY = "cat /shared/input.txt > /shared/output.txt"


@pytest.fixture
def words(sc):
    return sc.parallelize(["a b", "c a", "b b"] * 10, 4)


def test_a_command_written_for_the_earlier_lofn(sc, pipe, words, image):
    counted = pipe.map(
        image_name=image,
        command="cat /shared/input.txt | tr -s ' ' | tr ' ' '\\\\n' | sort | uniq "
        "-c | awk '\\$1=\\$1' > /shared/output.txt",
        rdd=words,
    )
    totals: dict[str, int] = {}
    for line in counted.collect():
        number, word = line.split(" ")
        totals[word] = totals.get(word, 0) + int(number)
    assert totals == {"a": 20, "b": 30, "c": 10}


@pytest.mark.parametrize("kind", ["bash", "busybox"])
def test_a_failure_inside_a_pipe_counts(sc, pipe, words, kind):
    name = f"lofn-tests/{kind}"
    if kind == "busybox":
        if shutil.which("busybox") is None:
            pytest.skip("this machine has no busybox")
        busybox_image(name)
    engine_images.ensure(name)
    with pytest.raises(ContainerFailed):
        pipe.map(words, name, "false | cat > /shared/output.txt").collect()
    assert pipe.map(words, name, COPY).count() == 30


def test_a_plain_sh_is_enough(sc, pipe, words, sh_image):
    assert pipe.map(words, sh_image, COPY).count() == 30


def test_an_entrypoint_never_eats_the_command(sc, pipe, words):
    name = engine_images.ensure("lofn-tests/entrypoint")
    assert pipe.map(words, name, COPY).count() == 30
    assert pipe.map(words, name, ["cp", "/shared/input.txt", "/shared/output.txt"]).count() == 30


def test_an_argv_needs_no_shell(sc, pipe, words):
    name = engine_images.ensure("lofn-tests/noshell")
    copied = pipe.map(words, name, ["cp", "/shared/input.txt", "/shared/output.txt"])
    assert copied.collect() == words.collect()
    with pytest.raises(UsageError, match="no shell"):
        pipe.map(words, name, COPY).collect()
    with pytest.raises(ContainerFailed) as caught:
        pipe.map(words, name, ["cp", "/shared/none", "/x"]).collect()
    assert "No such file" in caught.value.failure.stderr
    with pytest.raises(ContainerFailed) as caught:
        pipe.map(words, name, ["nothing-like-it"]).collect()
    assert caught.value.failure.exit_code == 127


def test_an_image_with_its_own_user_can_write(sc, pipe, words):
    name = engine_images.ensure("lofn-tests/nonroot")
    made = pipe.map(words, name, "id -u > /shared/output.txt; mkdir -m 700 -p /shared/a/b")
    assert set(made.collect()) == {"12345"}


def test_input_and_output_formats_apart(sc, pipe, image):
    molecules = sc.parallelize(["one\nM  END", "two\nM  END"], 1)
    got = pipe.map(
        molecules, image, "grep -c END /shared/input.txt > /shared/output.txt",
        delimiter="\n$$$$\n", output_delimiter="\n",
    )  # fmt: skip
    assert got.collect() == ["2"]
    raw = sc.parallelize([b"\xff\x00", b"a\nb"], 1)
    kept = pipe.map(raw, image, COPY, encoding=None, framing="length")
    assert kept.collect() == [b"\xff\x00", b"a\nb"]


def test_a_record_with_its_delimiter_is_refused_on_the_driver(sc, pipe, image):
    with pytest.raises(RecordError, match="record 1 "):
        pipe.map(sc.parallelize(["a", "b\nc"], 1), image, COPY).collect()


def test_empty_partitions_start_nothing(sc, pipe, image):
    assert pipe.map(sc.parallelize(["a"], 8), image, COPY).collect() == ["a"]
    assert pipe.counters.totals()["partitions"] == 1


def test_a_udf_names_its_files_and_reads_the_partition_twice(sc, pipe, image):
    pairs = sc.parallelize([(i, ([f"l{i}"], [f"r{i}"])) for i in range(6)], 2)

    def both(partition):
        return {
            "input_1.txt": ("\n".join(p[1][0]) for p in partition),
            "input_2.txt": ("\n".join(p[1][1]) for p in partition),
            "one.txt": "exactly this",
        }

    got = pipe.map(
        pairs, image,
        "cat /shared/one.txt > /shared/output.txt; echo >> /shared/output.txt; "
        "cat /shared/input_1.txt /shared/input_2.txt >> /shared/output.txt",
        map_udf=both,
    )  # fmt: skip
    assert got.glom().collect() == [
        ["exactly this", "l0", "l1", "l2", "r0", "r1", "r2"],
        ["exactly this", "l3", "l4", "l5", "r3", "r4", "r5"],
    ]


def test_streaming_gives_the_same(sc, pipe, image):
    lines = sc.parallelize([f"{i:090d}" for i in range(20_000)], 2)
    got = pipe.map(lines, image, "cat < /shared/input.txt > /shared/output.txt", streaming=True)
    assert got.collect() == lines.collect()
    few = pipe.map(lines, image, "head -n 1 /shared/input.txt > /shared/output.txt", streaming=True)
    assert few.collect() == [part[0] for part in lines.glom().collect()]
    none = pipe.map(lines, image, "echo x > /shared/output.txt", streaming=True)
    assert none.collect() == ["x", "x"]


def test_streaming_hands_on_what_goes_wrong_upstream(sc, pipe, image):
    lines = sc.parallelize(range(10), 1).map(lambda i: "x" * 100_000 if i < 9 else 1 / 0)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        pipe.map(lines, image, "cat < /shared/input.txt > /shared/output.txt",
                 streaming=True).collect()  # fmt: skip


def test_map_binary_gives_a_folder_for_a_while(sc, pipe, words, image):
    with pipe.map_binary(words, image, "gzip -c /shared/input.txt > /shared/output.bin") as folder:
        files = sc.binaryFiles(folder).collect()
        lines = [gzip.decompress(data).decode().splitlines() for _, data in sorted(files)]
        assert [line for part in lines for line in part] == words.collect()
    assert not os.path.exists(folder)


def test_map_binary_rdd_needs_no_folder(sc, pipe, words, image):
    got = pipe.map_binary_rdd(words, image, "gzip -c /shared/input.txt > /shared/output.bin")
    named = dict(got.collect())
    assert sorted(named) == [f"output-0000{i}.bin" for i in range(4)]
    assert gzip.decompress(named["output-00000.bin"]).decode().splitlines()[0] == "a b"


def test_isolation_is_the_default_and_reuse_gives_it_up(sc, pipe, words, image):
    leave = "cat /mark 2>/dev/null > /shared/output.txt; date +%s > /mark; true"
    leave = leave.replace("date +%s", "echo seen")
    assert pipe.map(words, image, leave).collect() == []
    assert "seen" in pipe.map(words, image, leave, reuse=True).collect()


def test_reuse_leaves_no_files_of_the_last_partition(sc, pipe, image):
    lines = sc.parallelize(["a"] * 6, 6)
    command = (
        "set -- /shared/*; echo $# > /shared/output.txt; mkdir -p /shared/d/e; "
        "echo 1 > /shared/d/e/f; echo x > /shared/.hidden"
    )
    assert set(pipe.map(lines, image, command, reuse=True).collect()) == {"1"}
    assert pipe.counters.totals()["containers_started"] <= 2


def test_the_failure_tells_everything(sc, pipe, words, image):
    with pytest.raises(DockerFailure) as caught:
        pipe.map(words, image, "echo one; printf 'b\\303d \\377\\n' >&2; exit 7").collect()
    failure = caught.value.failure
    assert failure.exit_code == 7
    assert failure.image == image
    assert failure.digest.startswith("sha256:")
    assert failure.node
    assert failure.stage is not None
    assert failure.partition in range(4)
    assert failure.attempt == 0
    assert failure.stderr == "one\nb\\xc3d \\xff\n"


def test_a_long_stderr_is_bounded(sc, pipe, words, image):
    with pytest.raises(ContainerFailed) as caught:
        pipe.map(words, image, "seq 1 200000 >&2; exit 1").collect()
    assert len(caught.value.failure.stderr) <= 8192
    assert caught.value.failure.stderr.endswith("199999\n200000\n")


def test_a_missing_output_shows_what_was_there(sc, pipe, words, image):
    with pytest.raises(ContainerFailed, match=r"did not write /shared/output\.txt") as caught:
        pipe.map(words, image, "mkdir /shared/d; echo x > /shared/d/outputs.txt").collect()
    assert "d/outputs.txt (2 bytes)" in caught.value.failure.listing


def test_out_of_memory_is_said(sc, pipe, words, image):
    grow = "awk 'BEGIN { x = \"xxxxxxxxxxxxxxxx\"; while (1) { x = x x } }'"
    with pytest.raises(ContainerFailed, match="out of memory") as caught:
        pipe.map(words, image, grow.replace("$", "\\$").replace('"', '\\"'),
                 docker_options=["--memory=24m", "--memory-swap=24m"]).collect()  # fmt: skip
    assert caught.value.failure.out_of_memory


def test_a_timeout_stops_the_command(sc, pipe, words, image):
    with pytest.raises(ContainerFailed, match="longer than timeout=1 s"):
        pipe.map(words, image, "sleep 60", timeout=1).collect()


def test_a_missing_image_is_one_error_at_once(sc, pipe, words):
    with pytest.raises(ImageMissing, match="lofn-tests/no-such-image"):
        pipe.map(words, "lofn-tests/no-such-image:1", COPY)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"map_uff": None}, "did you mean 'map_udf'"),
        ({"docker_options": ["--memroy=1g"]}, "did you mean --memory"),
        ({"container_input_name": "../x"}, "container_input_name"),
        ({"timeout": -1}, "timeout"),
        ({"reuse": "yes"}, "reuse"),
        ({"map_udf": 3}, "map_udf"),
        ({"network": ""}, "network"),
    ],
)
def test_wrong_arguments_are_refused_on_the_driver(sc, pipe, words, image, arguments, said):
    with pytest.raises(UsageError, match=said):
        pipe.map(words, image, COPY, **arguments)


def test_wrong_volumes_are_refused_on_the_driver():
    with pytest.raises(ValueError, match="bind"):
        DockerPipe(volumes={"/tmp": {"bnd": "/x"}})


def test_a_volume_is_there_and_read_only(sc, tmp_path, words, image):
    (tmp_path / "ref").mkdir()
    (tmp_path / "ref" / "genome").write_text("ACGT")
    pipe = DockerPipe(volumes={str(tmp_path / "ref"): {"bind": "/data/ref"}}, network="none")
    got = pipe.map(words, image, "cat /data/ref/genome > /shared/output.txt")
    assert got.collect() == ["ACGT"] * 4
    with pytest.raises(ContainerFailed, match="Read-only"):
        pipe.map(words, image, "echo > /data/ref/x").collect()


def test_nothing_is_left_of_partitions(sc, pipe, words, image):
    pipe.map(words, image, COPY).collect()
    # A standby that no partition came for is given up; what holds a worker's network stays.
    wait_until(lambda: not things_of_tasks(pipe), 15, "no container and no folder of a partition")
    for worker in workers(pipe):
        assert len(containers_of(worker=worker)) == 1, "one for a living worker's network"


def test_quarantine_keeps_going_and_tells(sc, pipe, image):
    rdd = sc.parallelize(["ok 1", "bad", "ok 2", "worse\nline"], 4)
    command = (
        "grep -q bad /shared/input.txt && { echo no >&2; exit 5; }; "
        "cat /shared/input.txt > /shared/output.txt"
    )
    result = pipe.map(rdd, image, command, on_error="quarantine")
    assert result.good.collect() == ["ok 1", "ok 2"]
    first, second = sorted(result.bad.collect(), key=lambda bad: bad.partition)
    assert (first.partition, first.failure.exit_code, first.failure.stderr) == (1, 5, "no\n")
    assert (second.partition, second.failure) == (3, None)
    assert "contains the delimiter" in second.error
    assert result.inputs(rdd).collect() == ["bad", "worse\nline"]
    assert pipe.counters.totals()["containers_started"] <= 4  # nothing ran a second time
    result.unpersist()
    with pytest.raises(UsageError, match="streaming"):
        pipe.map(rdd, image, command, on_error="quarantine", streaming=True)
    with pytest.raises(UsageError, match="did you mean 'quarantine'"):
        pipe.map(rdd, image, command, on_error="quarantene")


def test_bytes_without_records_stream_through(sc, pipe, image):
    blob = sc.parallelize([bytes(range(256)) * 20_000], 1)
    got = pipe.map(blob, image, COPY, encoding=None, framing="none", streaming=True)
    assert b"".join(got.collect()) == bytes(range(256)) * 20_000


def test_containers_say_whose_they_are(sc, pipe, image):
    seen: set[str] = set()
    lines = sc.parallelize(["a"] * 6, 6)
    job = threading.Thread(
        target=pipe.map(lines, image, "sleep 1; cat /shared/input.txt > /shared/output.txt").count
    )
    job.start()
    while job.is_alive():
        said = subprocess.run(
            ["docker", "ps", "--filter", f"label=lofn.application={sc.applicationId}",
             "--format", '{{.Names}} {{.Label "lofn.stage"}} {{.Label "lofn.partition"}}'],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        seen.update(said.splitlines())
        time.sleep(0.1)
    made_for_one = {int(words[2]) for words in map(str.split, seen) if len(words) == 3}
    named = {int(found[1]) for found in (re.search(r"-p(\d+)-a0 ", line) for line in seen) if found}
    assert made_for_one | named == set(range(6))

"""``python -m lofn`` on real Spark and real containers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lofn.__main__ import main

pytestmark = [pytest.mark.spark, pytest.mark.docker]

IMAGE = "lofn-tests/sh"
COPY = "cat /shared/input.txt > /shared/output.txt"


@pytest.fixture(autouse=True)
def _session(sc: Any, sh_image: str) -> None:
    from pyspark.sql import SparkSession

    assert sh_image == IMAGE
    SparkSession.builder.getOrCreate()


def run(verb: str, source: Path, target: Path, *words: str) -> int:
    given = ["--image", IMAGE, "--input", str(source), "--output", str(target), "--quiet"]
    return main([verb, *given, "--network", "none", *words])


def parts(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.glob("part-*")))


def test_a_program_of_its_own_with_progress_and_figures(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("".join(f"{i}\n" for i in range(100)))
    argv = [sys.executable, "-m", "lofn", "map", "--master", "local[2]", "--image", IMAGE]
    argv += ["--input", f"{tmp_path}/in", "--output", f"{tmp_path}/out", "--partitions", "3"]
    argv += ["--figures", "--command", r"""awk "{print \$1 * 2}" < /shared/input.txt > """]
    argv[-1] += "/shared/output.txt"
    done = subprocess.run(argv, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert parts(tmp_path / "out") == b"".join(b"%d\n" % (i * 2) for i in range(100))
    assert "3 partitions, 3 containers started, 0 reused" in done.stderr
    assert "seconds in container" in done.stderr
    assert done.stdout == ""


def test_raw_bytes_and_any_delimiter_come_through(tmp_path: Path) -> None:
    data = b"".join(b"\xff mol %d\r\n$$$$\n" % i for i in range(50))
    (tmp_path / "in").write_bytes(data)
    words = ["--delimiter", r"\n$$$$\n", "--", "sh", "-c", COPY]
    assert run("map", tmp_path / "in", tmp_path / "out", *words) == 0
    assert parts(tmp_path / "out") == data


def test_a_tool_that_looks_at_endings_gets_its_names(tmp_path: Path) -> None:
    data = b"".join(b"mol %d\n$$$$\n" % i for i in range(9))
    (tmp_path / "in").write_bytes(data)
    words = ["--delimiter", r"\n$$$$\n", "--input-name", "in.sdf", "--output-name", "o/out.sdf"]
    words += ["--", "sh", "-c", "mkdir /shared/o; cat /shared/in.sdf > /shared/o/out.sdf"]
    assert run("map", tmp_path / "in", tmp_path / "out", *words) == 0
    assert parts(tmp_path / "out") == data
    assert run("reduce", tmp_path / "in", tmp_path / "one", *words) == 0
    assert (tmp_path / "one").read_bytes() == data


def test_binary_files_with_names_and_length_framing(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"a\nbc\n")
    words = ["--binary", "--framing", "length", "--partitions", "1", "--output-name", "out.bam"]
    words += ["--command", "cat /shared/input.txt > /shared/out.bam"]
    assert run("map", tmp_path / "in", tmp_path / "bams", *words) == 0
    framed = b"\0\0\0\x01a\0\0\0\x02bc"
    assert (tmp_path / "bams" / "part-00000.bam").read_bytes() == framed
    (tmp_path / "bams" / "part-00001.bam").write_bytes(b"!")
    words = ["--binary", "--input-name", "in_1.bam", "--output-name", "out.bam", "--command"]
    words += ["cat /shared/in_1.bam /shared/in_2.bam > /shared/out.bam"]
    assert run("reduce", tmp_path / "bams", tmp_path / "all", *words) == 0
    assert (tmp_path / "all").read_bytes() == framed + b"!"


def test_length_framing_may_not_write_records_that_come_back_as_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").write_bytes(b"a\nbc\n")
    words = ["--framing", "length", "--command", COPY]
    assert run("map", tmp_path / "in", tmp_path / "out", *words) == 0
    assert parts(tmp_path / "out") == b"a\nbc\n"
    for verb in ("map", "reduce"):
        words = ["--framing", "length", "--output-delimiter", "c", "--partitions", "1"]
        assert run(verb, tmp_path / "in", tmp_path / verb, *words, "--command", COPY) == 1
        said = capsys.readouterr().err
        assert "output record 1 contains the delimiter 'c'" in said
        assert "give another --output-delimiter" in said
        assert not (tmp_path / verb).exists()


def test_streaming(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("b\na\n" * 5000)
    words = ["--stream", "--partitions", "1", "--command", COPY]
    assert run("map", tmp_path / "in", tmp_path / "out", *words) == 0
    assert parts(tmp_path / "out") == b"b\na\n" * 5000


def test_quarantine_keeps_what_failed_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in (("a", "1\n"), ("b", "bad\nworse\n"), ("c", "3\n")):
        (tmp_path / name).write_text(text)
    check = "grep -q bad /shared/input.txt && { echo seen >&2; exit 9; }; " + COPY
    words = ["--on-error", "quarantine", "--partitions", "1", "--command", check]
    assert run("map", tmp_path / "[abc]", tmp_path / "out", *words) == 0
    assert parts(tmp_path / "out") == b"1\n3\n"
    assert f"1 of 3 partitions failed; their records and errors are in file:{tmp_path}" in (
        capsys.readouterr().err
    )
    assert parts(tmp_path / "out.quarantine" / "records") == b"bad\nworse\n"
    (error,) = (tmp_path / "out.quarantine" / "errors.jsonl").read_text().splitlines()
    assert json.loads(error)["partition"] == 1
    assert json.loads(error)["failure"]["exit_code"] == 9


def test_files_from_map_are_reduced_to_one(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("".join(f"{i}\n" for i in range(400)))
    gather = "wc -l < /shared/input.txt | tr -d '\\n ' > /shared/output.bin; printf '\\0' >> "
    words = ["--binary", "--partitions", "4", "--command", gather + "/shared/output.bin"]
    assert run("map", tmp_path / "in", tmp_path / "bins", *words) == 0
    names = sorted(path.name for path in (tmp_path / "bins").iterdir())
    assert names == [f"part-{i:05d}.bin" for i in range(4)]
    merge = "cat /shared/input_*.bin > /shared/output.bin"
    words = ["--binary", "--fan-in", "3", "--command", merge]
    assert run("reduce", tmp_path / "bins", tmp_path / "all.bin", *words) == 0
    pieces = (tmp_path / "all.bin").read_bytes().split(b"\0")
    assert sum(map(int, pieces[:-1])) == 400
    assert len(pieces) == 5


def test_reduce_gives_one_file(tmp_path: Path) -> None:
    (tmp_path / "in").write_text("".join(f"{i}\n" for i in range(1000)))
    add = "awk '{s += $1} END {print s}' < /shared/input.txt > /shared/output.txt"
    words = ["--partitions", "5", "--fan-in", "2", "--command", add]
    assert run("reduce", tmp_path / "in", tmp_path / "sum", *words) == 0
    assert (tmp_path / "sum").read_text() == "499500\n"


def test_volumes_reach_the_container_read_only(tmp_path: Path) -> None:
    (tmp_path / "ref").mkdir()
    (tmp_path / "ref" / "name").write_text("lambda\n")
    (tmp_path / "in").write_text("x\n")
    look = "cat /ref/name > /shared/output.txt; ! touch /ref/new"
    words = ["--volume", f"{tmp_path}/ref:/ref", "--command", look]
    assert run("map", tmp_path / "in", tmp_path / "out", *words) == 0
    assert parts(tmp_path / "out") == b"lambda\n"


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("echo no luck >&2; exit 3", ["exit code 3", "no luck"]),
        ("true", ["did not write /shared/output.txt", "input.txt"]),
    ],
)
def test_a_failing_command_is_told_once_and_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str, said: list[str]
) -> None:
    (tmp_path / "in").write_text("x\n")
    for verb in ("map", "reduce"):
        assert run(verb, tmp_path / "in", tmp_path / "out", "--command", command) == 1
        told = capsys.readouterr().err
        assert all(text in told for text in said)
        assert "Traceback" not in told
        assert told.count(said[0]) == 1, told


def test_a_missing_image_and_input_and_a_taken_output_are_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").write_text("x\n")
    words = ["--image", "localhost:5000/none", "--command", COPY]
    assert run("map", tmp_path / "in", tmp_path / "out", *words) == 1
    assert "localhost:5000/none" in capsys.readouterr().err
    assert run("map", tmp_path / "gone", tmp_path / "out", "--command", COPY) == 2
    assert f"no file at the input {tmp_path}/gone" in capsys.readouterr().err
    for verb in ("map", "reduce"):
        assert run(verb, tmp_path / "in", tmp_path / "in", "--command", COPY) == 2
        assert "exists already" in capsys.readouterr().err

"""Modules of the earlier lofn that scripts may import: same names, same meanings."""

from __future__ import annotations

from pathlib import Path

import pytest

from lofn import hdfs
from lofn.base import hdfs as base_hdfs
from lofn.base import tmp
from lofn.tmp_file_handler import UDF, handle_binary, read_back, read_binary


def test_temporary_files_round_trip(tmp_path: Path) -> None:
    folder = tmp.create_temp_directory(str(tmp_path / "made" / "here"))
    tmp.write_to_temp_file(["a\rb", 1, "ö"], f"{folder}/output.txt")
    assert read_back(folder, "output.txt") == ["a\rb", "1", "ö"]
    assert not Path(folder).exists()
    folder = tmp.create_temp_directory()
    tmp.write_binary_to_temp_file(b"\0\n\xff", f"{folder}/output.bin")
    assert read_binary(folder, "output.bin") == b"\0\n\xff"
    assert not Path(folder).exists()


def test_udfs_write_lines_text_and_bytes(tmp_path: Path) -> None:
    UDF(str(tmp_path), lambda part: {"keys": (k for k, _ in part)}, partition=[(1, 2)]).map_udf()
    assert (tmp_path / "keys").read_text() == "1\n"
    pair = UDF(str(tmp_path), lambda a, b: {"l": a + b, "b": b"\0"}, left="x", right="y")
    pair.reduce_udf()
    assert (tmp_path / "l").read_text() == "xy"
    assert (tmp_path / "b").read_bytes() == b"\0"
    with pytest.raises(TypeError, match="rigth"):
        UDF(str(tmp_path), dict, left="x", rigth="y")


def test_binary_results_move_to_one_folder(tmp_path: Path) -> None:
    origin, results = tmp_path / "origin", tmp_path / "results"
    origin.mkdir()
    results.mkdir()
    (origin / "output.bin").write_bytes(b"BAM")
    moved = handle_binary(str(origin), str(results), str(origin / "output.bin"), "local[2]")
    assert Path(moved).parent == results
    assert Path(moved).read_bytes() == b"BAM"
    assert not origin.exists()


@pytest.mark.spark
def test_hadoops_shell_puts_gets_makes_and_removes(tmp_path: Path) -> None:
    remote = f"file:{tmp_path}/a/b c"
    (tmp_path / "one").write_text("1")
    base_hdfs.mkdir_p(f"file:{tmp_path}/a")
    base_hdfs.put(str(tmp_path / "one"), remote)
    base_hdfs.get(remote, str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "1"
    base_hdfs.rm_r(remote)
    assert list((tmp_path / "a").glob("b*")) == []


@pytest.mark.spark
def test_hadoops_refusal_is_one_sentence_and_settings_reach_it(tmp_path: Path) -> None:
    with pytest.raises(hdfs.VolumeFailed) as failed:
        hdfs.get(f"file:{tmp_path}/none", str(tmp_path / "x"))
    assert str(failed.value).endswith("No such file or directory")
    with pytest.raises(hdfs.VolumeFailed, match="Connection refused"):
        hdfs.fs(
            "-ls",
            "/",
            settings=(
                ("fs.defaultFS", "hdfs://127.0.0.1:1"),
                ("ipc.client.connect.max.retries", "0"),
            ),
        )

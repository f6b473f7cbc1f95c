"""Streams that are sent, and files that are cut out of one stream."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from lofn_aws.adapters.local_files import SplitFiles, arriving, look, settle
from lofn_aws.adapters.streams import Compressed, Counted, TarStream
from lofn_aws.model.copy import Entry, Found


def drained(stream: object, size: int = 7) -> bytes:
    return b"".join(iter(lambda: stream.read(size), b""))  # type: ignore[attr-defined]


def test_compressed_gives_the_same_bytes_and_counts_them() -> None:
    told: list[int] = []
    data = [os.urandom(1000), b"", b"x" * 5000]
    assert gzip.decompress(drained(Compressed(data, told.append))) == b"".join(data)
    assert told[-1] == 6000


def test_counted_adds_its_tail() -> None:
    told: list[int] = []
    assert (
        drained(Counted(io.BytesIO(b"abcdefghij"), 10, b"END\n", told.append)) == b"abcdefghijEND\n"
    )
    assert told == [7, 10]
    assert drained(Counted(io.BytesIO(b"grew"), 3, b"!", told.append)) == b"gre!"


def test_a_file_that_shrinks_is_an_error() -> None:
    with pytest.raises(OSError, match="shorter than 10 bytes"):
        drained(Counted(io.BytesIO(b"abc"), 10, b"END", lambda _: None))


def test_tar_has_every_file_and_the_sentinel_last(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a").write_bytes(os.urandom(300_000))
    (tmp_path / "sub" / "b").write_text("b")
    (tmp_path / "link").symlink_to("a")
    with TarStream(tmp_path, ["a", "sub/b", "link"], "t0ken", lambda _: None) as stream:
        data = drained(stream, 65536)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == ["./a", "./sub/b", "./link", "./t0ken"]
        link = tar.extractfile("./link")
        assert link is not None and link.read() == (tmp_path / "a").read_bytes()


def test_a_file_that_vanishes_is_an_error_and_no_clean_end(tmp_path: Path) -> None:
    with (
        pytest.raises(FileNotFoundError),
        TarStream(tmp_path, ["gone"], "t0ken", lambda _: None) as stream,
    ):
        drained(stream, 65536)


def test_a_reader_that_stops_early_ends_the_thread(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(5_000_000))
    with TarStream(tmp_path, ["a"], "t0ken", lambda _: None) as stream:
        stream.read(100)
    assert not stream._thread.is_alive()


@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_one_stream_is_cut_into_files(tmp_path: Path, chunk: int) -> None:
    entries = [Entry("empty", 0), Entry("x/a", 4), Entry("b", 2), Entry("x/last", 0)]
    sink = SplitFiles(tmp_path, entries, lambda _: None)
    for start in range(0, 6, chunk):
        sink.write(b"aaaabb"[start : start + chunk])
    sink.finish()
    assert (tmp_path / "x/a").read_text() == "aaaa"
    assert (tmp_path / "b").read_text() == "bb"
    assert (tmp_path / "empty").stat().st_size == (tmp_path / "x/last").stat().st_size == 0


def test_a_stream_of_another_length_is_an_error(tmp_path: Path) -> None:
    short = SplitFiles(tmp_path, [Entry("a", 4)], lambda _: None)
    short.write(b"aaa")
    with pytest.raises(OSError, match="lacks 1 bytes"):
        short.finish()
    with pytest.raises(OSError, match="more came"):
        SplitFiles(tmp_path, [Entry("a", 4)], lambda _: None).write(b"aaaaa")


def test_look(tmp_path: Path) -> None:
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/b").write_text("bb")
    (tmp_path / "d/e/a").write_text("a")
    (tmp_path / "d/dangling").symlink_to("nowhere")
    assert look(tmp_path / "none") == Found()
    assert look(tmp_path / "d/b") == Found("file", 2)
    assert look(tmp_path / "d") == Found("folder", 3, (Entry("b", 2), Entry("e/a", 1)))


def test_a_loop_of_links_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d/loop").symlink_to(tmp_path)
    with pytest.raises(OSError, match="leads back"):
        look(tmp_path)


def test_what_arrives_is_merged_and_its_folder_is_gone(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "target"
    (target / "sub").mkdir(parents=True)
    (target / "sub/old").write_text("old")
    (target / "same").write_text("old")
    with arriving(target, "t0ken") as folder:
        (folder / "whole/sub").mkdir(parents=True)
        (folder / "whole/sub/new").write_text("new")
        (folder / "whole/same").write_text("new")
        settle(folder / "whole", target)
    assert {
        str(p.relative_to(target)): p.read_text() for p in target.rglob("*") if p.is_file()
    } == {
        "sub/old": "old",
        "sub/new": "new",
        "same": "new",
    }
    assert [path.name for path in target.parent.iterdir()] == ["target"]


def test_nothing_stays_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), arriving(tmp_path / "target", "t0ken") as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []

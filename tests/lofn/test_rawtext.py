"""Text read and written byte for byte, whatever the delimiter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lofn.rawtext import InputMissing, list_files, read_records, write_records

pytestmark = pytest.mark.spark


@pytest.fixture
def session(sc: Any) -> Any:
    from pyspark.sql import SparkSession

    return SparkSession(sc)


@pytest.mark.parametrize("delimiter", ["\n", "\n$$$$\n", "\r\n", "€"])
def test_records_come_back_as_they_were(session: Any, tmp_path: Path, delimiter: str) -> None:
    end = delimiter.encode()
    odd = [b"\xff\xfe raw", b"", b"a\rb", b"$$$$", b"x\0y", "ö".encode("latin-1")]
    many = [b"%d" % i for i in range(50_000)]
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a{1}").write_bytes(b"".join(r + end for r in odd))
    (tmp_path / "in" / "b [2]").write_bytes(end.join(many))
    (tmp_path / "in" / "_SUCCESS").write_bytes(b"never read")
    records = read_records(session, str(tmp_path / "in"), delimiter, 7)
    assert 5 <= records.getNumPartitions() <= 9
    assert records.collect() == odd + many
    write_records(session, records, str(tmp_path / "out"), delimiter)
    written = b"".join(p.read_bytes() for p in sorted((tmp_path / "out").glob("part-*")))
    assert written == b"".join(r + end for r in odd + many)


def test_files_are_read_in_the_order_of_their_names(session: Any, tmp_path: Path) -> None:
    for i in range(12):
        (tmp_path / f"part-{i:03d}").write_bytes(b"%d\n" % i * (12 - i))
    got = read_records(session, str(tmp_path)).collect()
    assert got == [b"%d" % i for i in range(12) for _ in range(12 - i)]


def test_the_callers_settings_stay(session: Any, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x\n" * 100)
    before = session.conf.get("spark.sql.files.maxPartitionBytes")
    assert read_records(session, str(tmp_path), partitions=3).count() == 100
    assert session.conf.get("spark.sql.files.maxPartitionBytes") == before


def test_nothing_to_read_is_said_with_the_path(session: Any, tmp_path: Path) -> None:
    with pytest.raises(InputMissing, match=r"no file at the input .*nowhere"):
        list_files(session, str(tmp_path / "nowhere"))
    with pytest.raises(InputMissing, match='No FileSystem for scheme "odd"'):
        list_files(session, "odd://x")
    (tmp_path / "empty").write_bytes(b"")
    assert read_records(session, str(tmp_path / "empty")).collect() == []

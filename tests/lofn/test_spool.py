from __future__ import annotations

from lofn import spool


def test_a_small_partition_is_a_list(tmp_path):
    with spool.reiterable(iter(["a", "b"]), str(tmp_path)) as partition:
        assert partition == ["a", "b"]


def test_a_large_one_is_read_from_disk_again_and_again(tmp_path, monkeypatch):
    monkeypatch.setattr(spool, "_IN_MEMORY", 10_000)
    records = [("key", [i, "x" * 10]) for i in range(5000)]
    with spool.reiterable(iter(records), str(tmp_path)) as partition:
        assert isinstance(partition, spool.Spooled)
        one, two = iter(partition), iter(partition)
        assert [next(one), next(one)] == records[:2]
        assert list(two) == records
        assert list(one) == records[2:]
        assert len(partition) == 5000
        assert partition[-1] == records[-1]
        assert partition[510:515] == records[510:515]
    assert not list(tmp_path.iterdir())

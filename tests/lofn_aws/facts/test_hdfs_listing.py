"""A recorded listing of a cluster's HDFS."""

from pathlib import Path

from lofn_aws.facts.hdfs_listing import HdfsEntry, hdfs_listing, hdfs_problem

GOLDEN = Path(__file__).parents[2] / "golden" / "hadoop_ls.txt"


def test_every_entry_with_kind_and_size() -> None:
    assert hdfs_listing(GOLDEN.read_text()) == [
        HdfsEntry("/ref/folder", "folder", 0),
        HdfsEntry("/ref/folder/a", "file", 2),
        HdfsEntry("/ref/folder/empty", "file", 0),
        HdfsEntry("/ref/folder/it's odd", "folder", 0),
        HdfsEntry("/ref/folder/it's odd/c [1].txt", "file", 300_000_000),
        HdfsEntry("/tmp", "folder", 0),
        HdfsEntry("/acl", "file", 12),
    ]


def test_missing_paths_are_no_problem() -> None:
    assert hdfs_problem("ls: `/x': No such file or directory\n") == ""
    said = "26/11/21 WARN x\nls: Permission denied: user=hadoop, access=EXECUTE\n"
    assert hdfs_problem(said) == "Permission denied: user=hadoop, access=EXECUTE"

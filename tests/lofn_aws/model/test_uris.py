"""What people type as a place, and what is refused."""

from pathlib import Path

import pytest

from lofn_aws.errors import UsageError
from lofn_aws.model.uris import HdfsUri, LocalPath, S3Uri, parse_location


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://bucket/a/b.txt", S3Uri("bucket", "a/b.txt")),
        ("s3a://bucket/a/", S3Uri("bucket", "a/")),
        ("s3://bucket", S3Uri("bucket", "")),
        ("hdfs:///ref/genome", HdfsUri("/ref/genome")),
        ("hdfs:///ref/", HdfsUri("/ref/")),
        ("hdfs:///", HdfsUri("/")),
        ("hdfs:///ref//a/../b#1?c", HdfsUri("/ref/b#1?c")),
        ("reads_1.fq", LocalPath(Path("reads_1.fq"))),
        ("file:///tmp/a", LocalPath(Path("/tmp/a"))),
        ("a:b", LocalPath(Path("a:b"))),
        ("out/", LocalPath(Path("out"), says_folder=True)),
    ],
)
def test_read(text: str, expected: object) -> None:
    assert parse_location(text) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("hdfs://ref/genome", "hdfs:///ref/genome"),
        ("hdfs:/ref", "three slashes"),
        ("s3://Big_Bucket/a", "Big_Bucket"),
        ("s3:///a", "no valid bucket"),
        ("gs://bucket/a", "gs://"),
        ("", "empty"),
    ],
)
def test_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        parse_location(text)


def test_names_and_children() -> None:
    assert S3Uri("b", "x/y/").name == "y"
    assert str(S3Uri("b", "x/y/").child("z/w")) == "s3://b/x/y/z/w"
    assert str(S3Uri("b", "").child("z")) == "s3://b/z"
    assert str(HdfsUri("/x/").child("y")) == "hdfs:///x/y"
    assert LocalPath(Path("/usr/lib/..")).name == "usr"

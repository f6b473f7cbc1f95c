"""The S3 adapter against moto's server, which is also what answers S3 in the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer

from lofn_aws.adapters.s3 import S3Adapter, S3Object
from lofn_aws.errors import NotFoundError


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    moto = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    moto.start()
    host, port = moto.get_host_and_port()
    yield f"http://{host}:{port}"
    moto.stop()


def adapter_at(url: str, region: str) -> S3Adapter:
    return S3Adapter(
        boto3.client(
            "s3",
            endpoint_url=url,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )
    )


@pytest.fixture
def s3(server: str) -> Iterator[S3Adapter]:
    adapter = adapter_at(server, "us-east-1")
    adapter.ensure_bucket("work", "us-east-1")
    yield adapter
    adapter.delete_prefix("work", "")
    adapter.delete_bucket("work")


@pytest.mark.parametrize("region", ["us-east-1", "eu-north-1"])
def test_bucket_is_made_once_and_private(server: str, region: str) -> None:
    s3 = adapter_at(server, region)
    name = f"made-{region}"
    assert not s3.bucket_exists(name)
    assert s3.ensure_bucket(name, region, {"owner": "me"})
    assert not s3.ensure_bucket(name, region)
    client = boto3.client(
        "s3", endpoint_url=server, aws_access_key_id="t", aws_secret_access_key="t"
    )
    block = client.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert block and all(block.values())
    assert client.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "owner", "Value": "me"}]
    s3.delete_bucket(name)
    s3.delete_bucket(name)


def test_bytes_round_trip_and_absence(s3: S3Adapter) -> None:
    assert s3.get_bytes("work", "a") is None and s3.size("work", "a") is None
    s3.put_bytes("work", "a", b"abc")
    assert s3.get_bytes("work", "a") == b"abc"
    assert s3.exists("work", "a") and s3.size("work", "a") == 3


def test_files_with_progress(s3: S3Adapter, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(bytes(9_000_000))
    sent: list[int] = []
    s3.put_file("work", "big", source, sent.append)
    assert sum(sent) == 9_000_000
    assert s3.get_file("work", "big", target)
    assert target.read_bytes() == source.read_bytes()
    assert not s3.get_file("work", "none", tmp_path / "none")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "target"]


def test_listing_copy_and_delete_by_prefix(s3: S3Adapter) -> None:
    for key in ("x/1", "x/2", "y/1"):
        s3.put_bytes("work", key, key.encode())
    s3.copy(("work", "x/1"), ("work", "z"))
    s3.put_bytes("work", "x/3", b"stream")
    assert list(s3.list("work", "x/")) == [
        S3Object("x/1", 3),
        S3Object("x/2", 3),
        S3Object("x/3", 6),
    ]
    assert s3.delete_prefix("work", "x/") == 3
    assert [found.key for found in s3.list("work")] == ["y/1", "z"]
    assert list(s3.list("no-such-bucket")) == []


def test_refusals_are_ours(s3: S3Adapter, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with pytest.raises(NotFoundError, match=r"writing s3://nowhere-there/k"):
        s3.put_bytes("nowhere-there", "k", b"")
    with pytest.raises(NotFoundError, match=r"sending .*/f to s3://nowhere-there/k"):
        s3.put_file("nowhere-there", "k", tmp_path / "f")

"""S3: buckets and objects, and nothing about what they are for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from lofn_aws.adapters.aws_errors import error_code, translate

# DeleteObjects takes at most this many keys:
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
_DELETE_AT_ONCE = 1000
_NOTHING_PUBLIC = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)
_MISSING = frozenset({"404", "NoSuchKey", "NoSuchBucket", "NotFound"})

OnBytes = Callable[[int], None]


@dataclass(frozen=True)
class S3Object:
    """One object of a listing: its key and its size in bytes."""

    key: str
    size: int


class S3Adapter:
    """The few things the toolkit does in S3. ``client`` is a boto3 S3 client.

    Every method raises what ``aws_errors.translate`` makes of a refusal that is not one of the
    method's own outcomes: CredentialsError, CapacityError, NotFoundError, InfrastructureError.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def bucket_exists(self, bucket: str) -> bool:
        """Whether the bucket is there and readable; a foreign one raises ClientError (403)."""
        with _outcome(f"looking at the bucket {bucket}") as missing:
            self._client.head_bucket(Bucket=bucket)
        return not missing

    def ensure_bucket(
        self, bucket: str, region: str, tags: Mapping[str, str] | None = None
    ) -> bool:
        """Make a private, encrypted bucket where there is none; True when it was made now."""
        if self.bucket_exists(bucket):
            return False
        # us-east-1 is the one region that CreateBucket refuses as a LocationConstraint:
        # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
        place: dict[str, Any] = {}
        if region != "us-east-1":
            place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        with translate(f"making the bucket {bucket}"):
            self._client.create_bucket(Bucket=bucket, **place)
            self._client.put_public_access_block(
                Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(_NOTHING_PUBLIC, True)
            )
            if tags:
                pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
                self._client.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": pairs})
        return True

    def delete_bucket(self, bucket: str) -> None:
        """Delete an empty bucket; one that is not there is no error."""
        with _outcome(f"deleting the bucket {bucket}"):
            self._client.delete_bucket(Bucket=bucket)

    def exists(self, bucket: str, key: str) -> bool:
        """Whether an object of exactly this key is there."""
        return self.size(bucket, key) is not None

    def size(self, bucket: str, key: str) -> int | None:
        """The object's size in bytes; None when there is none."""
        with _outcome(f"looking at s3://{bucket}/{key}"):
            return int(self._client.head_object(Bucket=bucket, Key=key)["ContentLength"])
        return None

    def put_bytes(self, bucket: str, key: str, data: bytes) -> None:
        """Write an object whole."""
        with translate(f"writing s3://{bucket}/{key}"):
            self._client.put_object(Bucket=bucket, Key=key, Body=data)

    def put_file(self, bucket: str, key: str, path: Path, progress: OnBytes | None = None) -> None:
        """Send a file, in parts where it is large; ``progress`` gets each number of bytes sent."""
        with translate(f"sending {path} to s3://{bucket}/{key}"):
            self._client.upload_file(str(path), bucket, key, Callback=progress)

    def get_bytes(self, bucket: str, key: str) -> bytes | None:
        """An object's whole content; None when there is none."""
        with _outcome(f"reading s3://{bucket}/{key}"):
            body: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
            return body
        return None

    def get_file(self, bucket: str, key: str, path: Path, progress: OnBytes | None = None) -> bool:
        """Fetch an object to a file, complete or not at all; False when there is none."""
        with _outcome(f"fetching s3://{bucket}/{key}") as missing:
            # boto3 writes beside the target and renames.
            self._client.download_file(bucket, key, str(path), Callback=progress)
        return not missing

    def list(self, bucket: str, prefix: str = "") -> Iterator[S3Object]:
        """Every object whose key begins with ``prefix``; nothing for a missing bucket."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        with _outcome(f"listing s3://{bucket}/{prefix}"):
            for page in pages:
                for entry in page.get("Contents", ()):
                    yield S3Object(entry["Key"], int(entry["Size"]))

    def delete_prefix(self, bucket: str, prefix: str) -> int:
        """Delete every object whose key begins with ``prefix``; gives their number."""
        keys = [found.key for found in self.list(bucket, prefix)]
        for start in range(0, len(keys), _DELETE_AT_ONCE):
            batch = [{"Key": key} for key in keys[start : start + _DELETE_AT_ONCE]]
            with translate(f"deleting {len(batch)} objects below s3://{bucket}/{prefix}"):
                answer = self._client.delete_objects(
                    Bucket=bucket, Delete={"Objects": batch, "Quiet": True}
                )
                for refused in answer.get("Errors", ()):
                    raise ClientError({"Error": refused}, "DeleteObjects")
        return len(keys)

    def copy(self, source: tuple[str, str], target: tuple[str, str]) -> None:
        """Copy an object, ``(bucket, key)`` to ``(bucket, key)``, without fetching it here."""
        with translate(f"copying s3://{'/'.join(source)} to s3://{'/'.join(target)}"):
            self._client.copy({"Bucket": source[0], "Key": source[1]}, *target)


@contextlib.contextmanager
def _outcome(doing: str) -> Iterator[list[str]]:
    """As ``translate``, but "there is no such thing" is swallowed: the list is not empty then."""
    found: list[str] = []
    with translate(doing):
        try:
            yield found
        except ClientError as error:
            if error_code(error) not in _MISSING:
                raise
            found.append(error_code(error))

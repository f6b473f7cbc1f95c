"""Where data is: a path on this machine, in the cluster's HDFS, or in S3 (pure)."""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from lofn_aws.errors import UsageError

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class S3Uri:
    """An object or a prefix: ``s3://bucket/key``."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def says_folder(self) -> bool:
        """Whether it was written as a folder: with a slash at the end, or a bucket alone."""
        return not self.key or self.key.endswith("/")

    @property
    def name(self) -> str:
        """The last part of the key, without a trailing slash."""
        return posixpath.basename(self.key.rstrip("/"))

    def child(self, relative: str) -> S3Uri:
        """The object of that relative name below this prefix."""
        return S3Uri(self.bucket, f"{self.key.rstrip('/')}/{relative}".lstrip("/"))


@dataclass(frozen=True)
class HdfsUri:
    """A file or folder of the cluster's own HDFS: ``hdfs:///path``; the path is absolute."""

    path: str

    def __str__(self) -> str:
        return f"hdfs://{self.path}"

    @property
    def says_folder(self) -> bool:
        """Whether it was written as a folder, with a slash at the end."""
        return self.path.endswith("/")

    @property
    def parent(self) -> str:
        """The path of the folder it is in."""
        return posixpath.dirname(self.path.rstrip("/")) or "/"

    @property
    def name(self) -> str:
        """The last part of the path."""
        return posixpath.basename(self.path.rstrip("/"))

    def child(self, relative: str) -> HdfsUri:
        """The entry of that relative name below this folder."""
        return HdfsUri(posixpath.join(self.path, relative))


@dataclass(frozen=True)
class LocalPath:
    """A file or folder on this machine."""

    path: Path
    says_folder: bool = False

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        """The last part of the path; of ``.`` and ``..`` the folder's real name."""
        return self.path.name if self.path.name not in ("", "..") else self.path.resolve().name

    def child(self, relative: str) -> LocalPath:
        """The entry of that relative name below this folder."""
        return LocalPath(self.path / relative)


Location = S3Uri | HdfsUri | LocalPath


def parse_s3_uri(text: str) -> S3Uri:
    """Read ``s3://bucket/key`` (``s3a`` and ``s3n`` too); the key may be empty.

    Raises UsageError for another scheme or a name that no bucket can have.
    """
    scheme, _, rest = text.partition("://")
    if scheme.lower() not in ("s3", "s3a", "s3n"):
        raise UsageError(f"{text!r} is not an S3 address: it is written s3://bucket/key")
    bucket, _, key = rest.partition("/")
    if not _BUCKET.fullmatch(bucket):
        raise UsageError(
            f"{text!r} has no valid bucket name: {bucket!r} is not 3 to 63 small letters, "
            "digits, dots and hyphens"
        )
    return S3Uri(bucket, key)


def parse_hdfs_uri(text: str) -> HdfsUri:
    """Read ``hdfs:///path``. Raises UsageError when another cluster's host is named."""
    parts = urlsplit(text)
    if parts.scheme != "hdfs":
        raise UsageError(f"{text!r} is not an HDFS address: it is written hdfs:///path")
    if parts.netloc:
        raise UsageError(
            f"{text!r} names the host {parts.netloc!r}: the cluster's own HDFS is written with "
            f"three slashes, hdfs:///{parts.netloc}{parts.path}"
        )
    normal = posixpath.normpath("/" + text.removeprefix("hdfs:").lstrip("/"))
    return HdfsUri(normal + "/" if text.endswith("/") and normal != "/" else normal)


def parse_location(text: str) -> Location:
    """Read what a person types as source or destination; without a scheme it is a local path."""
    if not text:
        raise UsageError("an empty path was given")
    scheme = text.partition("://")[0].lower() if "://" in text else ""
    if scheme.startswith("s3"):
        return parse_s3_uri(text)
    if scheme == "hdfs":
        return parse_hdfs_uri(text)
    if scheme == "file":
        return LocalPath(Path(urlsplit(text).path))
    if scheme:
        raise UsageError(f"{text!r}: {scheme}:// is not known; use a local path, hdfs:/// or s3://")
    if text.startswith("hdfs:/"):
        raise UsageError(f"{text!r}: HDFS is written with three slashes, hdfs:///path")
    return LocalPath(Path(text).expanduser(), text.endswith("/"))

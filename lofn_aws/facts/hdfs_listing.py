"""What ``hadoop fs -ls`` prints -> entries."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lofn_aws.model.copy import Kind

# Permissions (with + where there is an ACL), replication, owner, group, size, date, time, path.
_LINE = re.compile(
    r"^(?P<type>[d-])[rwxstST-]{9}[+.]?\s+(?:\d+|-)\s+\S+\s+\S+\s+(?P<size>\d+)\s+"
    r"\d{4}-\d\d-\d\d \d\d:\d\d (?P<path>.+)$"
)
_MISSING = re.compile(r"^ls: `(?P<path>.+)': No such file or directory$")


@dataclass(frozen=True)
class HdfsEntry:
    """One line of a listing; the path as it was asked for, the size in bytes (0 for a folder)."""

    path: str
    kind: Kind
    size: int


def hdfs_listing(text: str) -> list[HdfsEntry]:
    """Every entry in the output of ``hadoop fs -ls``, with or without -d or -R."""
    matches = (_LINE.match(line) for line in text.splitlines())
    return [
        HdfsEntry(match["path"], "folder" if match["type"] == "d" else "file", int(match["size"]))
        for match in matches
        if match
    ]


def hdfs_problem(stderr: str) -> str:
    """What went wrong beside paths that are not there; empty where that was all."""
    said: Iterable[str] = (line for line in stderr.splitlines() if line.startswith("ls: "))
    return next((line[4:] for line in said if not _MISSING.match(line)), "")

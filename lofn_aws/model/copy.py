"""What a copy finds at its two ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["file", "folder"]


@dataclass(frozen=True)
class Entry:
    """A file below a folder: its path relative to it, with slashes, and its size in bytes."""

    name: str
    size: int


@dataclass(frozen=True)
class Found:
    """What is at a place: its kind (None for nothing), and its files where they were listed."""

    kind: Kind | None = None
    size: int = 0
    files: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Copied:
    """A copy that was made. ``files`` is None where the cluster copied and did not say."""

    source: str
    target: str
    files: int | None
    size: int | None
    seconds: float

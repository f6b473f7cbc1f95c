"""Single files to and from the tar streams in which Docker moves them (pure)."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterable


def as_tar(name: str, data: bytes) -> bytes:
    """A tar archive of one regular file, readable by its owner alone."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(data)
        member.mode = 0o600
        archive.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def from_tar(chunks: Iterable[bytes]) -> bytes | None:
    """The content of the first regular file of an archive; None when it holds none."""
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks)), mode="r:") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.isreg() else None
            if file is not None:
                return file.read()
    return None

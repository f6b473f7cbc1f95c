"""The files that define the sandbox's images: their folder, their hash, a build context of them."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Sequence
from pathlib import Path

IMAGE_DIR = Path(__file__).parent / "image"


def defining_files(names: Sequence[str]) -> list[Path]:
    """The files and folders (walked) named, relative to IMAGE_DIR, in a fixed order."""
    found: list[Path] = []
    for name in names:
        path = IMAGE_DIR / name
        inside = path.rglob("*") if path.is_dir() else [path]
        found += sorted(file for file in inside if file.is_file() and file.suffix != ".pyc")
    return found


def content_hash(names: Sequence[str], *also: str) -> str:
    """12 hexadecimal digits over the names and contents of files, and over ``also``."""
    digest = hashlib.sha256()
    for path in defining_files(names):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(IMAGE_DIR)}\0{len(content)}\0".encode())
        digest.update(content)
    for text in also:
        digest.update(f"\0{text}".encode())
    return digest.hexdigest()[:12]


def build_context(names: Sequence[str]) -> bytes:
    """A tar of the named files, the same bytes for the same contents wherever they lie.

    Owners, times and modes of a checkout or an installed wheel do not travel (git and pip keep
    different ones), so that Docker's build cache holds.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path in defining_files(names):
            content = path.read_bytes()
            member = tarfile.TarInfo(str(path.relative_to(IMAGE_DIR)))
            member.size = len(content)
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()

"""The earlier lofn's helpers for temporary files, kept for scripts that import them."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable


def create_temp_directory(directory: str | None = None) -> str:
    """Make a new folder in ``directory`` (made if need be; default: the system's place)."""
    if directory is not None:
        os.makedirs(directory, exist_ok=True)
    return tempfile.mkdtemp(dir=directory)


def write_to_temp_file(iterable: Iterable[object], path: str) -> str:
    """Write one item per line, as UTF-8, to ``path`` and return it."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        for item in iterable:
            file.write(f"{item}\n")
    return path


def write_binary_to_temp_file(data: bytes, path: str) -> str:
    """Write ``data`` as it is to ``path`` and return it."""
    with open(path, "wb") as file:
        file.write(data)
    return path

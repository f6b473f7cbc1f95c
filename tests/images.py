"""Images that the tests make for themselves on the local engine, with no registry at hand."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

APPLETS = [
    "sh", "ash", "cat", "wc", "sort", "uniq", "cut", "tr", "head", "tail", "grep", "sed",
    "awk", "ls", "mkdir", "rm", "cp", "mv", "touch", "true", "false", "sleep", "echo",
    "printf", "date", "id", "env", "dd", "tee", "xargs", "hostname", "kill", "ps", "find",
    "md5sum", "gzip", "gunzip", "expr", "seq",
]


def busybox_binary() -> bytes:
    """The statically linked busybox of this machine (Debian package busybox-static)."""
    found = shutil.which("busybox")
    if found is None:
        raise RuntimeError("there is no busybox on this machine: apt-get install busybox-static")
    return Path(found).read_bytes()


def busybox_image(name: str, extra: dict[str, bytes] | None = None) -> None:
    """Import an image `name` that holds busybox, its applets and the `extra` files."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for folder in ("bin", "tmp", "etc", "data"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        _add(tar, "bin/busybox", busybox_binary(), 0o755)
        _add(tar, "etc/passwd", b"root:x:0:0:root:/:/bin/sh\n", 0o644)
        for applet in APPLETS:
            entry = tarfile.TarInfo(f"bin/{applet}")
            entry.type, entry.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(entry)
        for path, content in (extra or {}).items():
            _add(tar, path.lstrip("/"), content, 0o644)
    subprocess.run(
        ["docker", "import", "--change", "ENV PATH=/bin", "-", name],
        input=buffer.getvalue(), capture_output=True, check=True,
    )


def _add(tar: tarfile.TarFile, path: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(path)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))

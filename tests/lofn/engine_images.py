"""Small images made of this machine's own programs and libraries: no registry is needed."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile

TOOLS = [
    "sh", "cat", "cp", "mv", "rm", "ls", "mkdir", "chmod", "touch", "sleep", "sort", "uniq",
    "tr", "wc", "head", "tail", "awk", "sed", "grep", "seq", "dd", "true", "false", "test",
    "env", "id", "gzip", "printf", "kill", "mkfifo", "ln", "tee",
]  # fmt: skip

# name: (programs, further changes of the image's configuration)
IMAGES: dict[str, tuple[list[str], list[str]]] = {
    "lofn-tests/sh": (TOOLS, []),
    "lofn-tests/bash": ([*TOOLS, "bash"], []),
    "lofn-tests/entrypoint": ([*TOOLS, "bash"], ['ENTRYPOINT ["cat", "/nothing"]']),
    "lofn-tests/nonroot": (TOOLS, ["USER 12345:12345"]),
    "lofn-tests/noshell": (["cat", "cp", "sleep", "sort", "false", "ls"], []),
}


def ensure(name: str) -> str:
    """Make the image if this engine has not got it; return its name."""
    seen = subprocess.run(["docker", "image", "inspect", name], capture_output=True, check=False)
    if seen.returncode == 0:
        return name
    programs, changes = IMAGES[name]
    command = ["docker", "import", "--change", "ENV PATH=/bin"]
    for change in changes:
        command += ["--change", change]
    subprocess.run([*command, "-", name], input=_tree(programs), capture_output=True, check=True)
    return name


def _tree(programs: list[str]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as tar:
        for folder in ("bin", "tmp", "etc"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            tar.addfile(entry)
        passwd = tarfile.TarInfo("etc/passwd")
        content = b"root:x:0:0:root:/:/bin/sh\n"
        passwd.size = len(content)
        tar.addfile(passwd, io.BytesIO(content))
        libraries: set[str] = set()
        for program in programs:
            path = shutil.which(program)
            assert path, f"this machine has no {program}"
            tar.add(os.path.realpath(path), f"bin/{program}")
            said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)
            libraries.update(re.findall(r"(/\S+) \(0x", said.stdout))
        for library in sorted(libraries):
            tar.add(os.path.realpath(library), library.lstrip("/"))
    return packed.getvalue()

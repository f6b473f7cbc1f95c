"""The way around a Docker build that reaches no registry: this machine's own apt, Maven and pip."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from lofn_aws.errors import InfrastructureError
from lofn_aws.sandbox import image_engine
from lofn_aws.sandbox.image_context import IMAGE_DIR

DEADLINE_SECONDS = 900
INSTEAD = "docker pull debian:bookworm-slim  (where it can be pulled, nothing is built here)"


def missing_tools(names: Sequence[str]) -> list[str]:
    """Those of the named programs that this machine lacks."""
    return [name for name in names if shutil.which(name) is None]


def import_debian(tag: str, packages: Sequence[str]) -> None:
    """An image of Debian 12 with ``packages``, through mmdebstrap. Raises InfrastructureError."""
    _require(["mmdebstrap"], "mmdebstrap")
    argv = ["mmdebstrap", "--quiet", "--variant=minbase"]
    # What no node reads. (The manual's folder stays: Java's package fails without it.)
    argv += [f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in ("doc", "locale")]
    argv += [f"--include={','.join(packages)}"] if packages else []
    with tempfile.TemporaryFile() as archive:
        _run([*argv, "bookworm", "-"], archive)
        image_engine.import_tar(tag, archive)


def import_parts(tag: str) -> None:
    """An image of the node's jars and Python packages alone, through Maven and pip."""
    _require(["mvn"], "maven")
    with tempfile.TemporaryDirectory(prefix="lofn-parts-") as folder:
        script = str(IMAGE_DIR / "collect-parts.sh")
        with tempfile.TemporaryFile() as output:
            _run(["sh", script, str(IMAGE_DIR), folder, sys.executable], output)
        with tempfile.TemporaryFile() as archive:
            with tarfile.open(fileobj=archive, mode="w") as tar:
                tar.add(folder, arcname=".", filter=_as_root)
            image_engine.import_tar(tag, archive)


def _as_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    member.mode |= 0o555 if member.isdir() else 0o444
    return member


def _require(tools: Sequence[str], package: str) -> None:
    if missing_tools(tools):
        raise InfrastructureError(
            f"the image's build reaches no package registry, and this machine has no "
            f"{tools[0]} to go around it",
            f"sudo apt-get install {package}  # or give Docker's builds network access",
        )


def _run(argv: Sequence[str], output: IO[bytes]) -> None:
    try:
        done = subprocess.run(
            argv, stdout=output, stderr=subprocess.PIPE, timeout=DEADLINE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise InfrastructureError(
            f"{Path(argv[0]).name} did not end within {DEADLINE_SECONDS} s", INSTEAD
        ) from None
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise InfrastructureError(
            f"{' '.join(argv[:2])} failed: {' / '.join(said[-4:])}", INSTEAD
        )

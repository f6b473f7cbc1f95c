"""Files, users and services of this node: the few effects that provisioning is made of."""

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Optional


class ProvisionError(Exception):
    """Provisioning cannot go on; the message is one sentence for the cluster's state."""


def run(argv: Sequence[str], timeout: float = 60) -> str:
    """Run a command; its standard output. Raises ProvisionError with its last error lines."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        raise ProvisionError(f"{' '.join(argv)} did not end within {timeout:.0f} s") from None
    if done.returncode:
        reason = " / ".join((done.stderr or done.stdout).strip().splitlines()[-3:])
        raise ProvisionError(f"{' '.join(argv)} failed ({done.returncode}): {reason}")
    return done.stdout


def write(path: str, text: str, mode: int = 0o644) -> None:
    """Write a file aside and rename it, so that no daemon ever reads half of it."""
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(target.name + ".new")
    aside.write_text(text)
    aside.chmod(mode)
    aside.replace(target)


def make_group(name: str) -> None:
    """Create a system group unless it exists."""
    try:
        grp.getgrnam(name)
    except KeyError:
        run(["groupadd", "--system", name])


def make_user(name: str, home: str, groups: Sequence[str]) -> None:
    """Create a system user with a group of its own name unless it exists."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        run(
            [
                "useradd",
                "--system",
                "--user-group",
                "--create-home",
                "--home-dir",
                home,
                "--shell",
                "/bin/bash",
                "--groups",
                ",".join(groups),
                name,
            ]
        )


def make_folder(path: str, owner: Optional[str] = None, mode: int = 0o755) -> None:
    """Create a folder with its owner (user and group of one name) and mode."""
    os.makedirs(path, exist_ok=True)
    os.chmod(path, mode)
    if owner:
        shutil.chown(path, owner, owner)


def link(path: str, target: str) -> None:
    """Make ``path`` a symbolic link to ``target``, replacing an older link."""
    if os.path.islink(path):
        os.remove(path)
    elif os.path.isdir(path) and not os.listdir(path):
        os.rmdir(path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    os.symlink(target, path)

"""How a container says which process of which boot it belongs to, so that orphans are known."""

from __future__ import annotations

import os
from contextlib import suppress


def boot_id() -> str:
    """Return the kernel's id of this boot; a container of another boot has no living owner."""
    with suppress(OSError), open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()
    return ""


def pid_namespace() -> str:
    """Return which process namespace this process counts in; only there are its pids known."""
    with suppress(OSError):
        return os.readlink("/proc/self/ns/pid")
    return ""


def owner_labels(folder: str = "") -> dict[str, str]:
    """Return the labels by which a sweep finds out whether this process still lives.

    ``folder`` is the worker's folder, whose lock tells it for certain; without one its pid does.
    """
    return {
        "lofn": "1",
        "lofn.folder": folder,
        "lofn.host_pid": str(os.getpid()),
        "lofn.pid_namespace": pid_namespace(),
        "lofn.boot": boot_id(),
    }

"""Room for a node's copies of remote folders: eviction by least recent use, and leftovers."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile

from lofn.hdfs import VolumeFailed
from lofn.listing import RemoteListing
from lofn.locks import lock_folder

# YARN calls a node unhealthy when a disk of its is 90 % full (yarn-default.xml,
# ...disk-health-checker.max-disk-utilization-per-disk-percentage), so a tenth stays free if it can.
_KEEP_FREE = 0.10
_MARGIN_BYTES = 64 * 1024 * 1024


def make_room(root: str, entry: str, listing: RemoteListing) -> None:
    """Evict unused copies under ``root``, the least recently used first, until ``listing`` fits.

    ``entry`` is the folder the caller has locked. Raises VolumeFailed with both figures when even
    that is not enough.
    """
    if _is_roomy(root, listing.size):
        return
    for other in _folders(root):
        if other != entry:
            _sweep(other)
    for version in sorted((v for e in _folders(root) for v in _folders(e)), key=_last_use):
        if _is_roomy(root, listing.size):
            return
        _evict(version)
    free = _free(root)
    if free < listing.size + _MARGIN_BYTES:
        raise VolumeFailed(
            f"volume {listing.source} takes {listing.size / 1e6:.0f} MB and {root} on "
            f"{socket.gethostname()} has {free / 1e6:.0f} MB free with nothing left to evict: "
            "free some, or set LOFN_CACHE_DIR for the executors to a larger disk"
        )


def remove_leftovers(entry: str) -> None:
    """Remove what a killed download or eviction left in ``entry``; the caller has it locked."""
    for name in os.listdir(entry):
        if name.startswith((".partial-", ".trash-")):
            shutil.rmtree(os.path.join(entry, name), ignore_errors=True)


def _sweep(entry: str) -> None:
    """Clean another source's folder, unless a task is fetching into it now."""
    handle = lock_folder(entry, exclusive=True)
    if handle is not None:
        try:
            remove_leftovers(entry)
        finally:
            os.close(handle)


def _evict(version: str) -> None:
    """Remove one copy unless a task uses it: its users hold shared locks on its folder."""
    handle = lock_folder(version, exclusive=True)
    if handle is None:
        return
    try:
        trash = tempfile.mkdtemp(prefix=".trash-", dir=os.path.dirname(version))
        os.rename(version, os.path.join(trash, "copy"))
        shutil.rmtree(trash, ignore_errors=True)
    except OSError:  # another user's copy that may not be removed: the next one may be
        pass
    finally:
        os.close(handle)


def _folders(parent: str) -> list[str]:
    try:
        with os.scandir(parent) as found:
            return [
                one.path
                for one in found
                if one.is_dir(follow_symlinks=False) and not one.name.startswith(".")
            ]
    except FileNotFoundError:
        return []


def _last_use(version: str) -> float:
    try:
        return os.stat(version).st_mtime
    except FileNotFoundError:
        return 0.0


def _free(root: str) -> int:
    disk = os.statvfs(root)
    return disk.f_bavail * disk.f_frsize


def _is_roomy(root: str, wanted: int) -> bool:
    disk = os.statvfs(root)
    keep = max(_MARGIN_BYTES, _KEEP_FREE * disk.f_blocks * disk.f_frsize)
    return disk.f_bavail * disk.f_frsize >= wanted + keep

"""The folders a worker owns on its node, and how others tell that they are stale."""

from __future__ import annotations

import fcntl
import io
import os
import shutil
import stat
import tarfile
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from lofn.containers import Docker
from lofn.docker_handler import DockerFailure
from lofn.identity import owner_labels

_LOCK = "lock"
_IMAGE = "image"
_MOUNT = "/lofn-repair"


class WorkerFolder:
    """One worker's folder: everything it shares with containers, locked while the worker lives.

    The kernel drops the lock when the process ends in any way, which is how `stale` tells.
    """

    def __init__(self, parent: str | None) -> None:
        """Make the folder under ``parent`` (made if need be), or under Python's temporary folder.

        Raises OSError where that cannot be done.
        """
        home = homes(parent)
        os.makedirs(home, mode=0o700, exist_ok=True)
        while True:
            self.id = uuid.uuid4().hex[:16]
            self.path = os.path.join(home, self.id)
            os.mkdir(self.path, 0o700)
            self._lock = os.open(os.path.join(self.path, _LOCK), os.O_CREAT | os.O_RDWR, 0o600)
            with suppress(OSError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            os.close(self._lock)  # a reaper was faster than the lock: let it have the folder

    def note_image(self, image: str) -> None:
        """Leave word of an image that is on this node, for whoever has to clean up."""
        with open(os.path.join(self.path, _IMAGE), "w", encoding="utf-8") as file:
            file.write(image)


def homes(parent: str | None) -> str:
    """Return the folder that holds the folders of all of this user's workers on the node."""
    return os.path.join(os.path.abspath(parent or tempfile.gettempdir()), f"lofn-{os.getuid()}")


def stale(path: str) -> bool:
    """Tell whether a worker's folder has no living owner."""
    try:
        lock = os.open(os.path.join(path, _LOCK), os.O_RDWR)
    except FileNotFoundError:
        # Without a lock it is half made or half removed; give its maker a minute.
        with suppress(OSError):
            return time.time() - os.stat(path).st_mtime > 60
        return False
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


def discard(path: str, docker: Docker, image: str | None = None) -> None:
    """Remove a folder with all in it, also what containers wrote as another user.

    ``image`` is any image on this node, by default the one noted in the folder; it is needed
    only where this user may not remove something. Raises OSError if something stays.
    """
    for pause in (0.0, 0.05, 0.2, 0.5):
        time.sleep(pause)
        try:
            shutil.rmtree(path)
        except FileNotFoundError:
            if not os.path.lexists(path):
                return
        except PermissionError:
            with suppress(DockerFailure):
                take_over(path, docker, image or _noted(path))
        except OSError:
            pass  # a process of a dying container was still writing: once more
        else:
            return
    shutil.rmtree(path)


def _noted(path: str) -> str:
    for folder in (path, os.path.dirname(path)):
        with suppress(OSError), open(os.path.join(folder, _IMAGE), encoding="utf-8") as file:
            return file.read()
    return ""


def take_over(path: str, docker: Docker, image: str) -> None:
    """Make this user the owner of all folders under ``path``, through Docker Engine.

    A tar with one entry per folder, unpacked by the engine over the folder itself, changes owner
    and mode of what is there. Raises DockerFailure.
    """
    with _unpacking(path, docker, image) as unpack:
        done: set[str] = set()
        while True:
            foreign = [entry for entry in _foreign(path) if entry not in done]
            if not foreign:
                return
            unpack(_tar([_folder_entry(entry) for entry in foreign]))
            done.update(foreign)


def own_file(path: str, docker: Docker, image: str) -> None:
    """Make this user the owner of a file that another one wrote and this one may not read.

    A hard link, unpacked by the engine beside the file, gives the owner of the tar's entry to
    what it links to. The folder must be this user's own. Raises DockerFailure, OSError.
    """
    folder, name = os.path.split(path)
    link = f".lofn-{uuid.uuid4().hex}"
    entry = tarfile.TarInfo(link)
    entry.type, entry.linkname = tarfile.LNKTYPE, name
    with _unpacking(folder, docker, image) as unpack:
        unpack(_tar([entry]))
    os.unlink(os.path.join(folder, link))
    os.chmod(path, 0o600)


@contextmanager
def _unpacking(path: str, docker: Docker, image: str) -> Iterator[Callable[[bytes], None]]:
    """Give a function that unpacks a tar in ``path`` with the engine's rights.

    The container that this takes is created and never started, so any image will do, one without
    a shell too.
    """
    name = f"lofn-repair-{uuid.uuid4().hex[:12]}"
    mount = {"Type": "bind", "Source": path, "Target": _MOUNT}
    docker.create(
        name,
        {
            "Image": image,
            "Entrypoint": ["none"],
            "Labels": {**owner_labels(), "lofn.repair": path},
            "HostConfig": {"NetworkMode": "none", "Mounts": [mount]},
        },
        pull=False,
    )
    try:
        yield lambda tar: docker.extract(name, _MOUNT, tar)
    finally:
        docker.remove(name)


def _foreign(path: str) -> list[str]:
    """List the folders under ``path`` that this user cannot empty, relative to it."""
    found = []
    for folder, names, _files in os.walk(path):
        for name in names:
            full = os.path.join(folder, name)
            if not stat.S_ISLNK(os.lstat(full).st_mode) and not os.access(
                full, os.R_OK | os.W_OK | os.X_OK
            ):
                found.append(os.path.relpath(full, path))
    return found


def _folder_entry(path: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(path)
    entry.type, entry.mode = tarfile.DIRTYPE, 0o700
    return entry


def _tar(entries: list[tarfile.TarInfo]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for entry in entries:
            entry.uid, entry.gid = os.getuid(), os.getgid()
            entry.mtime = int(time.time())
            tar.addfile(entry)
    return packed.getvalue()

"""A small process beside each Python worker that cleans up once the worker is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

_DEADLINE_SECONDS = 120.0


def spawn(worker: str, folder: str) -> int:
    """Start the watchdog of this process; return the file descriptor that keeps it waiting.

    The descriptor is closed by the kernel when this process ends, however it ends. The watchdog
    is in a session of its own, so that what kills the executor's process group leaves it alone.
    Nothing of lofn is imported there until it has work to do: it starts in some 10 ms.
    """
    waits, holds = os.pipe()
    code = (
        "import os, signal, sys\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "sys.path[:0] = [sys.argv[1]]\n"
        # A zip (--py-files) may be deleted before the import: then import while it is there.
        "if os.path.isfile(sys.argv[1]): import lofn.watchdog, lofn.folders\n"
        "while os.read(0, 1): pass\n"
        "from lofn.watchdog import clean_up\n"
        "clean_up(sys.argv[2], sys.argv[3])\n"
    )
    here = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code, here, worker, folder],
        stdin=waits,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )
    os.close(waits)
    return holds


def clean_up(worker: str, folder: str) -> None:
    """Remove every container of a worker that ended, and its folder.

    Goes on for some minutes where Docker does not answer. A container that was being made when
    the worker died may show up late, so it looks until there is none twice in a row.
    """
    from lofn.containers import Docker
    from lofn.docker_handler import DockerFailure
    from lofn.folders import discard

    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(_DEADLINE_SECONDS) + 60)
    deadline = time.monotonic() + _DEADLINE_SECONDS
    quiet = 0
    docker = Docker()
    while quiet < 2 and time.monotonic() < deadline:
        try:
            left = docker.labelled(worker=worker)
            for container in left:
                docker.remove(container["Id"])
            quiet = 0 if left else quiet + 1
        except DockerFailure:
            quiet = 0
        with suppress(OSError, DockerFailure):
            discard(folder, docker)
        time.sleep(0.5)

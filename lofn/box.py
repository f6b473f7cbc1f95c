"""One container with its two folders and its FIFOs: made ahead, asked to run, watched, closed."""

from __future__ import annotations

import os
import select
import stat
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

from lofn.box_script import entrypoint
from lofn.command import Command
from lofn.containers import Docker
from lofn.docker_handler import DockerFailure
from lofn.docker_http import ApiError
from lofn.errors import UsageError
from lofn.folders import WorkerFolder, discard
from lofn.plan import BoxPlan, add_volumes
from lofn.records import BLOCK

STDERR_KEPT = 8192  # bytes of the end of stderr that a failure shows
_STDERR_READS = 16  # at a time: a command that floods stderr must not keep its end from being seen
_UNOPENED_SECONDS = 2.0  # between looks at a container whose shell has said nothing yet
_FIFOS = ("go", "done", "err", "life")


class NoShell(DockerFailure):
    """The image has no /bin/sh, so nothing in it can wait for a request."""


class Ended(DockerFailure):
    """The container ended before its command had reported a status."""


class Box:
    """A container that serves requests; one thread makes it, one thread uses it afterwards.

    ``shared`` is the folder on this node that the container sees at the plan's mountpoint.
    """

    def __init__(self, plan: BoxPlan, owner: WorkerFolder, network: str) -> None:
        self.plan = plan
        self.name = f"lofn-{uuid.uuid4().hex[:16]}"
        self.container = ""
        self.started_at = 0.0
        self.requests = 0
        self.alive = False
        self.waits = True  # a shell waits in it; without one it is started for its one command
        self.status: int | None = None
        self.memory_kills = 0  # processes of it that the kernel killed for want of memory
        self.path = os.path.join(owner.path, self.name)
        self.shared = os.path.join(self.path, "shared")
        self.control = os.path.join(self.path, "control")
        self._owner = owner
        self._network = network
        self._volumes = ExitStack()
        self._fds: dict[str, int] = {}
        self._said = b""
        self._ready = False  # the container's shell has opened `done`
        self._script = ""  # what the file `command` has
        self._stderr = bytearray()

    # -- making ------------------------------------------------------------------------------

    def make(self, docker: Docker, labels: dict[str, str], command: Command | None) -> None:
        """Make folders, create the container and start it.

        ``command`` None starts the waiting shell; a Command with an argv runs just that, for
        images without a shell. Raises NoShell, DockerFailure, OSError; the box is then closed.
        """
        try:
            self._make_folders()
            body = self.plan.request(
                self._owner.id, self._owner.path, self.shared, self.control, labels
            )
            body["HostConfig"]["NetworkMode"] = self._network
            if self.plan.mounts is not None:
                add_volumes(body, self._volumes.enter_context(self.plan.mounts.open()))
            if command is None:
                body["Entrypoint"] = entrypoint(body["HostConfig"].get("PidMode", ""))
                body["Cmd"] = []
            else:
                _without_shell(body, command)
                self.waits = False
            self.container = docker.create(self.name, body)
            self._owner.note_image(self.plan.image)
            if command is None:
                self.started_at = time.time()
                self._start(docker)
            self.alive = True
        except BaseException:
            self.close(docker, kill=True)
            raise

    def _make_folders(self) -> None:
        os.mkdir(self.path, 0o755)
        os.mkdir(self.control, 0o755)
        self.empty_shared()
        for name in _FIFOS:
            path = os.path.join(self.control, name)
            os.mkfifo(path)
            os.chmod(path, 0o666)  # the image's user may be anybody; the folder above is ours
            # Ours are open before the container's, so that no open there waits; `go` and `life`
            # are opened for both ways because opening only to write waits for a reader.
            reads = name in ("done", "err")
            flags = os.O_RDONLY | os.O_NONBLOCK if reads else os.O_RDWR
            self._fds[name] = os.open(path, flags | os.O_CLOEXEC)

    def empty_shared(self) -> None:
        """Make the shared folder, writable by whichever user the image runs as."""
        os.mkdir(self.shared)
        os.chmod(self.shared, 0o777)

    def _start(self, docker: Docker) -> None:
        try:
            docker.start(self.container)
        except ApiError as error:
            if '"/bin/sh"' in error.reason or "/bin/sh:" in error.reason:
                raise NoShell(f"image {self.plan.image!r} has no /bin/sh") from None
            if self.plan.body.get("WorkingDir") and "chdir" in error.reason:
                raise UsageError(error.reason) from None
            raise

    def usable(self) -> bool:
        """Tell whether the container still runs; one that waited may have ended meanwhile."""
        hung_up = select.poll()
        if not self.alive:
            return False
        hung_up.register(self._fds["done"], 0)
        return not hung_up.poll(0)

    # -- using -------------------------------------------------------------------------------

    def ask(self, command: Command) -> None:
        """Have the waiting shell run a command; `events` tells how it goes."""
        self._write_command(command)
        self.requests += 1
        os.write(self._fds["go"], b"%d\n" % self.requests)

    def run_without_shell(self, docker: Docker) -> None:
        """Start a container made with a command, and report its end as the shell would."""
        self.requests += 1
        done = os.open(os.path.join(self.control, "done"), os.O_WRONLY | os.O_CLOEXEC)
        self.started_at = time.time()
        try:
            docker.start(self.container)
        except BaseException:
            os.close(done)
            raise
        threading.Thread(target=self._report_end, args=(done,), daemon=True).start()

    def _report_end(self, done: int) -> None:
        docker = Docker()
        try:
            code = docker.wait(self.container)
            with suppress(DockerFailure):
                self._stderr += docker.stderr_tail(self.container, 100)[-STDERR_KEPT:]
            os.write(done, b"%d %d 0\n" % (self.requests, code))
        except (DockerFailure, OSError):
            pass  # closing `done` without a word says that the container is gone
        finally:
            os.close(done)
            docker.close()

    def _write_command(self, command: Command) -> None:
        if command.script == self._script:
            return
        path = os.path.join(self.control, "command")
        with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
            file.write(command.script)
        os.chmod(path, 0o644)
        self._script = command.script

    def events(self, deadline: float | None, output: int | None = None) -> Iterator[bytes]:
        """Yield blocks that the command writes to ``output`` until it ends, then `status` is set.

        ``output`` is a FIFO open for both ways and not blocking. Raises Ended if the container
        is gone, TimeoutError past ``deadline`` (seconds of `time.monotonic`).
        """
        self.status = None
        poller = select.poll()
        for fd in filter(None, (self._fds["done"], self._fds["err"], output)):
            poller.register(fd, select.POLLIN)
        while self.status is None:
            left = 60.0 if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            # A FIFO that nobody has opened yet does not say that nobody ever will.
            unheard = self.waits and not self._ready
            found = poller.poll(min(left, _UNOPENED_SECONDS if unheard else 60.0) * 1000)
            if unheard and not found:
                self._check_running()
            for fd, _mask in found:
                if fd == output:
                    yield from _readable(fd, 1)
                elif fd == self._fds["err"]:
                    if not self._keep_stderr():
                        poller.unregister(fd)
                else:
                    self._read_status()
        if output is not None:
            yield from _readable(output, None)
        self._keep_stderr()

    def _check_running(self) -> None:
        docker = Docker()
        try:
            if docker.runs(self.container):
                return
        finally:
            docker.close()
        self.alive = False
        raise Ended(f"container {self.name} ended before its shell had started")

    def _read_status(self) -> None:
        block = os.read(self._fds["done"], 4096)
        if not block:
            self._keep_stderr()
            self.alive = False
            raise Ended(f"container {self.name} ended before its command had reported a status")
        self._said += block
        *lines, self._said = self._said.split(b"\n")
        self._ready = True
        for line in lines:
            words = line.split()
            if len(words) == 3 and int(words[0]) == self.requests:
                self.status, self.memory_kills = int(words[1]), int(words[2])

    def _keep_stderr(self) -> bool:
        """Read what stderr has; False once nobody can write to it any more."""
        with suppress(BlockingIOError):
            for _ in range(_STDERR_READS):
                block = os.read(self._fds["err"], BLOCK)
                if not block:
                    return False
                self._stderr += block
                del self._stderr[:-STDERR_KEPT]
        return True

    def take_stderr(self) -> str:
        """Return the last bytes of stderr as text, and forget them."""
        text = bytes(self._stderr).decode("utf-8", "backslashreplace")
        self._stderr.clear()
        return text

    def kill(self) -> None:
        """End the container at once, from any thread; whoever waits for it sees it gone."""
        docker = Docker()
        try:
            docker.remove(self.container)
        finally:
            docker.close()

    # -- ending ------------------------------------------------------------------------------

    def clear(self, docker: Docker) -> None:
        """Empty the shared folder for the next request of a container that is used again."""
        for name in os.listdir(self.shared):
            path = os.path.join(self.shared, name)
            if stat.S_ISDIR(os.lstat(path).st_mode):
                discard(path, docker, self.plan.image)
            else:
                os.unlink(path)

    def close(self, docker: Docker, *, kill: bool = False) -> None:
        """Let the container end, or kill it, and remove its folder.

        A container whose shell still works ends by itself once `go` is closed, and Docker removes
        it; that takes no request.
        """
        self.alive = False
        for fd in self._fds.values():
            os.close(fd)
        self._fds.clear()
        if kill:
            # By name where there is no id: an answer that was lost may have been a yes.
            with suppress(DockerFailure):
                docker.remove(self.container or self.name)
        self._volumes.close()
        if os.path.isdir(self.path):
            # What cannot be removed now is left to the watchdog, once this worker has ended.
            with suppress(OSError):
                discard(self.path, docker, self.plan.image)


def _without_shell(body: dict[str, Any], command: Command) -> None:
    """Turn a create request into one that runs an argv and whose end and log can be asked for."""
    if command.argv is None:
        raise UsageError(
            f"image {body['Image']!r} has no shell (/bin/sh), which a command given as one string "
            "needs: give the command as a list of arguments"
        )
    body["Entrypoint"], body["Cmd"] = [command.argv[0]], list(command.argv[1:])
    body["HostConfig"]["AutoRemove"] = False
    body["HostConfig"]["LogConfig"] = {"Type": "json-file", "Config": {"max-size": "1m"}}


def _readable(fd: int, most: int | None) -> Iterator[bytes]:
    """Yield what can be read now, at most ``most`` blocks."""
    while most is None or most > 0:
        try:
            block = os.read(fd, BLOCK)
        except BlockingIOError:
            return
        if not block:
            return
        yield block
        if most is not None:
            most -= 1

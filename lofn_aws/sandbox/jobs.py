"""Commands that run on a node for a long time: started, waited for and signalled by short calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any

from lofn_aws.sandbox.node_api import Nodes

SCRIPT = "/usr/libexec/emr/node_job.sh"
STILL_RUNNING = 75
WAIT_SECONDS = 20.0
CALL_TIMEOUT = 60.0
HADOOP_ENVIRONMENT = {
    "HOME": "/home/hadoop",
    "USER": "hadoop",
    "LOGNAME": "hadoop",
    "SHELL": "/bin/bash",
    "LANG": "C.UTF-8",
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
}


class JobLost(Exception):
    """The command's end cannot be known: the node is gone or its runner was killed."""


class JobTimeout(Exception):
    """The command did not end within its deadline."""


def install(engine: Nodes, instance_id: str) -> None:
    """Put the script that runs jobs on a node."""
    text = files("lofn_aws.sandbox").joinpath("node_job.sh").read_bytes()
    engine.put_file(instance_id, SCRIPT, text, mode=0o755)


class Job:
    """One command on one node, run as ``hadoop``.

    Args:
        engine: the node engine.
        instance_id: the EC2 id of the node.
        work: the command's working directory.
        logs: where controller, stdout and stderr are written.
    """

    def __init__(self, engine: Nodes, instance_id: str, work: str, logs: str) -> None:
        self._engine = engine
        self._instance_id = instance_id
        self._work = work
        self._logs = logs

    def prepare(self) -> None:
        """Make the two directories, for ``hadoop`` to write to."""
        owner = ["install", "-d", "-o", "hadoop", "-g", "hadoop", "-m", "755"]
        self._call([*owner, self._work, self._logs], user="root")

    def start(self, argv: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start the command.

        Raises:
            JobLost: the node does not answer, or would not start it.
        """
        command = [SCRIPT, "start", self._work, self._logs, *argv]
        self._call(command, env={**HADOOP_ENVIRONMENT, **environment})

    def wait(self, give_up: Callable[[], bool], deadline_seconds: float) -> int:
        """Return the command's exit code.

        Args:
            give_up: asked between two waits; True means that nobody wants the answer any more.
            deadline_seconds: how long the command may take.

        Raises:
            JobLost: the exit code cannot be had.
            JobTimeout: it did not end in time.
        """
        end = time.monotonic() + deadline_seconds
        while time.monotonic() < end:
            seconds = min(WAIT_SECONDS, max(1.0, end - time.monotonic()))
            result = self._exec([SCRIPT, "wait", self._work, f"{seconds:.1f}"])
            if result.exit_code == 0 and result.stdout.strip().isdigit():
                return int(result.stdout)
            if result.exit_code != STILL_RUNNING:
                raise JobLost(f"no exit code on {self._instance_id}: {_said(result)}")
            if give_up():
                raise JobLost("the cluster is ending")
        raise JobTimeout(f"the command did not end within {deadline_seconds:.0f} s")

    def signal(self, name: str) -> None:
        """Send TERM or KILL to every process of the command."""
        self._call([SCRIPT, "signal", self._work, name], user="root")

    def _call(self, argv: Sequence[str], **options: Any) -> None:
        result = self._exec(argv, **options)
        if result.exit_code != 0:
            raise JobLost(f"'{argv[0]} {argv[1]}' on {self._instance_id}: {_said(result)}")

    def _exec(self, argv: Sequence[str], user: str = "hadoop", **options: Any) -> Any:
        try:
            return self._engine.exec(
                self._instance_id, argv, user=user, timeout=CALL_TIMEOUT, **options
            )
        except Exception as error:  # whatever the engine raises, the outcome is not known
            raise JobLost(f"node {self._instance_id} does not answer: {error}") from error


def _said(result: Any) -> str:
    text = result.stderr.decode(errors="replace").strip()
    return f"exit code {result.exit_code}" + (f": {text[-300:]}" if text else "")

"""What the engine has on a cluster's nodes, looked at by the nodes themselves."""

from __future__ import annotations

import base64
import shlex
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from tests.sandbox.harness import Finished, Project

GONE_SECONDS = 10  # what issue 4 allows after a kill

# Containers are looked for by name: of some that it has removed, Docker 20.10 lists an id for ever,
# without a name, and says "no such container" to whoever asks for it.

# Workers whose containers run the command that contains $1, with what else is theirs.
_WORKERS = """
for one in $(docker ps -q --filter label=lofn=1); do
    docker top $one 2>/dev/null | grep -q -- "$1" || continue
    worker=$(docker inspect --format '{{index .Config.Labels "lofn.worker"}}' $one)
    echo "RUNS $worker"
    ls -d /tmp/lofn-[0-9]*/$worker | sed "s/^/HAS /"
done
true
"""
_GONE = """
[ $# -gt 0 ] || exit 0
while true; do
    left=
    for worker; do
        left="$left $(docker ps -a --filter label=lofn.worker=$worker --format '{{.Names}}')"
        left="$left $(ls -d /tmp/lofn-[0-9]*/$worker 2>/dev/null)"
    done
    left=$(echo $left)
    [ -n "$left" ] || exit 0
    [ $SECONDS -lt LIMIT ] || { echo "LEFT $left"; exit 0; }
    sleep 0.1
done
""".replace("LIMIT", str(GONE_SECONDS))
# A worker that lives keeps its own folder and what holds its network. Nothing of a partition's.
_NO_TASKS = """
shopt -s nullglob
while true; do
    holders=$(docker ps -a --filter label=lofn.role=network --format '{{.Names}}')
    holders=" $(echo $holders) "
    left=$(pgrep -f -- "^$1")
    containers=$(docker ps -a --filter label=lofn=1 --format '{{.Names}}')
    for name in $containers /tmp/lofn-[0-9]*/*/*/; do
        case $holders in *" $(basename $name) "*) ;; *) left="$left $name" ;; esac
    done
    left=$(echo $left)
    [ -n "$left" ] || exit 0
    [ $SECONDS -lt LIMIT ] || { echo "LEFT $left"; exit 0; }
    sleep 0.1
done
""".replace("LIMIT", str(GONE_SECONDS))
_NOTHING = """
docker ps -a --filter label=lofn=1 --format '{{.Names}}'
ls -d /tmp/lofn-[0-9]*/* 2>/dev/null
true
"""
_KILL = 'for p in $(pgrep -u yarn -f "$1"); do kill -9 $p && echo "KILLED $p"; done; true'

PYTHON_WORKERS = "pyspark.daemon"
EXECUTORS = "CoarseGrainedExecutorBackend"


def on_nodes(cluster: Project, script: str, *arguments: str, node: str = "all") -> list[str]:
    """Run a bash script as root on nodes; return the lines that it printed on any."""
    packed = base64.b64encode(script.encode()).decode()
    words = " ".join(shlex.quote(one) for one in arguments)
    line = f"echo {packed} | base64 -d | sudo bash -s -- {words}"
    found = cluster.run("exec", "--node", node, "--", line).stdout
    return [line.partition(": ")[2] for line in found.splitlines()]


@dataclass(frozen=True)
class Workers:
    """Python workers whose containers run one command."""

    ids: tuple[str, ...]

    @classmethod
    def that_run(cls, cluster: Project, command: str, count: int) -> Workers:
        """Wait until ``count`` containers run the command; say whose they are."""
        deadline = time.monotonic() + 90
        while True:
            seen = on_nodes(cluster, _WORKERS, command)
            running = [line.split()[1] for line in seen if line.startswith("RUNS ")]
            if len(running) == count:
                folders = [line for line in seen if line.startswith("HAS ")]
                assert len(folders) == count, "the folders are not where the test looks for them"
                return cls(tuple(sorted(set(running))))
            assert time.monotonic() < deadline, f"{count} containers of {command!r}: {seen}"
            time.sleep(0.3)

    def assert_gone(self, cluster: Project) -> None:
        """Fail if any container or folder of theirs is there ten seconds from now."""
        assert on_nodes(cluster, _GONE, *self.ids) == []


def killed(cluster: Project, processes: str) -> int:
    """Kill YARN's processes with these words in their command line; return how many."""
    # Inside the nodes of this cluster, so no process of anybody else's can be meant.
    return sum(line.startswith("KILLED") for line in on_nodes(cluster, _KILL, processes))


def assert_no_task_has_anything(cluster: Project, command: str) -> None:
    """Fail if ten seconds from now a container, a partition's folder or the command is there."""
    assert on_nodes(cluster, _NO_TASKS, command) == []


def assert_nothing_left(cluster: Project) -> None:
    """Fail if ten seconds from now any container or folder of the engine's is on any node."""
    deadline = time.monotonic() + GONE_SECONDS
    while left := [line for line in on_nodes(cluster, _NOTHING) if line]:
        assert time.monotonic() < deadline, left
        time.sleep(0.5)


def in_background(cluster: Project, *arguments: str) -> Future[Finished]:
    """Run `lofn-aws ARGUMENTS` beside the test."""
    with_one = ThreadPoolExecutor(1)
    try:
        return with_one.submit(cluster.run, *arguments, timeout=400)
    finally:
        with_one.shutdown(wait=False)

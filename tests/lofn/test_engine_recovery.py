"""What others do to the engine's containers, and what the next worker sweeps."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
import uuid

import pytest

from lofn.containers import Docker
from lofn.folders import WorkerFolder, homes
from lofn.plan import BoxPlan
from lofn.reaper import boot_id, pid_namespace, sweep
from tests.lofn.conftest import containers_of, wait_until

pytestmark = [pytest.mark.docker]
COPY = "cat /shared/input.txt > /shared/output.txt"


def removed_by_somebody(pipe, *filters: str) -> int:
    names = [
        name for worker in os.listdir(homes(pipe._parent)) for name in containers_of(worker=worker)
    ]
    if filters:
        said = subprocess.run(
            ["docker", "ps", "-a", "--format", "{{.Names}}", "--filter", *filters],
            capture_output=True, text=True, check=True,
        ).stdout.split()  # fmt: skip
        names = [name for name in names if name in said]
    removed = 0
    for name in names:  # one whose partition is through may be on its way out by itself
        done = subprocess.run(["docker", "rm", "-f", name], capture_output=True, check=False)
        removed += done.returncode == 0
    return removed


@pytest.mark.spark
@pytest.mark.parametrize("reuse", [False, True])
def test_containers_removed_between_jobs_are_made_anew(sc, pipe, image, reuse):
    lines = sc.parallelize(["a", "b", "c", "d"], 4)
    assert pipe.map(lines, image, COPY, reuse=reuse).collect() == ["a", "b", "c", "d"]
    assert removed_by_somebody(pipe) > 0
    assert pipe.map(lines, image, COPY, reuse=reuse).collect() == ["a", "b", "c", "d"]


@pytest.mark.spark
def test_a_network_whose_holder_is_gone_is_made_anew(sc, pipe, image):
    lines = sc.parallelize(["a", "b", "c", "d"], 4)
    assert pipe.map(lines, image, COPY).count() == 4
    assert removed_by_somebody(pipe, "label=lofn.role=network") > 0
    assert pipe.map(lines, image, COPY).count() == 4


@pytest.mark.spark
def test_a_container_removed_under_its_command_is_lost_and_told(sc, pipe, image):
    import threading

    from lofn.errors import ContainerLost

    raised: list[BaseException] = []

    def job():
        try:
            pipe.map(sc.parallelize(["a"], 1), image, "sleep 304").collect()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=job)
    thread.start()
    wait_until(
        lambda: os.path.isdir(homes(pipe._parent)) and len(running(pipe)) == 1, 60, "it runs"
    )
    subprocess.run(["docker", "rm", "-f", *running(pipe)], capture_output=True, check=True)
    thread.join(60)
    assert isinstance(raised[0], ContainerLost)
    assert "ended from outside" in str(raised[0])


def running(pipe) -> list[str]:
    return [
        name
        for worker in os.listdir(homes(pipe._parent))
        for name in containers_of(worker=worker)
        if "sleep 304" in subprocess.run(
            ["docker", "top", name], capture_output=True, text=True, check=False
        ).stdout
    ]  # fmt: skip


def made(image: str, **labels: str) -> str:
    """A container that is never started, with these labels."""
    name = f"lofn-test-{uuid.uuid4().hex[:8]}"
    marks = {"lofn": "1", **{f"lofn.{key}": value for key, value in labels.items()}}
    Docker().create(name, {"Image": image, "Entrypoint": ["none"], "Labels": marks})
    return name


def test_the_reaper_takes_what_has_no_owner_and_nothing_else(tmp_path, image):
    parent = str(tmp_path)
    alive, dead = WorkerFolder(parent), WorkerFolder(parent)
    os.makedirs(os.path.join(dead.path, "lofn-x", "shared"))
    os.close(dead._lock)
    here = {
        "boot": boot_id(), "pid_namespace": pid_namespace(), "host_pid": str(os.getpid()),
    }  # fmt: skip
    stays = [
        made(image, **here, folder=alive.path),
        made(image, **{**here, "pid_namespace": "pid:[1]"}, folder="/gone"),  # cannot be known
    ]
    goes = [
        made(image, **here, folder=dead.path),
        made(image, **{**here, "boot": "another"}, folder=alive.path),
        made(image, **{**here, "host_pid": "4194305"}, folder="/gone"),
    ]
    try:
        sweep(Docker(), parent)
        left = containers_of()
        assert set(stays) <= set(left)
        assert not set(goes) & set(left)
        assert os.path.isdir(alive.path)
        assert not os.path.exists(dead.path)
    finally:
        for name in (*stays, *goes):
            Docker().remove(name)


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ({}, True),
        ({"NetworkMode": "host"}, False),
        ({"NetworkMode": "container:x"}, False),
        ({"CapAdd": ["NET_ADMIN"]}, False),
        ({"Privileged": True}, False),
        ({"Sysctls": {"net.core.somaxconn": "1"}}, False),
        ({"ExtraHosts": ["a:1.2.3.4"]}, False),
    ],
)
def test_a_network_namespace_is_shared_only_where_nobody_can_change_it(changes, shared):
    host = {"NetworkMode": "none", **changes}
    assert BoxPlan("i", "/shared", {"HostConfig": host}, None).shares_network is shared
    with_name = BoxPlan("i", "/shared", {"HostConfig": host, "Hostname": "seat"}, None)
    assert not with_name.shares_network


def test_a_shared_process_namespace_is_not_swept_with_the_container(tmp_path, image):
    """--pid=container:x (as --pid=host) shows others' processes: they must outlive the worker."""
    if os.getuid():
        pytest.skip("looking at the processes of others takes root")
    victim = made_running(image, "sleep 305 & sleep 306; true")
    job = textwrap.dedent(
        """
        import os, sys
        from lofn.command import build
        from lofn.mapping import MapJob
        from lofn.plan import BoxPlan
        from lofn.records import Format
        from lofn.task import Run

        host = {"NetworkMode": "none", "AutoRemove": True, "LogConfig": {"Type": "none"}}
        host["PidMode"] = "container:" + sys.argv[1]
        plan = BoxPlan(sys.argv[2], "/shared", {"HostConfig": host}, None, sys.argv[3])
        command = build("echo up >&2; cat /shared/input.txt > /shared/output.txt; sleep 307")
        run = Run(plan, command)
        list(MapJob(run, "input.txt", "output.txt", Format(), Format(), 1).lines(0, ["a"]))
        """
    )
    worker = subprocess.Popen([sys.executable, "-c", job, victim, image, str(tmp_path)])
    try:
        wait_until(lambda: "sleep 307" in processes(victim), 30, "the command runs beside it")
        worker.kill()
        worker.wait()
        wait_until(lambda: "sleep 307" not in processes(victim), 10, "the command was ended")
        assert "sleep 305" in processes(victim)
        assert "sleep 306" in processes(victim)
    finally:
        worker.kill()
        Docker().remove(victim)


def made_running(image: str, command: str) -> str:
    name = f"lofn-test-{uuid.uuid4().hex[:8]}"
    docker = Docker()
    body = {"Image": image, "Entrypoint": ["/bin/sh", "-c", command]}
    docker.create(name, {**body, "HostConfig": {"NetworkMode": "none"}})
    docker.start(name)
    return name


def processes(name: str) -> str:
    """All processes that the process namespace of a container has, from the host's /proc."""
    first = Docker().inspect(name)["State"]["Pid"]
    space = os.readlink(f"/proc/{first}/ns/pid")
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if os.readlink(f"/proc/{pid}/ns/pid") == space:
                with open(f"/proc/{pid}/cmdline", "rb") as file:
                    found.append(file.read().replace(b"\0", b" ").decode())
        except OSError:
            continue
    return "\n".join(found)

"""Nothing outlives its worker: kills, cancelled jobs, early stops, full disks, a deaf Docker."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
import threading
from pathlib import Path

import pytest

from lofn.docker_handler import DockerFailure
from lofn.errors import ContainerFailed, DockerUnavailable
from lofn.folders import WorkerFolder, homes, stale
from tests.lofn.conftest import containers_of, things_of_tasks, wait_until, workers

pytestmark = [pytest.mark.docker, pytest.mark.spark]
COPY = "cat /shared/input.txt > /shared/output.txt"


def home_of(pipe) -> str:
    return homes(pipe._parent)


def inside(pipe) -> list[str]:
    """Containers of this pipe's own workers."""
    return [name for worker in workers(pipe) for name in containers_of(worker=worker)]


def workers_of(pipe) -> list[int]:
    """Processes that hold the lock of one of the pipe's worker folders."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            held = {os.readlink(fd) for fd in (process / "fd").iterdir()}
        except OSError:
            continue
        if any(f"{home_of(pipe)}/{worker}/lock" in held for worker in workers(pipe)):
            found.add(int(process.name))
    return sorted(found)


@pytest.mark.parametrize("reuse", [False, True])
def test_a_killed_worker_leaves_nothing_after_ten_seconds(sc, pipe, image, reuse):
    def job():
        lines = sc.parallelize(["a"], 1)
        with pytest.raises(Exception):  # noqa: B017 (whatever Spark says of a dead worker)
            pipe.map(
                lines, image, "mkdir -p /shared/d; touch /shared/d/x; sleep 300", reuse=reuse
            ).collect()

    thread = threading.Thread(target=job)
    thread.start()
    wait_until(lambda: inside(pipe) and workers_of(pipe), 60, "a container runs")
    names = set(workers(pipe))
    for pid in workers_of(pipe):
        os.kill(pid, signal.SIGKILL)
    thread.join(60)
    wait_until(lambda: not names & set(workers(pipe)), 10, "its folder is gone")
    wait_until(
        lambda: not any(containers_of(worker=name) for name in names), 10, "its container is gone"
    )


def test_a_killed_worker_and_watchdog_leave_no_container(sc, pipe, image):
    def job():
        with pytest.raises(Exception):  # noqa: B017
            pipe.map(sc.parallelize(["a"], 1), image, "sleep 303").collect()

    thread = threading.Thread(target=job)
    thread.start()
    wait_until(lambda: any(runs(name, "sleep 303") for name in inside(pipe)), 60, "it runs")
    (name,) = workers(pipe)
    said = subprocess.run(["pgrep", "-f", name], capture_output=True, text=True, check=True).stdout
    victims = {int(pid) for pid in said.split()} | set(workers_of(pipe))
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    thread.join(60)
    # The kernel closed the FIFO that the container's life hangs on; nobody else was left to act.
    wait_until(lambda: not containers_of(worker=name), 10, "the container ended by itself")
    # What stayed of the folder is swept by the next worker on this node.
    assert stale(os.path.join(home_of(pipe), name))
    pipe.map(sc.parallelize(["a"], 1), image, COPY).collect()
    wait_until(lambda: name not in workers(pipe), 10, "the folder was swept")


def test_taking_one_record_stops_the_rest(sc, pipe, image):
    lines = sc.parallelize([str(i) for i in range(100_000)], 2)
    endless = "while true; do echo x; done > /shared/output.txt"
    assert pipe.map(lines, image, endless, streaming=True).take(1) == ["x"]
    wait_until(lambda: not things_of_tasks(pipe), 10, "its container and folder are gone")
    busy = "cat /shared/input.txt > /shared/output.txt"
    assert pipe.map(lines, image, busy, streaming=True).take(1) == ["0"]
    wait_until(lambda: not things_of_tasks(pipe), 10, "its container and folder are gone")
    assert pipe.map(lines, image, busy).take(1) == ["0"]
    wait_until(lambda: not things_of_tasks(pipe), 10, "its container and folder are gone")


def runs(name: str, what: str) -> bool:
    said = subprocess.run(["docker", "top", name], capture_output=True, text=True, check=False)
    return what in said.stdout


def test_a_cancelled_job_group_leaves_nothing(sc, pipe, image):
    def job():
        sc.setJobGroup("to-cancel", "", interruptOnCancel=True)
        with pytest.raises(Exception):  # noqa: B017
            pipe.map(sc.parallelize(["a"] * 2, 2), image, "sleep 301").collect()

    from pyspark import InheritableThread

    thread = InheritableThread(target=job)
    thread.start()
    wait_until(lambda: sum(runs(name, "sleep 301") for name in inside(pipe)) == 2, 60, "both run")
    names = workers(pipe)
    assert len(names) == 2
    sc.cancelJobGroup("to-cancel")
    wait_until(lambda: not any(containers_of(worker=name) for name in names), 10, "containers")
    wait_until(lambda: not set(names) & set(workers(pipe)), 10, "folders")
    thread.join(30)
    assert not thread.is_alive()


def test_a_failed_container_is_gone_at_once(sc, pipe, image):
    with pytest.raises(ContainerFailed):
        pipe.map(sc.parallelize(["a"], 1), image, "sleep 302 & exit 1").collect()
    assert not [name for name in inside(pipe) if runs(name, "sleep 302")]


def spark_works(sc) -> bool:
    """Tell whether tasks run again: Spark hands out an idle worker that was killed once more."""
    try:
        return sc.parallelize(range(4), 4).count() == 4
    except Exception:
        return False


def test_a_full_disk_is_the_reason_given(sc, tmp_path, image):
    if os.getuid():
        pytest.skip("mounting a small file system takes root")
    from lofn.api import DockerPipe

    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "none", str(small)], check=True)
    try:
        pipe = DockerPipe(temporary_directory_parent=str(small), network="none")
        lines = sc.parallelize(range(100), 1).map(lambda i: "x" * 100_000)
        with pytest.raises(DockerFailure, match=r"is full .*temporary_directory_parent"):
            pipe.map(lines, image, COPY).collect()
        few = sc.parallelize(["x"], 1)
        full = "dd if=/dev/zero of=/shared/output.txt bs=1M count=50"
        with pytest.raises(ContainerFailed, match="No space left"):
            pipe.map(few, image, full).collect()
        assert pipe.map(few, image, COPY).collect() == ["x"]
        for pid in workers_of(pipe):
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not workers(pipe), 10, "the folders are gone")
        wait_until(lambda: spark_works(sc), 60, "Spark has noticed its dead workers")
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


def test_a_docker_that_does_not_answer_is_the_reason_given(sc, pipe, image, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere/docker.sock")
    from lofn import docker_http
    from lofn.containers import Docker

    monkeypatch.setattr(docker_http, "_RETRY_SECONDS", 0.5)
    with pytest.raises(DockerUnavailable, match=r"does not answer at unix:///nowhere.*systemctl"):
        Docker().image(image)


def as_nobody(home: Path, code: str, **values: str) -> str:
    """Run Python code as another user who may use Docker; return what it printed."""
    if os.getuid():
        pytest.skip("becoming another user takes root")
    python = "/usr/bin/python3"
    if not os.path.exists(python):
        pytest.skip("no Python that every user may run")
    for above in [home, *home.parents]:
        if str(above).startswith("/tmp/pytest"):
            os.chmod(above, 0o755)
    os.chown(home, 65534, 65534)
    root = Path(__file__).parents[2]
    given = f"import sys; sys.path.insert(0, {str(root)!r}); HOME = {str(home)!r}\n"
    given += "".join(f"{name} = {value!r}\n" for name, value in values.items())
    done = subprocess.run(
        [python, "-c", given + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        user=65534,
        group=65534,
        extra_groups=[os.stat("/var/run/docker.sock").st_gid],
        env={"PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_others_wrote_is_removed_by_a_user_who_may_not(tmp_path, image):
    """Folders of root's, one of them closed, below a folder of his."""
    home = tmp_path / "his"
    deep = home / "shared" / "a" / "b"
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    os.chown(home / "shared", 65534, 65534)
    os.chmod(home / "shared" / "a", 0o700)
    as_nobody(
        home,
        """
        from lofn.containers import Docker
        from lofn.folders import discard
        discard(HOME + "/shared", Docker(), IMAGE)
        """,
        IMAGE=image,
    )
    assert not (home / "shared").exists()


def test_what_root_wrote_for_itself_alone_is_read_all_the_same(tmp_path, image):
    """A worker that is not root, a container that is: YARN's case."""
    home = tmp_path / "his"
    home.mkdir()
    said = as_nobody(
        home,
        """
        import os
        from lofn.command import build
        from lofn.mapping import MapJob
        from lofn.plan import BoxPlan
        from lofn.records import Format
        from lofn.task import Run

        host = {"NetworkMode": "none", "AutoRemove": True, "LogConfig": {"Type": "none"}}
        plan = BoxPlan(IMAGE, "/shared", {"HostConfig": host}, None, HOME)
        for name in ("out", "d/out"):
            command = build(
                "umask 077; mkdir -p /shared/d/e; echo x > /shared/d/e/f; "
                "cat /shared/input.txt > /shared/" + name
            )
            job = MapJob(Run(plan, command), "input.txt", name, Format(), Format(), 1)
            print(list(job.lines(0, ["a", "b"])))
        print([name for _, names, _ in os.walk(HOME) for name in names if "parts" in name])
        print(sum(name == "f" for _, _, names in os.walk(HOME) for name in names))
        """,
        IMAGE=image,
    )
    assert said == "['a', 'b']\n['a', 'b']\n[]\n0\n"
    wait_until(lambda: not os.listdir(home / "lofn-65534"), 10, "the watchdog removed the rest")


def test_a_folder_is_stale_when_its_owner_is_gone(tmp_path):
    folder = WorkerFolder(str(tmp_path))
    assert not stale(folder.path)
    os.close(folder._lock)
    assert stale(folder.path)


def test_two_jobs_over_one_partition_have_containers_of_their_own(sc, pipe, image):
    """As a speculative twin has; twins themselves are seen on YARN, where Spark starts them."""
    slow = sc.parallelize(["a"] * 2, 2)
    first = pipe.map(slow, image, COPY + "; sleep 1")
    results: list[list[str]] = []
    threads = [threading.Thread(target=lambda: results.append(first.collect())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert results == [["a", "a"], ["a", "a"]]

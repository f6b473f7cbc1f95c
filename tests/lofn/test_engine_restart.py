"""Docker Engine restarts while a command runs: on an engine of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from tests.lofn.conftest import wait_until

pytestmark = [pytest.mark.docker, pytest.mark.spark, pytest.mark.timeout(400)]

JOB = """
import os, sys
from pyspark import SparkConf, SparkContext
from lofn.api import DockerPipe

image, parent = sys.argv[1:]
context = SparkContext(conf=SparkConf().setMaster("local[2,4]").set("spark.ui.enabled", "false"))
context.setLogLevel("ERROR")
pipe = DockerPipe(temporary_directory_parent=parent, network="none")
lines = context.parallelize(["a", "b", "c", "d"], 4)
slow = "sleep 6; cat /shared/input.txt > /shared/output.txt"
print(pipe.map(lines, image, slow).collect(), flush=True)
context.stop()
"""


class Engine:
    """A Docker Engine with a socket and folders of its own."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.socket = f"unix://{folder}/docker.sock"

    def start(self) -> None:
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [
                    # In a network namespace of its own: `--bridge none` removes a docker0 that
                    # it finds, and the machine's own engine needs that one.
                    "unshare", "--net", "dockerd", "-H", self.socket,
                    "--data-root", str(self.folder / "data"),
                    "--exec-root", str(self.folder / "run"), "--pidfile",
                    str(self.folder / "pid"), "--bridge", "none", "--iptables=false",
                ],
                stdout=log,
                stderr=log,
            )  # fmt: skip
        wait_until(lambda: not self.run("version", check=False).returncode, 60, "it answers")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def run(self, *words: str, check: bool = True, **more) -> subprocess.CompletedProcess:
        command = ["docker", "-H", self.socket, *words]
        return subprocess.run(command, capture_output=True, check=check, **more)


@pytest.fixture
def engine(tmp_path):
    if os.getuid() or not shutil.which("dockerd"):
        pytest.skip("an engine of one's own takes root and dockerd")
    # A socket's path has at most 107 characters, fewer than pytest's folders may have.
    folder = tmp_path / "e"
    folder.mkdir()
    own = Engine(folder)
    own.start()
    yield own
    own.stop()


def test_a_restart_in_mid_task_is_told_and_tried_again(engine, tmp_path, image):
    saved = subprocess.run(["docker", "save", image], capture_output=True, check=True).stdout
    engine.run("load", input=saved)
    script = tmp_path / "job.py"
    script.write_text(textwrap.dedent(JOB))
    with open(tmp_path / "log", "wb") as log:
        job = subprocess.Popen(
            [sys.executable, str(script), image, str(tmp_path / "t")],
            stdout=subprocess.PIPE,
            stderr=log,
            env={**os.environ, "DOCKER_HOST": engine.socket},
        )
    wait_until(
        lambda: b"sleep 6" in b"".join(
            engine.run("top", name, check=False).stdout
            for name in engine.run("ps", "--format", "{{.Names}}").stdout.decode().split()
        ),
        90,
        "a command runs",
    )  # fmt: skip
    engine.stop()
    time.sleep(1)
    engine.start()
    said, _ = job.communicate(timeout=200)
    log_text = (tmp_path / "log").read_text(errors="replace")
    assert said.decode().strip() == "['a', 'b', 'c', 'd']", log_text[-3000:]
    assert "restart of Docker" in log_text
    wait_until(
        lambda: not engine.run("ps", "-aq", "--filter", "label=lofn=1").stdout.split(),
        20,
        "nothing is left",
    )

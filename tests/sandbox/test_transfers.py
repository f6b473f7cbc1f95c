"""Data in and out, images again, steps that are not waited for: and what killed ones leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.images import busybox_image
from tests.sandbox.harness import Project

FILES = {"a": b"1\n", "empty": b"", "sub/it's [b].txt": os.urandom(200_000)}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, data in FILES.items():
        path = tmp_path / "folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path / "folder"


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture
def bucket(cluster: Project) -> str:
    settings = cluster.run("config", "-o", "json").json
    return str(settings["bucket"]["value"] or "lofn-aws-123456789012-us-east-1")


def on_primary(cluster: Project, command: str) -> str:
    """What a command prints on the primary, without the address that `exec` puts before it."""
    done = cluster.run("exec", "--node", "primary", command, check=False)
    return "\n".join(line.partition(": ")[2] for line in done.stdout.splitlines())


def test_folder_goes_round_through_hdfs_and_s3(
    cluster: Project, folder: Path, bucket: str, tmp_path: Path
) -> None:
    """This machine, HDFS, S3, HDFS and back: the same files with the same bytes."""
    place = f"s3://{bucket}/tests/round"
    cluster.run("cp", str(folder), "hdfs:///round/one/")
    cluster.run("cp", "hdfs:///round/one/folder", place)
    cluster.run("cp", place, "hdfs:///round/two")
    cluster.run("cp", "hdfs:///round/two", "hdfs:///round/three")
    cluster.run("cp", "hdfs:///round/three", str(tmp_path / "back"))
    assert files(tmp_path / "back") == FILES


def test_existing_is_refused_and_with_force_merged(
    cluster: Project, folder: Path, tmp_path: Path
) -> None:
    """A second copy is refused with -f as the next command, which replaces and keeps the rest."""
    cluster.run("cp", str(folder), "hdfs:///again")
    refused = cluster.run("cp", str(folder / "a"), "hdfs:///again", check=False)
    assert refused.exit_code == 2 and "cp -f" in refused.stderr
    (folder / "a").write_bytes(b"changed\n")
    cluster.run("cp", "-f", str(folder / "a"), "hdfs:///again")
    (folder / "new").write_bytes(b"new\n")
    folder.rename(folder.parent / "again")
    cluster.run("cp", "-f", str(folder.parent / "again"), "hdfs:///")
    cluster.run("cp", "hdfs:///again", str(tmp_path / "back"))
    assert files(tmp_path / "back") == {**FILES, "a": b"changed\n", "new": b"new\n"}


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_killed_copy_leaves_nothing(cluster: Project, tmp_path: Path, kind: str) -> None:
    """kill -9 in mid-transfer: no half file in HDFS, no scratch on the primary, no process."""
    source = tmp_path / "big"
    source.mkdir()
    with (source / "data").open("wb") as handle:
        handle.truncate(3_000_000_000)
    place = source / "data" if kind == "file" else source
    with cluster.started("cp", str(place), f"hdfs:///killed/{kind}") as process:
        _wait_for_transfer(cluster)
        assert process.poll() is None, "it was over before it was killed: the test shows nothing"
        os.killpg(process.pid, signal.SIGKILL)
    deadline = time.monotonic() + 60
    left = "unknown"
    while left and time.monotonic() < deadline:
        left = on_primary(
            cluster,
            "hadoop fs -ls -R /killed 2>/dev/null | grep -v ^d; ls -d /mnt/tmp/lofn-cp.*"
            " 2>/dev/null; pgrep -f '[F]sShell'; true",
        ).strip()
    assert left == ""


def _wait_for_transfer(cluster: Project) -> None:
    for _ in range(60):
        if on_primary(cluster, "pgrep -f '[F]sShell -put' || pgrep -f 'ta[r] -C'; true").strip():
            return
    raise AssertionError("no transfer began within 60 looks")


def test_a_command_ends_with_its_deadline_on_every_node(cluster: Project) -> None:
    """`exec --timeout` leaves no process on the nodes."""
    cluster.run("exec", "--timeout", "2s", "sleep 77.25", check=False)
    done = cluster.run("exec", "pgrep -xf 'sleep 77.25' || echo gone")
    assert done.stdout.count("gone") == 3


def test_changed_image_sends_its_new_layer_alone(cluster: Project) -> None:
    """A second push knows every layer, also under another name; list and rm tell the truth."""
    name = "lofn-tests/twice:1"
    busybox_image(name, {"data/first": b"1"})
    first = cluster.run("push", name, "-o", "json").json
    again = cluster.run("push", name, "-o", "json").json
    assert first["name"] == "localhost:5000/lofn-tests/twice:1"
    assert (first["layers_sent"], again["layers_sent"], again["layers_kept"]) == (1, 0, 1)
    assert first["digest"] == again["digest"]
    assert len(again["nodes"]) == 3
    # Layers that another repository of the registry has are mounted from it, not sent again.
    other = "lofn-tests/twice-by-another-name:1"
    subprocess.run(["docker", "tag", name, other], check=True, timeout=60)
    mounted = cluster.run("push", other, "-o", "json").json
    assert (mounted["layers_sent"], mounted["layers_kept"]) == (0, 1)
    subprocess.run(["docker", "rmi", other], check=True, timeout=60, stdout=subprocess.DEVNULL)
    assert first["name"] in cluster.run("image", "list").stdout
    cluster.run("image", "rm", name)
    assert first["name"] not in cluster.run("image", "list").stdout
    assert cluster.run("image", "rm", name, check=False).exit_code == 3
    done = cluster.run("exec", f"docker image inspect {first['name']} >/dev/null 2>&1 || echo gone")
    assert done.stdout.count("gone") == 3


def test_steps_that_are_not_waited_for(cluster: Project, tmp_path: Path) -> None:
    """--no-wait gives an id; list, cancel, wait and logs take it."""
    script = tmp_path / "slow.py"
    script.write_text("import time\nprint('begun', flush=True)\ntime.sleep(300)\n")
    step_id = cluster.run("submit", str(script), "--no-wait").stdout.strip()
    listed = cluster.run("step", "list", "-o", "json").json
    assert listed[0]["id"] == step_id
    late = cluster.run("step", "wait", step_id, "--timeout", "2s", check=False)
    assert late.exit_code == 12 and f"step wait {step_id}" in late.stderr
    _wait_for_word(cluster, step_id, "begun")
    cluster.run("step", "cancel", step_id)
    ended = cluster.run("step", "wait", step_id, check=False)
    assert ended.exit_code == 11, ended.stderr
    assert cluster.run("step", "logs", "s-0000000000000", check=False).exit_code == 3


def _wait_for_word(cluster: Project, step_id: str, word: str) -> None:
    for _ in range(60):
        done = cluster.run("step", "logs", step_id, "-o", "json", check=False)
        if done.exit_code == 0 and word in json.loads(done.stdout)["stdout"]:
            return
        time.sleep(1)
    raise AssertionError(f"the step did not print {word!r}")

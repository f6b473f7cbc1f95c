"""Where copies land, what is refused, and the shell commands: run here with a hadoop of paper."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from lofn_aws.errors import NotFoundError, UsageError
from lofn_aws.model.copy import Entry, Found
from lofn_aws.model.uris import HdfsUri, Location, S3Uri, parse_location
from lofn_aws.plan import hdfs_commands as plan
from lofn_aws.plan.copy import check_copy, check_pair, target_of

FILE, FOLDER, NOTHING = Found("file", 3), Found("folder", 3, (Entry("a", 3),)), Found()


@pytest.mark.parametrize(
    ("source", "target", "there", "lands"),
    [
        ("a.txt", "hdfs:///in", NOTHING, "hdfs:///in"),
        ("a.txt", "hdfs:///in", FOLDER, "hdfs:///in/a.txt"),
        ("a.txt", "hdfs:///in/", NOTHING, "hdfs:///in/a.txt"),
        ("x/ref/", "hdfs:///ref", NOTHING, "hdfs:///ref"),
        ("x/ref", "hdfs:///ref", FOLDER, "hdfs:///ref/ref"),
        ("a.txt", "hdfs:///", FOLDER, "hdfs:///a.txt"),
        ("a.txt", "s3://bucket", NOTHING, "s3://bucket/a.txt"),
        ("hdfs:///out/", ".", FOLDER, "out"),
        ("s3://bucket/x/", "here/", NOTHING, "here/x"),
    ],
)
def test_lands_as_with_cp(source: str, target: str, there: Found, lands: str) -> None:
    assert str(target_of(parse_location(source), parse_location(target), there)) == lands


def place(text: str) -> Location:
    return parse_location(text)


def test_missing_source() -> None:
    with pytest.raises(NotFoundError, match="there is no hdfs:///x"):
        check_copy(place("hdfs:///x"), NOTHING, place("y"), NOTHING, force=False)


def test_target_in_the_way() -> None:
    with pytest.raises(UsageError, match="is there already; -f replaces it") as caught:
        check_copy(place("x"), FILE, place("hdfs:///y"), FILE, force=False)
    assert caught.value.next_command == "lofn-aws cp -f x hdfs:///y"
    check_copy(place("x"), FILE, place("hdfs:///y"), FILE, force=True)


@pytest.mark.parametrize("force", [True, False])
def test_a_file_never_replaces_a_folder(force: bool) -> None:
    with pytest.raises(UsageError, match="is a file and hdfs:///y is a folder"):
        check_copy(place("x"), FILE, place("hdfs:///y"), FOLDER, force=force)


def test_an_empty_local_folder_is_refused() -> None:
    with pytest.raises(UsageError, match="no files"):
        check_copy(place("x"), Found("folder"), place("hdfs:///y"), NOTHING, force=False)


def test_pairs_that_are_refused() -> None:
    with pytest.raises(UsageError, match="both on this machine"):
        check_pair(place("x"), place("y"))
    for everything in ("hdfs:///", "s3://bucket"):
        with pytest.raises(UsageError, match="is everything there is"):
            check_pair(place(everything), place("y"))
    with pytest.raises(UsageError, match="patterns"):
        check_pair(place("hdfs:///in/*.txt"), place("y"))


# --- the commands, run by this machine's sh with a `hadoop` that keeps HDFS in a folder ---

HADOOP = """#!/bin/sh
shift; verb=$1; shift; echo "$verb" >> "$CALLS"
[ "$verb" = "$FAIL" ] && exit 1
for word; do
  case $word in -*) [ "$word" = - ] && from=-; continue ;; esac
  first=${second:-}; second=$word
done
case $verb in
  -mkdir) mkdir -p "$HDFS$second" ;;
  -put) if [ "${from:-}" = - ]; then cat > "$HDFS$second"; else cp -r "$first" "$HDFS$second"; fi ;;
  -mv) [ -e "$HDFS$second" ] && exit 1; mv "$HDFS$first" "$HDFS$second" ;;
  -cp) cp -r "$HDFS$first" "$HDFS$second" ;;
  -rm) rm -rf "$HDFS$second" ;;
esac
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Path:
    (tmp_path / "bin").mkdir()
    hadoop = tmp_path / "bin" / "hadoop"
    hadoop.write_text(HADOOP)
    hadoop.chmod(0o755)
    (tmp_path / "hdfs").mkdir()
    (tmp_path / "scratch").mkdir()
    return tmp_path


def run(cluster: Path, command: str, stdin: bytes = b"", fail: str = "") -> int:
    environment = {
        "PATH": f"{cluster / 'bin'}:{os.environ['PATH']}",
        "HDFS": str(cluster / "hdfs"),
        "CALLS": str(cluster / "calls"),
        "FAIL": fail,
    }
    scratch = command.replace("/mnt/tmp", str(cluster / "scratch"))
    done = subprocess.run(
        ["sh", "-c", scratch], input=stdin, env=environment, timeout=60, check=False
    )
    assert list((cluster / "scratch").iterdir()) == []
    return done.returncode


def names(cluster: Path) -> list[str]:
    root = cluster / "hdfs"
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


TARGET = HdfsUri("/in/it's a file")


def test_file_is_named_when_complete(cluster: Path) -> None:
    command = plan.write_file_command(TARGET, 5, "t0ken", replace=False)
    assert run(cluster, command, b"abcdet0ken\n") == 0
    assert (cluster / "hdfs/in/it's a file").read_bytes() == b"abcde"
    assert names(cluster) == ["in/it's a file"]


@pytest.mark.parametrize("arrived", [b"", b"abc", b"abcde", b"abcdet0k"])
def test_a_sender_that_was_killed_leaves_nothing(cluster: Path, arrived: bytes) -> None:
    command = plan.write_file_command(TARGET, 5, "t0ken", replace=False)
    assert run(cluster, command, arrived) == plan.CUT_SHORT
    assert names(cluster) == []


@pytest.mark.parametrize("verb", ["-put", "-mv"])
def test_a_write_that_fails_leaves_nothing(cluster: Path, verb: str) -> None:
    command = plan.write_file_command(TARGET, 5, "t0ken", replace=False)
    assert run(cluster, command, b"abcdet0ken\n", fail=verb) == 1
    assert names(cluster) == []


def test_a_file_is_replaced(cluster: Path) -> None:
    for text in (b"first", b"later"):
        command = plan.write_file_command(TARGET, 5, "t0ken", replace=True)
        assert run(cluster, command, text + b"t0ken\n") == 0
    assert (cluster / "hdfs/in/it's a file").read_bytes() == b"later"


def archive(*files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in files:
            entry = tarfile.TarInfo(f"./{name}")
            entry.size = 1
            tar.addfile(entry, io.BytesIO(b"x"))
    return buffer.getvalue()


@pytest.mark.parametrize("merge", [False, True])
def test_folder_is_named_when_complete(cluster: Path, merge: bool) -> None:
    if merge:
        (cluster / "hdfs/ref/it's").mkdir(parents=True)
        (cluster / "hdfs/ref/it's/old").write_text("kept")
    command = plan.write_folder_command(HdfsUri("/ref/it's"), "t0ken", merge=merge)
    assert run(cluster, command, archive("a", "b/c", "t0ken")) == 0
    assert names(cluster) == ["ref/it's/a", "ref/it's/b/c"] + ["ref/it's/old"] * merge


@pytest.mark.parametrize(
    "arrived", [b"", archive("a", "b/c"), archive("a", "t0ken")[:700], b"no tar"]
)
def test_half_a_folder_leaves_nothing(cluster: Path, arrived: bytes) -> None:
    command = plan.write_folder_command(HdfsUri("/ref/it's"), "t0ken", merge=False)
    assert run(cluster, command, arrived) != 0
    assert names(cluster) == []


def test_copy_on_the_cluster_is_named_when_complete(cluster: Path) -> None:
    (cluster / "hdfs/a").write_text("a")
    command = plan.copy_command(HdfsUri("/a"), "file", HdfsUri("/b c/d"), "t0ken", merge=False)
    assert run(cluster, command, fail="-mv") == 1
    assert names(cluster) == ["a"]
    assert run(cluster, command) == 0
    assert names(cluster) == ["a", "b c/d"]


def test_merging_copies_into_the_parent() -> None:
    folder = plan.copy_command(
        HdfsUri("/a/ref"), "folder", S3Uri("bucket", "x/ref"), "t0ken", merge=True
    )
    assert folder.splitlines()[-1] == 'hadoop fs -cp -f -d /a/ref "$parent"'
    assert "parent=s3://bucket/x" in folder
    file = plan.copy_command(HdfsUri("/a/f"), "file", S3Uri("bucket", "x/g"), "t0ken", merge=True)
    assert file.splitlines()[-1].endswith('/a/f "$target"')


def test_names_that_hadoop_would_read_as_patterns_are_escaped() -> None:
    assert plan.read_command(["/r/a [1].txt"]) == "hadoop fs -cat '/r/a \\[1\\].txt'"

"""The node's cache of remote folders, on real files and Hadoop's real shell."""

from __future__ import annotations

import glob
import os
import signal
import subprocess
import sys
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lofn import cache_space, hdfs
from lofn.cache import CachePlace, VolumeFailed, mounted
from lofn.listing import RemoteFile, RemoteListing

pytestmark = pytest.mark.spark  # Hadoop's shell needs Java


def listed(folder: Path) -> RemoteListing:
    """What the driver would have listed."""
    files = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        stat = path.stat()
        files.append(RemoteFile(str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns))
    return RemoteListing(f"file:{folder}", False, tuple(files))


@pytest.fixture
def reference(tmp_path: Path) -> Path:
    folder = tmp_path / "reference"
    (folder / "deep").mkdir(parents=True)
    (folder / "genome.fa").write_bytes(b"ACGT" * 1000)
    (folder / "deep" / "in dex").write_bytes(b"\0\1\2")
    return folder


@pytest.fixture
def place(tmp_path: Path) -> CachePlace:
    return CachePlace(str(tmp_path / "node"))


@pytest.fixture
def downloads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count the real downloads."""
    seen: list[str] = []
    real = hdfs.get

    def counted(remote: str, local: str, **rest: object) -> None:
        seen.append(remote)
        real(remote, local, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(hdfs, "get", counted)
    return seen


def test_sixteen_tasks_at_once_make_one_download(
    reference: Path, place: CachePlace, downloads: list[str]
) -> None:
    listing = listed(reference)

    def task(_: int) -> bytes:
        with mounted(place, listing) as path:
            return Path(path, "genome.fa").read_bytes() + Path(path, "deep/in dex").read_bytes()

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(task, range(16))) == {b"ACGT" * 1000 + b"\0\1\2"}
    assert len(downloads) == 1
    assert not glob.glob(f"{place.open()}/*/.partial-*")


def test_any_user_in_a_container_can_read_and_others_on_the_node_cannot_write(
    reference: Path, place: CachePlace
) -> None:
    (reference / "genome.fa").chmod(0o600)
    with mounted(place, listed(reference)) as path:
        assert os.stat(path).st_mode & 0o777 == 0o755
        assert os.stat(f"{path}/genome.fa").st_mode & 0o777 == 0o644
        assert os.stat(place.open()).st_mode & 0o777 == 0o700


def test_a_changed_source_is_fetched_anew_and_the_old_copy_stays_while_used(
    reference: Path, place: CachePlace, downloads: list[str]
) -> None:
    with mounted(place, listed(reference)) as old:
        (reference / "genome.fa").write_bytes(b"TTTT")
        with mounted(place, listed(reference)) as new:
            assert Path(new, "genome.fa").read_bytes() == b"TTTT"
            assert Path(old, "genome.fa").read_bytes() == b"ACGT" * 1000
    assert len(downloads) == 2


def test_a_single_file_is_a_volume_too(reference: Path, place: CachePlace) -> None:
    source = reference / "genome.fa"
    file = RemoteFile("", source.stat().st_size, 1)
    with mounted(place, RemoteListing(f"file:{source}", True, (file,))) as path:
        assert Path(path).read_bytes() == b"ACGT" * 1000


def test_a_source_that_changed_after_the_listing_fails_with_its_reason(
    reference: Path, place: CachePlace
) -> None:
    listing = listed(reference)
    (reference / "genome.fa").write_bytes(b"longer than it was" * 1000)
    with pytest.raises(VolumeFailed, match=r"changed after the job began.*genome\.fa"):
        mounted(place, listing).__enter__()
    assert os.listdir(os.path.join(place.open(), listing.key)) == []


def test_an_unreadable_source_fails_with_hadoops_reason(tmp_path: Path, place: CachePlace) -> None:
    listing = RemoteListing(f"file:{tmp_path}/no*where", False, ())
    with pytest.raises(VolumeFailed, match="No such file or directory"):
        mounted(place, listing).__enter__()


def _killed_downloader(reference: Path, place: CachePlace) -> None:
    """Run a task in its own process and SIGKILL it in mid-download."""
    code = (
        "import sys, time\nfrom pathlib import Path\nfrom lofn import hdfs\n"
        "from lofn.cache import CachePlace, mounted\nfrom tests.lofn.test_cache import listed\n"
        "def slow(remote, local, **rest):\n"
        "    Path(local).mkdir(); Path(local, 'half').write_bytes(b'x'); print(flush=True)\n"
        "    time.sleep(60)\n"
        "hdfs.get = slow\n"
        "mounted(CachePlace(sys.argv[2]), listed(Path(sys.argv[1]))).__enter__()\n"
    )
    argv = [sys.executable, "-c", code, str(reference), str(place.parent)]
    child = subprocess.Popen(argv, stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    child.send_signal(signal.SIGKILL)
    child.wait()


def test_a_killed_download_frees_its_lock_and_its_leftovers_go(
    reference: Path, place: CachePlace
) -> None:
    _killed_downloader(reference, place)
    assert glob.glob(f"{place.open()}/*/.partial-*/data/half")
    start = time.monotonic()
    with mounted(place, listed(reference)) as path:
        assert sorted(os.listdir(path)) == ["deep", "genome.fa"]
    assert time.monotonic() - start < 20
    assert not glob.glob(f"{place.open()}/*/.partial-*")


def test_a_killed_task_takes_its_download_with_it(tmp_path: Path) -> None:
    command = tmp_path / "hadoop"
    command.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 300\n")
    command.chmod(0o755)
    code = "from lofn import hdfs; hdfs.get('hdfs:///ref', '/nowhere')"
    env = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}
    with subprocess.Popen([sys.executable, "-c", code], env=env) as child:
        pid = _wait_for_text(tmp_path / "pid")
        child.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/cmdline").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{pid}/cmdline").exists()


def _wait_for_text(path: Path) -> str:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if path.exists() and path.read_text().strip():
            return path.read_text().strip()
        time.sleep(0.05)
    raise AssertionError(f"{path} was not written")


Disk = namedtuple("Disk", "f_blocks f_frsize f_bavail")


class SmallDisk:
    """A disk of 1000 MB on which only the cache's own files take room."""

    def __init__(self, root: str) -> None:
        self.root = root

    def __call__(self, path: str) -> Disk:
        files = glob.glob(f"{self.root}/**", recursive=True)
        used = sum(os.path.getsize(file) for file in files if os.path.isfile(file))
        return Disk(1000, 1_000_000, 1000 - -(-used // 1_000_000))


def _big(tmp_path: Path, name: str, megabytes: int) -> RemoteListing:
    folder = tmp_path / name
    folder.mkdir()
    with open(folder / "data", "wb") as file:
        file.truncate(megabytes * 1_000_000)
    return listed(folder)


def test_the_least_recently_used_copy_makes_room_and_one_in_use_never_does(
    tmp_path: Path, place: CachePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_space.os, "statvfs", SmallDisk(place.open()))
    used, older, newer = (_big(tmp_path, name, 250) for name in ("used", "older", "newer"))
    with mounted(place, used) as held:
        for listing, age in ((older, 100), (newer, 50)):
            with mounted(place, listing) as path:
                pass
            os.utime(os.path.dirname(path), (time.time() - age,) * 2)
        os.utime(os.path.dirname(held), (0, 0))  # the oldest of all, but in use
        with mounted(place, _big(tmp_path, "next", 250)):
            kept = {os.path.basename(p) for p in glob.glob(f"{place.open()}/*/*")}
    assert used.version in kept
    assert newer.version in kept
    assert older.version not in kept


def test_too_large_a_source_is_refused_with_both_figures(
    tmp_path: Path, place: CachePlace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_space.os, "statvfs", SmallDisk(place.open()))
    listing = RemoteListing("hdfs://n/ref", False, (RemoteFile("x", 2_000_000_000, 1),))
    with pytest.raises(VolumeFailed, match=r"takes 2000 MB and .* has 1000 MB free"):
        mounted(place, listing).__enter__()


def test_a_folder_that_others_could_change_is_not_used(tmp_path: Path) -> None:
    place = CachePlace(str(tmp_path))
    folder = tmp_path / f"lofn-cache-{os.getuid()}"
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VolumeFailed, match="is a link"):
        place.open()
    folder.unlink()
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(VolumeFailed, match="can be written by everybody"):
        place.open()


def test_a_folder_for_a_group_is_shared_by_its_users(
    tmp_path: Path, reference: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o2770)
    monkeypatch.setenv("LOFN_CACHE_DIR", str(shared))
    listing = listed(reference)
    with mounted(CachePlace("/ignored"), listing) as path:
        assert path.startswith(str(shared))
        for folder in (path, f"{path}/deep", os.path.dirname(path), f"{shared}/{listing.key}"):
            assert os.stat(folder).st_mode & 0o020, folder

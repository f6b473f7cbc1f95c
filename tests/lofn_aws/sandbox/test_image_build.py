import fcntl
import io
import os
import tarfile
import tempfile
import threading
from pathlib import Path

import pytest

from lofn_aws.errors import InfrastructureError, WaitTimeout
from lofn_aws.sandbox import (
    build_lock,
    file_lock,
    host_build,
    image_build,
    image_context,
    image_engine,
)

SCRIPTS = ["rootfs/usr/libexec/emr/install-applications", "hadoop/bin/hdfs"]


@pytest.fixture
def image_dir(tmp_path, monkeypatch):
    """A folder of image files of the test's own, in place of the package's."""
    monkeypatch.setattr(image_context, "IMAGE_DIR", tmp_path)
    return tmp_path


def test_every_file_of_the_package_defines_some_image():
    """A file outside the hash could change without the image being built anew."""
    dockerfiles = ["Dockerfile", "Dockerfile.system", "Dockerfile.parts", "Dockerfile.registry"]
    groups = (image_build.SYSTEM_FILES, image_build.PARTS_FILES, image_build.NODE_FILES)
    names = [*dockerfiles, *image_build.REGISTRY_FILES, *(name for part in groups for name in part)]
    named = set(image_context.defining_files(names))
    there = {p for p in image_context.IMAGE_DIR.rglob("*") if p.is_file() and p.suffix != ".pyc"}
    assert named == there


def test_the_hash_changes_with_a_content_and_with_a_name_only(image_dir):
    (image_dir / "a").write_text("1")
    first = image_context.content_hash(["a"])
    os.utime(image_dir / "a", (0, 0))
    assert image_context.content_hash(["a"]) == first
    (image_dir / "a").write_text("2")
    changed = image_context.content_hash(["a"])
    (image_dir / "a").rename(image_dir / "b")
    assert len({first, changed, image_context.content_hash(["b"])}) == 3


def test_a_context_holds_whole_folders_and_depends_on_contents_alone(image_dir):
    (image_dir / "tree/sub").mkdir(parents=True)
    (image_dir / "tree/sub/file").write_text("text")
    before = image_context.build_context(["tree"])
    (image_dir / "tree/sub/file").chmod(0o700)
    os.utime(image_dir / "tree/sub/file", (0, 0))
    assert image_context.build_context(["tree"]) == before
    with tarfile.open(fileobj=io.BytesIO(before)) as archive:
        assert archive.getnames() == ["tree/sub/file"]


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_of_the_image_start_with_an_interpreter(name):
    assert (image_context.IMAGE_DIR / name).read_text().startswith("#!/")


def test_a_machine_without_the_tool_is_told_what_to_install(monkeypatch):
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(InfrastructureError, match="this machine has no mvn") as caught:
        host_build.import_parts("lofn-aws/never:1")
    assert "apt-get install maven" in caught.value.next_command
    with pytest.raises(InfrastructureError, match="this machine has no mmdebstrap"):
        host_build.import_debian("lofn-aws/never:1", [])


def test_a_second_build_waits_for_the_first_and_gives_up_at_its_deadline(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(build_lock, "DEADLINE_SECONDS", 1.0)
    lock = tmp_path / f"lofn-aws-build-{os.getuid()}.lock"
    said: list[str] = []
    with lock.open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(WaitTimeout), build_lock.build_lock(said.append):
            pass
    assert said == ["waiting for another build of the sandbox's images"]
    with build_lock.build_lock(said.append), build_lock.build_lock(said.append):
        assert not _free(lock)
    assert _free(lock)


def test_threads_exclude_each_other(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(file_lock, "POLL_SECONDS", 0.01)
    inside: list[int] = []
    overlaps: list[int] = []

    def build(number):
        with build_lock.build_lock(lambda _: None):
            inside.append(number)
            overlaps.append(len(inside))
            inside.remove(number)

    threads = [threading.Thread(target=build, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert overlaps == [1, 1, 1, 1]


def _free(lock: Path) -> bool:
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@pytest.mark.docker
def test_an_image_that_no_registry_has_is_not_pulled():
    assert not image_engine.pulled("registry.invalid/nothing:1")
    assert not image_engine.present("registry.invalid/nothing:1")


@pytest.mark.docker
def test_a_failing_build_says_what_its_command_said(image_dir):
    base = image_build.ensure_base_image(lambda _: None)
    text = "ARG BASE\nFROM ${BASE}\nRUN echo first && echo the real reason >&2 && exit 7\n"
    (image_dir / "Dockerfile").write_text(text)
    with pytest.raises(image_engine.BuildFailed, match=r"by Dockerfile failed: .*the real reason"):
        image_engine.build("lofn-aws/never:1", "Dockerfile", [], {"BASE": base})
    assert not image_engine.present("lofn-aws/never:1")


@pytest.mark.docker
def test_images_are_built_once():
    image_build.ensure_node_image(lambda _: None)
    said: list[str] = []
    for ensure in (
        image_build.ensure_base_image,
        image_build.ensure_registry_image,
        image_build.ensure_node_image,
    ):
        assert image_engine.present(ensure(said.append))
    assert said == []


def test_no_docker_is_one_sentence(monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
    with pytest.raises(InfrastructureError) as caught:
        image_build.ensure_node_image(lambda _: None)
    assert str(caught.value).startswith("no Docker Engine answers on this machine")
    assert "\n" not in str(caught.value)
    assert "docker" in caught.value.next_command

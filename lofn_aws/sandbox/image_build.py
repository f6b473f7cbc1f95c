"""The sandbox's three images: of a node, of the registry, of a Debian to build examples on.

Each is made the ordinary way (pull, or a Docker build that fetches its packages) where that
works, which its first step finds out within seconds; else with this machine's mmdebstrap, Maven
and pip. An image is named after a hash of the files that define it and built only if absent.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from lofn_aws.sandbox import host_build, image_engine
from lofn_aws.sandbox.build_lock import build_lock
from lofn_aws.sandbox.image_context import IMAGE_DIR, content_hash
from lofn_aws.sandbox.image_engine import BuildFailed, present

RELEASE = "7.13.0"
DEBIAN = "debian:bookworm-slim"
DEBIAN_STAND_IN = "lofn-aws/debian:bookworm"
REGISTRY = "registry:2"
REGISTRY_STAND_IN = "lofn-aws/registry:2"

SYSTEM_FILES = ("packages.txt",)
PARTS_FILES = ("collect-parts.sh", "pom", "python-packages.txt")
NODE_FILES = ("prepare-applications.sh", "prepare-node.sh", "hadoop", "rootfs")
REGISTRY_FILES = ("collect-registry.sh",)

Progress = Callable[[str], None]


def ensure_base_image(progress: Progress) -> str:
    """The tag of a plain Debian 12, which the examples' images start from."""
    return _first_present(DEBIAN, DEBIAN_STAND_IN) or _make_base(progress)


def ensure_registry_image(progress: Progress) -> str:
    """The tag of a Docker registry (distribution 2.8): ``registry:2`` or its stand-in."""
    return _first_present(REGISTRY, REGISTRY_STAND_IN) or _make_registry(progress)


def ensure_node_image(progress: Progress) -> str:
    """The tag of the node image, which is built first where it is absent.

    Raises InfrastructureError: no Docker, a build that fails, tools that are missing.
    """
    tag = f"lofn-aws/emr-node:{RELEASE}-{_node_hash()}"
    if present(tag):
        return tag
    with build_lock(progress):
        if not present(tag):
            args = {"SYSTEM": _ensure_system(progress), "PARTS": _ensure_parts(progress)}
            with _timed(progress, "node image: putting it together"):
                image_engine.build(tag, "Dockerfile", NODE_FILES, args)
    return tag


def _make_base(progress: Progress) -> str:
    with build_lock(progress):
        made = _first_present(DEBIAN, DEBIAN_STAND_IN)
        if made is None:
            with _timed(progress, f"base image: pulling {DEBIAN}"):
                made = DEBIAN if image_engine.pulled(DEBIAN) else None
        if made is None:
            made = DEBIAN_STAND_IN
            with _timed(progress, "base image: no registry in reach, building from packages"):
                host_build.import_debian(made, ["ca-certificates"])
    return made


def _make_registry(progress: Progress) -> str:
    with _timed(progress, f"registry image: pulling {REGISTRY}"):
        if image_engine.pulled(REGISTRY):
            return REGISTRY
    base = ensure_base_image(progress)
    with build_lock(progress), _timed(progress, "registry image: building from a package"):
        try:
            args = {"BASE": base}
            image_engine.build(REGISTRY_STAND_IN, "Dockerfile.registry", REGISTRY_FILES, args)
        except BuildFailed:
            host_base = f"{REGISTRY_STAND_IN}-base"
            host_build.import_debian(host_base, ["ca-certificates", "docker-registry"])
            args = {"BASE": host_base}
            image_engine.build(REGISTRY_STAND_IN, "Dockerfile.registry", REGISTRY_FILES, args)
    return REGISTRY_STAND_IN


def _ensure_system(progress: Progress) -> str:
    tag = f"lofn-aws/emr-system:{content_hash(['Dockerfile.system', *SYSTEM_FILES])}"
    if present(tag):
        return tag
    base = ensure_base_image(progress)
    with _timed(progress, "node image: Debian packages"):
        try:
            image_engine.build(tag, "Dockerfile.system", SYSTEM_FILES, {"BASE": base})
        except BuildFailed as error:
            progress(f"node image: {error.message}; using this machine's mmdebstrap")
            host_build.import_debian(tag, (IMAGE_DIR / "packages.txt").read_text().split())
    return tag


def _ensure_parts(progress: Progress) -> str:
    tag = f"lofn-aws/emr-parts:{content_hash(['Dockerfile.parts', *PARTS_FILES])}"
    if present(tag):
        return tag
    args = {"SYSTEM": _ensure_system(progress)}
    with _timed(progress, "node image: Hadoop, Spark and the aws command"):
        try:
            image_engine.build(tag, "Dockerfile.parts", PARTS_FILES, args)
        except BuildFailed as error:
            progress(f"node image: {error.message}; using this machine's Maven and pip")
            host_build.import_parts(tag)
    return tag


def _node_hash() -> str:
    layers = ("Dockerfile", "Dockerfile.system", "Dockerfile.parts")
    return content_hash([*layers, *SYSTEM_FILES, *PARTS_FILES, *NODE_FILES])


def _first_present(*tags: str) -> str | None:
    return next((tag for tag in tags if present(tag)), None)


@contextmanager
def _timed(progress: Progress, what: str) -> Iterator[None]:
    """Say what is done before it and how long it took after it."""
    progress(what)
    started = time.monotonic()
    yield
    progress(f"{what}: {time.monotonic() - started:.0f} s")

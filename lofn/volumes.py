"""What is mounted where: checked on the driver, resolved for the master, opened on executors."""

from __future__ import annotations

import difflib
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lofn import cache
from lofn.errors import UsageError
from lofn.listing import RemoteListing, snapshot

if TYPE_CHECKING:
    from pyspark import RDD, SparkContext

Bind = tuple[str, str, str]  # host path, container path, "ro" or "rw"

_SCHEMES = {"hdfs": "hdfs", "s3": "s3", "s3a": "s3", "s3n": "s3", "file": "local"}
_MODES = ("ro", "rw")
_SHAPE = "{'/host/folder': {'bind': '/container/folder', 'mode': 'ro'}}"


@dataclass(frozen=True)
class VolumeSpec:
    """One folder (or file) and where it appears in the container.

    ``source`` is an absolute path or a URI as the user wrote it; ``bind`` an absolute path in the
    container; ``mode`` "ro" or "rw"; ``scheme`` "local", "hdfs" or "s3", where a plain path is
    "local" until `resolve` has seen the master.
    """

    source: str
    bind: str
    mode: str
    scheme: str

    @property
    def remote(self) -> bool:
        """Whether the source must be fetched to a node before it can be mounted."""
        return self.scheme != "local"


def validate(volumes: Mapping[str, Any] | None) -> tuple[VolumeSpec, ...]:
    """Check the form of a ``volumes`` dictionary and return one spec per entry, in its order.

    Raises UsageError with one sentence that names the entry, what is wrong and what to write
    instead. Whether a source exists is not looked at here.
    """
    if volumes is None:
        return ()
    if not isinstance(volumes, Mapping):
        raise UsageError(f"volumes must be a dictionary like {_SHAPE}, not {volumes!r}")
    specs = tuple(_one(source, how) for source, how in volumes.items())
    taken: dict[str, str] = {}
    for spec in specs:
        other = taken.setdefault(spec.bind, spec.source)
        if other != spec.source:
            raise UsageError(
                f"volumes {other!r} and {spec.source!r} are both bound at {spec.bind!r}: "
                "give each its own place in the container"
            )
    return specs


def _one(source: Any, how: Any) -> VolumeSpec:
    if not isinstance(source, str) or not source:
        raise UsageError(f"volume source {source!r} must be an absolute path or a URI, as text")
    if not isinstance(how, Mapping):
        raise UsageError(f"volume {source!r} must map to a dictionary like {_SHAPE}, not {how!r}")
    for key in how:
        if key not in ("bind", "mode"):
            near = difflib.get_close_matches(str(key), ("bind", "mode"), n=1, cutoff=0.3)
            hint = f"did you mean {near[0]!r}?" if near else "it takes 'bind' and 'mode'"
            raise UsageError(f"volume {source!r} has an unknown key {key!r}: {hint}")
    if "bind" not in how:
        raise UsageError(f"volume {source!r} lacks 'bind', its absolute path in the container")
    scheme = _scheme(source)
    return VolumeSpec(source, _bind(source, how["bind"]), _mode(source, how, scheme), scheme)


def _scheme(source: str) -> str:
    if ":" in source.split("/", 1)[0]:
        name = source.split(":", 1)[0].lower()
        if name not in _SCHEMES:
            near = difflib.get_close_matches(name, _SCHEMES, n=1)
            hint = f"did you mean {near[0]}://?" if near else "use hdfs://, s3:// or file://"
            raise UsageError(f"volume {source!r} has the scheme {name!r}: {hint}")
        if "://" not in source and not source.startswith("file:/"):
            raise UsageError(f"volume {source!r} is not a URI: write {name}://...")
        return _SCHEMES[name]
    if not source.startswith("/"):
        raise UsageError(
            f"volume source {source!r} must be an absolute path: write "
            f"{os.path.abspath(source)!r}, or a URI such as hdfs:///ref or s3://bucket/ref"
        )
    return "local"


def _bind(source: str, bind: Any) -> str:
    if not isinstance(bind, str) or not bind.startswith("/"):
        raise UsageError(
            f"volume {source!r} has bind {bind!r}: it must be an absolute path in the container"
        )
    path = "/" + os.path.normpath(bind).lstrip("/")
    if path == "/":
        raise UsageError(f"volume {source!r} cannot be bound at '/': it would hide the image")
    if ":" in path or "\0" in path:
        raise UsageError(f"volume {source!r} has bind {bind!r}: Docker allows no colon there")
    return path


def _mode(source: str, how: Mapping[str, Any], scheme: str) -> str:
    mode = how.get("mode", "ro")
    if mode not in _MODES:
        raise UsageError(f"volume {source!r} has mode {mode!r}: it must be 'ro' or 'rw'")
    if mode == "rw" and scheme != "local":
        raise UsageError(_rw_refused(source))
    return str(mode)


def _rw_refused(source: str) -> str:
    return (
        f"volume {source!r} cannot be 'rw': each node has its own copy, so what a container "
        "writes there would be lost; write results to the shared folder (/shared/) and return "
        "them with map or map_binary, or mount a node's own folder as 'file:///path'"
    )


def resolve(specs: tuple[VolumeSpec, ...], master: str) -> tuple[VolumeSpec, ...]:
    """Decide what a plain absolute path means under this Spark ``master``.

    On YARN it is in HDFS, as in the earlier lofn; elsewhere it is on the node. ``file://`` is
    always the node's own. Raises UsageError where that makes a 'rw' volume remote.
    """
    if not master.startswith("yarn"):
        return specs
    return tuple(_in_hdfs(spec) if spec.source.startswith("/") else spec for spec in specs)


def _in_hdfs(spec: VolumeSpec) -> VolumeSpec:
    if spec.mode == "rw":
        raise UsageError(_rw_refused(spec.source))
    return replace(spec, scheme="hdfs")


@dataclass(frozen=True)
class Mounts:
    """Volumes ready to travel to executors: what is bound where, and what the sources held."""

    entries: tuple[tuple[VolumeSpec, RemoteListing | None], ...]
    place: cache.CachePlace

    @contextmanager
    def open(self) -> Iterator[list[Bind]]:
        """Give (host path, container path, mode) of each volume; held until the block ends.

        Runs where the containers run. Remote sources are fetched once per node first. Raises
        `lofn.cache.VolumeFailed` with the reason when a volume cannot be had.
        """
        with ExitStack() as stack:
            binds = []
            for spec, listing in self.entries:
                if listing is None:
                    path = _local_path(spec)
                else:
                    path = stack.enter_context(cache.mounted(self.place, listing))
                binds.append((path, spec.bind, spec.mode))
            yield binds


def _local_path(spec: VolumeSpec) -> str:
    path = spec.source
    if path.startswith("file:"):
        path = "/" + path[len("file:") :].lstrip("/")
    if not os.path.exists(path):
        raise cache.VolumeFailed(
            f"volume {spec.source!r} does not exist on node {socket.gethostname()}: "
            "make it there, or put it in HDFS or S3 and name it hdfs:///... or s3://..."
        )
    return path


def prepare(
    spark: SparkContext | RDD[Any],
    volumes: Mapping[str, Any] | None,
    temporary_directory_parent: str | None = None,
) -> Mounts:
    """Check ``volumes`` on the driver and list the remote ones; the result can be pickled.

    ``spark`` is a SparkContext or an RDD of it. ``temporary_directory_parent`` is where nodes keep
    their copies, see `lofn.cache.CachePlace`. Raises UsageError for a wrong form and
    `lofn.cache.VolumeFailed` for a remote source that cannot be read.
    """
    context: Any = getattr(spark, "context", spark)
    specs = resolve(validate(volumes), context.master or "")
    listed = tuple(
        (spec, snapshot(context, spec.source) if spec.remote else None) for spec in specs
    )
    options = hadoop_settings(context) if any(spec.remote for spec in specs) else ()
    return Mounts(listed, cache.CachePlace(temporary_directory_parent, options))


def hadoop_settings(context: SparkContext) -> tuple[tuple[str, str], ...]:
    """Give what this job sets on top of the nodes' Hadoop configuration (``spark.hadoop.*``)."""
    prefix = "spark.hadoop."
    pairs = context.getConf().getAll()
    return tuple((key[len(prefix) :], value) for key, value in pairs if key.startswith(prefix))

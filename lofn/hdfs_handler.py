"""The earlier lofn's way to mount folders from HDFS, now over the node's shared cache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lofn import volumes as volume_specs
from lofn.cache import CachePlace
from lofn.listing import snapshot


@contextmanager
def setup_user_volumes_from_hdfs(
    volumes: Mapping[str, Any], temporary_directory_parent: str | None = None
) -> Iterator[dict[str, dict[str, str]]]:
    """Give ``volumes`` with each source replaced by this node's copy of it, while the block runs.

    The sources are absolute paths in HDFS or URIs. Needs an active SparkContext, whose file
    system lists them. Raises UsageError for a wrong form, VolumeFailed for what cannot be read.
    """
    from pyspark import SparkContext

    context = SparkContext.getOrCreate()
    specs = volume_specs.resolve(volume_specs.validate(volumes), "yarn")
    mounts = volume_specs.Mounts(
        tuple((s, snapshot(context, s.source) if s.remote else None) for s in specs),
        CachePlace(temporary_directory_parent, volume_specs.hadoop_settings(context)),
    )
    with mounts.open() as binds:
        yield {path: {"bind": bind, "mode": mode} for path, bind, mode in binds}

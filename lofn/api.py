"""DockerPipe: map and reduce the partitions of an RDD with commands in Docker containers."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Union

from lofn import arguments as args
from lofn import driver, options, reduce_tree
from lofn.binary_folder import binary_folder
from lofn.command import build
from lofn.errors import UsageError
from lofn.mapping import MapJob
from lofn.metrics import Counters
from lofn.plan import BoxPlan
from lofn.quarantine import Quarantined, quarantined
from lofn.records import Format
from lofn.reduction import ReduceJob
from lofn.task import Run
from lofn.volumes import prepare, validate

if TYPE_CHECKING:
    from pyspark import RDD, SparkConf

Command = Union[str, Sequence[str]]

_SELF = {"temporary_directory_parent": None, "shared_mountpoint": "/shared/", "volumes": None}
_IN = {"container_input_name": "input.txt"}
_MAP = {
    **_IN,
    "container_output_name": "output.txt",
    "map_udf": None,
    "streaming": False,
    "on_error": "raise",
}
_MAP_BINARY = {**_IN, "container_binary_output_name": "output.bin", "map_udf": None}
_REDUCE = {**_IN, "container_output_name": "output.txt", "reduce_udf": None, "fan_in": None}
_REDUCE_BINARY = {
    "container_binary_input_1_name": "input_1.bin",
    "container_binary_input_2_name": "input_2.bin",
    "container_binary_output_name": "output.bin",
    "reduce_udf": None,
    "fan_in": None,
}


class DockerPipe:
    """The engine's entry point: where containers see their files, and what else they see.

    ``spark_configuration`` is taken for compatibility; the RDD's own context is what counts.
    Keyword arguments: ``temporary_directory_parent``, an absolute path on every node for the
    shared folders (default: Python's temporary folder there); ``shared_mountpoint``, where a
    container sees its shared folder (default "/shared/"); ``volumes``, a dictionary {source:
    {"bind": path in the container, "mode": "ro" or "rw"}}, where source is an absolute path (in
    HDFS when the master is YARN), "hdfs://...", "s3://..." or "file:///..."; and what the methods
    take about containers (``docker_options``, ``network``, ``reuse``, ``timeout``), which is then
    their default here.

    Raises UsageError, a ValueError, for an argument that is unknown or ill-formed.
    """

    def __init__(self, spark_configuration: SparkConf | None = None, **kwargs: Any) -> None:
        given = args.merged("DockerPipe", kwargs, _SELF, args.COMMON)
        self._common = {name: given[name] for name in args.COMMON}
        self._parent = _absolute("temporary_directory_parent", given["temporary_directory_parent"])
        mountpoint = _absolute("shared_mountpoint", given["shared_mountpoint"])
        if mountpoint is None or posixpath.normpath(mountpoint) == "/":
            raise UsageError("shared_mountpoint must be an absolute path below '/'")
        self._mountpoint = posixpath.normpath(mountpoint)
        self._volumes = given["volumes"]
        validate(self._volumes)
        self.counters = Counters()

    def map(
        self, rdd: RDD[Any], image_name: str, command: Command, **kwargs: Any
    ) -> RDD[Any] | Quarantined:
        """Return the RDD of records that the command makes of each partition's records.

        Each partition is written to ``container_input_name`` in the shared folder, the command
        runs in a container of ``image_name``, and ``container_output_name`` is read back. Nothing
        runs before an action asks for it. Raises UsageError at once for wrong arguments; the
        action raises ContainerFailed, or with ``on_error="quarantine"`` goes on: then the result
        is a `lofn.quarantine.Quarantined` with the good records and the bad partitions.
        ``streaming=True`` makes input and output pipes, which can be read and written once, and
        keeps nothing on disk.
        """
        given = args.merged("map", kwargs, self._common, args.FORMATS, _MAP)
        quarantine = args.choice("on_error", given["on_error"], "raise", "quarantine")
        job = self._map_job(rdd, image_name, command, given, "container_output_name")
        if quarantine == "quarantine":
            if job.streaming:
                raise UsageError(
                    "on_error='quarantine' keeps a partition's output back until its command has "
                    "ended well, which streaming=True cannot"
                )
            return quarantined(rdd, job.certain_batches)
        return rdd.mapPartitionsWithIndex(job.lines)

    def map_binary_rdd(
        self, rdd: RDD[Any], image_name: str, command: Command, **kwargs: Any
    ) -> RDD[tuple[str, bytes]]:
        """Return an RDD of (name, bytes), one for each partition that is not empty.

        Takes map_binary's arguments except hdfs_tempdir. There is no temporary folder.
        """
        given = args.merged("map_binary_rdd", kwargs, self._common, args.FORMATS, _MAP_BINARY)
        job = self._map_job(rdd, image_name, command, given, "container_binary_output_name")
        return rdd.mapPartitionsWithIndex(driver.named_bytes(job))

    @contextmanager
    def map_binary(
        self, rdd: RDD[Any], image_name: str, command: Command, **kwargs: Any
    ) -> Iterator[str]:
        """Give a folder with one output file per partition, for sc.binaryFiles.

        Runs at once. The folder is in HDFS where Spark's default file system is (or where
        ``hdfs_tempdir`` says), else on this machine; it is removed after the block.
        """
        known = (self._common, args.FORMATS, _MAP_BINARY, {"hdfs_tempdir": None})
        given = args.merged("map_binary", kwargs, *known)
        job = self._map_job(rdd, image_name, command, given, "container_binary_output_name")
        with binary_folder(rdd, given["hdfs_tempdir"], self._parent) as folder:
            rdd.mapPartitionsWithIndex(folder.saver(job)).count()
            folder.tidy(rdd.context)
            yield folder.path

    def reduce(self, rdd: RDD[Any], image_name: str, command: Command, **kwargs: Any) -> list[Any]:
        """Reduce all records to one result and return it as a list of records.

        Elements are records, or lists of records. Each partition is reduced first, then groups
        of partial results, in the order of partitions, until one is left; all on executors.
        ``fan_in`` inputs at most are put together for one command (2: rolling pairs).
        """
        given = args.merged("reduce", kwargs, self._common, args.FORMATS, _REDUCE)
        into, out = args.formats(given)
        job = ReduceJob(
            run=self._run(rdd, image_name, command, given),
            binary=False,
            inputs=(args.file_name("container_input_name", given["container_input_name"]),),
            output_name=args.file_name("container_output_name", given["container_output_name"]),
            into=into,
            out=out,
            fan_in=_pairs(given),
            udf=given["reduce_udf"],
            accumulator=self.counters.accumulator(rdd.context),
        )
        return list(out.decode(reduce_tree.run(rdd, job)))

    def reduce_binary(
        self, rdd: RDD[Any], image_name: str, command: Command, **kwargs: Any
    ) -> bytes:
        """Reduce files, as sc.binaryFiles gives them, to one and return its bytes.

        Elements are (name, bytes) or bytes. The command finds two of them at a time; with
        ``fan_in`` of 3 or more up to that many, named input_1.bin, input_2.bin and so on.
        """
        given = args.merged("reduce_binary", kwargs, self._common, _REDUCE_BINARY)
        job = ReduceJob(
            run=self._run(rdd, image_name, command, given),
            binary=True,
            inputs=driver.input_names(given),
            output_name=args.file_name(
                "container_binary_output_name", given["container_binary_output_name"]
            ),
            into=Format(encoding=None),
            out=Format(encoding=None),
            fan_in=_pairs(given),
            udf=given["reduce_udf"],
            accumulator=self.counters.accumulator(rdd.context),
        )
        return b"".join(reduce_tree.run(rdd, job))

    # -- what the methods share --------------------------------------------------------------

    def _map_job(
        self, rdd: RDD[Any], image: str, command: Command, given: dict[str, Any], output: str
    ) -> MapJob:
        into, out = args.formats(given)
        streaming = args.flag("streaming", given.get("streaming", False))
        udf = args.function("map_udf", given["map_udf"])
        if streaming and udf is not None:
            raise UsageError("streaming=True has one input and no files, so it takes no map_udf")
        return MapJob(
            run=self._run(rdd, image, command, given),
            input_name=args.file_name("container_input_name", given["container_input_name"]),
            output_name=args.file_name(output, given[output]),
            into=into,
            out=out,
            partitions=rdd.getNumPartitions(),
            udf=udf,
            streaming=streaming,
            accumulator=self.counters.accumulator(rdd.context),
        )

    def _run(self, rdd: RDD[Any], image: str, command: Command, given: dict[str, Any]) -> Run:
        if not isinstance(image, str) or not image.strip():
            raise UsageError(f"image_name must be an image's name, not {image!r}")
        built = build(command)
        body = options.parse(given["docker_options"])
        host = body["HostConfig"]
        host.setdefault("NetworkMode", args.network(given["network"]))
        host.setdefault("LogConfig", {"Type": "none", "Config": {}})
        host["AutoRemove"] = True
        driver.tell_failures()
        driver.check_image(rdd.context, image)
        plan = BoxPlan(
            image=image,
            mountpoint=self._mountpoint,
            body=body,
            mounts=prepare(rdd, self._volumes, self._parent) if self._volumes else None,
            parent=self._parent,
            application=str(rdd.context.applicationId),
            reuse=args.flag("reuse", given["reuse"]),
            timeout=args.seconds("timeout", given["timeout"]),
            slots=max(1, rdd.context.defaultParallelism),
        )
        return Run(plan, built)


def _pairs(given: dict[str, Any]) -> int | None:
    """Return the fan-in; a function of two inputs allows no other than 2."""
    width = args.fan_in(given["fan_in"])
    if args.function("reduce_udf", given["reduce_udf"]) is not None and width not in (None, 2):
        raise UsageError(f"a reduce_udf takes two inputs, so fan_in must be 2, not {width}")
    return width


def _absolute(argument: str, value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith("/"):
        raise UsageError(f"{argument} must be an absolute path, not {value!r}")
    return value

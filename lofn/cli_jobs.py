"""What ``python -m lofn map|reduce`` does with Spark once its arguments are known."""

from __future__ import annotations

import json
import re
import sys
from argparse import Namespace
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lofn.api import DockerPipe
from lofn.errors import RecordError
from lofn.quarantine import Quarantined
from lofn.rawtext import list_files, read_records, write_records
from lofn.remote_output import local_path, move_folder, qualify, remove_folder, write_file

if TYPE_CHECKING:
    from pyspark import RDD
    from pyspark.sql import SparkSession


def make_pipe(spark: SparkSession, args: Namespace) -> DockerPipe:
    """Make the engine's entry point from the arguments. Raises UsageError."""
    return DockerPipe(
        spark.sparkContext.getConf(),
        temporary_directory_parent=args.temporary_directory_parent,
        shared_mountpoint=args.shared_mountpoint,
        volumes=args.volumes,
    )


def run_map(spark: SparkSession, pipe: DockerPipe, args: Namespace) -> None:
    """Each partition of --input through the command, into a folder of files at --output."""
    output = qualify(spark.sparkContext, args.output)
    records = read_records(spark, args.input, args.delimiter, args.partitions)
    if args.binary:
        _map_to_files(spark, pipe, args, records, output)
        return
    result = pipe.map(
        records,
        args.image,
        _command(args),
        streaming=args.stream,
        on_error=args.on_error,
        **_options(args),
        **_text(args),
    )
    try:
        if isinstance(result, Quarantined):
            _write(spark, args, result.good, output)
            _keep_bad(spark, args, result, records, f"{output}.quarantine")
        else:
            _write(spark, args, result, output)
    except BaseException:
        remove_folder(spark.sparkContext, output)  # it was not there before, and is not complete
        raise


def _write(spark: SparkSession, args: Namespace, records: RDD[bytes], output: str) -> None:
    end = args.output_delimiter or args.delimiter
    if args.framing == "length":  # then the engine has let records hold anything

        def checked(part: Iterable[bytes]) -> Iterator[bytes]:
            return _without(part, end.encode())

        records = records.mapPartitions(checked)
    write_records(spark, records, output, end)


def _without(records: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    """Hand on records, none of which would come back as two. Raises RecordError."""
    for index, record in enumerate(records):
        if end in record + end[:-1]:
            raise RecordError(
                f"output record {index} contains the delimiter {end.decode()!r}, which ends "
                "records in --output: give another --output-delimiter"
            )
        yield record


def _keep_bad(
    spark: SparkSession, args: Namespace, result: Quarantined, records: RDD[bytes], folder: str
) -> None:
    """Write what failed: its records, as they were, and one JSON object for each partition."""
    bad = result.bad.collect()
    if not bad:
        return
    remove_folder(spark.sparkContext, folder)
    write_records(spark, result.inputs(records), f"{folder}/records", args.delimiter)
    errors = (json.dumps(asdict(one)).encode() for one in bad)
    write_file(spark.sparkContext, f"{folder}/errors.jsonl", _ended(errors, b"\n"))
    print(
        f"lofn: {len(bad)} of {records.getNumPartitions()} partitions failed; their records and "
        f"errors are in {folder}",
        file=sys.stderr,
    )


def _map_to_files(
    spark: SparkSession, pipe: DockerPipe, args: Namespace, records: RDD[bytes], output: str
) -> None:
    """Keep each partition's output as a file; the folder gets its name once it is complete."""
    beside = None if local_path(output) else output.rpartition("/")[0]
    with pipe.map_binary(
        records,
        args.image,
        _command(args),
        encoding=None,
        delimiter=args.delimiter,
        framing=args.framing,
        container_input_name=args.input_name,
        container_binary_output_name=args.output_name,
        hdfs_tempdir=beside,
        **_options(args),
    ) as folder:
        move_folder(spark.sparkContext, folder, output)


def run_reduce(spark: SparkSession, pipe: DockerPipe, args: Namespace) -> None:
    """All of --input to one result by the command, into one file at --output."""
    output = qualify(spark.sparkContext, args.output)
    fan_in = {} if args.fan_in is None else {"fan_in": args.fan_in}
    if args.binary:
        result = pipe.reduce_binary(
            _whole_files(spark, args.input),
            args.image,
            _command(args),
            container_binary_input_1_name=args.input_name,
            container_binary_input_2_name=re.sub(r"1(?=\D*$)", "2", args.input_name),
            container_binary_output_name=args.output_name,
            **fan_in,
            **_options(args),
        )
        write_file(spark.sparkContext, output, [result])
        return
    records = read_records(spark, args.input, args.delimiter, args.partitions)
    lines = pipe.reduce(
        records, args.image, _command(args), **fan_in, **_options(args), **_text(args)
    )
    end = (args.output_delimiter or args.delimiter).encode()
    if args.framing == "length":
        lines = list(_without(lines, end))
    write_file(spark.sparkContext, output, _ended(lines, end))


def _ended(records: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    for record in records:
        yield record + end


def _whole_files(spark: SparkSession, path: str) -> RDD[tuple[str, bytes]]:
    """Give (name, bytes) of each file, one file per partition, in the order of their names."""
    names = [name for name, _ in list_files(spark, path)]
    place = {name: index for index, name in enumerate(names)}
    files = spark.sparkContext.binaryFiles(",".join(names), len(names))
    return files.partitionBy(len(names), lambda name: place[name])


def _command(args: Namespace) -> str | list[str]:
    """Give the command for the engine.

    The engine undoes a host shell's escapes in a string, for scripts of the earlier lofn. Here
    the user's own shell has done so already, so each backslash is doubled to come out as it is.
    """
    if isinstance(args.command, str):
        return args.command.replace("\\", "\\\\")
    return list(args.command)


def _options(args: Namespace) -> dict[str, Any]:
    """Give what the engine is told about containers."""
    options: dict[str, Any] = {"docker_options": args.docker_option, "reuse": args.reuse}
    if args.network is not None:
        options["network"] = args.network
    if args.timeout is not None:
        options["timeout"] = args.timeout
    return options


def _text(args: Namespace) -> dict[str, Any]:
    """Give what the engine is told about records: bytes as they are, ended by the delimiter."""
    return {
        "encoding": None,
        "delimiter": args.delimiter,
        "output_delimiter": args.output_delimiter or args.delimiter,
        "framing": args.framing,
        "container_input_name": args.input_name,
        "container_output_name": args.output_name,
    }

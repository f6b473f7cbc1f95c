"""``python -m lofn map|reduce``: the engine without writing Python, alone or under spark-submit."""

from __future__ import annotations

import os
import sys
import time
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from lofn.cli_arguments import as_flags, parse
from lofn.cli_jobs import make_pipe, run_map, run_reduce
from lofn.docker_handler import DockerFailure
from lofn.errors import ContainerFailed, RecordError, UsageError, from_traceback
from lofn.progress import ProgressLine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from lofn.api import DockerPipe

DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one map or reduce and return the exit code: 0 done, 1 job failed, 2 wrong arguments.

    Errors are printed to stderr: what was wrong and what to do, without a traceback.
    """
    try:
        args = parse(sys.argv[1:] if argv is None else argv)
        with _session(args) as spark:
            return _run(spark, args)
    except UsageError as error:
        return _say(as_flags(str(error)), USAGE)
    except ContainerFailed as error:
        # Its reason alone is the engine's own: what a tool wrote to stderr stays as it is.
        failure = replace(error.failure, reason=as_flags(error.failure.reason))
        return _say(failure.text(), FAILED)
    except (DockerFailure, RecordError) as error:
        return _say(as_flags(str(error)), FAILED)
    except KeyboardInterrupt:
        return _say("interrupted", INTERRUPTED)


def _run(spark: SparkSession, args: Namespace) -> int:
    from py4j.protocol import Py4JError  # type: ignore[import-untyped]
    from pyspark.errors import PySparkException

    start = time.monotonic()
    pipe = make_pipe(spark, args)
    job = {"map": run_map, "reduce": run_reduce}[args.verb]
    line = nullcontext() if args.quiet else ProgressLine(spark.sparkContext, f"lofn {args.verb}")
    try:
        with line:
            job(spark, pipe, args)
    except (Py4JError, PySparkException) as error:
        found = from_traceback(str(error))
        if found is not None:
            raise found from None
        return _say(_first_reason(str(error)), FAILED)
    if not args.quiet:
        seconds = time.monotonic() - start
        print(f"lofn {args.verb}: done in {seconds:.1f} s, {_summary(pipe)}", file=sys.stderr)
    if args.figures:
        print(pipe.counters.report(), file=sys.stderr)
    return DONE


def _summary(pipe: DockerPipe) -> str:
    sums = pipe.counters.totals()
    return (
        f"{sums['partitions']:.0f} partitions, {sums['containers_started']:.0f} containers "
        f"started, {sums['containers_reused']:.0f} reused, {sums['bytes_in'] / 1e6:.1f} MB in, "
        f"{sums['bytes_out'] / 1e6:.1f} MB out"
    )


def _first_reason(text: str) -> str:
    """Take from a Spark failure the Python exception that began it, or else its first line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    python = [line for line in lines if line.startswith(("lofn.", "pyspark.errors."))]
    return (python or lines or ["Spark gave no reason"])[0]


@contextmanager
def _session(args: Namespace) -> Iterator[SparkSession]:
    """Use the session that is there, or make one and stop it in the end."""
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise UsageError(
            "pyspark is not installed for this Python: run `pip install pyspark`, or start this "
            "with spark-submit"
        ) from None
    active = SparkSession.getActiveSession()
    if active is not None:
        yield active
        return
    builder = SparkSession.builder.appName(f"lofn {args.verb} {args.image}")
    builder = builder.config("spark.ui.showConsoleProgress", "false")  # there is a line of our own
    if args.master:
        builder = builder.master(args.master)
        if args.master.startswith("local"):
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # which has the engine
    spark = builder.getOrCreate()
    try:
        yield spark
    finally:
        spark.stop()


def _say(text: str, code: int) -> int:
    print(f"lofn: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())

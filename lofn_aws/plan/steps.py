"""The steps that are added to a cluster: their arguments, names and keys (pure)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from lofn_aws.errors import UsageError
from lofn_aws.model.step import StepSpec
from lofn_aws.model.step_name import name_of

# Source: EMR management guide, "Work with steps using the AWS CLI and console": the strings of
# a step's HadoopJarStep may have this many characters together.
ARGUMENT_LIMIT = 10_240


@dataclass(frozen=True)
class SparkScript:
    """A Spark script in S3 and how it is started. All places are ``s3://`` addresses."""

    script: str
    args: tuple[str, ...] = ()
    py_files: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    conf: Mapping[str, str] = field(default_factory=dict)


def spark_submit(spark: SparkScript) -> tuple[str, ...]:
    """Return the argument vector for EMR's command runner.

    Client mode: the driver runs on the primary as the step itself, so that what it prints and
    its traceback are in the step's own logs.
    """
    words = ["spark-submit", "--deploy-mode", "client"]
    for key, value in spark.conf.items():
        words += ["--conf", f"{key}={value}"]
    for option, places in (("--py-files", spark.py_files), ("--files", spark.files)):
        if places:
            words += [option, ",".join(places)]
    return (*words, spark.script, *spark.args)


def step_spec(title: str, run_id: str, args: Sequence[str]) -> StepSpec:
    """Return the step; its name carries ``run_id``, so that it can be found after a lost answer.

    Raises UsageError where the arguments are longer than EMR takes.
    """
    check_size(args)
    return StepSpec(name_of(title, run_id), tuple(args))


def check_size(args: Sequence[str]) -> None:
    """Raise UsageError where EMR would refuse the arguments for their length."""
    total = sum(len(word) for word in args)
    if total <= ARGUMENT_LIMIT:
        return
    longest = max(args, key=len)
    raise UsageError(
        f"the step's arguments have {total:,} characters and EMR takes {ARGUMENT_LIMIT:,}: put "
        f"the longest one ({len(longest):,} characters, {longest[:40]!r}…) into a file, copy it "
        "to the cluster and name the file instead",
        "lofn-aws cp FILE hdfs:///FILE",
    )


def script_key(name: str, data: bytes) -> str:
    """Return the S3 key of a script: by its content, so that each version is kept apart."""
    return f"steps/{hashlib.sha256(data).hexdigest()[:16]}/{PurePath(name).name}"


def conf_pairs(given: Sequence[str]) -> dict[str, str]:
    """Read ``KEY=VALUE`` of --conf. Raises UsageError for what is no Spark property."""
    pairs = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not equals or not key.startswith("spark."):
            raise UsageError(f"--conf {text!r} is not spark.NAME=VALUE")
        pairs[key] = value
    return pairs

"""`submit`: a Spark script of this machine -> S3 -> a step; and the generic map or reduce step."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lofn_aws.assets import asset_dir
from lofn_aws.errors import NotFoundError, UsageError
from lofn_aws.model.cluster import Cluster
from lofn_aws.model.step import StepSpec
from lofn_aws.plan.steps import (
    SparkScript,
    check_size,
    conf_pairs,
    script_key,
    spark_submit,
    step_spec,
)
from lofn_aws.workflows.attach import ready_cluster
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.steps import follow, send

GENERIC_SCRIPT = "lofn_step.py"


@dataclass(frozen=True)
class Submission:
    """What a person asked for: paths of this machine or ``s3://`` addresses, as typed."""

    script: str
    args: tuple[str, ...] = ()
    py_files: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    conf: tuple[str, ...] = ()


@dataclass(frozen=True)
class Submitted:
    """A step that was sent; ``stdout`` is None where it was not waited for."""

    step_id: str
    title: str
    stdout: str | None = None


def submit(ctx: Context, asked: Submission, *, wait: bool) -> Submitted:
    """Send a script as a step and, unless told otherwise, wait for its end.

    Raises NotFoundError for a file that is not there, UsageError, and what ``follow`` raises.
    """
    if not asked.script.endswith(".py"):
        raise UsageError(f"{asked.script} is not a Python script: its name must end in .py")
    conf = conf_pairs(asked.conf)
    check_size(asked.args)
    for name in (asked.script, *asked.py_files, *asked.files):
        _check_file(name)
    cluster = ready_cluster(ctx)
    spark = SparkScript(
        script=_in_s3(ctx, asked.script),
        args=asked.args,
        py_files=tuple(_in_s3(ctx, name) for name in asked.py_files),
        files=tuple(_in_s3(ctx, name) for name in asked.files),
        conf=conf,
    )
    title = asked.script.rpartition("/")[2]
    return _run(ctx, cluster, title, step_spec(title, _run_id(), spark_submit(spark)), wait)


def submit_engine(
    ctx: Context, image: str, args: Sequence[str], conf: Sequence[str], *, wait: bool
) -> Submitted:
    """Send the generic step: ``python -m lofn`` with ``args``, the first of them map or reduce."""
    script = str(asset_dir("steps") / GENERIC_SCRIPT)
    pairs = conf_pairs(conf)
    check_size(args)
    cluster = ready_cluster(ctx)
    spark = SparkScript(_in_s3(ctx, script), tuple(args), conf=pairs)
    title = f"{args[0]} {image}"
    return _run(ctx, cluster, title, step_spec(title, _run_id(), spark_submit(spark)), wait)


def _run(ctx: Context, cluster: Cluster, title: str, spec: StepSpec, wait: bool) -> Submitted:
    step_id = send(ctx, cluster, spec)
    if not wait:
        ctx.reporter.note(f"step {step_id} ({title}) was sent: lofn-aws step wait {step_id}")
        return Submitted(step_id, title)
    return Submitted(step_id, title, follow(ctx, cluster, step_id, title))


def _run_id() -> str:
    return secrets.token_hex(4)


def _check_file(name: str) -> None:
    """Raise NotFoundError, with the nearest names beside it, for a local file that is missing."""
    path = Path(name).expanduser()
    if name.startswith("s3://") or path.is_file():
        return
    beside = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, beside, n=3)
    hint = f"; there is {', '.join(near)}" if near else ""
    raise NotFoundError(f"there is no file {name}{hint}", f"ls {path.parent}")


def _in_s3(ctx: Context, name: str) -> str:
    """Return the ``s3://`` address of a file, sending it where S3 does not have it yet."""
    if name.startswith("s3://"):
        return name
    data = Path(name).expanduser().read_bytes()
    key = script_key(name, data)
    if not ctx.s3.exists(ctx.bucket, key):
        ctx.s3.put_bytes(ctx.bucket, key, data)
    return f"s3://{ctx.bucket}/{key}"

"""From a step's HadoopJarStep to what the primary executes, and from its stderr to why it failed.

All pure; the rules are those of EMR's command-runner.jar and script-runner.jar.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass

from lofn_aws.sandbox.state import Step

SCRIPT_RUNNER = re.compile(
    r"^s3://([a-z0-9-]+\.)?elasticmapreduce/libs/script-runner/script-runner\.jar$"
)
EXCEPTION_LINE = re.compile(
    r"^(Exception in thread |(Caused by: )?([A-Za-z_$][\w$]*\.)*[\w$]*(Error|Exception)\b)"
)


class BadStep(Exception):
    """The step names nothing that could be executed; the message says what is missing."""


@dataclass(frozen=True)
class Execution:
    """What the primary does for a step.

    Attributes:
        argv: the command.
        downloads: S3 URIs to copy to the node first, by path on the node.
    """

    argv: tuple[str, ...]
    downloads: dict[str, str]


def execution(step: Step, folder: str) -> Execution:
    """Return how a step is executed.

    Args:
        step: the step.
        folder: the step's working directory on the primary, where downloads go.

    Raises:
        BadStep: no command, or no script, is named.
    """
    if posixpath.basename(step.jar) == "command-runner.jar":
        if not step.args:
            raise BadStep("command-runner.jar needs a command in Args")
        return Execution(tuple(step.args), {})
    if SCRIPT_RUNNER.match(step.jar):
        return _script(step.args, folder)
    jar, downloads = _local(step.jar, folder)
    main_class = [step.main_class] if step.main_class else []
    return Execution(("hadoop", "jar", jar, *main_class, *step.args), downloads)


def _script(args: Sequence[str], folder: str) -> Execution:
    if not args:
        raise BadStep("script-runner.jar needs the path of a script as first of Args")
    script, downloads = _local(args[0], folder)
    return Execution((script, *args[1:]), downloads)


def _local(path: str, folder: str) -> tuple[str, dict[str, str]]:
    if re.match(r"^s3[an]?://", path):
        target = posixpath.join(folder, posixpath.basename(path))
        return target, {target: path}
    return path.removeprefix("file://"), {}


def environment(step: Step, cluster_id: str) -> dict[str, str]:
    """Return the environment variables of a step's command."""
    properties = " ".join(f"-D{key}={value}" for key, value in step.properties.items())
    variables = {"EMR_STEP_ID": step.id, "EMR_CLUSTER_ID": cluster_id}
    return {**variables, "HADOOP_CLIENT_OPTS": properties} if properties else variables


def failure_message(stderr: str) -> str | None:
    """Return the line of stderr that names an error: the last one, or None where none does."""
    named = [line for line in map(str.strip, stderr.splitlines()) if EXCEPTION_LINE.match(line)]
    return named[-1][:1000] if named else None

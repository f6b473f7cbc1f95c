"""The standard output and error of a Spark step that failed -> why it failed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import fields

from lofn_aws.facts.tracebacks import tracebacks
from lofn_aws.model.failure import ContainerFailure, StepFailure, Traceback

# The engine ends its message with this mark and the message's parts as JSON.
_ENGINE_MARK = "lofn-failure:"
_ENGINE_LINE = re.compile(r"^lofn: (?P<said>.+)$", re.MULTILINE)
_NOISE = re.compile(
    r"^(?:\d\d/\d\d/\d\d \d\d:\d\d:\d\d (?:TRACE|DEBUG|INFO|WARN) |\tat |\s*$|\s*\.\.\. \d+ more$"
    r"|Setting default log level|To adjust logging level|:: |\[Stage \d+:"
    r"|(?:WARNING|SLF4J|Warning): |log4j:|Driver stacktrace:|OpenJDK 64-Bit)"
)
_LOST_TASK = re.compile(r"Lost task \S+ in stage \S+ \(TID \d+\) \((?P<node>\S+) executor \S+\)")
_JAVA_MAIN = re.compile(r'^Exception in thread "main" (?P<error>.+)$', re.MULTILINE)
_JAVA_CAUSE = re.compile(r"^: (?P<error>[\w.$]+(?:Exception|Error)\b.*)$", re.MULTILINE)
_TAIL_LINES = 20


def step_failure(stdout: str, stderr: str) -> StepFailure:
    """Read both outputs of a step that failed.

    Spark's launcher joins the script's own standard error to its standard output, so that the
    driver's traceback stands in ``stdout`` and Spark's log in ``stderr``.
    """
    both = f"{stdout}\n{stderr}"
    found = tracebacks(both)
    driver = _driver(found)
    executor = _executor(found)
    container = container_failure(both)
    lost = _LOST_TASK.search(both)
    return StepFailure(
        reason=_reason(both, driver, executor, container),
        driver=driver,
        executor=executor,
        container=container,
        node=container.node if container else (lost["node"] if lost and executor else ""),
        lines=telling_lines(stdout) or telling_lines(stderr),
    )


def container_failure(text: str) -> ContainerFailure | None:
    """The first of the engine's reports of a failed container in ``text``, or None."""
    start = text.find(_ENGINE_MARK)
    if start < 0:
        return None
    try:
        parts, _ = json.JSONDecoder().raw_decode(text, start + len(_ENGINE_MARK))
        known = {field.name for field in fields(ContainerFailure)}
        return ContainerFailure(**{key: parts[key] for key in parts if key in known})
    except (ValueError, TypeError):
        return None


def telling_lines(text: str, limit: int = _TAIL_LINES) -> tuple[str, ...]:
    """The last lines of a step's output that are not Spark's usual ones."""
    kept = [
        line for line in text.splitlines() if not _NOISE.match(line) and _ENGINE_MARK not in line
    ]
    return tuple(line.rstrip() for line in kept[-limit:])


def _driver(found: Iterable[Traceback]) -> Traceback | None:
    """The script's own last traceback: one that does not end in a worker of Spark's."""
    own = [traceback for traceback in found if not _in_worker(traceback)]
    return own[-1] if own else None


def _executor(found: Iterable[Traceback]) -> Traceback | None:
    """The first traceback of a task."""
    return next((traceback for traceback in found if _in_worker(traceback)), None)


def _in_worker(traceback: Traceback) -> bool:
    return bool(traceback.frames) and traceback.frames[0].file.endswith("pyspark/worker.py")


def _reason(
    text: str,
    driver: Traceback | None,
    executor: Traceback | None,
    container: ContainerFailure | None,
) -> str:
    """One sentence, from what is most particular to what is least."""
    if container is not None:
        return f"{container.reason} (image {container.image}, node {container.node})"
    if executor is not None:
        return str(executor)
    if driver is not None:
        cause = _JAVA_CAUSE.search(driver.error)
        place = f" ({driver.place})" if driver.place else ""
        return f"{cause['error'].strip()}{place}" if cause else str(driver)
    for pattern, group in ((_ENGINE_LINE, "said"), (_JAVA_MAIN, "error")):
        match = pattern.search(text)
        if match:
            return match[group].strip()
    told = telling_lines(text, 1)
    return told[0] if told else "it gave no reason"

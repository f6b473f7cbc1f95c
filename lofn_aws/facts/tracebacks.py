"""Python tracebacks in a text that has much else in it -> values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lofn_aws.model.failure import Frame, Traceback

_HEADER = "Traceback (most recent call last):"
# Spark puts the executor's traceback behind the name of its own exception, and at times into
# parentheses. A header with white space before it is a quotation in somebody's message.
_OPENS = re.compile(r"^(?:\S.*[: (])?" + re.escape(_HEADER) + "$")
_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+)(?:, in (?P<function>.+))?$')
_SYNTAX = re.compile(r"^(?:SyntaxError|IndentationError|TabError): ")
# What ends the message of an exception: Java's frames, Spark's log, an empty line.
_AFTER = re.compile(
    r"^(?:\s*$|\tat |Caused by: |Driver stacktrace:|\d\d/\d\d/\d\d \d\d:\d\d:\d\d )"
)
_MESSAGE_LINES = 40


def tracebacks(text: str) -> list[Traceback]:
    """Every traceback in ``text``, in order; also a syntax error, which has no header line."""
    lines = text.splitlines()
    return list(_found(lines))


def _found(lines: list[str]) -> Iterator[Traceback]:
    for index, line in enumerate(lines):
        if _OPENS.match(line):
            frames, rest = _frames(lines, index + 1)
            error = "\n".join(_message(lines[rest:]))
            if error:
                yield Traceback(frames, error)
        elif _FRAME.match(line) and (
            index == 0 or not lines[index - 1].startswith(("  ", "Trace"))
        ):
            frames, rest = _frames(lines, index)
            if rest < len(lines) and _SYNTAX.match(lines[rest]):
                yield Traceback(frames, lines[rest])


def _frames(lines: list[str], start: int) -> tuple[tuple[Frame, ...], int]:
    """The frames from line ``start`` on, and the number of the first line after them."""
    frames: list[Frame] = []
    index = start
    while index < len(lines) and lines[index].startswith("  "):
        match = _FRAME.match(lines[index])
        if match:
            code = lines[index + 1].strip() if index + 1 < len(lines) else ""
            is_code = index + 1 < len(lines) and lines[index + 1].startswith("    ")
            frames.append(
                Frame(
                    match["file"],
                    int(match["line"]),
                    match["function"] or "",
                    code if is_code else "",
                )
            )
        index += 1
    return tuple(frames), index


def _message(lines: Iterable[str]) -> Iterator[str]:
    """The exception's own lines, up to what cannot be its message any more."""
    for number, line in enumerate(lines):
        if number == _MESSAGE_LINES or (number and (_AFTER.match(line) or _HEADER in line)):
            return
        yield line

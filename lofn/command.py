"""A command, string or argv, becomes the small script that a container runs (pure)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from lofn.errors import UsageError, shown_command

_ESCAPED = re.compile(r"\\([$`\"\\])|\\\n")


@dataclass(frozen=True)
class Command:
    """What to run. ``argv`` is None for a shell string, else the exact argument vector.

    ``script`` is what the shell in the container is given either way.
    """

    shown: str
    script: str
    argv: tuple[str, ...] | None = None


def decode(text: str) -> str:
    r"""Undo the escapes that a host shell would have undone inside double quotes.

    ``\$``, ``\```, ``\"`` and ``\\`` lose their backslash and a backslash before a newline goes
    with it; any other backslash stays (POSIX.1-2017, Shell Command Language, 2.2.3). Commands
    written for the earlier lofn rely on it.
    """
    return _ESCAPED.sub(lambda found: found.group(1) or "", text)


def build(command: str | Sequence[str]) -> Command:
    """Check a command and make its script.

    A string is for the shell; a list or tuple is the exact argument vector and no shell reads it.
    Raises UsageError for anything else, for nothing, and for a NUL character.
    """
    if isinstance(command, str):
        if not command.strip():
            raise UsageError("command is empty: write what to run in the container")
        _refuse_nul(command)
        script = decode(command)
        return Command(shown_command(script), script + "\n")
    argv = _checked_argv(command)
    quoted = " ".join(map(shlex.quote, argv))
    return Command(shown_command(argv), f"exec {quoted}\n", argv)


def _checked_argv(command: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(command, (list, tuple)):
        raise UsageError(
            f"command must be a string for the shell or a list of arguments, not {command!r}"
        )
    if not command or not command[0]:
        raise UsageError("command is an empty list: its first item must name a program")
    for index, word in enumerate(command):
        if not isinstance(word, str):
            raise UsageError(f"command[{index}] must be text, not {word!r}: write {str(word)!r}")
        _refuse_nul(word)
    return tuple(command)


def _refuse_nul(text: str) -> None:
    if "\0" in text:
        raise UsageError(
            f"command {text!r} contains a NUL character, which no program can be given"
        )

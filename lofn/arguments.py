"""Keyword arguments of the methods: what each takes, defaults, the nearest right name."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Mapping
from typing import Any

from lofn.errors import UsageError
from lofn.records import Format

COMMON: dict[str, Any] = {
    "docker_options": None,
    "network": "bridge",
    "reuse": False,
    "timeout": None,
}
FORMATS: dict[str, Any] = {
    "delimiter": "\n",
    "encoding": "utf-8",
    "framing": "delimiter",
    "encoding_errors": "strict",
    "output_delimiter": None,
    "output_encoding": ...,
    "output_framing": None,
}


def merged(method: str, given: Mapping[str, Any], *known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults of ``known`` overridden by ``given``.

    Raises UsageError that names an unknown argument and the nearest right one.
    """
    values: dict[str, Any] = {}
    for defaults in known:
        values.update(defaults)
    for name in given:
        if name not in values:
            near = difflib.get_close_matches(name, values, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(sorted(values))}"
            raise UsageError(f"{method}() has no argument {name!r}: {hint}")
    values.update(given)
    return values


def file_name(argument: str, value: Any) -> str:
    """Check the name of a file in the shared folder. Raises UsageError."""
    plain = isinstance(value, str) and value and not value.startswith("/") and "\0" not in value
    if not plain or posixpath.normpath(value).split("/")[0] in ("..", "."):
        raise UsageError(f"{argument}={value!r} must be the name of a file in the shared folder")
    return posixpath.normpath(str(value))


def formats(values: Mapping[str, Any]) -> tuple[Format, Format]:
    """Return how records are written and how they are read back, output following input."""
    into = Format(
        values["delimiter"], values["encoding"], values["framing"], values["encoding_errors"]
    )
    encoding = values["output_encoding"]
    out = Format(
        values["output_delimiter"] or into.delimiter,
        into.encoding if encoding is ... else encoding,
        values["output_framing"] or into.framing,
        values["encoding_errors"],
    )
    return into, out


def flag(argument: str, value: Any) -> bool:
    """Check a yes-or-no argument. Raises UsageError."""
    if not isinstance(value, bool):
        raise UsageError(f"{argument} must be True or False, not {value!r}")
    return value


def choice(argument: str, value: Any, *known: str) -> str:
    """Check an argument that is one of a few words. Raises UsageError."""
    if value not in known:
        near = difflib.get_close_matches(str(value), known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it is {' or '.join(map(repr, known))}"
        raise UsageError(f"{argument} cannot be {value!r}: {hint}")
    return str(value)


def seconds(argument: str, value: Any) -> float | None:
    """Check a time limit. Raises UsageError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise UsageError(f"{argument} must be a number of seconds above 0, or None, not {value!r}")
    return float(value)


def function(argument: str, value: Any) -> Any:
    """Check a user's function. Raises UsageError."""
    if value is not None and not callable(value):
        raise UsageError(f"{argument} must be a function, not {value!r}")
    return value


def fan_in(value: Any) -> int | None:
    """Check how many inputs one command merges. Raises UsageError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 2:
        raise UsageError(f"fan_in must be a whole number of 2 or more, not {value!r}")
    return value


def network(value: Any) -> str:
    """Check the network of containers. Raises UsageError."""
    if not isinstance(value, str) or not value:
        raise UsageError(f"network must be 'bridge', 'none', 'host' or a network, not {value!r}")
    return value

"""The options of `step map` and `step reduce` -> the arguments of ``python -m lofn`` (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lofn_aws.errors import UsageError


def engine_arguments(
    verb: str, options: Mapping[str, object], command: str | None, exact: Sequence[str]
) -> tuple[str, ...]:
    """Return the engine's arguments: the verb, the options that were given, the command.

    ``options`` maps the engine's option names, with underscores, to values: True for a switch,
    a tuple for what may be repeated, None, False and () for what was not given. The command is
    one text for a shell, or the exact words behind ``--``; both, or a missing option, raise
    UsageError.
    """
    missing = [f"--{name}" for name in ("input", "output") if not options.get(name)]
    if command is None and not exact:
        missing.append("--command")
    if missing:
        raise UsageError(f"step {verb} lacks {', '.join(missing)}", f"lofn-aws step {verb} --help")
    if command is not None and exact:
        raise UsageError(
            "the command is given twice: either --command 'TEXT FOR A SHELL', or the words after --"
        )
    words = [verb]
    for name, value in options.items():
        flag = "--" + name.replace("_", "-")
        if value is True:
            words.append(flag)
        elif value is not None and value is not False:
            values = value if isinstance(value, tuple) else (value,)
            # With "=", a value that begins with a hyphen is still a value.
            words += [f"{flag}={each}" for each in values]
    if command is not None:
        words.append(f"--command={command}")
    return (*words, "--", *exact) if exact else tuple(words)

"""Options that every command takes, before or after its name, and what they add up to."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from lofn_aws.settings import seconds

F = TypeVar("F", bound=Callable[..., Any])


@dataclass
class Invocation:
    """What was given on the command line beside a command's own options.

    ``flags`` are settings by name (only those given). ``command_path`` ("lofn-aws step map") and
    whether the endpoint is the sandbox's are learnt as the command begins.
    """

    flags: dict[str, object] = field(default_factory=dict)
    config_file: Path | None = None
    output: str = "text"
    quiet: bool = False
    verbose: bool = False
    yes: bool = False
    dry_run: bool = False
    timeout: float | None = None
    command_path: str = ""
    on_sandbox: bool = False


def with_flags(command: str, invocation: Invocation) -> str:
    """Return a command to type next, with the flags that make it mean the same cluster."""
    flags = "".join(
        f" {option}" if value is True else f" {option} {value}"
        for option, value in (
            ("--sandbox", invocation.flags.get("sandbox")),
            ("-c", invocation.flags.get("cluster_name")),
            ("--profile", invocation.flags.get("profile")),
            ("--region", invocation.flags.get("region")),
            ("--config", invocation.config_file),
        )
        if value is not None and f"{option} " not in command
    )
    return re.sub(r"\blofn-aws(?= )", f"lofn-aws{flags}", command)


class Duration(click.ParamType[float]):
    """A duration such as 90s, 30m or 1h, as seconds."""

    name = "duration"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return seconds."""
        try:
            return float(seconds(value))
        except ValueError as error:
            self.fail(f"{value!r} {error}", param, ctx)


def _keep(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Return a callback that puts an option's value on the Invocation."""

    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value is None or value is False:
            return
        invocation: Invocation = ctx.ensure_object(Invocation)
        setattr(invocation, name, value)

    return callback


def _keep_flag(name: str) -> Callable[[click.Context, click.Parameter, Any], None]:
    """Return a callback that puts an option's value among the settings given as flags."""

    def callback(ctx: click.Context, param: click.Parameter, value: Any) -> None:
        if value is not None and value is not False:
            ctx.ensure_object(Invocation).flags[name] = value

    return callback


def setting_option(*names: str, setting: str, help: str) -> Callable[[F], F]:
    """Return an option whose value is a setting (checked where all settings are)."""
    return click.option(*names, expose_value=False, callback=_keep_flag(setting), help=help)


_COMMON: tuple[Callable[[Any], Any], ...] = (
    setting_option("-c", "--cluster", setting="cluster_name", help="Name of the cluster."),
    setting_option("--profile", setting="profile", help="AWS profile, or a [profiles.NAME] table."),
    setting_option("--region", setting="region", help="AWS region."),
    click.option("--sandbox", is_flag=True, expose_value=False, callback=_keep_flag("sandbox"),
                 help="Use the EMR on this machine (started when needed)."),
    click.option("--config", type=click.Path(path_type=Path), expose_value=False,
                 callback=_keep("config_file"), help="Settings file instead of lofn-aws.toml."),
    click.option("-o", "--format", type=click.Choice(["text", "json"]), expose_value=False,
                 callback=_keep("output"), help="How results are printed."),
    click.option("-q", "--quiet", is_flag=True, expose_value=False, callback=_keep("quiet"),
                 help="No progress, only results and warnings."),
    click.option("-v", "--verbose", is_flag=True, expose_value=False, callback=_keep("verbose"),
                 help="More detail."),
)


def common_options(function: F) -> F:
    """Add the options that every command takes."""
    for option in reversed(_COMMON):
        function = option(function)
    return function


def yes_option(function: F) -> F:
    """Add -y: do not ask."""
    option = click.option("-y", "--yes", is_flag=True, expose_value=False, callback=_keep("yes"),
                          help="Do not ask.")
    return option(function)


def dry_run_option(function: F) -> F:
    """Add --dry-run: print the plan and change nothing."""
    option = click.option("--dry-run", is_flag=True, expose_value=False,
                          callback=_keep("dry_run"), help="Show what would be done, do nothing.")
    return option(function)


def timeout_option(function: F) -> F:
    """Add --timeout: the deadline of the command's wait."""
    option = click.option("--timeout", type=Duration(), expose_value=False,
                          callback=_keep("timeout"), help="Give up waiting after this long.")
    return option(function)

"""`init`: a commented lofn-aws.toml."""

from pathlib import Path

import click

from lofn_aws.cli.context import reporter
from lofn_aws.cli.options import Invocation, common_options
from lofn_aws.config import PROJECT_FILE
from lofn_aws.errors import UsageError
from lofn_aws.report.config_file import commented_toml


@click.command()
@click.option("--force", is_flag=True, help="Write over a file that is there.")
@common_options
def init(force: bool) -> None:
    """Write a commented lofn-aws.toml into this folder."""
    invocation = click.get_current_context().ensure_object(Invocation)
    path = invocation.config_file or Path.cwd() / PROJECT_FILE
    if path.exists() and not force:
        raise UsageError(f"{path} is there already", "lofn-aws init --force")
    try:
        path.write_text(commented_toml(), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from None
    reporter(invocation).data(str(path), {"written": str(path)})

"""The entry point: the group of commands, and the one place where errors become exit codes."""

import importlib
import signal
import sys
import traceback
from collections.abc import Sequence

import click

from lofn_aws.cli.options import Invocation, common_options, with_flags
from lofn_aws.errors import EndpointUnreachable, Interrupted, LofnAwsError, UsageError

# name: (module, attribute, short help). Modules are imported when their command is called.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "init": ("init", "init", "Write a commented lofn-aws.toml into this folder."),
    "config": ("config", "config", "Show every setting and where it comes from."),
    "plan": ("up", "plan", "Show what `up` would do, and do nothing."),
    "up": ("up", "up", "Bring the cluster up, or finish bringing it up."),
    "status": ("status", "status", "Show the cluster, its nodes and the steps that are not over."),
    "list": ("status", "list_clusters",
        "List the clusters that this toolkit made, of every owner."),
    "down": ("down", "down", "Take the cluster down and remove what `up` made for it."),
    "ssh": ("ssh", "ssh", "Open a shell on a node, or run COMMAND there with OpenSSH."),
    "exec": ("ssh", "exec_", "Run COMMAND on all nodes (or those named by --node) at once."),
    "cp": ("cp", "cp", "Copy a file or a folder between this machine, the cluster's HDFS and S3."),
    "image": ("images", "image", "Push, list and remove images of the cluster's registry."),
    "push": ("images", "push",
        "Push an image of this machine to the cluster's registry, and pull it on every node."),
    "swarm": ("swarm", "swarm", "Show the swarm, or bring all nodes into it."),
    "step": ("steps", "step", "Run a map or a reduce from the command line, and follow steps."),
    "submit": ("submit", "submit",
        "Run a Spark script on the cluster: SCRIPT is a file of this machine or an s3:// address."),
    "sandbox": ("sandbox", "sandbox", "Start, show and stop the EMR on this machine."),
}


class LazyGroup(click.Group):
    """A group whose commands' modules are imported only when one is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names, in the order people need them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and return it; None for an unknown name."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(
            importlib.import_module(f"lofn_aws.cli.{module}"), attribute
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in COMMANDS.items()])


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="lofn-aws")
@common_options
def cli() -> None:
    """Run any serial command-line tool, from its Docker image, over an EMR cluster.

    The options below may stand before or after the command's name.
    """


def main(argv: Sequence[str] | None = None) -> None:
    """Run the command line and exit with the code its errors carry.

    SIGTERM ends it as an exception does: tunnels are closed and temporary files removed.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    sys.exit(run(list(sys.argv[1:] if argv is None else argv)))


def run(argv: list[str]) -> int:
    """Run the command line and return its exit code (see ``lofn_aws.errors``)."""
    invocation = Invocation()
    try:
        result = cli.main(args=argv, prog_name="lofn-aws", standalone_mode=False, obj=invocation)
        return result if isinstance(result, int) else 0
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted", with_flags(Interrupted.default_next, invocation))
        return 130
    except BrokenPipeError:  # the reader of stdout has gone, as in `… | head`
        sys.stdout = None
        return 1
    except Exception as error:
        if invocation.verbose:
            traceback.print_exc()
        return _report(error, invocation)


def _report(error: Exception, invocation: Invocation) -> int:
    """Say an error in one sentence with the next command, and return its exit code."""
    if type(error).__module__.partition(".")[0] in {"botocore", "boto3"}:
        from lofn_aws.adapters.aws_errors import as_ours

        error = as_ours(error, "asking AWS") or error
    if isinstance(error, LofnAwsError):
        _say(error.message, with_flags(_next_command(error, invocation), invocation))
        return error.exit_code
    if isinstance(error, click.ClickException):
        where = getattr(error, "ctx", None)
        _say(error.format_message(), f"{where.command_path if where else 'lofn-aws'} --help")
        return error.exit_code
    _say(f"unexpected {type(error).__name__}: {error}",
        "the same command with -v, and report what it prints")
    return 1


def _next_command(error: LofnAwsError, invocation: Invocation) -> str:
    """Return what to type next; what only the command line knows makes a default exact."""
    if isinstance(error, EndpointUnreachable) and invocation.on_sandbox:
        return "lofn-aws sandbox start"
    if isinstance(error, UsageError) and error.own_next is None and invocation.command_path:
        return f"{invocation.command_path} --help"
    return error.next_command


def _say(message: str, next_command: str) -> None:
    print(f"error: {message}", file=sys.stderr)
    print(f"next:  {next_command}", file=sys.stderr)

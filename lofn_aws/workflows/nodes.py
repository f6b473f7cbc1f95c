"""Running lofn-node and other commands on nodes: all at once, then what went wrong is said."""

import shlex
from collections.abc import Mapping, Sequence

from lofn_aws.adapters.clock import wait_for
from lofn_aws.adapters.ssh import CommandResult, Gateway, HostUnreachable
from lofn_aws.errors import InfrastructureError, LofnAwsError
from lofn_aws.facts.node_answers import node_facts
from lofn_aws.model.node import NodeFacts
from lofn_aws.workflows.context import Context

LOFN_NODE = "sudo /opt/lofn/bin/lofn-node"
FACTS_SECONDS = 60.0
SSH_SECONDS = 90.0


def lofn_node(*words: str) -> str:
    """Return the shell command that runs a subcommand of lofn-node as root."""
    return " ".join([LOFN_NODE, *map(shlex.quote, words)])


def open_ssh(ctx: Context, gateway: Gateway) -> None:
    """Connect to the primary; tries again while sshd or the network is not there yet."""
    last: list[HostUnreachable] = []

    def attempt() -> bool | None:
        try:
            gateway.open()
        except HostUnreachable as error:
            last[:] = [error]
            return None
        return True

    try:
        wait_for(ctx.clock, attempt, what="SSH", deadline_seconds=SSH_SECONDS, interval=3)
    except LofnAwsError as error:
        if not last:
            raise
        raise InfrastructureError(
            f"{last[0].message} (tried for {SSH_SECONDS:.0f} s; may this machine reach port 22 "
            f"of the primary? ssh_ingress is {ctx.settings.ssh_ingress})",
            "lofn-aws config",
        ) from error


def run_on(
    gateway: Gateway, hosts: Mapping[str, str], ips: Sequence[str], command: str, *,
    doing: str, timeout: float,
) -> dict[str, CommandResult]:
    """Run a command on nodes at once and return the results by private address.

    ``hosts`` is what ``locate.hosts_by_ip`` gives. Raises InfrastructureError that names every
    node that failed and what it said, after all have ended.
    """
    names = {hosts[ip]: ip for ip in ips}
    results: dict[str, CommandResult] = {}
    failures: list[str] = []
    for name, outcome in gateway.run_all(list(names), command, timeout=timeout).items():
        if isinstance(outcome, CommandResult) and outcome.exit_code == 0:
            results[names[name]] = outcome
        else:
            failures.append(f"{names[name]}: {_why(outcome)}")
    if failures:
        raise InfrastructureError(f"{doing} failed on {'; '.join(failures)}", "lofn-aws up")
    return results


def _why(outcome: CommandResult | Exception) -> str:
    if isinstance(outcome, Exception):
        return str(outcome)
    said = (outcome.stderr.strip() or outcome.stdout.strip() or "no output").splitlines()
    return f"{said[-1]} (exit code {outcome.exit_code})"


def read_facts(gateway: Gateway, hosts: Mapping[str, str]) -> tuple[NodeFacts, ...]:
    """Ask every node for its facts, all at once."""
    results = run_on(gateway, hosts, list(hosts), lofn_node("facts"),
                     doing="reading the node's facts", timeout=FACTS_SECONDS)
    return tuple(node_facts(results[ip].stdout, ip) for ip in hosts)

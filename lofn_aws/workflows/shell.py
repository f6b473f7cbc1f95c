"""`ssh` and `exec`: commands on nodes, and a shell that OpenSSH opens with the pinned keys."""

import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from lofn_aws.adapters.ssh import CommandResult, Gateway
from lofn_aws.errors import InfrastructureError, NotFoundError
from lofn_aws.model.cluster import Cluster, Instance
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import (
    connect,
    find_cluster,
    host_keys,
    hosts_by_ip,
    login_key,
)

USER = "hadoop"


def running_nodes(ctx: Context, cluster: Cluster) -> list[Instance]:
    """Return the running nodes of a cluster, the primary first."""
    return [i for i in ctx.emr.instances(cluster.id) if i.is_running]


def chosen(nodes: Sequence[Instance], wanted: str) -> list[Instance]:
    """Return the nodes that ``wanted`` names: all, primary, core, task, an address or an id.

    Raises NotFoundError that lists the addresses.
    """
    if wanted == "all":
        return list(nodes)
    found = [
        i for i in nodes
        if wanted in {i.role, i.private_ip, i.private_host, i.address, i.ec2_id, i.id}
    ]
    if not found:
        known = ", ".join(i.private_ip for i in nodes)
        raise NotFoundError(f"no running node is called {wanted}; there are {known}",
                            "lofn-aws status")
    return found


def execute(
    ctx: Context, wanted: str, words: Sequence[str], timeout: float
) -> dict[str, CommandResult | Exception]:
    """Run a command on the chosen nodes at once; results and errors by private address."""
    cluster = find_cluster(ctx)
    nodes = running_nodes(ctx, cluster)
    targets = chosen(nodes, wanted)
    command = words[0] if len(words) == 1 else shlex.join(words)
    with connect(ctx, cluster, nodes) as gateway:
        names = _names(gateway, targets)
        outcomes = gateway.run_all(list(names), command, timeout=timeout)
    return {names[host]: outcome for host, outcome in outcomes.items()}


def _names(gateway: Gateway, targets: Sequence[Instance]) -> dict[str, str]:
    return {name: ip for ip, name in hosts_by_ip(gateway, targets).items()}


def shell(ctx: Context, wanted: str, words: Sequence[str]) -> int:
    """Open a shell on a node with OpenSSH (or run ``words`` there) and return its exit code.

    The pinned host keys go into a file that is gone afterwards. Raises InfrastructureError
    when this machine has no ssh command.
    """
    cluster = find_cluster(ctx)
    nodes = running_nodes(ctx, cluster)
    target = chosen(nodes, wanted)[0]
    primary = next(i for i in nodes if i.role == "primary")
    with tempfile.TemporaryDirectory(prefix="lofn-aws-") as folder:
        config = Path(folder) / "config"
        known = Path(folder) / "known_hosts"
        keys = host_keys(ctx, cluster)
        known.write_text(known_hosts({
            "lofn-primary": keys.get(primary.private_ip, ""),
            "lofn-node": keys.get(target.private_ip, ""),
        }))
        config.write_text(ssh_config(str(login_key(ctx, cluster)), str(known), primary, target))
        argv = ["ssh", "-F", str(config), "lofn-node", *words]
        try:
            return subprocess.run(argv, check=False, env=os.environ).returncode
        except FileNotFoundError:
            raise InfrastructureError("this machine has no ssh command (OpenSSH's client)",
                                      "lofn-aws exec COMMAND") from None


def known_hosts(keys: dict[str, str]) -> str:
    """Return a known_hosts file: each name with each of its published keys."""
    lines = [
        f"{name} {' '.join(line.split()[:2])}"
        for name, text in keys.items()
        for line in text.splitlines()
        if len(line.split()) >= 2
    ]
    return "\n".join(lines) + "\n"


def ssh_config(key_file: str, known: str, primary: Instance, target: Instance) -> str:
    """Return an ssh_config whose host ``lofn-node`` is the target, through the primary."""
    common = (
        f"  User {USER}\n  IdentityFile {key_file}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {known}\n  StrictHostKeyChecking yes\n"
        "  ServerAliveInterval 30\n  LogLevel ERROR\n"
    )
    gate = primary.address or primary.private_ip
    text = f"Host lofn-primary\n  HostName {gate}\n  HostKeyAlias lofn-primary\n{common}"
    if target.role == "primary":
        return text + f"Host lofn-node\n  HostName {gate}\n  HostKeyAlias lofn-node\n{common}"
    return (
        text + f"Host lofn-node\n  HostName {target.private_ip}\n  HostKeyAlias lofn-node\n"
        f"  ProxyJump lofn-primary\n{common}"
    )

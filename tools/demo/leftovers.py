"""What of a sandbox is still on this machine: containers, networks, volumes, processes."""

from console import Console

LABEL = "lofn-aws.sandbox"
SERVER = "lofn_aws.sandbox.server"


def leftovers(console: Console, sandbox: str) -> list[str]:
    """Return one text for each thing that the sandbox left; an empty list is what one hopes for."""
    found = []
    for kind, command in (
        ("container", ("docker", "ps", "--all", "--quiet")),
        ("network", ("docker", "network", "ls", "--quiet")),
        ("volume", ("docker", "volume", "ls", "--quiet")),
    ):
        ids = console.output(*command, "--filter", f"label={LABEL}={sandbox}", timeout=60)
        found += [f"{kind} {name}" for name in ids.decode().split()]
    processes = console.output("ps", "-A", "-o", "pid=,args=", timeout=30)
    for line in processes.decode(errors="replace").splitlines():
        if SERVER in line and f"--name {sandbox} " in f"{line} ":
            found.append(f"process {line.strip()}")
    return found

"""What of a sandbox is still on this machine: containers, networks, volumes, processes."""

from pathlib import Path

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
    name = f"--name {sandbox} "
    found += [f"process {line}" for line in _processes(console) if SERVER in line and name in line]
    return found


def _processes(console: Console) -> list[str]:
    """Return "pid command line " of every process; a small Linux has /proc and no `ps`."""
    if Path("/proc/self/cmdline").exists():
        return [_described(folder) for folder in Path("/proc").glob("[0-9]*")]
    said = console.output("ps", "-A", "-o", "pid=,args=", timeout=30)
    return [f"{line.strip()} " for line in said.decode(errors="replace").splitlines()]


def _described(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:  # it has ended since
        words = []
    return " ".join([process.name, *words, ""])

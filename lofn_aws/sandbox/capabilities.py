"""Which flags a node container needs on this kind of host (pure).

A node runs systemd as PID 1 and a Docker Engine of its own, so it needs what ``--privileged``
gives. Docker refuses that where a capability is missing from the machine's bounding set (a
virtual machine may lack CAP_SYS_RESOURCE); there every capability that exists is added one by
one. Which of the kinds below were run: see "Sandbox" in the README.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from lofn_aws.errors import UsageError

# linux/capability.h, by number; CAP_CHECKPOINT_RESTORE (40) is the last as of Linux 6.18.
_NAMES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE "
    "NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO "
    "SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME "
    "SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG "
    "WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
)
CAPABILITIES = tuple(_NAMES.split())


@dataclass(frozen=True)
class HostFacts:
    """What decides: read from ``docker info``, /proc/self/status and /proc/sys/kernel.

    ``bounding_set`` is the bit mask CapBnd, ``last_capability`` the kernel's highest number
    (cap_last_cap), ``security_options`` the list of ``docker info`` ("name=rootless", ...).
    """

    cgroup_version: int
    bounding_set: int
    last_capability: int
    security_options: tuple[str, ...] = ()


@dataclass(frozen=True)
class RunOptions:
    """Docker's HostConfig for a node, as far as the host decides it."""

    privileged: bool
    cgroupns: str
    cap_add: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    security_opt: tuple[str, ...] = ()
    unmask_paths: bool = False
    bind_cgroup: bool = False
    tmpfs: dict[str, str] = field(default_factory=lambda: {"/run": "exec", "/run/lock": ""})

    def host_config(self) -> dict[str, Any]:
        """The same, in the words of Docker's API (``POST /containers/create``)."""
        config: dict[str, Any] = {
            "Privileged": self.privileged,
            "CgroupnsMode": self.cgroupns,
            "Tmpfs": dict(self.tmpfs),
            "CapAdd": list(self.cap_add),
            "CapDrop": list(self.cap_drop),
            "SecurityOpt": list(self.security_opt),
        }
        if self.unmask_paths:  # what the command line's systempaths=unconfined stands for
            config["MaskedPaths"] = []
            config["ReadonlyPaths"] = []
        if self.bind_cgroup:
            config["Binds"] = ["/sys/fs/cgroup:/sys/fs/cgroup:rw"]
        return config


def missing_capabilities(host: HostFacts) -> tuple[str, ...]:
    """Names of the capabilities that the kernel knows and this machine may not give."""
    known = CAPABILITIES[: host.last_capability + 1]
    return tuple(name for bit, name in enumerate(known) if not host.bounding_set >> bit & 1)


def run_options(host: HostFacts) -> RunOptions:
    """The flags for a node container. Raises UsageError for a rootless engine.

    - cgroup v2, nothing missing: as kind and minikube do, privileged with a cgroup namespace.
    - cgroup v1, nothing missing: privileged; systemd needs the host's hierarchy, writable.
    - something missing: all but that added by name, seccomp, AppArmor and path masks off, and
      the cgroup hierarchy bound in, since only a privileged container has it writable.
    """
    if any("name=rootless" in option for option in host.security_options):
        raise UsageError(
            "the sandbox needs a Docker Engine that runs as root; this one is rootless",
            "docker context use default",
        )
    missing = missing_capabilities(host)
    if not missing:
        if host.cgroup_version >= 2:
            return RunOptions(privileged=True, cgroupns="private")
        return RunOptions(privileged=True, cgroupns="host", bind_cgroup=True)
    return RunOptions(
        privileged=False,
        cgroupns="host",
        cap_add=("ALL",),
        cap_drop=missing,
        security_opt=("seccomp=unconfined", "apparmor=unconfined"),
        unmask_paths=True,
        bind_cgroup=True,
    )

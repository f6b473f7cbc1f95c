"""The nodes of a sandbox's clusters as containers: made, spoken to, and swept away by label."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import docker
import docker.errors
from docker.models.containers import Container

from lofn_aws.errors import InfrastructureError
from lofn_aws.sandbox import docker_exec, sweeping
from lofn_aws.sandbox.capabilities import run_options
from lofn_aws.sandbox.docker_client import docker_engine, host_facts
from lofn_aws.sandbox.labels import CLUSTER_LABEL, INSTANCE_LABEL, ROLE_LABEL, SANDBOX_LABEL
from lofn_aws.sandbox.network import Network
from lofn_aws.sandbox.node_files import as_tar, from_tar
from lofn_aws.sandbox.node_network import ensure_network

BOOT_POLL_SECONDS = 0.3
KILL_AFTER_SECONDS = 5


class NodeFailed(InfrastructureError):
    """A node did not boot, or is not there any more; the message says why."""

    default_next = "lofn-aws sandbox status"


@dataclass(frozen=True)
class NodeSpec:
    """One node to make: ``role`` is primary, core or task; ``ip`` free in the network."""

    cluster_id: str
    instance_id: str
    role: str
    ip: str
    hostname: str
    image: str


@dataclass(frozen=True)
class ExecResult:
    """What a command on a node left behind."""

    exit_code: int
    stdout: bytes
    stderr: bytes


class NodeEngine:
    """Everything the sandbox does to its containers; safe to use from many threads."""

    def __init__(self, sandbox_name: str) -> None:
        self.sandbox_name = sandbox_name

    @cached_property
    def _run_options(self) -> dict[str, Any]:
        return run_options(host_facts()).host_config()

    def ensure_network(self) -> Network:
        """This sandbox's network, made unless it is there, with the addresses now taken."""
        with docker_engine(f"making the network of sandbox {self.sandbox_name}") as client:
            return ensure_network(client, self.sandbox_name)

    def create_node(self, spec: NodeSpec) -> None:
        """Start a node's container and return; ``wait_booted`` tells when it can be used."""
        network = f"lofn-{self.sandbox_name}"
        labels = {
            SANDBOX_LABEL: self.sandbox_name,
            CLUSTER_LABEL: spec.cluster_id,
            INSTANCE_LABEL: spec.instance_id,
            ROLE_LABEL: spec.role,
        }
        # A volume of its own, so that the node's overlay2 does not stand on the host's overlay.
        engine_volume = {
            "Type": "volume",
            "Target": "/var/lib/docker",
            "VolumeOptions": {"Labels": {SANDBOX_LABEL: self.sandbox_name}},
        }
        with docker_engine(f"starting node {spec.instance_id}") as client:
            api = client.api
            endpoint = api.create_endpoint_config(ipv4_address=spec.ip, aliases=[spec.hostname])
            container = api.create_container_from_config(
                {
                    "Image": spec.image,
                    "Hostname": spec.hostname,
                    "Labels": labels,
                    "HostConfig": {
                        **self._run_options,
                        "NetworkMode": network,
                        "Mounts": [engine_volume],
                    },
                    "NetworkingConfig": {"EndpointsConfig": {network: endpoint}},
                },
                name=self._container_name(spec.instance_id),
            )
            api.start(container["Id"])

    def wait_booted(self, instance_id: str, deadline_seconds: float) -> None:
        """Return when systemd is done and sshd and Docker are up; else raise NodeFailed."""
        deadline = time.monotonic() + deadline_seconds
        state = "no answer"
        while time.monotonic() < deadline:
            if not self.alive(instance_id):
                said = self._log(instance_id)
                raise NodeFailed(f"node {instance_id} stopped while booting: {said}")
            done = self.exec(instance_id, ["systemctl", "is-system-running"], timeout=20)
            state = done.stdout.decode().strip() or done.stderr.decode().strip()
            if state == "running":
                return
            if state == "degraded":
                raise NodeFailed(f"node {instance_id}: {self._failed_units(instance_id)}")
            time.sleep(BOOT_POLL_SECONDS)
        raise NodeFailed(
            f"node {instance_id} did not boot within {deadline_seconds:.0f} s; systemd: {state}"
        )

    def exec(
        self,
        instance_id: str,
        argv: Sequence[str],
        *,
        user: str = "root",
        env: Mapping[str, str] | None = None,
        workdir: str | None = None,
        timeout: float,
    ) -> ExecResult:
        """Run ``argv`` on a node as ``user``, killed after ``timeout`` seconds (exit code 124).

        Raises NodeFailed when the node is gone or Docker does not answer.
        """
        bounded = ["timeout", f"--kill-after={KILL_AFTER_SECONDS}", str(timeout), *argv]
        patience = timeout + KILL_AFTER_SECONDS + 30
        try:
            with docker_engine(f"running {argv[0]} on node {instance_id}", patience) as client:
                code, stdout, stderr = docker_exec.run(
                    client.api,
                    self._container_name(instance_id),
                    bounded,
                    user=user,
                    env=env or {},
                    workdir=workdir,
                )
        except InfrastructureError as error:
            raise NodeFailed(error.message, error.next_command) from error
        return ExecResult(code, stdout, stderr)

    def put_file(
        self,
        instance_id: str,
        path: str,
        data: bytes,
        *,
        mode: int = 0o644,
        owner: str = "root",
    ) -> None:
        """Write a file on a node, whole or not at all, making the folders above it."""
        name = f"put-{time.monotonic_ns()}"
        with docker_engine(f"writing {path} on node {instance_id}") as client:
            self._container(client, instance_id).put_archive("/var/tmp", as_tar(name, data))
        argv = ["install", "-D", f"--mode={mode:o}", f"--owner={owner}", f"--group={owner}"]
        script = '"$@" && rm "$SOURCE"'
        done = self.exec(
            instance_id,
            ["sh", "-c", script, "sh", *argv, f"/var/tmp/{name}", path],
            env={"SOURCE": f"/var/tmp/{name}"},
            timeout=30,
        )
        if done.exit_code:
            reason = done.stderr.decode(errors="replace").strip()
            raise NodeFailed(f"writing {path} on node {instance_id}: {reason}")

    def read_file(self, instance_id: str, path: str) -> bytes | None:
        """A file's content, or None where there is none."""
        with docker_engine(f"reading {path} on node {instance_id}") as client:
            try:
                chunks, _ = self._container(client, instance_id).get_archive(path)
            except docker.errors.NotFound:
                return None
            return from_tar(chunks)

    def alive(self, instance_id: str) -> bool:
        """Whether the node's container runs."""
        with docker_engine(f"looking at node {instance_id}") as client:
            try:
                return bool(self._container(client, instance_id).status == "running")
            except docker.errors.NotFound:
                return False

    def remove_node(self, instance_id: str) -> None:
        """Kill and remove a node with its volumes; nothing to do when it is gone."""
        with docker_engine(f"removing node {instance_id}") as client:
            try:
                container = self._container(client, instance_id)
            except docker.errors.NotFound:
                return
            sweeping.remove_container(container)

    def sweep(self) -> list[str]:
        """Remove all containers, networks and volumes of this sandbox; what was removed."""
        with docker_engine(f"sweeping sandbox {self.sandbox_name}") as client:
            return sweeping.sweep(client, self.sandbox_name)

    def _container_name(self, instance_id: str) -> str:
        return f"lofn-{self.sandbox_name}-{instance_id}"

    def _container(self, client: docker.DockerClient, instance_id: str) -> Container:
        return client.containers.get(self._container_name(instance_id))

    def _log(self, instance_id: str) -> str:
        with docker_engine(f"reading the log of node {instance_id}") as client:
            try:
                text = self._container(client, instance_id).logs(tail=5).decode(errors="replace")
            except docker.errors.NotFound:
                return "its container is gone"
        return " / ".join(text.split("\n")) or "it said nothing"

    def _failed_units(self, instance_id: str) -> str:
        argv = ["systemctl", "list-units", "--failed", "--plain", "--no-legend"]
        text = self.exec(instance_id, argv, timeout=20).stdout.decode(errors="replace")
        units = [line.split()[0] for line in text.splitlines() if line.split()]
        tail = ["journalctl", "--no-pager", "--output=cat", "--lines=3"]
        tail += [f"--unit={unit}" for unit in units]
        said = self.exec(instance_id, tail, timeout=20).stdout.decode(errors="replace")
        return f"units that failed: {', '.join(units)}: {' / '.join(said.splitlines())}"

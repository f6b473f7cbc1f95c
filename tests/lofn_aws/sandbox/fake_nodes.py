"""Nodes without containers: each is a folder, and commands run on this machine inside of it.

Their HDFS and YARN answer over HTTP on loopback addresses of their own (127.77.0.0/24), so that
the service's own client of them is what tests run. ``broken`` holds roles whose nodes do not boot.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from os import killpg, walk
from pathlib import Path
from typing import Any

from lofn_aws.sandbox import node_info
from lofn_aws.sandbox.boot import CONFIGURE_AWS, INSTALLER
from lofn_aws.sandbox.nodes import ExecResult, NodeFailed, NodeSpec

ADDRESSES = [f"127.77.0.{number}" for number in range(10, 250)]
NODE_PATHS = re.compile(r"(?<![\w/.])(?=/(mnt|emr|usr/libexec/emr|home/hadoop)(/|$))")


class FakeNodes:
    """The interface of ``NodeEngine`` that the service uses."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.specs: dict[str, NodeSpec] = {}
        self.alive_ids: set[str] = set()
        self._roles: dict[str, set[str]] = {}
        self.broken: set[str] = set()
        self._daemons: dict[str, list[ThreadingHTTPServer]] = {}

    def create_node(self, spec: NodeSpec) -> None:
        (self._root / spec.instance_id).mkdir(parents=True)
        self.specs[spec.instance_id] = spec
        self.alive_ids.add(spec.instance_id)

    def wait_booted(self, instance_id: str, deadline_seconds: float) -> None:
        if self.specs[instance_id].role in self.broken:
            raise NodeFailed(f"node {instance_id} is broken")

    def alive(self, instance_id: str) -> bool:
        return instance_id in self.alive_ids

    def put_file(
        self, instance_id: str, path: str, data: bytes, *, mode: int = 0o644, owner: str = "root"
    ) -> None:
        target = self.path(instance_id, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if data.startswith(b"#!"):
            data = self._here(instance_id, data.decode()).encode()
        target.write_bytes(data)
        target.chmod(mode)

    def _here(self, instance_id: str, text: str) -> str:
        """The text with a node's paths as those of this machine."""
        return NODE_PATHS.sub(str(self._root / instance_id), text)

    def path(self, instance_id: str, path: str) -> Path:
        """Where on this machine a node's file is."""
        if not self.alive(instance_id):
            raise NodeFailed(f"node {instance_id} is gone")
        return self._root / instance_id / path.lstrip("/")

    def exec(
        self,
        instance_id: str,
        argv: list[str],
        *,
        user: str = "root",
        env: dict[str, str] | None = None,
        timeout: float,
    ) -> ExecResult:
        self.path(instance_id, "/")
        if argv[0] == INSTALLER:
            return self._install(instance_id)
        if argv[0] == CONFIGURE_AWS or argv[:2] in (["yarn", "rmadmin"], ["hdfs", "dfsadmin"]):
            return ExecResult(0, b"", b"")
        if argv[:2] == ["install", "-d"]:
            for target in (word for word in argv if word.startswith("/")):
                self.path(instance_id, target).mkdir(parents=True, exist_ok=True)
            return ExecResult(0, b"", b"")
        words = [self._here(instance_id, word) for word in argv]
        done = subprocess.run(words, capture_output=True, env=env, timeout=timeout, check=False)
        return ExecResult(done.returncode, done.stdout, done.stderr)

    def remove_node(self, instance_id: str) -> None:
        self.kill(instance_id)
        shutil.rmtree(self._root / instance_id, ignore_errors=True)

    def kill(self, instance_id: str) -> None:
        """End a node as ``docker kill`` does."""
        if instance_id not in self.alive_ids:
            return
        self.alive_ids.discard(instance_id)
        for server in self._daemons.pop(instance_id, []):
            server.shutdown()
            server.server_close()
        # os.walk passes over folders that another thread removes meanwhile; rglob raises.
        for folder, _, files in walk(self._root / instance_id):
            if ".session" in files:
                with suppress(ProcessLookupError, FileNotFoundError):
                    killpg(int(Path(folder, ".session").read_text()), signal.SIGKILL)

    def _install(self, instance_id: str) -> ExecResult:
        spec = self.specs[instance_id]
        document = json.loads(self.path(instance_id, node_info.PROVISION_JSON).read_bytes())
        assert document["role"] in (spec.role, "core")
        if spec.role == "primary" and instance_id not in self._daemons:
            self._daemons[instance_id] = [
                self._serve(spec, 8088, self._resource_manager),
                self._serve(spec, 9870, self._name_node),
            ]
        self._roles.setdefault(instance_id, set()).add(document["role"])
        return ExecResult(0, b"installed\n", b"")

    def _peers(self, spec: NodeSpec, roles: set[str]) -> list[str]:
        return [
            other.hostname
            for other_id, other in self.specs.items()
            if other.cluster_id == spec.cluster_id
            and self._roles.get(other_id, set()) & roles
            and other_id in self.alive_ids
        ]

    def _excluded(self, spec: NodeSpec, path: str) -> set[str]:
        return set(self.path(spec.instance_id, path).read_text().split())

    def _resource_manager(self, spec: NodeSpec, path: str) -> dict[str, Any]:
        if path.startswith("/ws/v1/cluster/apps"):
            return {"apps": None}
        names = self._peers(spec, {"core", "task"})
        excluded = self._excluded(spec, node_info.YARN_EXCLUDE)
        states = {n: "DECOMMISSIONED" if n in excluded else "RUNNING" for n in names}
        return {"nodes": {"node": [{"nodeHostName": n, "state": s} for n, s in states.items()]}}

    def _name_node(self, spec: NodeSpec, path: str) -> dict[str, Any]:
        excluded = self._excluded(spec, node_info.HDFS_EXCLUDE)
        live = {
            f"{name}:9866": {"adminState": "Decommissioned" if name in excluded else "In Service"}
            for name in self._peers(spec, {"core"})
        }
        bean = {"LiveNodes": json.dumps(live), "Safemode": "", "Used": 0, "Total": 100}
        return {"beans": [bean]}

    def _serve(self, spec: NodeSpec, port: int, answer: Any) -> ThreadingHTTPServer:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(answer(spec, self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        server = ThreadingHTTPServer((spec.ip, port), Handler)
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        return server

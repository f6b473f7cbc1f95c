"""The worlds that the service's contract is tested in: nodes as folders and as containers."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import IPv4Network
from pathlib import Path

from moto.moto_api._internal.models import moto_api_backend
from werkzeug.serving import make_server

from lofn_aws.sandbox import account, control
from lofn_aws.sandbox.server import Dispatcher, QuietRequestHandler
from lofn_aws.sandbox.service import EmrService
from tests.lofn_aws.sandbox.emr_world import World
from tests.lofn_aws.sandbox.fake_nodes import ADDRESSES, FakeNodes

REAL_NAME = "contract"


@contextmanager
def fake_world(folder: Path) -> Iterator[tuple[World, FakeNodes]]:
    """The service in this process, over nodes that are folders."""
    moto_api_backend.reset()
    nodes = FakeNodes(folder)
    dispatcher = Dispatcher("fake")
    server = make_server(
        "127.0.0.1", 0, dispatcher, threaded=True, request_handler=QuietRequestHandler
    )
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    around = account.Account(url)
    around.seed(IPv4Network("127.77.0.0/24"))
    access = {"region": "us-east-1", "s3_endpoint": url, "access_key": "k", "secret_key": "s"}
    dispatcher.emr = EmrService(nodes, around, ADDRESSES, "fake:1", access)
    try:
        yield World(url, nodes.kill, patience=30), nodes
    finally:
        dispatcher.emr.shut_down()
        for instance_id in list(nodes.alive_ids):
            nodes.kill(instance_id)
        server.shutdown()
        server.server_close()


@contextmanager
def real_world() -> Iterator[World]:
    """A sandbox of its own name, whose nodes are containers."""
    found = control.start(REAL_NAME, print)

    def kill(instance_id: str) -> None:
        name = f"lofn-{REAL_NAME}-{instance_id}"
        subprocess.run(["docker", "kill", name], check=True, capture_output=True, timeout=60)

    try:
        yield World(found.url, kill, patience=300)
    finally:
        control.stop(REAL_NAME, print)

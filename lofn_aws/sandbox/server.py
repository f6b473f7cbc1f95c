"""The sandbox's process: EMR beside moto's S3, EC2, IAM and STS, on two addresses and one port."""

from __future__ import annotations

import argparse
import fcntl
import json
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TextIO

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import BaseWSGIServer, make_server

from lofn_aws.errors import InfrastructureError, LofnAwsError
from lofn_aws.sandbox import account, endpoint, protocol
from lofn_aws.sandbox.host_check import require_address
from lofn_aws.sandbox.network import Network
from lofn_aws.sandbox.nodes import NodeEngine
from lofn_aws.sandbox.service import EmrService

log = logging.getLogger(__name__)

HEALTH_PATH = "/_lofn/health"
LOOPBACK = "127.0.0.1"
PORT_ATTEMPTS = 20
SWEEP_ATTEMPTS = 5
QUIET_LOGGERS = ("werkzeug", "botocore", "urllib3", "boto3", "docker")


class QuietRequestHandler(MotoRequestHandler):
    """moto's handler without a line per request."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: refusals and failures are logged where they are decided."""


class Dispatcher:
    """The WSGI application: EMR's requests to the service, the others to moto.

    Args:
        name: the sandbox's name, which the health route answers with.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._moto = DomainDispatcherApplication(create_backend_app)
        self.emr: EmrService | None = None

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "")
        if path == HEALTH_PATH:
            return self._health(start_response)
        # moto's own control interface can wipe the account: it is not part of AWS.
        if path.startswith("/moto-api"):
            start_response("404 Not Found", [("Content-Length", "0")])
            return [b""]
        target = environ.get("HTTP_X_AMZ_TARGET", "")
        if self.emr is not None and target.startswith(protocol.target_prefix()):
            return self.emr(environ, start_response)
        application = self._moto.get_application(environ)
        return application(environ, start_response)

    def _health(self, start_response: Callable[..., Any]) -> list[bytes]:
        ready = self.emr is not None
        body = json.dumps({"sandbox": self._name, "pid": os.getpid(), "ready": ready}).encode()
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
        start_response("200 OK" if ready else "503 Service Unavailable", headers)
        return [body]


def listen(gateway: str, application: Any) -> list[BaseWSGIServer]:
    """Return servers on loopback and on the gateway, on the same free port.

    Raises:
        UsageError: this machine does not have the gateway's address.
        InfrastructureError: no port was free on both.
    """
    for _ in range(PORT_ATTEMPTS):
        port = _free_port(gateway)
        servers: list[BaseWSGIServer] = []
        try:
            for host in (LOOPBACK, gateway):
                servers.append(_server(host, port, application))
            return servers
        except (OSError, SystemExit):
            for server in servers:
                server.server_close()
    raise InfrastructureError(f"no port is free on both {LOOPBACK} and {gateway}",
                              "lofn-aws sandbox start")


def _free_port(gateway: str) -> int:
    require_address(gateway)
    with socket.socket() as probe:
        probe.bind((gateway, 0))
        return int(probe.getsockname()[1])


def _server(host: str, port: int, application: Any) -> BaseWSGIServer:
    return make_server(host, port, application, threaded=True, request_handler=QuietRequestHandler)


def serve(options: argparse.Namespace) -> None:
    """Run the sandbox until SIGTERM or SIGINT, then take its nodes down."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    engine = NodeEngine(options.name)
    network = engine.ensure_network()
    dispatcher = Dispatcher(options.name)
    servers = listen(network.gateway, dispatcher)
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    found = _announcement(options, network, servers[0].server_port)
    dispatcher.emr = _service(engine, network, found)
    endpoint.write(found)
    log.info("sandbox '%s' listens at %s", options.name, found.url)
    stop.wait()
    log.info("sandbox '%s' stops", options.name)
    endpoint.remove(options.name)
    dispatcher.emr.shut_down()
    _sweep(engine)


def _announcement(options: argparse.Namespace, network: Network, port: int) -> endpoint.Endpoint:
    return endpoint.Endpoint(
        name=options.name,
        url=f"http://{network.gateway}:{port}",
        pid=os.getpid(),
        region=account.REGION,
        access_key=account.ACCESS_KEY,
        secret_key=account.SECRET_KEY,
        registry_image=options.registry_image,
        node_image=options.node_image,
        state_dir=str(endpoint.state_dir(options.name)),
    )


def _service(engine: NodeEngine, network: Network, found: endpoint.Endpoint) -> EmrService:
    around = account.Account(found.url)
    around.seed(network.subnet)
    access: Mapping[str, str] = {
        "region": found.region,
        "s3_endpoint": found.url,
        "access_key": found.access_key,
        "secret_key": found.secret_key,
    }
    return EmrService(engine, around, list(network.addresses), found.node_image, access)


def _sweep(engine: NodeEngine) -> None:
    """Remove everything of this sandbox; again where a boot was still making nodes."""
    for _ in range(SWEEP_ATTEMPTS):
        try:
            removed = engine.sweep()
        except Exception as error:
            log.warning("the sweep is tried again: %s", error)
            continue
        if not removed:
            return
        log.info("removed %s", ", ".join(removed))


def main(argv: list[str] | None = None) -> None:
    """Run ``python -m lofn_aws.sandbox.server``; started by ``control.start``."""
    parser = argparse.ArgumentParser(prog="python -m lofn_aws.sandbox.server")
    for name in ("--name", "--node-image", "--registry-image"):
        parser.add_argument(name, required=True)
    options = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    # The process speaks to this machine and its nodes only, whatever proxy the user has.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    with hold_lock(endpoint.state_dir(options.name)):
        try:
            serve(options)
        except (LofnAwsError, OSError) as error:
            log.error("sandbox '%s' cannot go on: %s", options.name, error)
            sys.exit(1)
        logging.shutdown()
        # Not by returning: threads that still wait for nodes which are gone would be waited for,
        # and the lock let go before. Whoever finds it free knows that the process has ended.
        os._exit(0)


def hold_lock(folder: Path) -> TextIO:
    """Take the lock that says that this sandbox's server lives; its pid is in the file.

    Returns:
        The open file; the lock is held while it is open.

    Raises:
        SystemExit: another server of this sandbox has it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "server.lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise SystemExit("another server of this sandbox is running") from None
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


if __name__ == "__main__":
    main()

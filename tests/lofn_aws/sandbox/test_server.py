"""What the sandbox's process listens on and answers beside EMR."""

from __future__ import annotations

import json
import os
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from lofn_aws.errors import UsageError
from lofn_aws.sandbox.server import Dispatcher, listen

GATEWAY = "127.77.1.1"


@pytest.fixture
def served() -> Iterator[tuple[Dispatcher, list[Any]]]:
    dispatcher = Dispatcher("unit")
    servers = listen(GATEWAY, dispatcher)
    for server in servers:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield dispatcher, servers
    for server in servers:
        server.shutdown()
        server.server_close()


def _get(url: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_one_port_on_two_addresses_and_no_other(served: tuple[Dispatcher, list[Any]]) -> None:
    _, servers = served
    assert sorted(server.host for server in servers) == ["127.0.0.1", GATEWAY]
    port = servers[0].server_port
    assert {server.server_port for server in servers} == {port}
    with pytest.raises(OSError):
        urllib.request.urlopen(f"http://127.77.1.2:{port}/_lofn/health", timeout=5)


def test_it_is_healthy_when_emr_is_there(served: tuple[Dispatcher, list[Any]]) -> None:
    dispatcher, servers = served
    url = f"http://{GATEWAY}:{servers[0].server_port}/_lofn/health"
    assert _get(url)[0] == 503
    dispatcher.emr = object()  # type: ignore[assignment]
    status, body = _get(url)
    assert status == 200
    assert json.loads(body) == {"sandbox": "unit", "pid": os.getpid(), "ready": True}


def test_motos_own_interface_is_not_there(served: tuple[Dispatcher, list[Any]]) -> None:
    _, servers = served
    assert _get(f"http://127.0.0.1:{servers[0].server_port}/moto-api/data.json")[0] == 404


def test_a_gateway_that_is_not_of_this_machine() -> None:
    with pytest.raises(UsageError, match=r"192\.0\.2\.1"):
        listen("192.0.2.1", Dispatcher("unit"))

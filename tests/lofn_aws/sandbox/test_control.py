"""Whether a sandbox runs is asked of its process, whatever its files say."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from lofn_aws.sandbox import control, endpoint


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = endpoint.state_dir("unit")
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def health() -> Iterator[dict[str, Any]]:
    """A server on loopback that answers with what the returned mapping holds."""
    answer: dict[str, Any] = {"status": 200}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(answer["status"])
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    answer["url"] = f"http://127.0.0.1:{server.server_port}"
    yield answer
    server.shutdown()
    server.server_close()


def _write(url: str, name: str = "unit", pid: int = 77) -> endpoint.Endpoint:
    made = endpoint.Endpoint(
        name=name,
        url=url,
        pid=pid,
        region="us-east-1",
        access_key="k",
        secret_key="s",
        registry_image="r",
        node_image="n",
        state_dir=str(endpoint.state_dir("unit")),
    )
    endpoint.write(made)
    return made


def test_nothing_has_been_started() -> None:
    assert control.status("unit") is None


def test_a_running_sandbox(health: dict[str, Any]) -> None:
    made = _write(health["url"])
    health.update(sandbox="unit", pid=77)
    assert control.status("unit") == made


@pytest.mark.parametrize(
    "answer",
    [{"sandbox": "unit", "pid": 78}, {"sandbox": "other", "pid": 77}, {"pid": 77}],
)
def test_somebody_else_has_the_port(health: dict[str, Any], answer: dict[str, Any]) -> None:
    _write(health["url"])
    health.update(answer)
    assert control.status("unit") is None


def test_a_server_that_is_not_ready(health: dict[str, Any]) -> None:
    _write(health["url"])
    health.update(sandbox="unit", pid=77, status=503)
    assert control.status("unit") is None


def test_a_file_left_by_a_killed_server(health: dict[str, Any]) -> None:
    _write("http://127.0.0.1:1")
    assert control.status("unit") is None


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": "unit"}'])
def test_a_file_that_is_not_ours(state: Path, text: str) -> None:
    (state / "endpoint.json").write_text(text)
    assert control.status("unit") is None


def test_the_pid_of_a_server_is_known_by_its_lock(state: Path) -> None:
    assert control._server_pid("unit") is None
    with (state / "server.lock").open("w") as file:
        file.write(f"{os.getpid()}\n")
        file.flush()
        assert control._server_pid("unit") is None
        fcntl.flock(file, fcntl.LOCK_EX)
        assert control._server_pid("unit") == os.getpid()
    assert control._server_pid("unit") is None


def test_a_second_start_waits_for_the_first(state: Path) -> None:
    said: list[str] = []
    entered = threading.Event()

    def second() -> None:
        with control._only_one("unit", said.append):
            entered.set()

    with control._only_one("unit", said.append):
        thread = threading.Thread(target=second)
        thread.start()
        assert not entered.wait(0.5)
    assert entered.wait(5)
    thread.join()
    assert said == ["waiting for another command that starts or stops sandbox 'unit'"]

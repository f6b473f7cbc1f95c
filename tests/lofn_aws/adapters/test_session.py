"""Clients: what of the environment has a say, and what has none."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lofn_aws.adapters.session import Aws, is_near, read_chain
from lofn_aws.errors import CredentialsError
from tests.lofn_aws.factory import settings

ANSWER = (b"<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>"
          b"</GetCallerIdentityResult></GetCallerIdentityResponse>")


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()


def test_given_keys_need_no_profile_and_a_near_endpoint_no_proxy(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    chosen = settings().changed(endpoint_url=endpoint, access_key="k", secret_key="s")
    assert Aws(chosen).sts.get_caller_identity()["Account"] == "123456789012"


def test_without_keys_the_environments_profile_counts(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "gone")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    with pytest.raises(CredentialsError, match="gone"):
        _ = Aws(settings()).sts
    with pytest.raises(CredentialsError, match="gone"):
        read_chain(None)


def test_the_chain_tells_the_profiles_region(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[profile work]\nregion = eu-west-3\n[default]\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    assert read_chain("work") == {"region": "eu-west-3"}
    assert read_chain(None) == {}


@pytest.mark.parametrize(("url", "near"), [
    ("http://172.31.2.1:4000", True), ("http://127.0.0.1:1", True), (None, False),
    ("https://elasticmapreduce.eu-west-1.amazonaws.com", False), ("https://8.8.8.8", False),
])
def test_near(url: str | None, near: bool) -> None:
    assert is_near(url) == near

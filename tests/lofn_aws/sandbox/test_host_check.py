"""An engine that is not on this machine is refused at once, before images are built."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from lofn_aws.errors import UsageError
from lofn_aws.sandbox import control, host_check
from lofn_aws.workflows.endpoint import start_sandbox
from tests.lofn_aws.workflows.conftest import Heard

# RFC 5737: no machine has it.
ELSEWHERE = "198.51.100.1"


def engine_with(monkeypatch: pytest.MonkeyPatch, *pools: dict[str, str]) -> None:
    network = SimpleNamespace(name="bridge", attrs={"IPAM": {"Config": list(pools)}})

    @contextmanager
    def engine(_: str) -> Iterator[Any]:
        yield SimpleNamespace(networks=SimpleNamespace(list=lambda names: [network]))

    monkeypatch.setattr(host_check, "docker_engine", engine)
    monkeypatch.delenv("DOCKER_HOST", raising=False)


def test_an_engine_on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    engine_with(monkeypatch, {"Gateway": "127.0.0.1"}, {"Gateway": "fd00::1"})
    host_check.require_engine_here()


@pytest.mark.parametrize("pools", [(), ({"Subnet": "172.17.0.0/16"},)])
def test_an_engine_whose_network_tells_nothing_is_let_through(
    monkeypatch: pytest.MonkeyPatch, pools: tuple[dict[str, str], ...]
) -> None:
    engine_with(monkeypatch, *pools)
    host_check.require_engine_here()


def test_an_engine_elsewhere_is_refused_before_anything_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine_with(monkeypatch, {"Gateway": ELSEWHERE})
    monkeypatch.setattr(control, "start", lambda *_: pytest.fail("images would be built"))
    with pytest.raises(UsageError, match="Docker Desktop") as caught:
        start_sandbox("unit", Heard())
    assert caught.value.next_command.startswith("sudo systemctl start docker")
    monkeypatch.setenv("DOCKER_HOST", "tcp://198.51.100.1:2375")
    with pytest.raises(UsageError) as caught:
        start_sandbox("unit", Heard())
    assert caught.value.next_command.startswith("unset DOCKER_HOST")

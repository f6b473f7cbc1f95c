"""`push` from end to end on a recorded push stream and a gateway whose answers are written down."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lofn_aws.errors import InfrastructureError, NotFoundError
from lofn_aws.model.image import LocalImage, Pushed
from lofn_aws.workflows import push as workflow
from lofn_aws.workflows.context import Context
from tests.lofn_aws.workflows.fakes import FIRST, FakeEngine, FakeGateway, cluster_of

GOLDEN = Path(__file__).parents[2] / "golden" / "docker"
IMAGE = LocalImage("sha256:abc", ("tools/big:1",), 100, "linux/amd64")
DIGEST = "sha256:" + "0" * 64
ANSWERS = {"uname": (0, "x86_64\n", "")}


def recorded(name: str) -> list[object]:
    return [json.loads(line) for line in (GOLDEN / name).read_text().splitlines()]


def pushed(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, gateway: FakeGateway, engine: FakeEngine
) -> Pushed:
    @contextmanager
    def there(*_: object) -> Iterator[object]:
        yield cluster_of(gateway)

    monkeypatch.setattr(workflow, "attached", there)
    return workflow.push(ctx, engine, "tools/big:1")  # type: ignore[arg-type]


def engine_with(messages: list[object]) -> FakeEngine:
    return FakeEngine({"tools/big:1": IMAGE}, messages)


def test_layers_then_every_node(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway, engine = FakeGateway(ANSWERS), engine_with(recorded("push_again.jsonl"))
    done = pushed(ctx, monkeypatch, gateway, engine)
    assert (done.name, done.layers_sent, done.layers_kept) == ("localhost:5000/tools/big:1", 1, 2)
    assert engine.names_while_pushing == ["127.0.0.1:40000/tools/big:1"]
    assert engine.image_names() == ["tools/big:1"]
    pulled = [host for host, command in gateway.ran if "docker pull" in command]
    assert sorted(pulled) == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]
    assert [node.problem for node in done.nodes] == ["", "", ""]
    assert "1 layers sent (0.0 MB unpacked), 2 kept" in ctx.reporter.words  # type: ignore[attr-defined]


@pytest.mark.parametrize("fault", [{"error": "EOF"}, KeyboardInterrupt()])
def test_the_temporary_name_goes_with_a_failure(
    ctx: Context, monkeypatch: pytest.MonkeyPatch, fault: object
) -> None:
    engine = engine_with([*recorded("push_again.jsonl")[:4], fault])
    with pytest.raises((InfrastructureError, KeyboardInterrupt)):
        pushed(ctx, monkeypatch, FakeGateway(ANSWERS), engine)
    assert engine.image_names() == ["tools/big:1"]


def test_unknown_image(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = FakeEngine({"tools/bag:1": IMAGE})
    with pytest.raises(NotFoundError, match="no image tools/big:1; there is tools/bag:1"):
        pushed(ctx, monkeypatch, FakeGateway(ANSWERS), engine)


def test_registry_that_is_down(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    gateway = FakeGateway({"uname": (7, "x86_64\n", "curl: (7) Failed to connect")})
    with pytest.raises(InfrastructureError, match=r"registry .* does not answer.*Failed") as caught:
        pushed(ctx, monkeypatch, gateway, engine_with([]))
    assert caught.value.next_command == "lofn-aws up"


def test_an_image_for_another_processor_is_warned_of(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FakeGateway({"uname": (0, "aarch64\n", "")})
    pushed(ctx, monkeypatch, gateway, engine_with(recorded("push_again.jsonl")))
    assert "built for linux/amd64 and the nodes are linux/arm64" in ctx.reporter.words  # type: ignore[attr-defined]


def test_one_node_that_cannot_pull_is_named_after_all_have_ended(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FakeGateway(
        {f"{FIRST} .*pull": (1, "x\nError response: no space left\n", "")} | ANSWERS
    )
    with pytest.raises(InfrastructureError, match=f"on {FIRST}: Error response: no space left$"):
        pushed(ctx, monkeypatch, gateway, engine_with(recorded("push_first.jsonl")))
    assert len([command for _, command in gateway.ran if "docker pull" in command]) == 3


def test_an_engine_that_reaches_no_tunnel_streams(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FakeGateway(
        {"image inspect": (1, "", ""), "docker load": (0, f"1: digest: {DIGEST} size: 9\n", "")}
        | ANSWERS
    )
    engine = engine_with([])
    engine.loopback = False
    done = pushed(ctx, monkeypatch, gateway, engine)
    assert done.digest == DIGEST
    assert [gzip.decompress(data) for data in gateway.sent] == [b"archive of sha256:abc"]


def test_what_the_primary_has_is_not_streamed_again(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = FakeGateway({"docker push": (0, f"1: digest: {DIGEST} size: 9\n", "")} | ANSWERS)
    engine = engine_with([])
    engine.loopback = False
    assert pushed(ctx, monkeypatch, gateway, engine).digest == DIGEST
    assert gateway.sent == []

"""Commands on nodes: every failure is named, after all have ended; the registry image's tar."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from lofn_aws.adapters.ssh import CommandFailed, CommandResult, HostUnreachable
from lofn_aws.errors import InfrastructureError
from lofn_aws.model.cluster import Cluster
from lofn_aws.model.image import LocalImage
from lofn_aws.model.node import ProbeRecord, ProbeReport
from lofn_aws.model.plan import CleanSwarm
from lofn_aws.model.step import Step
from lofn_aws.workflows import registry_image
from lofn_aws.workflows.apply_nodes import NodeWork, apply_nodes
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.nodes import lofn_node, open_ssh, run_on
from lofn_aws.workflows.probe import _sentence
from lofn_aws.workflows.registry_image import registry_tar
from tests.lofn_aws.workflows.fakes import FakeGateway

HOSTS = {"10.0.0.1": "3.4.5.6", "10.0.0.2": "10.0.0.2", "10.0.0.3": "10.0.0.3"}


class Nodes:
    """Stands in for a Gateway: each host gives the outcome it was given."""

    def __init__(self, outcomes: dict[str, Any], opens: Sequence[Exception | None] = ()) -> None:
        self.outcomes = outcomes
        self.opens: Iterator[Exception | None] = iter(opens)

    def open(self) -> None:
        error = next(self.opens)
        if error is not None:
            raise error

    def run(self, host: str | None, command: str, **_: object) -> CommandResult:
        return self.outcomes[host or "primary"]

    def run_all(self, hosts: Sequence[str], command: str, **_: object) -> dict[str, Any]:
        return {host: self.outcomes[host] for host in hosts}


def result(exit_code: int = 0, stdout: str = "", stderr: str = "") -> CommandResult:
    return CommandResult("h", "c", exit_code, stdout, stderr)


def run(nodes: Nodes, ips: Sequence[str]) -> dict[str, CommandResult]:
    return run_on(nodes, HOSTS, ips, "c", doing="joining", timeout=5)  # type: ignore[arg-type]


def test_results_are_by_private_address() -> None:
    nodes = Nodes({"3.4.5.6": result(stdout="a"), "10.0.0.2": result(stdout="b")})
    found = run(nodes, ["10.0.0.1", "10.0.0.2"])
    assert {ip: r.stdout for ip, r in found.items()} == {"10.0.0.1": "a", "10.0.0.2": "b"}


def test_every_node_that_failed_is_named_with_its_words() -> None:
    nodes = Nodes({
        "3.4.5.6": result(),
        "10.0.0.2": result(1, stderr="lofn-node: first\nlofn-node: cannot join\n"),
        "10.0.0.3": HostUnreachable("no SSH connection to 10.0.0.3: no answer in time"),
    })
    with pytest.raises(InfrastructureError) as caught:
        run(nodes, list(HOSTS))
    assert caught.value.message == (
        "joining failed on 10.0.0.2: lofn-node: cannot join (exit code 1); "
        "10.0.0.3: no SSH connection to 10.0.0.3: no answer in time")


def test_a_command_that_fails_during_up_leads_back_to_up(ctx: Context) -> None:
    gateway = FakeGateway({"swarm-clean": (1, "", "lofn-node: this node is none")})
    work = NodeWork(ctx, Cluster("j-1", "lofn", "WAITING"), gateway, HOSTS, "10.0.0.1")  # type: ignore[arg-type]
    with pytest.raises(CommandFailed) as caught:
        apply_nodes(work, (CleanSwarm(1, ("ip-10-0-0-9",)),))
    assert caught.value.next_command.startswith("lofn-aws up")


def test_words_for_lofn_node_are_quoted() -> None:
    assert lofn_node("load-image", "-", "a b") == "sudo /opt/lofn/bin/lofn-node load-image - 'a b'"


def test_ssh_is_tried_again_while_the_node_is_not_there(ctx: Context) -> None:
    away = HostUnreachable("no SSH connection to 3.4.5.6: refused")
    open_ssh(ctx, Nodes({}, [away, away, None]))  # type: ignore[arg-type]


def test_ssh_that_never_answers_says_why_and_what_to_look_at(ctx: Context) -> None:
    away = HostUnreachable("no SSH connection to 3.4.5.6: no answer in time")
    with pytest.raises(InfrastructureError, match=r"no answer in time .*ssh_ingress is none"):
        open_ssh(ctx, Nodes({}, [away] * 1000))  # type: ignore[arg-type]


class Engine:
    """Stands in for the local Docker Engine."""

    image_there: LocalImage | None = LocalImage("sha256:" + "ab" * 32, ("registry:2",), 3,
                                                "linux/amd64")
    saved = 0

    def image(self, name: str) -> LocalImage | None:
        return self.image_there

    def save(self, name: str) -> Iterator[bytes]:
        type(self).saved += 1
        yield b"a "
        yield b"tar"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> type[Engine]:
    class Own(Engine):
        pass

    monkeypatch.setattr(registry_image, "DockerEngine", Own)
    return Own


def tar(ctx: Context, machine: str = "x86_64") -> str:
    ctx.s3.ensure_bucket(ctx.bucket, "us-east-1")
    return registry_tar(ctx, Nodes({"primary": result(stdout=f"{machine}\n")}))  # type: ignore[arg-type]


def test_the_tar_is_uploaded_once_under_its_id(ctx: Context, engine: type[Engine]) -> None:
    uri = tar(ctx)
    assert uri == f"s3://{ctx.bucket}/images/registry-abababababababab.tar"
    assert ctx.s3.get_bytes(ctx.bucket, "images/registry-abababababababab.tar") == b"a tar"
    assert tar(ctx) == uri
    assert engine.saved == 1


def test_an_image_for_another_kind_of_machine_is_not_sent(
    ctx: Context, engine: type[Engine]
) -> None:
    assert tar(ctx, "aarch64") == "-"


def test_without_the_image_or_an_engine_nodes_pull(
    ctx: Context, engine: type[Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.image_there = None
    assert tar(ctx) == "-"

    def away(*_: object) -> LocalImage:
        raise InfrastructureError("no Docker Engine answers")

    monkeypatch.setattr(engine, "image", away)
    assert tar(ctx) == "-"


FINE = ProbeRecord("10.0.0.2", "h", "yarn", "20.10", "0.1.0", True, "")


def test_a_probes_failure_names_each_node() -> None:
    step = Step("s-1", "lofn probe", "FAILED")
    bad = replace(FINE, ip="10.0.0.3", problem="RuntimeError: permission denied")
    report = ProbeReport(False, (FINE, bad), ("10.0.0.4",))
    said = _sentence(step, report, ("10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"))
    assert "10.0.0.3: RuntimeError: permission denied" in said
    assert "10.0.0.4: no executor reported" in said
    assert "10.0.0.5: not asked" in said
    assert "10.0.0.2" not in said


def test_a_probe_without_a_report_tells_the_steps_state() -> None:
    step = Step("s-1", "lofn probe", "FAILED", failure_message="exit code 1")
    assert _sentence(step, None, ()) == "the probe, step s-1, ended as FAILED: exit code 1"


def test_a_cluster_that_up_made_is_told_from_others() -> None:
    assert not Cluster("j-1", "lofn", "WAITING").is_ours

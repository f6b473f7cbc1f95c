"""Port 22 of the primary: opened to one address, closed by `down`, shared groups respected."""

from dataclasses import replace

import pytest

from lofn_aws.plan.job_flow import run_job_flow
from lofn_aws.plan.up import plan_cloud
from lofn_aws.workflows import observe
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.down import apply_down, observe_down
from lofn_aws.workflows.locate import find_cluster
from lofn_aws.workflows.start import apply_cloud
from lofn_aws.workflows.wanted import wanted_cluster
from tests.lofn_aws.workflows.conftest import Heard

MINE = "203.0.113.7/32"


@pytest.fixture
def open_ctx(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> Context:
    """A Context whose public address is known."""
    monkeypatch.setattr(observe, "public_address", lambda: "203.0.113.7")
    # moto makes EMR's security groups only for a cluster that names a subnet.
    subnet = ctx.aws.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    return replace(ctx, settings=ctx.settings.changed(ssh_ingress="auto", subnet=subnet))


def bring_up(ctx: Context) -> list[str]:
    spec = wanted_cluster(ctx)
    items = plan_cloud(spec, observe.observe_cloud(ctx, spec))
    apply_cloud(ctx, spec, items)
    return [type(item).__name__ for item in items]


def rules(ctx: Context, group: str) -> list[str]:
    return [rule.cidr for rule in ctx.ec2.tcp_rules(group) if rule.opens_ssh]


def group_of(ctx: Context) -> str:
    group = find_cluster(ctx).primary_security_group
    assert group.startswith("sg-")
    return group


def test_the_port_is_opened_once_and_closed_by_down(open_ctx: Context) -> None:
    assert bring_up(open_ctx)[-1] == "OpenSsh"
    group = group_of(open_ctx)
    assert rules(open_ctx, group) == [MINE]
    assert bring_up(open_ctx) == []
    open_ctx.ec2.open_ssh(group, "198.51.100.0/24", "the office, by hand")
    apply_down(open_ctx, observe_down(open_ctx, delete_bucket=False), wait=True)
    assert rules(open_ctx, group) == ["198.51.100.0/24"], "what others made stays"


def test_the_port_of_a_cluster_that_ended_by_itself_is_closed_by_down(open_ctx: Context) -> None:
    """A cluster's usual end is its idle timeout, and nobody closes anything then."""
    bring_up(open_ctx)
    group = group_of(open_ctx)
    open_ctx.emr.terminate([find_cluster(open_ctx).id])
    plan = observe_down(open_ctx, delete_bucket=False)
    assert f"close port 22 of {group} to {MINE}" in plan.words
    apply_down(open_ctx, plan, wait=True)
    assert rules(open_ctx, group) == []
    assert observe_down(open_ctx, delete_bucket=False).is_empty


def test_a_security_group_that_is_gone_has_no_port_to_close(open_ctx: Context) -> None:
    bring_up(open_ctx)
    group = group_of(open_ctx)
    open_ctx.emr.terminate([find_cluster(open_ctx).id])
    open_ctx.aws.ec2.terminate_instances(InstanceIds=[
        i["InstanceId"] for r in open_ctx.aws.ec2.describe_instances()["Reservations"]
        for i in r["Instances"]])
    open_ctx.aws.ec2.delete_security_group(GroupId=group)
    assert observe_down(open_ctx, delete_bucket=False).rules == ()


def test_a_group_that_another_cluster_shares_stays_open(open_ctx: Context) -> None:
    bring_up(open_ctx)
    group = group_of(open_ctx)
    request = run_job_flow(wanted_cluster(open_ctx))
    request["Instances"]["EmrManagedMasterSecurityGroup"] = group
    request["Tags"] = [t | {"Value": "other"} if t["Key"] == "lofn-aws:cluster" else t
                       for t in request["Tags"]]
    open_ctx.emr.run_job_flow(request | {"Name": "other"})
    apply_down(open_ctx, observe_down(open_ctx, delete_bucket=False), wait=True)
    assert rules(open_ctx, group) == [MINE]


def test_an_address_that_cannot_be_learnt_is_a_note_and_no_more(
    open_ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observe, "public_address", lambda: None)
    assert bring_up(open_ctx)[-1] == "WaitForCluster"
    assert isinstance(open_ctx.reporter, Heard)
    assert "public address could not be learnt" in open_ctx.reporter.words

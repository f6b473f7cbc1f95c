"""`up`: observe, plan, apply, until nothing is left to do. Keeps no state of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lofn_aws.errors import Interrupted, LofnAwsError
from lofn_aws.model.cluster import Cluster, Instance
from lofn_aws.model.observed import NodesState
from lofn_aws.model.plan import Item
from lofn_aws.model.spec import ClusterSpec
from lofn_aws.plan.up import engine_difference, expected_on_nodes, plan_cloud, plan_nodes
from lofn_aws.workflows.apply_nodes import NodeWork, apply_nodes
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import (
    connect,
    find_cluster,
    find_cluster_or_none,
    hosts_by_ip,
)
from lofn_aws.workflows.nodes import open_ssh
from lofn_aws.workflows.observe import observe_cloud, observe_nodes
from lofn_aws.workflows.start import apply_cloud
from lofn_aws.workflows.wanted import wanted_cluster


@dataclass(frozen=True)
class Outcome:
    """What `up` or `plan` found and did; ``cluster`` is None when there is none yet."""

    items: tuple[Item, ...]
    applied: bool
    cluster: Cluster | None = None
    instances: tuple[Instance, ...] = ()
    registry_image: str = ""


def plan(ctx: Context) -> Outcome:
    """Observe and plan; changes nothing but, once, this user's own private key."""
    with ctx.reporter.phase("look at what is there"):
        spec = wanted_cluster(ctx)
        seen = observe_cloud(ctx, spec)
        items = plan_cloud(spec, seen)
    if items:
        return Outcome((*items, *expected_on_nodes(spec)), False, seen.cluster)
    return _on_nodes(ctx, spec, apply=False)


def up(ctx: Context) -> Outcome:
    """Bring the cluster up, or finish what an earlier run began.

    Raises Interrupted on Ctrl-C, saying what keeps running; every other error of the toolkit
    goes through.
    """
    if ctx.dry_run:
        return plan(ctx)
    with _saying_what_stays(ctx):
        with ctx.reporter.phase("look at what is there"):
            spec = wanted_cluster(ctx)
            items = plan_cloud(spec, observe_cloud(ctx, spec))
        if items:
            _show(ctx, (*items, *expected_on_nodes(spec)))
            apply_cloud(ctx, spec, items)
        outcome = _on_nodes(ctx, spec, apply=True)
    _note_differences(ctx, spec, outcome)
    return Outcome((*items, *outcome.items), True, outcome.cluster, outcome.instances,
                   outcome.registry_image)


def _on_nodes(ctx: Context, spec: ClusterSpec, *, apply: bool) -> Outcome:
    """Observe the nodes of the cluster, which is ready, and plan; apply the plan if asked."""
    cluster = find_cluster(ctx)
    instances = tuple(ctx.emr.instances(cluster.id))
    with connect(ctx, cluster, instances) as gateway:
        with ctx.reporter.phase("ask the nodes what they are"):
            open_ssh(ctx, gateway)
            seen = observe_nodes(ctx, cluster, gateway, instances)
        if difference := engine_difference(spec, seen):
            ctx.reporter.warn(difference)
        items = _planned(ctx, cluster, seen)
        if apply and items:
            _show(ctx, items)
            hosts = hosts_by_ip(gateway, instances)
            apply_nodes(NodeWork(ctx, cluster, gateway, hosts, seen.primary_ip), items)
            cluster = ctx.emr.cluster(cluster.id)  # its state has changed with the probe
    return Outcome(items, apply, cluster, instances, ctx.settings.registry_image)


def _planned(ctx: Context, cluster: Cluster, seen: NodesState) -> tuple[Item, ...]:
    return plan_nodes(cluster.run_id, ctx.bucket, ctx.settings.registry_image, seen)


def _show(ctx: Context, items: tuple[Item, ...]) -> None:
    ctx.reporter.note("to do:")
    for item in items:
        ctx.reporter.note(f"  - {item.words}")


def _note_differences(ctx: Context, spec: ClusterSpec, outcome: Outcome) -> None:
    """Say where the settings want another number of nodes than the cluster has."""
    for role, wanted in (("core", spec.settings.core_count), ("task", spec.settings.task_count)):
        has = sum(1 for i in outcome.instances if i.role == role)
        if outcome.cluster is not None and has != wanted:
            ctx.reporter.note(f"the cluster has {has} {role} nodes and the settings say {wanted}; "
                              "up does not resize a cluster")


@contextmanager
def _saying_what_stays(ctx: Context) -> Iterator[None]:
    """Turn Ctrl-C into an error that says what keeps running and how to go on or end it."""
    try:
        yield
    except KeyboardInterrupt:
        try:
            cluster = find_cluster_or_none(ctx)
        except (LofnAwsError, KeyboardInterrupt):
            cluster = None
        what = (f"the cluster {cluster.name} ({cluster.id}) keeps running and costs money"
                if cluster else "no cluster was found running")
        raise Interrupted(f"interrupted; {what}",
                          "lofn-aws up  (to go on)  or  lofn-aws down  (to end it)") from None

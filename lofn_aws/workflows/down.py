"""`down`: end the cluster and remove what `up` made for it. Can be run again at any time."""

from collections.abc import Iterable

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.errors import NotFoundError, UsageError
from lofn_aws.model.cluster import ENDED_STATES, LIVING_STATES, Cluster
from lofn_aws.model.network import IngressRule
from lofn_aws.plan.down import (
    DownPlan,
    DownSeen,
    groups_in_use,
    keys_in_use,
    own_keys,
    plan_down,
)
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import clusters_of_name
from lofn_aws.workflows.wait_cluster import wait_until_gone

RUNS = "clusters/"
# How many ended clusters of the set name are looked at for what they left, the latest first.
ENDED_LIMIT = 20


def observe_down(ctx: Context, *, delete_bucket: bool) -> DownPlan:
    """Look for what is left of the set cluster, also of one that ended by itself.

    Raises UsageError for a cluster that is protected against termination.
    """
    with translate("looking into the bucket"):
        there = ctx.s3.bucket_exists(ctx.bucket)
        runs = _runs(ctx) if there else frozenset()
    ending = tuple(clusters_of_name(ctx, LIVING_STATES))
    _refuse_protected(ending)
    ended = tuple(clusters_of_name(ctx, ENDED_STATES, limit=ENDED_LIMIT))
    keys = own_keys((*ending, *ended), [ctx.settings.key_name or ""])
    seen = DownSeen(
        ending, ended, _others(ctx, ending), runs,
        rules=_rules(ctx, (*ending, *ended)),
        keys=frozenset(name for name in keys if ctx.ec2.has_key_pair(name)),
    )
    return plan_down(seen, ctx.bucket if delete_bucket and there else None)


def _refuse_protected(ending: Iterable[Cluster]) -> None:
    for cluster in ending:
        if cluster.termination_protected and cluster.state != "TERMINATING":
            raise UsageError(
                f"{cluster.id} is protected against termination",
                "aws emr modify-cluster-attributes --no-termination-protected "
                f"--cluster-id {cluster.id}",
            )


def _runs(ctx: Context) -> frozenset[str]:
    keys = (found.key for found in ctx.s3.list(ctx.bucket, RUNS))
    return frozenset(key.removeprefix(RUNS).partition("/")[0] for key in keys)


def _others(ctx: Context, ending: Iterable[Cluster]) -> tuple[Cluster, ...]:
    """Return every living cluster of the region but those."""
    ids = {c.id for c in ending}
    return tuple(ctx.emr.cluster(c.id) for c in ctx.emr.clusters(LIVING_STATES) if c.id not in ids)


def _rules(ctx: Context, clusters: Iterable[Cluster]) -> dict[str, tuple[IngressRule, ...]]:
    found = {}
    for group in sorted({c.primary_security_group for c in clusters} - {""}):
        try:
            found[group] = tuple(ctx.ec2.tcp_rules(group))
        except NotFoundError:
            continue  # deleted since, and its rules with it
    return found


def apply_down(ctx: Context, plan: DownPlan, *, wait: bool) -> None:
    """End the clusters, wait for it if asked, and remove what `up` made for them."""
    running = [c for c in plan.clusters if c.state != "TERMINATING"]
    if running:
        ctx.emr.terminate([c.id for c in running])
    _remove_access(ctx, plan)
    for run_id in (*plan.stale_runs, *(c.run_id for c in plan.clusters)):
        _forget_run(ctx, run_id)
    if not wait:
        return
    for cluster in plan.clusters:
        wait_until_gone(ctx, cluster)
        # Nodes that were still booting may have written their keys meanwhile.
        _forget_run(ctx, cluster.run_id)
    if plan.bucket:
        with ctx.reporter.phase(f"delete the bucket {plan.bucket}"), translate(
            f"deleting the bucket {plan.bucket}"
        ):
            ctx.s3.delete_prefix(plan.bucket, "")
            ctx.s3.delete_bucket(plan.bucket)


def _remove_access(ctx: Context, plan: DownPlan) -> None:
    """Close the ports and delete the key pairs that nobody has begun to use since the plan."""
    others = _others(ctx, plan.clusters) if plan.rules or plan.keys else ()
    for group, rule in plan.rules:
        if group not in groups_in_use(others):
            ctx.ec2.close_ssh(group, rule)
    for name in plan.keys:
        if name not in keys_in_use(others):
            ctx.ec2.delete_key_pair(name)


def _forget_run(ctx: Context, run_id: str) -> None:
    if run_id:
        with translate(f"removing the records of the run {run_id}"):
            ctx.s3.delete_prefix(ctx.bucket, f"{RUNS}{run_id}/")

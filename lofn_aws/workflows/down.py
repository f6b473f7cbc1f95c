"""`down`: end the cluster and remove what `up` made for it. Can be run again at any time."""

from collections.abc import Sequence
from dataclasses import dataclass

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.errors import UsageError
from lofn_aws.model.cluster import LIVING_STATES, Cluster
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import clusters_of_name
from lofn_aws.workflows.wait_cluster import wait_until_gone

RULE_PREFIX = "lofn-aws "
RUNS = "clusters/"


@dataclass(frozen=True)
class DownPlan:
    """What there is to take down; ``stale_runs`` are run ids whose cluster has ended."""

    clusters: tuple[Cluster, ...]
    stale_runs: tuple[str, ...]
    bucket: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is left to do."""
        return not (self.clusters or self.stale_runs or self.bucket)

    @property
    def words(self) -> list[str]:
        """What will be done, one line each."""
        lines = [f"end the cluster {c.name} ({c.id}, {c.state})" for c in self.clusters]
        lines += [f"remove the records of the run {run_id}" for run_id in self.stale_runs]
        if self.bucket:
            lines.append(f"delete the bucket {self.bucket} with all its images and logs")
        return lines


def observe_down(ctx: Context, *, delete_bucket: bool) -> DownPlan:
    """Look for what is left of the set cluster.

    Raises UsageError for a cluster that is protected against termination.
    """
    with translate("looking into the bucket"):
        there = ctx.s3.bucket_exists(ctx.bucket)
        runs = _runs(ctx) if there else set()
    # After the bucket: a run that began in between is among the living clusters.
    living = {ctx.emr.cluster(c.id).run_id for c in ctx.emr.clusters(LIVING_STATES)}
    clusters = tuple(clusters_of_name(ctx, LIVING_STATES))
    for cluster in clusters:
        if cluster.termination_protected and cluster.state != "TERMINATING":
            raise UsageError(
                f"{cluster.id} is protected against termination",
                "aws emr modify-cluster-attributes --no-termination-protected "
                f"--cluster-id {cluster.id}",
            )
    return DownPlan(clusters, tuple(sorted(runs - living)),
                    ctx.bucket if delete_bucket and there else None)


def _runs(ctx: Context) -> set[str]:
    keys = (found.key for found in ctx.s3.list(ctx.bucket, RUNS))
    return {key.removeprefix(RUNS).partition("/")[0] for key in keys}


def apply_down(ctx: Context, plan: DownPlan, *, wait: bool) -> None:
    """End the clusters, wait for it if asked, and remove what `up` made for them."""
    running = [c for c in plan.clusters if c.state != "TERMINATING"]
    if running:
        ctx.emr.terminate([c.id for c in running])
    for cluster in plan.clusters:
        _close_ssh(ctx, cluster, plan.clusters)
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


def _forget_run(ctx: Context, run_id: str) -> None:
    if run_id:
        with translate(f"removing the records of the run {run_id}"):
            ctx.s3.delete_prefix(ctx.bucket, f"{RUNS}{run_id}/")


def _close_ssh(ctx: Context, cluster: Cluster, ending: Sequence[Cluster]) -> None:
    """Remove the rules that `up` added, unless another living cluster shares the group."""
    group = cluster.primary_security_group
    if not group:
        return
    ours = {c.id for c in ending}
    others = [ctx.emr.cluster(c.id) for c in ctx.emr.clusters(LIVING_STATES) if c.id not in ours]
    if any(c.is_ours and c.primary_security_group == group for c in others):
        return
    for rule in ctx.ec2.tcp_rules(group):
        if rule.description.startswith(RULE_PREFIX):
            ctx.ec2.close_ssh(group, rule)

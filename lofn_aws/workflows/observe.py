"""What is there: first in AWS, then on the nodes of a cluster that is ready."""

from collections.abc import Sequence

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.ec2 import public_address
from lofn_aws.adapters.ssh import Gateway
from lofn_aws.errors import InfrastructureError
from lofn_aws.facts.node_answers import probe_report, swarm_document, swarm_members
from lofn_aws.model.cluster import Cluster, Instance
from lofn_aws.model.observed import CloudState, NodesState
from lofn_aws.model.spec import ClusterSpec, probe_key, swarm_key
from lofn_aws.plan.network import wanted_ingress
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.locate import find_cluster_or_none, hosts_by_ip
from lofn_aws.workflows.nodes import read_facts

NODE_LIST = "sudo docker node ls --format '{{json .}}'"


def observe_cloud(ctx: Context, spec: ClusterSpec) -> CloudState:
    """Look up in AWS what `up` wants."""
    cluster = find_cluster_or_none(ctx)
    ingress = _ingress(ctx)
    ingress_open = False
    if cluster and ingress and cluster.primary_security_group:
        rules = ctx.ec2.tcp_rules(cluster.primary_security_group)
        ingress_open = any(r.opens_ssh and r.cidr == ingress for r in rules)
    if cluster is not None:
        return CloudState(cluster=cluster, ingress=ingress, ingress_open=ingress_open)
    with translate(f"looking into the bucket {spec.bucket}"):
        there = ctx.s3.bucket_exists(spec.bucket)
        keys = [a.key for a in spec.assets if there and ctx.s3.exists(spec.bucket, a.key)]
    return CloudState(
        bucket_exists=there,
        present_keys=frozenset(keys),
        key_in_account=ctx.ec2.has_key_pair(spec.key_pair.name),
        ingress=ingress,
    )


def _ingress(ctx: Context) -> str | None:
    setting = ctx.settings.ssh_ingress
    address = public_address() if setting == "auto" else None
    if setting == "auto" and address is None:
        ctx.reporter.note("this machine's public address could not be learnt; port 22 of the "
                          "primary stays as it is (set ssh_ingress to change that)")
    return wanted_ingress(setting, address)


def observe_nodes(
    ctx: Context, cluster: Cluster, gateway: Gateway, instances: Sequence[Instance]
) -> NodesState:
    """Ask the nodes of a ready cluster, all at once, what they are."""
    hosts = hosts_by_ip(gateway, instances)
    primary = next((i for i in instances if i.role == "primary" and i.is_running), None)
    if primary is None:
        raise InfrastructureError(f"the primary of {cluster.id} does not run", "lofn-aws status")
    nodes = read_facts(gateway, hosts)
    own = next(n for n in nodes if n.ip == primary.private_ip)
    is_manager = own.swarm.is_active and own.swarm.role == "manager"
    members = gateway.run(None, NODE_LIST, timeout=60).stdout if is_manager else ""
    with translate("reading the cluster's records"):
        document = ctx.s3.get_bytes(ctx.bucket, swarm_key(cluster.run_id))
        probe = ctx.s3.get_bytes(ctx.bucket, probe_key(cluster.run_id))
    return NodesState(
        primary_ip=primary.private_ip,
        nodes=nodes,
        members=swarm_members(members),
        document=swarm_document(document),
        probe=probe_report(probe),
        vpc_cidrs=ctx.ec2.vpc_cidrs(cluster.subnet) if cluster.subnet else (),
    )

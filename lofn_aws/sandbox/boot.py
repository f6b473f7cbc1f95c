"""Brings one node from nothing to its daemons running, in the order of EMR's node provisioning."""

from __future__ import annotations

import logging
import posixpath
from collections.abc import Mapping
from typing import Any

from lofn_aws.sandbox import jobs, node_info
from lofn_aws.sandbox.account import Account
from lofn_aws.sandbox.node_api import Nodes
from lofn_aws.sandbox.nodes import NodeSpec
from lofn_aws.sandbox.state import Cluster, Instance

log = logging.getLogger(__name__)

BOOT_SECONDS = 120.0
BOOTSTRAP_ACTION_SECONDS = 3600.0
PROVISION_SECONDS = 600.0
CALL_SECONDS = 60.0
INSTALLER = "/usr/libexec/emr/install-applications"
CONFIGURE_AWS = "/usr/libexec/emr/configure-aws"
PROVISION_LOGS = "/mnt/var/log/provision-node"
# EMR's documented error codes of a primary's bootstrap actions.
FAILED = "BOOTSTRAP_FAILURE_PRIMARY_WITH_NON_ZERO_CODE"
NOT_DOWNLOADED = "BOOTSTRAP_FAILURE_BA_DOWNLOAD_FAILED_PRIMARY"


class BootFailed(Exception):
    """A node could not be made ready."""


class BootstrapActionFailed(BootFailed):
    """A bootstrap action of a node did not succeed.

    Attributes:
        node: the node.
        number: which action, from 1.
        path: where its script is.
        code: EMR's error code for ErrorDetails of a primary.
        what: what happened, as EMR's StateChangeReason words it.
    """

    def __init__(self, node: Instance, number: int, path: str, code: str, what: str) -> None:
        super().__init__(f"bootstrap action {number} on {node.ec2_id} {what}")
        self.node, self.number, self.path = node, number, path
        self.code, self.what = code, what


class NodeBooter:
    """Boots nodes of any cluster.

    Args:
        engine: the node engine.
        account: where bootstrap actions and key pairs are looked up.
        node_image: the image's tag.
        access: region, s3_endpoint, access_key and secret_key for the nodes' AWS configuration.
    """

    def __init__(
        self, engine: Nodes, account: Account, node_image: str, access: Mapping[str, str]
    ) -> None:
        self._engine = engine
        self._account = account
        self._image = node_image
        self._access = dict(access)

    def create(self, cluster: Cluster, node: Instance) -> None:
        """Start the node and give it what it must know before its bootstrap actions."""
        spec = NodeSpec(
            cluster_id=cluster.id,
            instance_id=node.ec2_id,
            role=node_info.NODE_ROLES[node.role],
            ip=node.ip,
            hostname=node.hostname,
            image=self._image,
        )
        self._engine.create_node(spec)
        self._engine.wait_booted(node.ec2_id, BOOT_SECONDS)
        put = self._engine.put_file
        put(node.ec2_id, node_info.INSTANCE_JSON, node_info.instance_json(cluster, node))
        put(node.ec2_id, node_info.JOB_FLOW_JSON, node_info.job_flow_json(cluster))
        jobs.install(self._engine, node.ec2_id)
        self._authorise_key(cluster, node)
        access = self._access
        self._run(
            node,
            CONFIGURE_AWS,
            access["s3_endpoint"],
            access["region"],
            access["access_key"],
            access["secret_key"],
        )

    def _authorise_key(self, cluster: Cluster, node: Instance) -> None:
        key = self._account.key_pair(cluster.request["Instances"])
        if key is None:
            return
        owner = ("-o", "hadoop", "-g", "hadoop", "-m", "700")
        self._run(node, "install", "-d", *owner, "/home/hadoop/.ssh")
        path = "/home/hadoop/.ssh/authorized_keys"
        data = (key + "\n").encode()
        self._engine.put_file(node.ec2_id, path, data, mode=0o600, owner="hadoop")

    def bootstrap(self, cluster: Cluster, node: Instance) -> None:
        """Run the cluster's bootstrap actions in order, as ``hadoop``.

        Raises:
            BootstrapActionFailed: at the first that does not end with exit code 0.
        """
        for number, action in enumerate(cluster.request.get("BootstrapActions", []), start=1):
            self._bootstrap_action(cluster, node, number, action["ScriptBootstrapAction"])

    def _bootstrap_action(
        self, cluster: Cluster, node: Instance, number: int, script: Mapping[str, Any]
    ) -> None:
        work = f"/emr/instance-controller/lib/bootstrap-actions/{number}"
        job = jobs.Job(self._engine, node.ec2_id, work, f"/mnt/var/log/bootstrap-actions/{number}")
        job.prepare()
        path = self._fetch(node, number, script["Path"], work)
        job.start([path, *script.get("Args", [])], {"EMR_CLUSTER_ID": cluster.id})
        try:
            code = job.wait(cluster.stopping.is_set, BOOTSTRAP_ACTION_SECONDS)
        except jobs.JobTimeout:
            what = "timed out executing"
            raise BootstrapActionFailed(node, number, script["Path"], FAILED, what) from None
        if code != 0:
            what = f"returned a non-zero return code ({code})"
            raise BootstrapActionFailed(node, number, script["Path"], FAILED, what)

    def _fetch(self, node: Instance, number: int, path: str, work: str) -> str:
        """Return the path on the node of a bootstrap action's script, copied there from S3."""
        if "://" not in path:
            return path.removeprefix("file:")
        data = self._account.read_object(path)
        if data is None:
            what = f"could not be downloaded from {path}"
            raise BootstrapActionFailed(node, number, path, NOT_DOWNLOADED, what)
        target = posixpath.join(work, posixpath.basename(path))
        self._engine.put_file(node.ec2_id, target, data, mode=0o755, owner="hadoop")
        return target

    def provision(self, cluster: Cluster, node: Instance) -> None:
        """Install and start Hadoop and Spark, as EMR does after the bootstrap actions.

        Raises:
            BootFailed: the installer failed; its last words are in the message.
        """
        if node.role == "MASTER":
            for path in (node_info.HDFS_EXCLUDE, node_info.YARN_EXCLUDE):
                self._engine.put_file(node.ec2_id, path, b"")
        for role in node_info.node_roles(cluster, node):
            document = node_info.provision_json(cluster, node, role, self._access)
            self._engine.put_file(node.ec2_id, node_info.PROVISION_JSON, document, mode=0o600)
            self._install(node)

    def _install(self, node: Instance) -> None:
        command = [INSTALLER, node_info.PROVISION_JSON]
        result = self._engine.exec(node.ec2_id, command, user="root", timeout=PROVISION_SECONDS)
        for name, data in (("stdout", result.stdout), ("stderr", result.stderr)):
            self._engine.put_file(node.ec2_id, f"{PROVISION_LOGS}/{name}", data)
        if result.exit_code != 0:
            raise BootFailed(
                f"{INSTALLER} on {node.ec2_id} ended with exit code {result.exit_code}: "
                + result.stderr.decode(errors="replace").strip()[-500:]
            )

    def mark_ready(self, cluster: Cluster, node: Instance) -> None:
        """Tell the node's own scripts that its applications have been set up."""
        self._engine.put_file(
            node.ec2_id, node_info.JOB_FLOW_STATE, node_info.job_flow_state(cluster, node)
        )

    def _run(self, node: Instance, *argv: str) -> None:
        result = self._engine.exec(node.ec2_id, list(argv), user="root", timeout=CALL_SECONDS)
        if result.exit_code != 0:
            raise BootFailed(
                f"'{argv[0]}' on {node.ec2_id} ended with exit code {result.exit_code}: "
                + result.stderr.decode(errors="replace").strip()[-300:]
            )

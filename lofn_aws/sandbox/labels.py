"""The Docker labels by which everything of a sandbox is found again, also after a crash."""

SANDBOX_LABEL = "lofn-aws.sandbox"
CLUSTER_LABEL = "lofn-aws.cluster"
INSTANCE_LABEL = "lofn-aws.instance"
ROLE_LABEL = "lofn-aws.role"

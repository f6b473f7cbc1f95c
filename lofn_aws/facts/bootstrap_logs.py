"""Why a cluster did not come up: EMR's reasons and the bootstrap action's own words."""

import re
from collections.abc import Iterable

from lofn_aws.model.cluster import Cluster

# LogUri/<cluster>/node/<instance>/bootstrap-actions/<n>/stderr.gz (EMR management guide).
_STDERR = re.compile(r"/node/[^/]+/bootstrap-actions/\d+/stderr\.gz$")
AT_MOST = 3


def bootstrap_log_keys(keys: Iterable[str]) -> list[str]:
    """Return the keys of bootstrap actions' stderr, those of at most three nodes."""
    return [key for key in sorted(keys) if _STDERR.search(key)][:AT_MOST]


def last_lines(text: str, count: int = 12) -> str:
    """Return the last lines of a log that are not empty, indented."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-count:])


def failure_sentence(cluster: Cluster) -> str:
    """Say in one sentence why a cluster ended: its error details, else its reason."""
    said = [e.message.rstrip(".") for e in cluster.errors if e.message]
    reason = cluster.reason.rstrip(".") or "EMR gives no reason"
    if reason not in said:
        said.insert(0, reason)
    code = cluster.reason_code or (cluster.errors[0].code if cluster.errors else cluster.state)
    return f"{cluster.id} ended with {code}: {'; '.join(said)}"

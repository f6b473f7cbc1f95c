"""Why a cluster did not come up: EMR's reasons and the bootstrap action's own words."""

import re
from collections.abc import Iterable

from lofn_aws.model.cluster import Cluster

# LogUri/<cluster>/node/<instance>/bootstrap-actions/<n>/stderr.gz (EMR management guide).
_STDERR = re.compile(r"/node/([^/]+)/bootstrap-actions/\d+/stderr\.gz$")


def bootstrap_log_key(keys: Iterable[str], cluster: Cluster) -> str | None:
    """Return the key of the bootstrap action's stderr on the node that EMR names as failed.

    Where EMR names none, or has not written that node's log, it is another node's; None when
    there is no such log yet.
    """
    found = {match[1]: key for key in sorted(keys) if (match := _STDERR.search(key))}
    words = [cluster.reason, *(v for e in cluster.errors for v in (e.message, *e.data.values()))]
    named = [key for instance, key in found.items() if any(instance in w for w in words)]
    return next(iter([*named, *found.values()]), None)


def last_lines(text: str, count: int = 12) -> str:
    """Return the last lines of a log that are not empty."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-count:])


def failure_sentence(cluster: Cluster) -> str:
    """Say in one sentence why a cluster ended: its error details, else its reason."""
    said = [e.message.rstrip(".") for e in cluster.errors if e.message]
    reason = cluster.reason.rstrip(".") or "EMR gives no reason"
    if reason not in said:
        said.insert(0, reason)
    code = cluster.reason_code or (cluster.errors[0].code if cluster.errors else cluster.state)
    return f"{cluster.id} ended with {code}: {'; '.join(said)}"

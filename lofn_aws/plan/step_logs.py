"""Where a step's logs are: on the primary while they are fresh, below LogUri later (pure)."""

from __future__ import annotations

import shlex

from lofn_aws.model.uris import S3Uri, parse_s3_uri

STREAMS = ("stdout", "stderr", "controller", "syslog")
# As much of a log as is read: the end of it, where the reason is.
LOG_BYTES = 16 * 1024 * 1024
_ON_PRIMARY = "/mnt/var/log/hadoop/steps"


def read_command(step_id: str, stream: str) -> str:
    """Print the end of a log on the primary; exit code 3 where it is not there.

    EMR compresses the logs of old steps in place.
    """
    path = shlex.quote(f"{_ON_PRIMARY}/{step_id}/{stream}")
    return (
        f"if sudo -n test -f {path}; then sudo -n tail -c {LOG_BYTES} {path}; "
        f"elif sudo -n test -f {path}.gz; then sudo -n gzip -dc {path}.gz | tail -c {LOG_BYTES}; "
        "else exit 3; fi"
    )


def last_line_command(step_id: str) -> str:
    """Print the last lines that a running step has printed, for one of them to be shown."""
    path = shlex.quote(f"{_ON_PRIMARY}/{step_id}/stdout")
    return f"sudo -n tail -n 5 {path} 2>/dev/null | tail -c 4096"


def log_object(log_uri: str, cluster_id: str, step_id: str, stream: str) -> S3Uri | None:
    """Return where EMR puts the log in S3; None for a cluster without LogUri."""
    if not log_uri:
        return None
    return parse_s3_uri(log_uri).child(f"{cluster_id}/steps/{step_id}/{stream}.gz")

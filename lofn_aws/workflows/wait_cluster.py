"""Waiting for a cluster: each state with its time, and the reason when it fails."""

import gzip
import zlib
from collections.abc import Callable

from lofn_aws.adapters.aws_errors import translate
from lofn_aws.adapters.clock import wait_for
from lofn_aws.errors import LofnAwsError, WaitTimeout
from lofn_aws.facts.bootstrap_logs import bootstrap_log_key, failure_sentence, last_lines
from lofn_aws.facts.cluster_failure import failure_error
from lofn_aws.model.cluster import Cluster
from lofn_aws.workflows.context import Context

READY_SECONDS = 1800.0
GONE_SECONDS = 900.0
LOG_SECONDS = 60.0
INTERVAL = 2.0


def wait_until_ready(ctx: Context, cluster: Cluster) -> Cluster:
    """Wait until steps and SSH work.

    Raises WaitTimeout, and for a cluster that ends what ``failure_error`` makes of its reason.
    """
    watch = _Watch(ctx, cluster.id)

    def probe() -> Cluster | None:
        seen = watch.look()
        if seen.state.startswith("TERMINAT"):
            raise _failure(ctx, seen)
        return seen if seen.is_ready else None

    with ctx.reporter.phase(f"wait until {cluster.name} ({cluster.id}) is ready") as phase:
        watch.say = phase.update
        found = wait_for(
            ctx.clock, probe, what=f"{cluster.id} is ready",
            deadline_seconds=ctx.deadline(READY_SECONDS), interval=INTERVAL, reason=watch.reason,
            next_command="lofn-aws up  (goes on waiting)",
        )
        watch.close()
    return found


def wait_until_gone(ctx: Context, cluster: Cluster) -> None:
    """Wait until a cluster has ended. Raises WaitTimeout."""
    watch = _Watch(ctx, cluster.id)

    def probe() -> bool | None:
        return watch.look().is_ended or None

    with ctx.reporter.phase(f"wait until {cluster.name} ({cluster.id}) has ended") as phase:
        watch.say = phase.update
        wait_for(
            ctx.clock, probe, what=f"the end of {cluster.id}",
            deadline_seconds=ctx.deadline(GONE_SECONDS), interval=INTERVAL, reason=watch.reason,
            next_command="lofn-aws down  (goes on waiting)",
        )


class _Watch:
    """Looks at a cluster again and again and says each state once, with the last one's time."""

    def __init__(self, ctx: Context, cluster_id: str) -> None:
        self._ctx = ctx
        self._id = cluster_id
        self._state = ""
        self._since = ctx.clock.monotonic()
        self._last: Cluster | None = None
        self.say: Callable[[str], None] = ctx.reporter.detail

    def look(self) -> Cluster:
        """Describe the cluster and say what is new."""
        seen = self._ctx.emr.cluster(self._id)
        if seen.state != self._state:
            self.close()
            self._state = seen.state
        self._last = seen
        self.say(f"{seen.state} {seen.reason}".strip())
        return seen

    def close(self) -> None:
        """Say how long the last state took."""
        now = self._ctx.clock.monotonic()
        if self._state:
            self._ctx.reporter.note(f"  {self._state}: {now - self._since:.1f} s")
        self._since = now
        self._state = ""

    def reason(self) -> str:
        """Say what the cluster's last state was, and EMR's reason."""
        if self._last is None:
            return "EMR said nothing"
        return f"{self._last.state} {self._last.reason}".strip()


def _failure(ctx: Context, cluster: Cluster) -> LofnAwsError:
    """Return the error of a cluster that ended before it was ready; shows bootstrap's stderr."""
    sentence = failure_sentence(cluster)
    if "BOOTSTRAP" in cluster.reason_code or any("BOOTSTRAP" in e.code for e in cluster.errors):
        said = _bootstrap_words(ctx, cluster)
        if said:
            sentence += f"; its last words: {said.splitlines()[-1]}"
    return failure_error(cluster, sentence)


def _bootstrap_words(ctx: Context, cluster: Cluster) -> str:
    """Show and return the last lines of the failed bootstrap action, once EMR has its log."""
    bucket, _, prefix = cluster.log_uri.partition("://")[2].partition("/")
    if not bucket:
        return ""

    def probe() -> tuple[str, str] | None:
        with translate("looking for the bootstrap action's log"):
            keys = [o.key for o in ctx.s3.list(bucket, f"{prefix}{cluster.id}/node/")]
            key = bootstrap_log_key(keys, cluster)
            data = ctx.s3.get_bytes(bucket, key) if key else None
        text = last_lines(_unzip(data)) if data else ""
        return (key, text) if key and text else None

    try:
        key, text = wait_for(ctx.clock, probe, what="the bootstrap action's log in the bucket",
                             deadline_seconds=LOG_SECONDS, interval=3)
    except WaitTimeout:
        ctx.reporter.warn(f"EMR has not written the bootstrap action's log below {cluster.log_uri}")
        return ""
    lines = "\n".join(f"    {line}" for line in text.splitlines())
    ctx.reporter.warn(f"s3://{bucket}/{key} ends with:\n{lines}")
    return text


def _unzip(data: bytes) -> str:
    try:
        return gzip.decompress(data).decode("utf-8", "replace")
    except (OSError, EOFError, zlib.error):
        return ""

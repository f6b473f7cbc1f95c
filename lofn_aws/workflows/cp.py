"""`cp`: files and folders between this machine, the cluster's HDFS, and S3."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from lofn_aws.errors import InfrastructureError
from lofn_aws.model.copy import Copied
from lofn_aws.model.uris import HdfsUri, Location, parse_location
from lofn_aws.plan.copy import check_copy, check_pair, target_of
from lofn_aws.workflows.attach import attached
from lofn_aws.workflows.context import Context
from lofn_aws.workflows.hdfs_copy import HdfsCopy
from lofn_aws.workflows.s3_copy import S3Copy


def copy(ctx: Context, source_text: str, target_text: str, *, force: bool) -> Copied:
    """Copy one file or folder; either is there in the end under its name, complete, or not at all.

    (A folder in S3, which is many objects, and with ``force`` a folder that is merged, can be
    left half-way; the same command again completes it.) Raises NotFoundError for a missing
    source, UsageError for a target in the way, InfrastructureError.
    """
    source, asked = parse_location(source_text), parse_location(target_text)
    check_pair(source, asked)
    start = ctx.clock.monotonic()
    with _ends(ctx, source, asked) as ends, _file_errors():
        at_source = ends.look(source, whole=True)
        at_asked = ends.look(asked)
        target = target_of(source, asked, at_asked)
        at_target = at_asked if target == asked else ends.look(target)
        check_copy(source, at_source, target, at_target, force=force)
        merge = at_target.kind is not None
        ends.copy(source, at_source, target, merge=merge, token=secrets.token_hex(8))
    known = at_source.kind == "file" or bool(at_source.files)
    count = max(1, len(at_source.files)) if known else None
    size = at_source.size if known else None
    return Copied(str(source), str(target), count, size, round(ctx.clock.monotonic() - start, 2))


@contextmanager
def _ends(ctx: Context, source: Location, target: Location) -> Iterator[S3Copy | HdfsCopy]:
    """Give what copies between these two; a connection to the cluster only where HDFS is one."""
    with ExitStack() as stack:
        if isinstance(source, HdfsUri) or isinstance(target, HdfsUri):
            yield HdfsCopy(ctx, stack.enter_context(attached(ctx)))
        else:
            yield S3Copy(ctx)


@contextmanager
def _file_errors() -> Iterator[None]:
    """Turn errors of this machine's files into ours."""
    try:
        yield
    except OSError as error:
        raise InfrastructureError(f"a file of this machine: {error}") from error
